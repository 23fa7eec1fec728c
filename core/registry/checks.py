"""Checks of contributions at the build: names, places, permissions. A typo stops it with a hint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from core.registry.failure import AddonFailed
from core.registry.registry import Registry
from core.spec.app import Face
from core.spec.ui import CARD_SIZES, FORMS, LISTS, PAGES, SECTIONS, SHOP_SECTIONS

#: Hooks whose contributions name a permission that must be declared.
GUARDED = (
    "ui_nav",
    "ui_panels",
    "ui_cards",
    "ui_form_sections",
    "ui_columns",
    "ui_filters",
    "ui_actions",
    "data_imports",
    "report_sources",
)


def check_contribution(hook: str, owner: str, value: Any, *, is_core: bool) -> None:
    """Raise `AddonFailed` when a contribution names something that does not exist or is not its owner's."""
    check = _CHECKS.get(hook)
    if check is not None:
        check(hook, owner, value)
    if not is_core and hook in _OWN_NAMES:
        _OWN_NAMES[hook](hook, owner, value)


def check_permissions(registry: Registry) -> None:
    """Raise `AddonFailed` for the first contribution that requires an undeclared permission."""
    declared = {p.name for p in registry.values("app_permissions")}
    for hook in GUARDED:
        for contribution in registry.contributions(hook):
            permission = contribution.value.permission
            if permission and permission not in declared:
                key = getattr(contribution.value, "kind", None) or contribution.value.key
                raise undeclared(contribution.owner, f"{hook} {key}", permission, declared, hook)
    for contribution in registry.contributions("order_hold_types"):
        permission = contribution.value.release_permission
        if permission not in declared:
            what = f"order_hold_types {contribution.value.code}"
            raise undeclared(contribution.owner, what, permission, declared, "order_hold_types")


def undeclared(owner: str, what: str, permission: str, declared: Iterable[str], hook: str = "") -> AddonFailed:
    """Return the failure of something that requires a permission nobody declares."""
    hint = _hint(permission, declared, "declare it in app_permissions")
    return AddonFailed(owner, f"{owner}: {what} requires the permission {permission}, which is unknown; {hint}", hook)


def _hint(word: str, known: Iterable[str], otherwise: str) -> str:
    close = get_close_matches(word, tuple(known), 1)
    return f"did you mean {close[0]}?" if close else f"{otherwise}."


def _one_of(hook: str, owner: str, key: str, noun: str, word: str, known: Iterable[str]) -> None:
    known = tuple(known)
    if word not in known:
        hint = _hint(word, known, f"known are {', '.join(known)}")
        raise AddonFailed(owner, f"{owner}: {hook} {key} names the {noun} {word}, which does not exist; {hint}", hook)


def _panel(hook: str, owner: str, value: Any) -> None:
    _one_of(hook, owner, value.key, "page", value.page, PAGES)
    _one_of(hook, owner, value.key, f"slot of {value.page}", value.slot, PAGES[value.page])


def _card(hook: str, owner: str, value: Any) -> None:
    _one_of(hook, owner, value.key, "size", value.size, CARD_SIZES)


def _mount(hook: str, owner: str, value: Any) -> None:
    if not hasattr(value.blueprint, "name"):
        text = f"Mount takes a blueprint, then a face, and its blueprint is {value.blueprint!r}"
        raise AddonFailed(owner, f"{owner}: {text}.", hook)
    _one_of(hook, owner, value.key, "face", str(value.face), get_args(Face))


def _nav(hook: str, owner: str, value: Any) -> None:
    sections = SECTIONS if value.face == "admin" else SHOP_SECTIONS
    _one_of(hook, owner, value.key, "section", value.section, sections)


def _list(hook: str, owner: str, value: Any) -> None:
    if value.list.startswith(f"{owner}."):
        return  # a list of its own: a batched column saves it a join
    _one_of(hook, owner, value.key, "list", value.list, LISTS)


def _form(hook: str, owner: str, value: Any) -> None:
    _one_of(hook, owner, value.key, "form", value.form, FORMS)


def _report(hook: str, owner: str, value: Any) -> None:
    names = [column.name for column in value.columns]
    for column in value.columns:
        if column.extra:
            _one_of(hook, owner, value.key, f"column beside {column.name}", column.extra, names)


def _own_permission(hook: str, owner: str, value: Any) -> None:
    parts = value.name.split(".")
    if parts[0] != owner or len(parts) != 3 or not all(parts):
        text = f"the permission {value.name} must be named {owner}.<object>.<action>"
        raise AddonFailed(owner, f"{owner}: {text}.", hook)


def _own_blueprint(hook: str, owner: str, value: Any) -> None:
    name = value.blueprint.name
    if name != owner and not name.startswith(f"{owner}_"):
        text = f"the blueprint {name} must be named {owner} or {owner}_<something>"
        raise AddonFailed(owner, f"{owner}: {text}.", hook)


def _own_template(hook: str, owner: str, value: Any) -> None:
    if value.template and not value.template.startswith(f"{owner}/"):
        text = f"the template {value.template} must stand in templates/{owner}/"
        raise AddonFailed(owner, f"{owner}: {text}.", hook)


Check = Callable[[str, str, Any], None]
_CHECKS: Mapping[str, Check] = {
    "app_mounts": _mount,
    "ui_panels": _panel,
    "ui_cards": _card,
    "ui_nav": _nav,
    "ui_columns": _list,
    "ui_filters": _list,
    "ui_actions": _list,
    "ui_form_sections": _form,
    "report_sources": _report,
}
_OWN_NAMES: Mapping[str, Check] = {
    "app_permissions": _own_permission,
    "app_mounts": _own_blueprint,
    "api_resources": _own_blueprint,
    "checkout_steps": _own_template,
    "ui_panels": _own_template,
    "ui_cards": _own_template,
}
