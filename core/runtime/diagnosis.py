"""Everything an operator would look at, area by area; a question that cannot be asked is a finding, never a crash.

    settings → database → tables → {addons, processes, jobs, mail, files, clock, set-up, data}

What follows a broken area is not asked: its answers would only repeat the fault.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from flask import Flask
from sqlalchemy import Connection, func, inspect, select, text

from core.accounts.mails import address_of
from core.data import clock, files
from core.data.db import db, make_engine
from core.data.migrate import core_history, pending
from core.data.models import StoredFile
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.registry.code import on_disk
from core.registry.doctor import examine
from core.registry.models import Generation
from core.registry.processes import alive
from core.registry.registry import registry
from core.runtime.app import bare_app, build_app
from core.runtime.config import Config
from core.runtime.operator import Operator
from core.runtime.sweeps import sweep
from core.spec.app import ConfigFinding
from core.spec.errors import TukkuError
from core.ui.findings import check_all

Level = Literal["ok", "notice", "warning", "error"]
AREAS = ("settings", "database", "tables", "addons", "processes", "jobs", "mail", "files", "clock", "set-up", "data")
FREE = 0.05  # of the disk with the data, as /readyz asks
LATE = timedelta(minutes=5)
APART = timedelta(seconds=5)  # by which clocks may differ
NEW = 3600.0  # seconds within which a file on disk may still get its row


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer: in order (``ok``), to be known (``notice``), looked at (``warning``) or mended (``error``)."""

    area: str
    code: str
    level: Level
    message: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return asdict(self)


Answer = tuple[str, Level, str, str]  # code, level, message, remedy
Question = Callable[[Config, Flask], Iterator[Answer]]


def diagnose(config: Config, areas: Sequence[str] = AREAS) -> list[Finding]:
    """Ask all areas and return what they answer, those of ``areas`` only; changes nothing."""
    found: list[Finding] = []
    for area, question in (("settings", _settings), ("database", _database), ("tables", _tables)):
        found += _asked(area, lambda question=question: question(config))  # type: ignore[misc]
        if any(finding.level == "error" for finding in found):
            return [f for f in found if f.area in areas or f.level == "error"]
    app = _app(config, found)
    if app is not None:
        with app.app_context(), acting(system("doctor")):
            for area, asked in _QUESTIONS.items():
                if area in areas:
                    found += _asked(area, lambda asked=asked: asked(config, app))  # type: ignore[misc]
                    db.session.rollback()  # PostgreSQL refuses further statements after one that failed
            db.session.remove()
            db.engine.dispose()
    return [f for f in found if f.area in areas]


def _app(config: Config, found: list[Finding]) -> Flask | None:
    """Return the app as it would be served, addons left out where they must be; None where core itself fails."""
    try:
        return build_app(replace(config, strict_addons=False))
    except Exception as error:  # whatever it is, it is the finding
        said = f"The application cannot be built: {error}"
        found.append(Finding("addons", "BUILD", "error", said, "`tukku addons doctor` says which addon is at fault."))
        return None


def _asked(area: str, question: Callable[[], Iterator[Answer]]) -> list[Finding]:
    try:
        return [Finding(area, *answer) for answer in question()]
    except Exception as error:  # a question that fails is an answer
        said = f"This could not be asked: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return [Finding(area, "NOT-ASKED", "error", said.rstrip(": "))]


# -- before there is an app


def _settings(config: Config) -> Iterator[Answer]:
    try:
        config.require_secret()
    except TukkuError as error:
        yield error.code, "error", str(error.message), ""
        return
    yield "SETTINGS", "ok", f"The secret key is there; the shop is {config.url}; data lie in {config.data_dir}.", ""
    if not config.https and not any(host in config.url for host in ("127.0.0.1", "localhost")):
        said = f"{config.url} is reached without TLS: passwords and sessions can be read on the way."
        yield "NO-TLS", "warning", said, "Put a proxy with a certificate in front, and set TUKKU_URL to https://…."
    if config.safe_mode:
        yield "SAFE-MODE", "warning", "TUKKU_SAFE_MODE is on: no addon runs.", "Take it away once the shop is mended."


def _database(config: Config) -> Iterator[Answer]:
    app = bare_app(config)
    with app.app_context(), acting(system("doctor")):
        try:
            sqlite = db.engine.dialect.name == "sqlite"
            with db.engine.connect() as connection:
                version = connection.scalar(text("SELECT sqlite_version()" if sqlite else "SHOW server_version"))
                yield "DATABASE", "ok", f"{'SQLite' if sqlite else 'PostgreSQL'} {version} answers.", ""
                if sqlite:
                    yield from _sound(connection)
            if inspect(db.engine).has_table(Generation.__tablename__):
                with write() as session:
                    session.execute(select(Generation.number).limit(1))
                yield "WRITABLE", "ok", "The write lock can be had.", ""
        finally:
            db.session.remove()
            db.engine.dispose()


