"""Every addon with its computed state: what `tukku addons list` and the back-office show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import select

from core.data.db import db
from core.registry.models import Incident
from core.registry.problems import Problem, errors
from core.registry.resolver import Plan, resolve
from core.registry.sources import Discovery, Found
from core.registry.state import Snapshot
from core.version import VERSION

State = Literal["available", "disabled", "running", "blocked", "quarantined", "upgrade-pending", "files-gone", "broken"]
_BY_CODE: dict[str, State] = {
    "FILES-GONE": "files-gone",
    "UPGRADE-PENDING": "upgrade-pending",
    "QUARANTINED": "quarantined",
}


@dataclass(frozen=True, slots=True)
class AddonRow:
    """One addon: what it says of itself, what was decided, and how it is."""

    name: str
    title: str
    version: str
    state: State
    summary: str = ""
    category: str = ""
    critical: bool = False
    source: str = ""
    location: str = ""
    package: str = ""
    requires: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    optional: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    chain: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    changed_by: str = ""
    changed_at: str = ""

    @property
    def wanted(self) -> bool:
        """Tell whether the addon is meant to run."""
        return self.state not in ("available", "disabled", "broken")

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for --json."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["requires"], values["optional"] = dict(self.requires), dict(self.optional)
        values["problems"] = [p.as_dict() for p in self.problems]
        return values


@dataclass(frozen=True, slots=True)
class Overview:
    """All addons by name, and the plan behind them."""

    rows: tuple[AddonRow, ...]
    plan: Plan
    generation: int

    def row(self, name: str) -> AddonRow | None:
        """Return one addon's row."""
        return next((r for r in self.rows if r.name == name), None)


def overview(discovery: Discovery, snapshot: Snapshot, quarantined: Mapping[str, Problem] | None = None) -> Overview:
    """Compute the state of every addon; ``quarantined`` are those that failed in a serving process."""
    failed = {n: p for n, p in (quarantined or {}).items() if n in snapshot.enabled}
    plan = resolve(discovery.found, snapshot.enabled, VERSION, failed | dict(snapshot.faults))
    names = sorted({f.name for f in discovery.found} | set(snapshot.states))
    rows = tuple(_row(name, discovery.by_name(name), snapshot, plan) for name in names)
    return Overview(rows, plan, snapshot.generation)


def known_quarantine(generation: int) -> dict[str, Problem]:
    """Return the addons that failed at a build of ``generation``, as their incidents say."""
    rows = db.session.scalars(
        select(Incident).where(Incident.phase == "build", Incident.generation == generation).order_by(Incident.id)
    )
    return {r.addon: _quarantine(r) for r in rows}


def _quarantine(incident: Incident) -> Problem:
    name = incident.addon
    remedy = f"Mend {name}, or run `tukku addons disable {name}`; its incident has the details."
    return Problem("QUARANTINED", name, incident.message, remedy)


def _row(name: str, founds: Sequence[Found], snapshot: Snapshot, plan: Plan) -> AddonRow:
    problems = plan.problems_of(name) if name in snapshot.enabled else _idle_problems(founds)
    stored = snapshot.states.get(name)
    row = AddonRow(
        name,
        name,
        stored.version if stored else "",
        _state(name, founds, snapshot, plan, problems),
        critical=bool(stored and stored.critical),
        chain=plan.excluded.get(name, ()),
        problems=problems,
        changed_by=stored.changed_by if stored else "",
        changed_at=stored.changed_at.isoformat() if stored else "",
    )
    return _described(row, founds[0]) if founds else row


def _idle_problems(founds: Sequence[Found]) -> tuple[Problem, ...]:
    return tuple(p for found in founds for p in found.problems)


def _described(row: AddonRow, found: Found) -> AddonRow:
    row = replace(row, source=found.source, location=str(found.location), package=found.import_name)
    manifest = found.manifest
    if manifest is None:
        return row
    return replace(
        row,
        title=manifest.title,
        version=manifest.version,
        summary=manifest.summary,
        category=manifest.category,
        critical=manifest.critical,
        requires=manifest.requires_addons,
        optional=manifest.optional_addons,
    )


def _state(name: str, founds: Sequence[Found], snapshot: Snapshot, plan: Plan, problems: Sequence[Problem]) -> State:
    if name in plan.names:
        return "running"
    if name in snapshot.enabled:
        own = next(iter(errors(problems)), None)
        return _BY_CODE.get(own.code, "blocked") if own else "blocked"
    if founds and not any(f.manifest for f in founds):
        return "broken"
    return "disabled" if name in snapshot.states else "available"
