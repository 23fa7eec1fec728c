"""Mount the blueprints of core and addons; refuse clashes, undeclared access and links that lead nowhere.

Flask itself accepts two views at one address and lets the first win, depending on order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice

from flask import Flask
from jinja2 import TemplateError
from werkzeug.routing import Rule

from core.registry.checks import undeclared
from core.registry.failure import AddonFailed
from core.registry.registry import Contribution, Registry
from core.spec.app import Mount
from core.ui.access import declared

BLUEPRINTS = "tukku.blueprints"
Address = tuple[str, str, str]  # sub-domain, path without the names of its variables, method
PREFIXES = {"shop": "/a/{0}", "admin": "/admin/a/{0}", "api": "/api/v1/{0}"}


def mount_all(app: Flask, registry: Registry) -> None:
    """Mount everything, then check what only the whole URL map can tell."""
    owners: dict[str, str] = app.extensions.setdefault(BLUEPRINTS, {})
    taken: dict[Address, Rule] = {}
    for contribution in registry.contributions("app_mounts"):
        owners[contribution.value.blueprint.name] = contribution.owner
        known = sum(1 for _ in app.url_map.iter_rules())
        _mount(app, registry, contribution)
        _take(contribution.owner, taken, islice(app.url_map.iter_rules(), known, None))
    _check_access(app, registry, owners)
    _check_links(app, registry)
    _check_templates(app, registry)


def owner_of(owners: Mapping[str, str], blueprint: str) -> str:
    """Return who mounted a blueprint, or the one that it is nested in; core where nobody did."""
    return owners.get(blueprint) or owners.get(blueprint.split(".")[0]) or "core"


def prefix_of(owner: str, mount: Mount, *, is_core: bool) -> str | None:
    """Return the URL prefix of a mount: an addon's stands under its own name, core's says its own."""
    if is_core:
        return mount.prefix
    return PREFIXES[mount.face].format(owner) + (mount.prefix or "")


def _mount(app: Flask, registry: Registry, contribution: Contribution[Mount]) -> None:
    owner, mount = contribution.owner, contribution.value
    try:
        app.register_blueprint(mount.blueprint, url_prefix=prefix_of(owner, mount, is_core=registry.is_core(owner)))
    except Exception as error:
        name = mount.blueprint.name
        text = f"{owner}: the blueprint {name} cannot be mounted: {error}"
        raise AddonFailed(owner, f"{text.rstrip('.')}.", "app_mounts") from error


def _take(owner: str, taken: dict[Address, Rule], new: Iterable[Rule]) -> None:
    """Enter new rules by address and method; refuse one that is taken."""
    for rule in new:
        for method in sorted(_methods(rule)):
            other = taken.setdefault((*_address(rule), method), rule)
            if other is not rule:
                text = f"{owner}: {method} {rule.rule} of {rule.endpoint} is already the address of {other.endpoint}."
                raise AddonFailed(owner, text, "app_mounts")


def _address(rule: Rule) -> tuple[str, str]:
    """Return what makes two rules equal: the names of their variables do not matter."""
    return rule.subdomain or "", re.sub(r"<(?:([^<>:]+):)?[^<>]+>", lambda m: f"<{m[1] or ''}>", rule.rule)


def _methods(rule: Rule) -> set[str]:
    return set(rule.methods or ()) - {"HEAD", "OPTIONS"}


def _check_access(app: Flask, registry: Registry, owners: dict[str, str]) -> None:
    permissions = {p.name for p in registry.values("app_permissions")}
    for endpoint, view in sorted(app.view_functions.items()):
        owner = owner_of(owners, endpoint.rpartition(".")[0])
        if endpoint.endswith(".static") and not declared(view):
            fix = "leave static_folder out of the blueprint and use asset()"
            raise AddonFailed(owner, f"{owner}: {endpoint} serves files by itself; {fix}.", "app_mounts")
        if not declared(view):
            fix = "add @requires(...) or @public(reason)"
            raise AddonFailed(owner, f"{owner}: the view {endpoint} declares no access; {fix}.", "app_mounts")
        for permission in getattr(view, "tukku_permissions", ()):
            if permission not in permissions:
                raise undeclared(owner, f"the view {endpoint}", permission, permissions, "app_mounts")


def _check_links(app: Flask, registry: Registry) -> None:
    for hook in ("ui_nav", "ui_actions"):
        for contribution in registry.contributions(hook):
            owner, value = contribution.owner, contribution.value
            if value.endpoint not in app.view_functions:
                text = f"{owner}: {hook} {value.key} leads to {value.endpoint}, and there is no such endpoint."
                raise AddonFailed(owner, text, hook)


def _check_templates(app: Flask, registry: Registry) -> None:
    for hook, noun in (("ui_panels", "panel"), ("ui_cards", "card"), ("checkout_steps", "step")):
        for contribution in registry.contributions(hook):
            owner, value = contribution.owner, contribution.value
            if not value.template:
                continue
            try:
                app.jinja_env.get_template(value.template)
            except TemplateError as error:
                text = f"{owner}: the template {value.template} of {noun} {value.key} cannot be used: {error!r}."
                raise AddonFailed(owner, text, hook) from error