def _sound(connection: Connection) -> Iterator[Answer]:
    """Let SQLite look through its file, and for rows whose parent is gone."""
    said = connection.scalars(text("PRAGMA quick_check(5)")).all()
    if said == ["ok"]:
        yield "SOUND", "ok", "The database file is sound.", ""
    else:
        yield "DAMAGED", "error", f"The database file is damaged: {'; '.join(said)}", "Stop the shop and restore a backup."
    orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
    if orphans:
        tables = ", ".join(sorted({str(row[0]) for row in orphans}))
        yield "ORPHANS", "error", f"{len(orphans)} rows of {tables} refer to rows that are gone.", "Restore a backup."


def _tables(config: Config) -> Iterator[Answer]:
    engine = make_engine(config.database_url)
    try:
        if not inspect(engine).has_table(Generation.__tablename__):
            yield "NO-TABLES", "error", "The database has no tables yet.", "Run `tukku init`."
        elif pending(engine, core_history()):
            yield "UPGRADE-PENDING", "error", "Core's tables are behind its code.", "Run `tukku upgrade`."
        else:
            yield "CURRENT", "ok", f"Core's tables are at revision {core_history().head()}.", ""
    finally:
        engine.dispose()


# -- inside the app


def _addons(config: Config, app: Flask) -> Iterator[Answer]:
    view, wrong = Operator(config, app).overview(), False
    for problem in examine(view, on_disk(registry())):
        if problem.code not in ("STRAGGLER", "OLD-CODE"):
            wrong = True
            level: Level = "error" if problem.level == "error" else "notice"
            yield problem.code, level, f"{problem.addon}: {problem.message}", problem.remedy
    for degraded in registry().degraded:
        yield "PAUSED", "error", f"Ordering is paused: {degraded.addon} is out of order.", f"{degraded.reason}"
    if not wrong:
        names = ", ".join(registry().addons) or "none"
        yield "ADDONS", "ok", f"Generation {view.generation}; running: {names}.", ""
    for owner, checks in registry().batch("addon_health"):
        for check in checks if owner in registry().addons else ():
            level = {"failing": "error", "warning": "warning"}.get(check.state, "ok")  # type: ignore[assignment]
            yield "HEALTH", level, f"{owner}: {check.title}: {check.message}".rstrip(": "), ""


def _processes(config: Config, app: Flask) -> Iterator[Answer]:
    seen = alive()
    if not seen:
        said = "No process says that it serves; they say so every ten seconds."
        yield "NONE", "warning", said, "Start `tukku serve`, or gunicorn and `tukku worker`."
        return
    kinds = ", ".join(f"{sum(p.kind == kind for p in seen)} {kind}" for kind in dict.fromkeys(p.kind for p in seen))
    wrong = [
        p for p in examine(Operator(config, app).overview(), on_disk(registry())) if p.code in ("STRAGGLER", "OLD-CODE")
    ]
    if not wrong:
        yield "AGREE", "ok", f"{kinds}: all serve generation {registry().generation} and run the code on disk.", ""
    for problem in wrong:
        yield problem.code, "warning", problem.message, problem.remedy


def _jobs(_config: Config, _app: Flask) -> Iterator[Answer]:
    states = dict(db.session.execute(select(Job.state, func.count(Job.id)).group_by(Job.state)).all())
    oldest = db.session.scalar(select(func.min(Job.run_at)).where(Job.state == "waiting"))
    late = clock.now() - oldest if oldest else timedelta(0)
    if late > LATE:
        said = f"The oldest job has waited for {int(late.total_seconds() // 60)} minutes."
        yield "LATE", "error", said, "Start `tukku worker`, or `tukku serve` without --no-jobs."
    else:
        yield "IN-TIME", "ok", f"No job waits for longer than five minutes; {states.get('waiting', 0)} are to come.", ""
    if states.get("failed"):
        yield "FAILED", "warning", f"{states['failed']} jobs have failed for good.", "`tukku jobs list --state failed`"
    if states.get("held"):
        yield "HELD", "notice", f"{states['held']} jobs wait for their addon to be switched on.", ""


