"""A registry for tests of a single layer: contributions handed over, no addons, no app factory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask

from core.registry.incidents import IncidentLog
from core.registry.plugins import hook_infos, make_manager
from core.registry.registry import EXTENSION, Contribution, Registry
from core.registry.resolver import Plan


def give_registry(
    app: Flask, contributions: Mapping[str, Sequence[tuple[str, Any]]], *, domains: Sequence[str] = ()
) -> Registry:
    """Give ``app`` a registry with these (owner, value) pairs by hook; ``domains`` run, other owners do not."""
    made = Registry(
        generation=1,
        plan=Plan(order=(), problems=(), excluded={}, bridges=()),
        domains=tuple(domains),
        hooks=hook_infos(make_manager()),
        contributed={hook: tuple(Contribution(*pair) for pair in pairs) for hook, pairs in contributions.items()},
        implementations={},
        incidents=IncidentLog(),
    )
    app.extensions[EXTENSION] = made
    return made
