"""What the database says: which addons are meant to run, at which schema, and the number of the generation.

A snapshot is read in one go and never changes, so that an app cannot mix two generations.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from types import MappingProxyType

from alembic.util.exc import CommandError
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from sqlalchemy import ColumnElement, Connection, Engine, func, inspect, select

from core.data import clock
from core.data.db import db
from core.data.migrate import addon_history
from core.data.write import locked
from core.registry.models import AddonState, Generation
from core.registry.problems import Problem
from core.registry.sources import Discovery, Found

_GATE = 7_855_122  # any constant but that of core.registry.oplog: PostgreSQL's advisory locks are numbers


@dataclass(frozen=True, slots=True)
class Stored:
    """An operator's decision about one addon."""

    name: str
    enabled: bool
    version: str
    critical: bool
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The decisions and the generation as read at one instant, with faults that the resolver cannot see."""

    generation: int = 0
    states: Mapping[str, Stored] = field(default_factory=lambda: MappingProxyType({}))
    faults: Mapping[str, Problem] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def enabled(self) -> frozenset[str]:
        """Return the names of the addons that are meant to run."""
        return frozenset(name for name, state in self.states.items() if state.enabled)

    def critical(self, found: Mapping[str, Found]) -> frozenset[str]:
        """Return the enabled addons without which selling would be wrong."""
        return frozenset(name for name in self.enabled if self.states[name].critical or _says_critical(found.get(name)))


def read_generation(connection: Connection) -> int:
    """Return the number of the generation; 0 before the first operation."""
    return connection.scalar(select(Generation.number).where(Generation.id == 1)) or 0


def glance(engine: Engine) -> int:
    """Read the number as fast as the driver can, outside any transaction of others; for each request."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT number FROM core_generation WHERE id = 1")
        row = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    return row[0] if row else 0


def read_snapshot(engine: Engine, discovery: Discovery) -> Snapshot:
    """Read the decisions and the generation as of one instant; an empty snapshot before `tukku init`."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # where each statement would see an instant of its own
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        if not inspect(connection).has_table(Generation.__tablename__):
            return Snapshot()
        rows = connection.execute(select(AddonState.__table__).order_by(AddonState.name)).mappings().all()
        number = read_generation(connection)
    states = {row["name"]: Stored(**row) for row in rows}
    enabled = [f for f in discovery.found if f.name in states and states[f.name].enabled and f.manifest]
    faults = {f.name: problem for f in enabled for problem in environment_problems(f)}
    faults |= {f.name: problem for f in enabled if f.name not in faults for problem in schema_problems(engine, f)}
    return Snapshot(number, MappingProxyType(states), MappingProxyType(faults))


def raise_generation(reason: str) -> int:
    """Add one to the generation inside the caller's `write()`; every process builds anew. Returns the number.

    Orders that are being placed commit first: their set of addons stays the one they were checked by.
    """
    _gate(func.pg_advisory_xact_lock)
    row = db.session.scalar(locked(select(Generation).where(Generation.id == 1)))
    if row is None:
        row = Generation(id=1, number=0, reason="", changed_at=clock.now())
        db.session.add(row)
    row.number += 1
    row.reason, row.changed_at = reason[:200], clock.now()
    db.session.flush()
    return row.number


def moved_since(generation: int) -> bool:
    """Tell whether the set of addons changed since ``generation``; if not, it stays until the caller's `write()` ends."""
    _gate(func.pg_advisory_xact_lock_shared)
    return read_generation(db.session.connection()) != generation


def _gate(lock: Callable[[int], ColumnElement[None]]) -> None:
    """Take PostgreSQL's gate between orders and changes; on SQLite the write transaction itself is one.

    FOR SHARE of the row would let orders that overlap keep a change waiting for ever: here they queue behind it.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.connection().execute(select(lock(_GATE)))


def environment_problems(found: Found) -> Iterator[Problem]:
    """Yield what this Python lacks for an addon."""
    manifest = found.manifest
    if manifest is None:
        return
    if not SpecifierSet(manifest.requires_python).contains(platform.python_version(), prereleases=True):
        here = f"{found.name} supports Python {manifest.requires_python}, and this is {platform.python_version()}."
        remedy = f"Install a version of {found.name} for this Python, or disable it."
        yield Problem("PYTHON-VERSION", found.name, here, remedy)
    for requirement in map(Requirement, manifest.requires_packages):
        if requirement.marker is None or requirement.marker.evaluate():
            yield from _package_problem(found.name, requirement)


def _package_problem(name: str, requirement: Requirement) -> Iterator[Problem]:
    remedy = f"Run `pip install '{requirement}'` in Tukku's environment, or disable {name}."
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        text = f"{name} needs the Python package {requirement}, which is not installed."
        yield Problem("PACKAGE", name, text, remedy)
        return
    if not requirement.specifier.contains(version, prereleases=True):
        text = f"{name} needs the Python package {requirement}, which is installed as {version}."
        yield Problem("PACKAGE", name, text, remedy)


def schema_problems(engine: Engine, found: Found) -> Iterator[Problem]:
    """Yield a problem when the addon's tables are behind its code, or ahead of it."""
    history = addon_history(found.name, found.location)
    if not any(history.versions.glob("*.py")):
        return
    try:
        head = history.head()
    except CommandError as error:
        text = f"The migrations of {found.name} have no single head: {error}."
        yield Problem("UPGRADE-PENDING", found.name, text, f"Ask the author of {found.name} to mend them.")
        return
    with engine.connect() as connection:
        current = history.current(connection)
    if current == head:
        return
    if current is not None and not history.knows(current):
        text = f"The tables of {found.name} are at revision {current}, which its files do not know."
        yield Problem("UPGRADE-PENDING", found.name, text, "Install the newer version of its files again.")
        return
    text = f"The tables of {found.name} are at revision {current or 'none'}, and its code needs {head}."
    yield Problem("UPGRADE-PENDING", found.name, text, "Run `tukku upgrade`.")


def _says_critical(found: Found | None) -> bool:
    return bool(found and found.manifest and found.manifest.critical)
