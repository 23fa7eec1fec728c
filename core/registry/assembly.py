"""Build from a snapshot until it is sound: an addon that fails is left out with its dependents, once each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from core.registry.build import Domains, Set, compile_registry
from core.registry.failure import AddonFailed
from core.registry.incidents import IncidentLog
from core.registry.loader import extend_path, extend_sys_path
from core.registry.problems import Problem, errors
from core.registry.registry import Degraded, Registry
from core.registry.resolver import Plan, resolve
from core.registry.sources import Discovery
from core.registry.state import Snapshot
from core.version import VERSION

T = TypeVar("T")


class Refused(Exception):
    """In strict mode: the problems that would have left addons out."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


@dataclass(frozen=True)
class Ingredients:
    """All that a build depends on. ``safe`` loads no addon; ``strict`` refuses instead of leaving out."""

    domains: Domains
    discovery: Discovery
    snapshot: Snapshot
    strict: bool = False
    safe: bool = False
    incidents: IncidentLog = field(default_factory=IncidentLog)


def assemble(ingredients: Ingredients, finish: Callable[[Registry], T]) -> T:
    """Compile the registry and let ``finish`` make an app of it; restart from the resolver when an addon fails.

    ``finish`` raises `AddonFailed` for what only shows while mounting. Failures of core itself pass through.
    """
    extend_path(ingredients.discovery.folders())
    extend_sys_path(ingredients.discovery.projects())
    faults = dict(ingredients.snapshot.faults)
    while True:
        plan = _plan(ingredients, faults)
        if ingredients.strict and errors(plan.problems):
            raise Refused(errors(plan.problems))
        try:
            return finish(compile_registry(_wanted(ingredients, plan)))
        except AddonFailed as failure:
            if failure.addon not in plan.names:
                raise
            if ingredients.strict:
                raise Refused((failure.problem(),)) from failure
            generation = ingredients.snapshot.generation
            ingredients.incidents.record(failure.addon, "build", failure.hook, failure, generation)
            faults[failure.addon] = failure.problem()


def degraded(ingredients: Ingredients, plan: Plan) -> tuple[Degraded, ...]:
    """Return the critical addons that are meant to run and do not, with the root cause of each."""
    found = {f.name: f for f in ingredients.discovery.found}
    reasons = []
    for name in sorted(ingredients.snapshot.critical(found) - set(plan.names)):
        root = plan.excluded.get(name, (name,))[-1]
        own = next(iter(errors(plan.problems_of(root))), None)
        reasons.append(Degraded(name, own.message if own else "Tukku runs in safe mode, without addons."))
    return tuple(reasons)


def _plan(ingredients: Ingredients, faults: dict[str, Problem]) -> Plan:
    enabled = frozenset[str]() if ingredients.safe else ingredients.snapshot.enabled
    return resolve(ingredients.discovery.found, enabled, VERSION, faults)


def _wanted(ingredients: Ingredients, plan: Plan) -> Set:
    return Set(
        ingredients.domains,
        plan,
        ingredients.snapshot.generation,
        ingredients.incidents,
        degraded(ingredients, plan),
    )
