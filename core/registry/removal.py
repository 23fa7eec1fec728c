"""Take an addon's data out for good: uninstall by its own migrations, or purge when its files are gone.

    refuse or go on → wait until no process runs it → export, read back, compare → remove tables → {forget, generation + 1}

The export comes first in every run, so that a run that was killed is simply started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from flask import current_app
from sqlalchemy import Connection, column, delete, func, inspect, select, table

from core.data import audit, clock
from core.data.db import db
from core.data.dump import dump, reflected
from core.data.migrate import addon_history, downgrade
from core.data.write import write
from core.registry.models import AddonState, Incident, OwnedTable
from core.registry.operations import Echo
from core.registry.oplog import OperationLog, OperationRefused, operation
from core.registry.problems import Problem
from core.registry.processes import alive
from core.registry.sources import Discovery, Found
from core.registry.state import raise_generation, read_snapshot

RemovalKind = Literal["uninstall", "purge"]
Readable = Callable[[str, Path, Echo], None]
#: Rows of the framework that belong to an addon: table, and the column that names it.
_JOBS, _SETTINGS, _HOLDS = ("core_job", "addon"), ("core_setting", "owner"), ("orders_hold", "owner")
PATIENCE = 60.0  # seconds to wait for processes that still run the addon


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows of core, or of another addon, that lose what an addon knows of them: ``count`` of ``target``, by ``column``."""

    table: str
    column: str
    target: str
    count: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing an addon's data would do: shown before, and with --dry-run instead of, doing it.

    ``rows``: how many each of its tables holds; ``references``: of whose rows these know something.
    ``settings``, ``jobs`` and open ``holds`` of orders: its rows in the tables of others.
    """

    kind: RemovalKind
    name: str
    problems: tuple[Problem, ...] = ()
    rows: tuple[tuple[str, int], ...] = ()
    settings: int = 0
    jobs: int = 0
    holds: int = 0
    with_settings: bool = False
    references: tuple[Reference, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return {
            "operation": self.kind,
            "name": self.name,
            "problems": [p.as_dict() for p in self.problems],
            "tables": dict(self.rows),
            "references": [asdict(reference) for reference in self.references],
            "settings": self.settings,
            "settings_removed": self.with_settings,
            "jobs": self.jobs,
            "holds": self.holds,
        }


def propose(discovery: Discovery, kind: RemovalKind, name: str, *, with_settings: bool = False) -> Removal:
    """Return what would be removed, or every reason why it cannot be."""
    problems = tuple(_problems(discovery, kind, name))
    if problems:
        return Removal(kind, name, problems, with_settings=with_settings)
    with db.engine.connect() as connection:
        rows = [(one.name, connection.scalar(select(func.count()).select_from(one))) for one in _tables(connection, name)]
        settings, jobs = (_count(connection, *place, name) for place in (_SETTINGS, _JOBS))
        holds = _count(connection, *_HOLDS, name, "released_at")
        references = tuple(_referred(connection, name))
    counts = tuple((t, n or 0) for t, n in rows)
    return Removal(kind, name, (), counts, settings, jobs, holds, with_settings, references)


def remove(
    discovery: Discovery,
    kind: RemovalKind,
    name: str,
    echo: Echo,
    identity: str = "",
    *,
    with_settings: bool = False,
    patience: float = PATIENCE,
    readable: Readable = lambda _name, _folder, _echo: None,
) -> Removal:
    """Export and remove the addon's data; raises `OperationRefused` with every reason why not.

    ``readable(name, folder, echo)`` writes files for people beside the export, as far as the addon's code can.
    """
    with operation(kind, [name], echo, identity) as log:
        removal = propose(discovery, kind, name, with_settings=with_settings)
        if removal.problems:
            for problem in removal.problems:
                log.line(str(problem))
            raise OperationRefused(removal.problems)
        _wait(log, name, patience)
        folder = _export(log, discovery, removal)
        if kind == "uninstall":
            readable(name, folder / "readable", log.line)
        _drop(log, discovery, removal)
        _forget(log, removal)
    return removal


# -- steps


def _wait(log: OperationLog, name: str, patience: float) -> None:
    """Wait until every living process reports a set without the addon: none may still query the tables."""
    until, told = time.monotonic() + patience, False
    while running := [process.id for process in alive() if name in process.addons.split()]:
        if not told:
            log.line(f"Waiting for processes that still run {name}: {', '.join(running)}.")
            told = True
        if time.monotonic() > until:
            remedy = "Ask one of its pages, so that it catches up, or restart it; then try again."
            raise OperationRefused([Problem("STILL-RUNNING", name, f"{', '.join(running)} still runs {name}.", remedy)])
        db.session.rollback()
        time.sleep(min(0.5, patience))


def _export(log: OperationLog, discovery: Discovery, removal: Removal) -> Path:
    founds = discovery.by_name(removal.name)
    about: dict[str, Any] = {
        "addon": removal.name,
        "operation": log.id,
        "exported_at": clock.now().isoformat(),
        "manifest": _manifest(founds[0]) if founds else "",
    }
    folder = _folder(removal.name)
    # inside write() nobody else changes the rows between writing and comparing
    with write() as session:
        connection = session.connection()
        done = dump(connection, _tables(connection, removal.name), folder, about)
    counted = sum(done.rows.values())
    log.line(f"Exported and compared {counted} rows of {len(done.rows)} tables: {done.folder}")
    return done.folder


def _manifest(found: Found) -> str:
    path = found.location / "addon.toml"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _folder(name: str) -> Path:
    stamp = f"{clock.now():%Y%m%d-%H%M%S}"
    folder = Path(current_app.config["TUKKU_DATA_DIR"]) / "removed"
    taken = sum(1 for _ in folder.glob(f"{name}-{stamp}*")) if folder.exists() else 0
    return folder / (f"{name}-{stamp}-{taken}" if taken else f"{name}-{stamp}")


def _drop(log: OperationLog, discovery: Discovery, removal: Removal) -> None:
    """Go back to before the first migration; without files, drop the tables that were recorded, children first."""
    name = removal.name
    if removal.kind == "uninstall":
        downgrade(db.engine, addon_history(name, discovery.by_name(name)[0].location))
    left = [*_recorded(name), f"{name}_alembic_version"]
    with db.engine.connect().execution_options(tukku_write=True) as connection, connection.begin():
        for one in reversed(reflected(connection, left)):
            one.drop(connection)
    log.line(f"The tables of {name} are removed.")


def _forget(log: OperationLog, removal: Removal) -> None:
    """Forget the addon in one transaction with the new generation."""
    name = removal.name
    with write() as session:
        for place in (_JOBS, *((_SETTINGS,) if removal.with_settings else ())):
            owned = table(place[0], column(place[1]))
            session.execute(delete(owned).where(owned.c[place[1]] == name))
        for model, owner in ((OwnedTable, OwnedTable.owner), (Incident, Incident.addon), (AddonState, AddonState.name)):
            session.execute(delete(model).where(owner == name))
        audit.record("addon", name, f"{removal.kind}ed" if removal.kind == "uninstall" else "purged", addon=name)
        number = raise_generation(f"{removal.kind} {name}")
        log.finish("done", f"Done: {removal.kind} {name}. The shop is at generation {number}.")


# -- plans


def _problems(discovery: Discovery, kind: RemovalKind, name: str) -> Iterator[Problem]:
    snapshot, founds = read_snapshot(db.engine, discovery), discovery.by_name(name)
    recorded = _recorded(name)
    if name not in snapshot.states and not recorded:
        said = f"{name} is not installed: it has no tables, and nothing was decided about it."
        yield Problem("NOT-INSTALLED", name, said, "`tukku addons list` shows what is.")
        return
    if name in snapshot.enabled:
        yield Problem("ENABLED", name, f"{name} is switched on.", f"Run `tukku addons disable {name}` first.")
    if kind == "uninstall" and not founds:
        said = f"The files of {name} are gone, so its own migrations cannot take its tables back."
        yield Problem("FILES-GONE", name, said, f"Install its files again, or run `tukku addons purge {name}`.")
    if kind == "purge" and founds:
        said = f"The files of {name} are in {founds[0].location}."
        yield Problem("FILES-PRESENT", name, said, f"Run `tukku addons uninstall {name}`, which asks its own migrations.")
    installed = set(snapshot.states) | set(db.session.scalars(select(OwnedTable.owner)))
    for found in discovery.found:
        if found.manifest and found.name != name and found.name in installed and name in found.manifest.requires_addons:
            said = f"{found.name} is installed and needs {name}; its tables may refer to those of {name}."
            yield Problem("NEEDED", name, said, f"Run `tukku addons uninstall {found.name}` first.")
    yield from _references(name, recorded)


def _references(name: str, recorded: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each table of somebody else that refers to one of the addon's."""
    own = set(recorded)
    inspector = inspect(db.engine)
    for other in inspector.get_table_names() if own else ():
        if other in own:
            continue
        targets = {key["referred_table"] for key in inspector.get_foreign_keys(other)} & own
        if targets:
            said = f"The table {other} refers to {', '.join(sorted(targets))}."
            yield Problem("REFERENCED", name, said, f"Remove the addon that {other} belongs to first.")


