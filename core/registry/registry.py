"""What the running addons and core's domains contribute: compiled at each build, immutable.

``registry()`` gives the one of the current app. Contributions were collected, checked and sorted by
(explicit order, position of the owner, key) at the build; a batch hook is called once for a whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from flask import current_app

from core.registry.failure import nearest
from core.registry.incidents import IncidentLog
from core.registry.resolver import Plan
from core.spec.errors import TukkuError

EXTENSION = "tukku.registry"
T = TypeVar("T")


class HookFailed(TukkuError):
    """An addon failed where going on without it would be wrong (money, credit, stock, approval)."""

    status = 503

    def __init__(self, addon: str, hook: str) -> None:
        super().__init__(
            "ADDON-FAILED",
            f"The operation was stopped because the addon {addon} failed in {hook}; nothing was changed. "
            "The incident has been recorded for the administrators.",
            details={"addon": addon, "hook": hook},
        )


@dataclass(frozen=True, slots=True)
class Contribution(Generic[T]):
    """A contributed value and who owns it: an addon's name, or the name of one of core's domains."""

    owner: str
    value: T


@dataclass(frozen=True, slots=True)
class Implementation:
    """A batch hook of one owner: the bound method and the arguments it takes."""

    owner: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HookInfo:
    """What a hook specification says: kind, error policy, type of the results, first version."""

    name: str
    kind: str
    on_error: str
    result: type | None
    since: str
    arguments: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class Degraded:
    """A critical addon that is out by failure: while there is one, ordering is paused."""

    addon: str
    reason: str


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """The outcome of a guarded call: its value, or that it failed (the incident is recorded)."""

    value: T | None = None
    failed: bool = False


@dataclass(frozen=True)
class Registry:
    """The compiled set. ``plan`` says which addons run; ``degraded`` why ordering is paused, if it is."""

    generation: int
    plan: Plan
    domains: tuple[str, ...]
    hooks: Mapping[str, HookInfo]
    contributed: Mapping[str, tuple[Contribution[Any], ...]]
    implementations: Mapping[str, tuple[Implementation, ...]]
    incidents: IncidentLog
    degraded: tuple[Degraded, ...] = ()
    _values: Mapping[str, tuple[Any, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        values = {hook: tuple(c.value for c in found) for hook, found in self.contributed.items()}
        object.__setattr__(self, "_values", MappingProxyType(values))

    @property
    def addons(self) -> tuple[str, ...]:
        """Return the names of the addons that run, in order."""
        return self.plan.names

    def runs(self, owner: str) -> bool:
        """Tell whether ``owner`` is one of core's domains or an addon that runs."""
        return owner in self.domains or owner in self.plan.names

    def is_core(self, owner: str) -> bool:
        """Tell whether ``owner`` is one of core's domains."""
        return owner in self.domains

    def contributions(self, hook: str) -> tuple[Contribution[Any], ...]:
        """Return what was contributed to a hook, with owners, sorted; KeyError for an unknown hook."""
        self._require(hook, "contribute")
        return self.contributed.get(hook, ())

    def values(self, hook: str) -> tuple[Any, ...]:
        """Return what was contributed to a hook, without owners."""
        self._require(hook, "contribute")
        return self._values.get(hook, ())

    def batch(self, hook: str, /, *, only: str = "", **arguments: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        """Call a batch hook once per implementation; return (owner, results) in the order of owners.

        ``only`` asks a single owner. An implementation that raises, or returns something else than the
        hook's type, is an incident: `isolate` leaves it out, `fail` raises `HookFailed`.
        """
        info = self._require(hook, "batch", "notify")
        answers = []
        for implementation in self.implementations.get(hook, ()):
            if only and implementation.owner != only:
                continue
            try:
                answers.append((implementation.owner, _ask(implementation, info, arguments)))
            except TukkuError:
                raise  # a refusal meant for people, not a fault of the addon
            except (Exception, SystemExit) as error:
                self.incidents.record(implementation.owner, "request", hook, error, self.generation)
                if info.on_error == "fail":
                    raise HookFailed(implementation.owner, hook) from error
        return tuple(answers)

    def answers(self, hook: str) -> bool:
        """Tell whether anybody implements a batch hook."""
        self._require(hook, "batch", "notify")
        return bool(self.implementations.get(hook))

    def attempt(self, owner: str, hook: str, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Attempt[T]:
        """Call a contributed function whose failure must not hurt the page; a failure becomes an incident."""
        try:
            return Attempt(function(*args, **kwargs))
        except (Exception, SystemExit) as error:
            self.incidents.record(owner, "request", hook, error, self.generation)
            return Attempt(failed=True)

    def at_fault(self, owner: str, error: BaseException) -> str:
        """Return who an error of ``owner`` belongs to: an addon to itself, core's to the addon whose code raised it."""
        if owner in self.plan.names:
            return owner
        return nearest(error, {found.name: found.location for found in self.plan.order}) or owner

    def _require(self, hook: str, *kinds: str) -> HookInfo:
        info = self.hooks.get(hook)
        if info is None:
            close = get_close_matches(hook, self.hooks, 1)
            raise KeyError(f"there is no hook {hook}" + (f"; did you mean {close[0]}?" if close else ""))
        if info.kind not in kinds:
            raise KeyError(f"{hook} is a {info.kind} hook, asked for as {kinds[0]}")
        return info


def registry() -> Registry:
    """Return the registry of the current app."""
    return cast(Registry, current_app.extensions[EXTENSION])


def _ask(implementation: Implementation, info: HookInfo, arguments: Mapping[str, Any]) -> tuple[Any, ...]:
    answer = implementation.function(**{name: arguments[name] for name in implementation.arguments})
    results = () if answer is None else tuple(answer)
    wanted = info.result
    if wanted is not None and not all(issubclass(kind, wanted) for kind in set(map(type, results))):
        result = next(result for result in results if not isinstance(result, wanted))
        raise TypeError(f"{info.name} returns {wanted.__name__}, not {type(result).__name__}: {result!r}")
    return results