def _mail(_config: Config, _app: Flask) -> Iterator[Answer]:
    wrong = [found for checked in check_all() if checked.check.name == "mail" for found in checked.findings]
    for found in wrong:
        yield found.code, "warning", str(found.message), remedy_of(found)
    if not wrong:
        yield "MAIL", "ok", "A mail server and a sender are set.", ""
    last = select(Job.error).where(Job.name == "jobs.mail", Job.state == "failed").order_by(Job.id.desc()).limit(1)
    error = db.session.scalar(last)
    if error:
        yield "MAIL-FAILED", "warning", f"The last mail that failed: {error.strip().splitlines()[-1][:200]}", ""


def _files(config: Config, _app: Flask) -> Iterator[Answer]:
    disk = shutil.disk_usage(config.data_dir)
    share = disk.free / disk.total
    said = f"{disk.free / 1e9:.1f} GB ({share:.0%}) of the disk with the data are free."
    yield "DISK", "error" if share < FREE else "ok", said, "Make room, or ordering will stop." if share < FREE else ""
    stored, named, gone, cut = files.on_disk(), set(), [], []
    rows = select(StoredFile.sha256, StoredFile.size, StoredFile.name).order_by(StoredFile.id)
    for digest, size, name in db.session.execute(rows.execution_options(yield_per=1000)):
        named.add(digest)
        if digest not in stored:
            gone.append(name)
        elif stored[digest][0] != size:
            cut.append(name)
    remedy = "Restore `files/` of the data directory from a backup."
    if gone:
        yield "FILES-MISSING", "error", f"{len(gone)} stored files are missing on disk, {gone[0]} among them.", remedy
    if cut:
        yield "FILES-CUT", "error", f"{len(cut)} stored files have another length on disk, {cut[0]} among them.", remedy
    # the bytes are written before the row: what is new may still be about to have one
    old = [size for digest, (size, at) in stored.items() if digest not in named and at < clock.now().timestamp() - NEW]
    if old:
        said = f"{len(old)} files ({sum(old) / 1e6:.1f} MB) in `files/` of the data directory belong to no row."
        yield "FILES-UNKNOWN", "notice", said, "They do no harm; after a backup they may be deleted."
    if not gone and not cut:
        yield "FILES", "ok", "Every stored file is on disk.", ""


def _clock(_config: Config, _app: Flask) -> Iterator[Answer]:
    ahead = [p.id for p in alive() if p.seen_at > clock.now() + APART]
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            apart = abs(connection.scalar(text("SELECT clock_timestamp()")) - clock.now())
        if apart > APART:
            said = f"This machine's clock and the database's are {apart.total_seconds():.0f} seconds apart."
            yield "CLOCK", "error", said, "Let both follow a time server: prices and deadlines begin at instants."
            return
    if ahead:
        yield "CLOCK", "error", f"The clock of {', '.join(ahead)} is ahead of this one.", "Let both follow a time server."
        return
    yield "CLOCK", "ok", f"Clocks agree: {clock.now():%Y-%m-%d %H:%M:%S} UTC.", ""


def _set_up(_config: Config, _app: Flask) -> Iterator[Answer]:
    levels: dict[str, Level] = {"error": "error", "warning": "warning", "info": "notice"}
    findings = [f for checked in check_all() if checked.check.name != "mail" for f in checked.findings]
    for found in findings:
        yield found.code, levels[found.level], str(found.message), remedy_of(found)
    if not findings:
        yield "SET-UP", "ok", "Nothing is set up wrongly.", ""


def _data(_config: Config, _app: Flask) -> Iterator[Answer]:
    asked = list(sweep())
    for found in asked:
        if found.failure:
            said = f"{found.owner}: {found.check.code} could not be asked: {found.failure}"
            yield "NOT-ASKED", "error", said, "Report it to whoever wrote the check."
        elif found.count:
            yield found.check.code, found.check.level, f"{found.owner}: {found}", found.check.remedy
    if not any(found.count or found.failure for found in asked):
        yield "DATA", "ok", f"{len(asked)} sweeps over what is stored found nothing amiss.", ""


def remedy_of(found: ConfigFinding) -> str:
    """Return what mends a finding of the set-up, with the address of its page."""
    page = address_of(found.endpoint, **found.values) if found.endpoint else ""
    return ": ".join(part for part in (str(found.remedy), page) if part)


_QUESTIONS: dict[str, Question] = {
    "addons": _addons,
    "processes": _processes,
    "jobs": _jobs,
    "mail": _mail,
    "files": _files,
    "clock": _clock,
    "set-up": _set_up,
    "data": _data,
}
