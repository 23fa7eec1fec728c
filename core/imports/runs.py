"""Imports from the back-office: the uploaded file, how far it has come, and its report, in a folder of their own.

They are working files of a few days, not business data, so they live in the data directory and not in a table.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from core.data import clock
from core.data.scope import Actor, Scope, acting, current_actor
from core.i18n import _, current_locale
from core.imports.kinds import kind_named
from core.imports.refused import NAME, RefusedRows
from core.imports.running import Stopped
from core.imports.services import import_file
from core.imports.source import ENDINGS
from core.jobs.services import enqueue, progress
from core.spec.errors import Invalid, NotFound, TukkuError

KEPT = timedelta(days=14)
JOB = "imports.run"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16}")
_STATE = "state.json"
_STOP = "stop"


@dataclass(frozen=True, slots=True)
class Run:
    """One import: tried first (``dry_run``), then run. ``state`` is waiting, running, done or failed.

    ``locale`` is the language in which who asked for it reads what is wrong, ``tried`` when the trial began.
    """

    token: str
    kind: str
    name: str
    user_id: int | None
    user_name: str
    at: str
    state: str = "waiting"
    dry_run: bool = True
    done: int = 0
    total: int = 0
    message: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)
    locale: str = "en"
    tried: str = ""

    @property
    def started(self) -> datetime:
        """When the file was uploaded or the import begun."""
        return datetime.fromisoformat(self.at)

    @property
    def waiting(self) -> bool:
        """True until there is a report or a refusal."""
        return self.state in ("waiting", "running")

    @property
    def may_run(self) -> bool:
        """True after a whole trial that would change something."""
        return self.state == "done" and self.dry_run and self.changes > 0 and not self.stopped

    @property
    def stopped(self) -> bool:
        """True where somebody stopped it before its end."""
        return bool(self.report.get("stopped"))

    @property
    def changes(self) -> int:
        """How many rows were, or would be, created or updated."""
        return int(self.report.get("created", 0)) + int(self.report.get("updated", 0))


def begin(kind: str, upload: FileStorage) -> Run:
    """Keep an uploaded file and have it tried; Invalid where its ending is not a table's."""
    name = secure_filename(upload.filename or "")
    if Path(name).suffix.lower() not in ENDINGS:
        raise Invalid("IMPORT-FILE-TYPE", _("Choose a CSV, XLSX or ODS file."), details={"field": "file"})
    actor = current_actor()
    run = Run(
        secrets.token_urlsafe(12), kind_named(kind).kind, name, actor.user_id, actor.name, clock.now().isoformat(),
        locale=current_locale(),
    )  # fmt: skip
    folder = _folder(run.token)
    folder.mkdir(parents=True)
    upload.save(folder / name)
    return _submit(run)


def carry_out(run: Run) -> Run:
    """Have a tried file imported."""
    if not run.may_run:
        raise Invalid("IMPORT-NOT-TRIED", _("There is nothing in this file to import."))
    actor = current_actor()
    return _submit(
        replace(
            run, dry_run=False, state="waiting", done=0, report={}, user_id=actor.user_id, user_name=actor.name,
            at=clock.now().isoformat(), locale=current_locale(),
        )
    )  # fmt: skip


def stop(run: Run) -> None:
    """Have an import end after the rows that are in hand; what went in stays."""
    if run.waiting:
        (_folder(run.token) / _STOP).touch()


def _submit(run: Run) -> Run:
    (_folder(run.token) / _STOP).unlink(missing_ok=True)
    _save(run)
    enqueue(JOB, {"token": run.token}, unique_key=f"{JOB}:{run.token}:{'trial' if run.dry_run else 'run'}")
    return run


def find(token: str) -> Run:
    """Return an import; NotFound where there is none."""
    path = _folder(token) / _STATE if _TOKEN.fullmatch(token) else None
    if path is None or not path.is_file():
        raise NotFound("IMPORT-UNKNOWN", _("There is no such import any more; upload the file again."))
    return Run(**json.loads(path.read_text(encoding="utf-8")))


def recent(limit: int = 20) -> list[Run]:
    """Return the newest imports."""
    states = sorted(_root().glob(f"*/{_STATE}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [find(path.parent.name) for path in states[:limit]]


def work(payload: dict[str, Any]) -> None:
    """Try or run an import, as the person who asked for it; the job of the back-office."""
    try:
        run = find(payload["token"])
    except NotFound:
        return
    if not run.waiting:
        return
    run = replace(run, state="running", tried=clock.now().isoformat() if run.dry_run else run.tried)
    _save(run)
    path, watch = _folder(run.token) / run.name, _Watch(run)
    permissions = frozenset({kind_named(run.kind).permission})
    with acting(Actor(run.user_id, run.user_name, Scope("merchant"), permissions=permissions, locale=run.locale)):
        try:
            with RefusedRows(refused_of(run)) as refused:
                tried = None if run.dry_run else datetime.fromisoformat(run.tried)
                how: dict[str, Any] = {"starter": watch, "listener": refused.note, "tried": tried}
                report = import_file(run.kind, path, dry_run=run.dry_run, **how)
            _save(replace(watch.run, state="done", report=report.plain()))
        except TukkuError as error:
            _save(replace(run, state="failed", message=str(error.message)))
        except Exception:
            fault = _("The import stopped by a fault; the administrators see it under Jobs.")
            _save(replace(run, state="failed", message=fault))
            raise


def refused_of(run: Run) -> Path:
    """Return the file with every refused row of an import."""
    return _folder(run.token) / NAME


class _Watch:
    """Writes how far an import has come."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(self, kind: str, name: str, total: int) -> Any:
        self.run = replace(self.run, total=total)
        return self.advance

    def advance(self, count: int) -> None:
        """Add rows that are done; Stopped where somebody wants no more of them."""
        self.run = replace(self.run, done=self.run.done + count)
        _save(self.run)
        progress(self.run.done, self.run.total)
        if (_folder(self.run.token) / _STOP).exists():
            raise Stopped


def prune(payload: dict[str, Any]) -> None:
    """Remove imports that nobody needs any more; a daily job."""
    for path in _root().glob(f"*/{_STATE}"):
        if find(path.parent.name).started < clock.now() - KEPT:
            shutil.rmtree(path.parent)


def _save(run: Run) -> None:
    """Write the state whole, so that a reader never sees half of it."""
    path = _folder(run.token) / _STATE
    scratch = path.with_suffix(f".{secrets.token_hex(4)}")
    scratch.write_text(json.dumps(asdict(run), ensure_ascii=False), encoding="utf-8")
    scratch.replace(path)


def _root() -> Path:
    return Path(current_app.config["TUKKU_DATA_DIR"]) / "imports"


def _folder(token: str) -> Path:
    return _root() / token
