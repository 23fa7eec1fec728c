"""Enable, disable and upgrade addons: plan and impact first, then one step after another, then one transaction.

    enable = resolve → probe in a subprocess → migrate → record tables → seed → {decision, generation + 1}

Until the last transaction nothing that runs is changed, and every step may be repeated: after a kill the same
command goes on. Disabling needs neither the addon's code nor its files, and keeps its data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import Engine, delete, inspect

from core.data import audit, clock
from core.data.db import db
from core.data.migrate import addon_history, core_history, pending, upgrade
from core.data.scope import current_actor
from core.data.write import write
from core.registry.models import AddonState, OwnedTable
from core.registry.oplog import OperationLog, OperationRefused, left_undone, operation
from core.registry.problems import Problem, errors
from core.registry.resolver import Plan, resolve
from core.registry.sources import Discovery, Found
from core.registry.state import Snapshot, environment_problems, raise_generation, read_snapshot
from core.spec.app import Impact
from core.version import VERSION

Kind = Literal["enable", "disable", "upgrade"]
Echo = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """What operations need of the layers above: a trial build in a subprocess, and the impact of disabling.

    ``probe(names, enabled)`` returns a problem for each addon that does not load together with ``enabled``;
    ``impact(name)`` returns what users lose: what the addon says, where its code runs, and what core counts.
    """

    discovery: Discovery
    probe: Callable[[Collection[str], Collection[str]], Sequence[Problem]]
    impact: Callable[[str], Sequence[Impact]]
    #: ``seed(names, enabled, echo)`` loads the reference data of ``names`` in an app of ``enabled``
    seed: Callable[[Collection[str], Collection[str], Echo], None] = lambda _names, _enabled, _echo: None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an operation would do: shown before, and with --dry-run instead of, doing it.

    ``names`` are changed; ``added`` are those of them that nobody named (dependencies). ``problems`` forbid it.
    """

    kind: Kind
    names: tuple[str, ...]
    added: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    notices: tuple[Problem, ...] = ()
    impacts: tuple[tuple[str, Impact], ...] = ()

    @property
    def severe(self) -> bool:
        """Tell whether the operator must type the name to confirm."""
        return any(impact.severity == "severe" for _, impact in self.impacts)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for --json."""
        impacts = [{"addon": name, **asdict(i), "message": str(i.message)} for name, i in self.impacts]
        problems = [p.as_dict() for p in self.problems]
        return {
            "operation": self.kind,
            "names": self.names,
            "added": self.added,
            "problems": problems,
            "notices": [p.as_dict() for p in self.notices],
            "impacts": impacts,
            "severe": self.severe,
        }


def propose_enable(tools: Tools, names: Sequence[str], engine: Engine | None = None) -> Proposal:
    """Return what enabling ``names`` means: with the addons they require, in order, or the problems."""
    snapshot = read_snapshot(engine or db.engine, tools.discovery)
    wanted = _with_required(tools.discovery, names)
    new = [n for n in wanted if n not in snapshot.enabled]
    unknown = [_unknown(tools.discovery, n) for n in wanted if n in names and not tools.discovery.by_name(n)]
    known = [n for n in new if tools.discovery.by_name(n)]
    plan = _target(tools, snapshot, snapshot.enabled | set(known), known)
    problems = (*unknown, *(p for p in errors(plan.problems) if p.addon in new))
    notices = tuple(p for p in plan.problems if p not in problems)
    ordered = tuple(n for n in plan.names if n in new) or tuple(known)
    added = tuple(n for n in ordered if n not in names)
    return Proposal("enable", ordered, added, problems, notices)


def propose_disable(tools: Tools, names: Sequence[str], engine: Engine | None = None) -> Proposal:
    """Return what disabling ``names`` means for users, or which dependents must be named too."""
    snapshot = read_snapshot(engine or db.engine, tools.discovery)
    unknown = [_unknown(tools.discovery, n) for n in names if not _known(tools.discovery, snapshot, n)]
    going = tuple(n for n in names if n in snapshot.enabled)
    dependents = _dependents(tools.discovery, snapshot.enabled, going)
    problems = (*unknown, *_needed_by(going, dependents))
    impacts = tuple((name, impact) for name in going for impact in tools.impact(name)) if not problems else ()
    return Proposal("disable", going, (), problems, (), impacts)


def propose_upgrade(discovery: Discovery, engine: Engine | None = None) -> Proposal:
    """Return whose tables are behind their code, ``core`` first, and from which revision to which they go."""
    engine = engine or db.engine
    behind, plan = _behind(read_snapshot(engine, discovery), discovery)
    names = tuple(name for name in plan.names if name in behind)
    core = ("core",) if pending(engine, core_history()) else ()
    return Proposal("upgrade", (*core, *names), notices=(*(behind[name] for name in names), *plan.problems))


def _behind(snapshot: Snapshot, discovery: Discovery) -> tuple[dict[str, Problem], Plan]:
    """Return which addons wait for an upgrade, and the plan as it is once they have had it."""
    behind = {n: p for n, p in snapshot.faults.items() if p.code == "UPGRADE-PENDING"}
    faults = {n: p for n, p in snapshot.faults.items() if n not in behind}
    return behind, resolve(discovery.found, snapshot.enabled, VERSION, faults)


def enable(tools: Tools, names: Sequence[str], echo: Echo, identity: str = "") -> Proposal:
    """Enable addons and what they require; raises `OperationRefused` with every reason why not."""
    with operation("enable", names, echo, identity) as log:
        proposal = propose_enable(tools, names)
        enabled = read_snapshot(db.engine, tools.discovery).enabled | set(proposal.names)
        if not proposal.problems and proposal.names:
            log.line(f"Trying {', '.join(proposal.names)} in a process apart.")
            problems = tuple(tools.probe(proposal.names, enabled))
            proposal = Proposal("enable", proposal.names, proposal.added, problems, proposal.notices)
        _refuse(log, proposal)
        if not proposal.names:
            log.finish("done", "Nothing to do: already enabled.")
            return proposal
        founds = [tools.discovery.by_name(name)[0] for name in proposal.names]
        _migrate(log, founds)
        tools.seed(proposal.names, enabled, log.line)
        _decide(log, "enable", {f.name: f for f in founds}, proposal.names)
    return proposal


def disable(tools: Tools, names: Sequence[str], echo: Echo, identity: str = "") -> Proposal:
    """Disable addons; their data stay. Raises `OperationRefused` when others that stay need them."""
    with operation("disable", names, echo, identity) as log:
        proposal = propose_disable(tools, names)
        _refuse(log, proposal)
        if not proposal.names:
            log.finish("done", "Nothing to do: not enabled.")
            return proposal
        founds = {f.name: f for f in tools.discovery.found}
        _decide(log, "disable", founds, proposal.names)
    return proposal


def upgrade_all(discovery: Discovery, echo: Echo, identity: str = "") -> bool:
    """Bring core's tables, then those of the enabled addons in order, to their code; tell whether any changed.

    Core's own history comes before everything: it holds the tables that this operation writes its row to.
    """
    changed = upgrade(db.engine, core_history())
    _, plan = _behind(read_snapshot(db.engine, discovery), discovery)
    with operation("upgrade", plan.names, echo, identity) as log:
        log.line("Core's tables are upgraded." if changed else "Core's tables are at the version of its code.")
        moved = _migrate(log, plan.order)
        # killed between the tables and the decision, it left processes that do not know of the new tables
        changed = changed or moved or left_undone("upgrade", log)
        if changed:
            _decide(log, "upgrade", {f.name: f for f in plan.order}, plan.names)
        else:
            log.finish("done", "Nothing to do: all tables are at the version of their code.")
    return changed


# -- steps


def _refuse(log: OperationLog, proposal: Proposal) -> None:
    if proposal.problems:
        for problem in proposal.problems:
            log.line(str(problem))
        raise OperationRefused(proposal.problems)


def _migrate(log: OperationLog, founds: Iterable[Found]) -> bool:
    moved = False
    for found in founds:
        if upgrade(db.engine, addon_history(found.name, found.location)):
            log.line(f"The tables of {found.name} are upgraded.")
            moved = True
        _record_tables(found)
    return moved


def _record_tables(found: Found) -> None:
    """Remember which tables an addon owns, so that they can be removed when its files are gone."""
    history = addon_history(found.name, found.location)
    tables = inspect(db.engine).get_table_names()
    with write() as session:
        addons = tuple(session.scalars(db.select(AddonState.name)))
        owned = [t for t in tables if history.owns(t, addons) and t != history.version_table]
        session.execute(delete(OwnedTable).where(OwnedTable.owner == found.name))
        session.add_all(OwnedTable(name=table, owner=found.name) for table in owned)


def _decide(log: OperationLog, kind: Kind, founds: Mapping[str, Found], names: Sequence[str]) -> None:
    """Write the decision and raise the generation: the only moment at which anything that runs changes."""
    reason = f"{kind} {', '.join(names)}".strip()
    with write() as session:
        for name in names:
            state = session.get(AddonState, name)
            if state is None:
                state = AddonState(name=name, enabled=False, version="", critical=False)
                session.add(state)
            _change(state, kind, founds.get(name))
            audit.record("addon", name, f"{kind}d", addon=name)
        number = raise_generation(reason)
        log.finish("done", f"Done: {reason}. The shop is at generation {number}.")


def _change(state: AddonState, kind: Kind, found: Found | None) -> None:
    if kind != "upgrade":
        state.enabled = kind == "enable"
    if kind != "disable" and found is not None and found.manifest is not None:
        state.version, state.critical = found.manifest.version, found.manifest.critical
    state.changed_by, state.changed_at = current_actor().name, clock.now()


# -- plans


def _target(tools: Tools, snapshot: Snapshot, enabled: Collection[str], new: Sequence[str]) -> Plan:
    faults = {n: p for n, p in snapshot.faults.items() if n not in new}
    for name in new:
        founds = tools.discovery.by_name(name)
        for problem in environment_problems(founds[0]) if len(founds) == 1 else ():
            faults[name] = problem
    return resolve(tools.discovery.found, enabled, VERSION, faults)


def _with_required(discovery: Discovery, names: Sequence[str]) -> tuple[str, ...]:
    """Return ``names`` and, for those that are installed, everything they require."""
    wanted, todo = dict.fromkeys(names), list(names)
    while todo:
        founds = discovery.by_name(todo.pop())
        manifest = founds[0].manifest if len(founds) == 1 else None
        for other in manifest.requires_addons if manifest else ():
            if other not in wanted and discovery.by_name(other):
                wanted[other] = None
                todo.append(other)
    return tuple(wanted)


def _dependents(discovery: Discovery, enabled: Collection[str], names: Sequence[str]) -> dict[str, str]:
    """Return the enabled addons that need one of ``names``, directly or not, with the one they need."""
    found: dict[str, str] = {}
    requires = {f.name: f.manifest.requires_addons for f in discovery.found if f.manifest and f.name in enabled}
    todo = list(names)
    while todo:
        cause = todo.pop()
        for name in sorted(requires):
            if cause in requires[name] and name not in names and name not in found:
                found[name] = cause
                todo.append(name)
    return found


def _needed_by(names: Sequence[str], dependents: Mapping[str, str]) -> tuple[Problem, ...]:
    command = f"tukku addons disable {' '.join((*names, *sorted(dependents)))}"
    return tuple(
        Problem("NEEDED", cause, f"{name} is enabled and needs {cause}.", f"Disable both: `{command}`.")
        for name, cause in sorted(dependents.items())
    )


def _known(discovery: Discovery, snapshot: Snapshot, name: str) -> bool:
    return bool(discovery.by_name(name)) or name in snapshot.states


def _unknown(discovery: Discovery, name: str) -> Problem:
    searched = ", ".join(place.place for place in discovery.searched)
    text = f"There is no addon {name}. Searched: {searched}."
    return Problem("MISSING", name, text, "Correct the name, or install it; `tukku addons list` shows all.")
