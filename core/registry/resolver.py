"""Decide which enabled addons run and in which order. Pure: no files, no database, no imports.

    enabled ──► own faults ──► hard edges ──► cycles ──► cascade ──► soft edges ──► order by (depth, name)
                (manifest,     (missing,                 (dependents
                 version, …)    version, …)               go too)

Every step adds problems and none stops the others, so that an operator sees all of them at once.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from packaging.specifiers import SpecifierSet

from core.registry.manifest import Manifest
from core.registry.problems import Problem
from core.registry.sources import Found


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs, in order; what was left out, with the chain to its root cause; and every problem.

    `excluded` maps a name to the chain from itself to the addon whose own problem took it out, so
    ("reports", "credit_terms") reads: reports is out because credit_terms is.
    `bridges` are (addon, other) pairs: the optional dependencies that are there.
    """

    order: tuple[Found, ...]
    problems: tuple[Problem, ...]
    excluded: Mapping[str, tuple[str, ...]]
    bridges: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the addons that run, in order."""
        return tuple(f.name for f in self.order)

    def problems_of(self, name: str) -> tuple[Problem, ...]:
        """Return the problems of one addon."""
        return tuple(p for p in self.problems if p.addon == name)


def resolve(
    found: Sequence[Found],
    enabled: Collection[str],
    core_version: str,
    faults: Mapping[str, Problem] | None = None,
) -> Plan:
    """Order the enabled addons by (depth, name) and say what is wrong with the others.

    `faults` are reasons found outside (a package that is absent, an upgrade that is pending, a failed
    load); they exclude an addon as its own problems do. The order of `found` never matters.
    """
    return _Resolution(found, enabled, core_version, faults or {}).plan()


@dataclass
class _Resolution:
    found: Sequence[Found]
    enabled: Collection[str]
    core_version: str
    faults: Mapping[str, Problem]
    problems: list[Problem] = field(default_factory=list)
    out: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.finds: dict[str, list[Found]] = {}
        for find in sorted(self.found, key=lambda f: (f.name, str(f.location))):
            self.finds.setdefault(find.name, []).append(find)
        single = (finds[0] for finds in self.finds.values() if len(finds) == 1)
        self.usable: dict[str, Manifest] = {f.name: f.manifest for f in single if f.manifest}

    def plan(self) -> Plan:
        for name in sorted(self.enabled):
            self._check_alone(name)
            self._check_needs(name)
            self._check_conflicts(name)
        self._check_cycles()
        self._cascade()
        running = sorted(set(self.enabled) - self.out.keys())
        bridges = self._bridges(running)
        edges = self._edges(running, bridges)
        order = sorted(running, key=lambda n: (_depth(n, edges), n))
        return Plan(
            tuple(self.finds[n][0] for n in order),
            tuple(dict.fromkeys(self.problems)),
            MappingProxyType(dict(sorted(self.out.items()))),
            tuple(bridges),
        )

    # -- one addon by itself

    def _check_alone(self, name: str) -> None:
        for problem in self._own_problems(name):
            self._exclude(problem)

    def _own_problems(self, name: str) -> Iterator[Problem]:
        finds = self.finds.get(name, [])
        if not finds:
            yield _files_gone(name)
        elif len(finds) > 1:
            yield _duplicate(name, finds)
        else:
            yield from finds[0].problems
        if name in self.usable:
            yield from _core_version(self.usable[name], self.core_version)
        if name in self.faults:
            yield self.faults[name]

    # -- one addon and those it names

    def _check_needs(self, name: str) -> None:
        for other, wanted in sorted(self._requires(name).items()):
            problem = self._need_problem(name, other, wanted)
            if problem is not None:
                self._exclude(problem)

    def _need_problem(self, name: str, other: str, wanted: str) -> Problem | None:
        needs = f"{name} needs {_ranged(other, wanted)}, which is"
        if other not in self.finds:
            remedy = f"Install {other}, or disable {name}."
            return Problem("MISSING", name, f"{needs} not installed.", remedy)
        if other not in self.enabled:
            remedy = f"Enable {other} with `tukku addons enable {other}`, or disable {name}."
            return Problem("DISABLED-DEP", name, f"{needs} not enabled.", remedy)
        manifest = self.usable.get(other)
        if manifest is not None and not _within(manifest.version, wanted):
            remedy = f"Install a version of {other} in that range, or disable {name}."
            return Problem("VERSION", name, f"{needs} installed as {manifest.version}.", remedy)
        return None

    def _check_conflicts(self, name: str) -> None:
        manifest = self.usable.get(name)
        for other in sorted(manifest.conflicts if manifest else ()):
            if manifest and other in self.enabled and other in self.finds:
                reason = f" ({manifest.conflicts_reason.rstrip('.')})" if manifest.conflicts_reason else ""
                message = f"{name} cannot run together with {other}{reason}, and both are enabled."
                self._exclude(Problem("CONFLICT", name, message, f"Disable {name} or {other}."))

    # -- all together

    def _check_cycles(self) -> None:
        edges = {n: [d for d in self._requires(n) if d in self.enabled] for n in sorted(self.enabled)}
        for cycle in _cycles(edges):
            path = " → ".join((*cycle, cycle[0]))
            for name in cycle:
                message = f"{name} requires itself in a circle: {path}."
                remedy = "Disable one of them, or ask the authors to make one dependency optional."
                self._exclude(Problem("CYCLE", name, message, remedy))

    def _cascade(self) -> None:
        """Take out the dependents of what is out, breadth first, so that each chain is a shortest one."""
        wave = sorted(self.out)
        while wave:
            following = []
            for name in sorted(set(self.enabled) - self.out.keys()):
                cause = next((o for o in wave if o in self._requires(name)), None)
                if cause is not None:
                    following.append((name, cause))
            for name, cause in following:
                self.out[name] = (name, *self.out[cause])
                self.problems.append(_blocked(self.out[name]))
            wave = sorted(name for name, _ in following)

    def _bridges(self, running: Sequence[str]) -> list[tuple[str, str]]:
        pairs = []
        for name in running:
            for other, wanted in sorted(self.usable[name].optional_addons.items()):
                if other not in running:
                    continue
                if _within(self.usable[other].version, wanted):
                    pairs.append((name, other))
                else:
                    self.problems.append(_soft_version(name, other, wanted, self.usable[other].version))
        return pairs

    def _edges(self, running: Sequence[str], bridges: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
        """Return what must load before each addon; a soft edge that would close a circle is left out."""
        edges = {n: sorted(self._requires(n)) for n in running}
        for name, other in bridges:
            if _reaches(other, name, edges):
                self.problems.append(_soft_cycle(name, other))
            elif other not in edges[name]:
                edges[name].append(other)
        return edges

    def _requires(self, name: str) -> Mapping[str, str]:
        manifest = self.usable.get(name)
        return manifest.requires_addons if manifest else {}

    def _exclude(self, problem: Problem) -> None:
        self.problems.append(problem)
        self.out.setdefault(problem.addon, (problem.addon,))


# -- sentences


def _ranged(name: str, wanted: str) -> str:
    return f"{name} {wanted}".strip()


def _files_gone(name: str) -> Problem:
    return Problem(
        "FILES-GONE",
        name,
        f"{name} is enabled and its files are not found.",
        f"Put the files back (`tukku addons paths` shows the places), or run `tukku addons disable {name}`.",
    )


def _duplicate(name: str, finds: Sequence[Found]) -> Problem:
    places = " and ".join(str(f.location) for f in finds)
    message = f"{name} was found in {places}; none of them is used."
    return Problem("DUPLICATE", name, message, "Remove or rename all but one.")


def _core_version(manifest: Manifest, core_version: str) -> Iterator[Problem]:
    if not _within(core_version, manifest.requires_core):
        supports = f"{manifest.name} {manifest.version} supports core {manifest.requires_core}"
        remedy = f"Install a version of {manifest.name} for this core, or disable it."
        yield Problem("CORE-VERSION", manifest.name, f"{supports}, and this is core {core_version}.", remedy)


def _blocked(chain: tuple[str, ...]) -> Problem:
    name, cause, root = chain[0], chain[1], chain[-1]
    because = f"{name} is left out because {cause} is left out"
    if root != cause:
        because += f", because of {root}"
    return Problem("BLOCKED", name, f"{because}.", f"Mend {root} first.")


def _soft_version(name: str, other: str, wanted: str, version: str) -> Problem:
    can = f"{name} can use {_ranged(other, wanted)}"
    message = f"{can}, and {other} {version} is installed: their bridge stays off."
    remedy = f"Install a version of {other} in that range to use both together."
    return Problem("VERSION", name, message, remedy, "notice")


def _soft_cycle(name: str, other: str) -> Problem:
    message = f"{name} is loaded before {other}, although it may use it, since {other} comes after {name}."
    return Problem("SOFT-CYCLE", name, message, "Nothing to do: both run, and their bridge is on.", "notice")


# -- graphs


def _within(version: str, wanted: str) -> bool:
    return SpecifierSet(wanted).contains(version, prereleases=True)


def _reaches(start: str, goal: str, edges: Mapping[str, Sequence[str]]) -> bool:
    seen, todo = set(), [start]
    while todo:
        node = todo.pop()
        if node == goal:
            return True
        if node not in seen:
            seen.add(node)
            todo.extend(edges.get(node, ()))
    return False


def _depth(name: str, edges: Mapping[str, Sequence[str]]) -> int:
    return 1 + max((_depth(other, edges) for other in edges[name]), default=-1)


def _cycles(edges: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield one shortest circle for each group of nodes that reach each other, from its smallest name."""
    done: set[str] = set()
    for name in sorted(edges):
        if name not in done:
            path = _path_back(name, edges)
            if path:
                done.update(path)
                yield path


def _path_back(start: str, edges: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the shortest way from `start` back to it, without the second `start`; empty if none."""
    wave: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while wave:
        following = []
        for path in wave:
            for node in sorted(edges.get(path[-1], ())):
                if node == start:
                    return path
                if node not in seen:
                    seen.add(node)
                    following.append((*path, node))
        wave = following
    return ()
