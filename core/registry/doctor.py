"""What is wrong with the addons of a deployment, from everything that is recorded: for the operator, after a fault."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import inspect, select

from core.data import clock
from core.data.db import db
from core.data.migrate import CORE
from core.registry.models import Incident, Operation, OwnedTable
from core.registry.oplog import killed
from core.registry.overview import Overview
from core.registry.problems import Problem
from core.registry.processes import alive

LATELY = timedelta(days=1)


def examine(view: Overview, code: str = "") -> tuple[Problem, ...]:
    """Return every problem: of addons, tables, operations, processes, and what failed within a day.

    ``code`` is the fingerprint of what lies on disk; without it nobody is told to restart.
    """
    found = [problem for row in view.rows if row.state not in ("available", "disabled") for problem in row.problems]
    found += [*_orphans(view), *_interrupted(), *_stragglers(view.generation, code), *_incidents()]
    return tuple(dict.fromkeys(found))


def _orphans(view: Overview) -> Iterator[Problem]:
    """Yield tables of an addon that is not installed any more, as they were recorded or by their name."""
    known = {row.name for row in view.rows}
    recorded = {table: owner for owner, table in db.session.execute(select(OwnedTable.owner, OwnedTable.name))}
    for owner in sorted(set(recorded.values()) - known):
        tables = ", ".join(sorted(table for table, whose in recorded.items() if whose == owner))
        said = f"The tables {tables} belong to {owner}, which is not installed."
        yield Problem("ORPHAN", owner, said, f"Install {owner} again, or run `tukku addons purge {owner}`.")
    for table in inspect(db.engine).get_table_names():
        version = table.removesuffix("_alembic_version")
        if table != version and version != CORE and version not in known and version not in recorded.values():
            said = f"The table {table} says that {version} was installed, and nothing else does."
            yield Problem("ORPHAN", version, said, f"Install {version} again, or drop the table by hand.")


def _interrupted() -> Iterator[Problem]:
    """Yield an operation that says it runs though nobody holds the lock."""
    for row in db.session.scalars(select(Operation).where(Operation.id.in_(killed()))):
        again = f"tukku addons {row.kind} {row.addons}" if row.kind != "upgrade" else "tukku upgrade"
        said = f"The operation {row.kind} {row.addons} of {row.started_at:%Y-%m-%d %H:%M} UTC was killed before it ended."
        yield Problem("INTERRUPTED", row.addons, said, f"Run `{again}` again: it goes on where it was.")


def _stragglers(generation: int, code: str) -> Iterator[Problem]:
    for process in alive():
        if code and process.generation == generation and process.code not in ("", code):
            said = f"{process.id} ({process.kind}) runs other code than lies on disk."
            yield Problem("OLD-CODE", process.id, said, "Restart it: code that is loaded is not loaded anew.", "notice")
        if process.generation < generation:
            said = f"{process.id} serves generation {process.generation}; decided is {generation}."
            yield Problem("STRAGGLER", process.id, said, "It changes at its next request; if it does not, restart it.")


def _incidents() -> Iterator[Problem]:
    since = clock.now() - LATELY
    for row in db.session.scalars(select(Incident).where(Incident.last_seen > since).order_by(Incident.addon, Incident.id)):
        where = f"{row.phase}, {row.hook}" if row.hook else row.phase
        said = f"{row.message} ({where}; {row.count} times since {row.first_seen:%Y-%m-%d %H:%M} UTC)"
        yield Problem("INCIDENT", row.addon, said, "The page Incidents has the report to send to its author.", "notice")
