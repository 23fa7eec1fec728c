"""Compile the contributions of core's domains and of the addons in a plan into one immutable registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.registry.checks import check_contribution, check_permissions
from core.registry.failure import AddonFailed, explain
from core.registry.incidents import IncidentLog
from core.registry.loader import load, load_bridge
from core.registry.plugins import hook_infos, implementations, make_manager, register
from core.registry.registry import Contribution, Degraded, HookInfo, Implementation, Registry
from core.registry.resolver import Plan

Domains = Sequence[tuple[str, type[Any]]]

#: What must be unique in the whole deployment; every other key is unique within its owner.
SHARED_KEYS: Mapping[str, Callable[[Any], str]] = {
    "app_mounts": lambda v: str(v.key),
    "app_permissions": lambda v: str(v.key),
    "app_template_helpers": lambda v: str(v.key),
    "data_imports": lambda v: str(v.kind),
}
#: Keys that are unique in a page, list or form.
PLACED_KEYS: Mapping[str, Callable[[Any], str]] = {
    "ui_panels": lambda v: f"{v.page}:{v.key}",
    "ui_columns": lambda v: f"{v.list}:{v.key}",
    "ui_filters": lambda v: f"{v.list}:{v.key}",
    "ui_actions": lambda v: f"{v.list}:{v.key}",
    "ui_form_sections": lambda v: f"{v.form}:{v.key}",
}


@dataclass(frozen=True, slots=True)
class Set:
    """What is to be compiled: core's domains in order, the plan, and the facts that go with it."""

    domains: Domains
    plan: Plan
    generation: int
    incidents: IncidentLog
    degraded: tuple[Degraded, ...] = ()


def compile_registry(wanted: Set) -> Registry:
    """Import, register, collect, check and freeze; `AddonFailed` names the addon that cannot take part."""
    manager = make_manager()
    hooks = hook_infos(manager)
    folders = {f.name: f.location for f in wanted.plan.order}
    owners = (*(name for name, _ in wanted.domains), *wanted.plan.names)
    for owner, name, plugin in _plugins(wanted):
        register(manager, hooks, owner, name, _instance(owner, plugin, folders))
    contributed: dict[str, tuple[Contribution[Any], ...]] = {}
    batch: dict[str, tuple[Implementation, ...]] = {}
    for hook, info in hooks.items():
        found = tuple(implementations(manager, hook))
        if info.kind == "contribute":
            contributed[hook] = _sorted(hook, _collect(info, found, folders), owners)
        else:
            batch[hook] = tuple(sorted(found, key=lambda i: owners.index(i.owner)))
    result = Registry(
        wanted.generation,
        wanted.plan,
        tuple(name for name, _ in wanted.domains),
        hooks,
        MappingProxyType(contributed),
        MappingProxyType(batch),
        wanted.incidents,
        wanted.degraded,
    )
    check_permissions(result)
    return result


def _plugins(wanted: Set) -> Iterator[tuple[str, str, type[Any]]]:
    """Yield (owner, plugin name, class): core's domains, then addons, then the bridges between them."""
    for name, plugin in wanted.domains:
        yield name, name, plugin
    for found in wanted.plan.order:
        yield found.name, found.name, load(found).plugin
    founds = {f.name: f for f in wanted.plan.order}
    for name, other in wanted.plan.bridges:
        bridge = load_bridge(founds[name], other)
        if bridge is not None:
            yield name, f"{name}/bridges/{other}", bridge


def _instance(owner: str, plugin: type[Any], folders: Mapping[str, Path]) -> object:
    try:
        return plugin()
    except (Exception, SystemExit) as error:
        why = explain(error, folders.get(owner, Path("core")))
        raise AddonFailed(owner, f"{owner}: creating {plugin.__name__} failed: {why}.") from error


def _collect(info: HookInfo, found: Iterable[Implementation], folders: Mapping[str, Path]) -> Iterator[Contribution[Any]]:
    for implementation in found:
        owner = implementation.owner
        try:
            values = tuple(implementation.function() or ())
        except (Exception, SystemExit) as error:
            why = explain(error, folders.get(owner, Path("core")))
            raise AddonFailed(owner, f"{owner}: {info.name} failed: {why}.", info.name) from error
        for value in values:
            if info.result is not None and not isinstance(value, info.result):
                wrong = f"{info.name} returns {info.result.__name__}, not {type(value).__name__}"
                raise AddonFailed(owner, f"{owner}: {wrong}: {value!r}.", info.name)
            check_contribution(info.name, owner, value, is_core=owner not in folders)
            yield Contribution(owner, value)


def _sorted(hook: str, found: Iterable[Contribution[Any]], owners: Sequence[str]) -> tuple[Contribution[Any], ...]:
    known: dict[str, str] = {}
    keyed = []
    for contribution in found:
        key = _key(hook, contribution)
        if key in known:
            shown = key.removeprefix(f"{contribution.owner}:")
            text = f"{contribution.owner}: {hook} {shown} is already contributed by {known[key]}."
            raise AddonFailed(contribution.owner, text, hook)
        known[key] = contribution.owner
        keyed.append((contribution.value.order, owners.index(contribution.owner), key, contribution))
    return tuple(entry[3] for entry in sorted(keyed, key=lambda e: e[:3]))


def _key(hook: str, contribution: Contribution[Any]) -> str:
    value = contribution.value
    if hook in SHARED_KEYS:
        return SHARED_KEYS[hook](value)
    placed = PLACED_KEYS.get(hook)
    return f"{contribution.owner}:{placed(value) if placed else value.key}"
