"""One pluggy manager per build, and errors that name the addon, the hook and the argument.

pluggy accepts a misspelt hook until `check_pending` and speaks of plugins and functions; here each
implementation is checked by itself, before registering, in the words of an addon's author.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import pluggy

from core.registry.failure import AddonFailed
from core.registry.registry import HookInfo, Implementation
from core.spec.hooks import SPECS
from core.spec.markers import PROJECT


def make_manager() -> pluggy.PluginManager:
    """Return a manager that knows every hook specification and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    for group in SPECS:
        manager.add_hookspecs(group)
    return manager


def hook_infos(manager: pluggy.PluginManager) -> Mapping[str, HookInfo]:
    """Return what the specifications say, by hook, sorted by name."""
    infos = {}
    for name, caller in sorted(vars(manager.hook).items()):
        if caller.spec is None:
            continue
        function: Any = caller.spec.function
        infos[name] = HookInfo(
            name,
            function.kind,
            function.on_error,
            function.result,
            function.since,
            tuple(caller.spec.argnames),
            inspect.getdoc(function) or "",
        )
    return MappingProxyType(infos)


def register(manager: pluggy.PluginManager, hooks: Mapping[str, HookInfo], owner: str, name: str, plugin: object) -> None:
    """Register an instance under ``name``; `AddonFailed` for a hook or argument that does not exist."""
    for method, options in _implementations(manager, plugin):
        _check(owner, hooks, method, getattr(plugin, method), options)
    for method in hooks:
        if callable(getattr(plugin, method, None)) and manager.parse_hookimpl_opts(plugin, method) is None:
            raise AddonFailed(owner, f"{owner}: the method {method} has a hook's name and lacks @hookimpl.", method)
    manager.register(plugin, name)
    manager.check_pending()


def implementations(manager: pluggy.PluginManager, hook: str) -> Iterator[Implementation]:
    """Yield the implementations of a hook in the order of registration, with their owners."""
    for found in getattr(manager.hook, hook).get_hookimpls():
        owner = found.plugin_name.split("/")[0]
        yield Implementation(owner, found.function, tuple(found.argnames))


def _implementations(manager: pluggy.PluginManager, plugin: object) -> Iterator[tuple[str, Any]]:
    for name in (name for name in dir(plugin) if not name.startswith("__")):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is not None:
            yield options.get("specname") or name, options


def _check(owner: str, hooks: Mapping[str, HookInfo], hook: str, function: Any, options: Any) -> None:
    if hook not in hooks:
        close = get_close_matches(hook, hooks, 1)
        hint = f"did you mean {close[0]}?" if close else "`tukku hooks list` shows them."
        raise AddonFailed(owner, f"{owner}: there is no hook {hook}; {hint}", hook)
    if options.get("wrapper") or options.get("hookwrapper") or options.get("tryfirst") or options.get("trylast"):
        fix = "give the contribution an order instead"
        raise AddonFailed(owner, f"{owner}: {hook} uses a pluggy ordering option; {fix}.", hook)
    known = hooks[hook].arguments
    for argument in inspect.signature(function).parameters:
        if argument not in known:
            takes = f"takes ({', '.join(known)})" if known else "takes no arguments"
            raise AddonFailed(owner, f"{owner}: {hook} {takes}, and its implementation asks for {argument}.", hook)