def _referred(connection: Connection, name: str) -> Iterator[Reference]:
    """Yield, for each foreign key out of the addon's tables, how many rows of somebody else it points to."""
    own = _tables(connection, name)
    for one in own:
        for key in inspect(connection).get_foreign_keys(one.name):
            target, (first, *_) = key["referred_table"], key["constrained_columns"]
            if target not in {other.name for other in own}:
                count = connection.scalar(select(func.count(one.c[first].distinct())))
                yield Reference(one.name, first, target, count or 0)


def _recorded(name: str) -> tuple[str, ...]:
    return tuple(db.session.scalars(select(OwnedTable.name).where(OwnedTable.owner == name).order_by(OwnedTable.name)))


def _tables(connection: Connection, name: str) -> tuple[Any, ...]:
    owned = connection.scalars(select(OwnedTable.name).where(OwnedTable.owner == name)).all()
    return reflected(connection, owned)


def _count(connection: Connection, name: str, owner: str, addon: str, unset: str = "") -> int:
    """Count the rows of ``name`` that belong to an addon, those without a value in ``unset`` only, if given."""
    if name not in inspect(connection).get_table_names():
        return 0
    owned = table(name, column(owner), *([column(unset)] if unset else []))
    wanted = [owned.c[owner] == addon, *([owned.c[unset].is_(None)] if unset else [])]
    return connection.scalar(select(func.count()).select_from(owned).where(*wanted)) or 0
