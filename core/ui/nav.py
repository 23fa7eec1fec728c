"""Navigation from the registry: what the actor may open, grouped by the work, with the present page marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from flask import has_request_context, request, url_for

from core.data.scope import actor_or_none
from core.i18n import _l
from core.registry.registry import Contribution, registry
from core.spec.ui import SECTIONS, NavItem
from core.ui.links import may_open

TITLES: dict[str, Any] = {
    "sales": _l("Sales"),
    "customers": _l("Customers"),
    "catalogue": _l("Catalogue"),
    "prices": _l("Prices"),
    "finance": _l("Finance"),
    "deliveries": _l("Deliveries"),
    "reports": _l("Reports"),
    "setup": _l("Set-up"),
}


@dataclass(frozen=True, slots=True)
class NavLink:
    """A link of a menu; ``count`` is the number in its badge, None for no badge."""

    label: object
    url: str
    icon: str = ""
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class NavSection:
    """A titled group of links."""

    title: object
    links: tuple[NavLink, ...]


def sections() -> tuple[NavSection, ...]:
    """Return the back-office's groups, in the order of ``SECTIONS``, without those that are empty."""
    found = {name: tuple(links("admin", name)) for name in SECTIONS}
    return tuple(NavSection(TITLES[name], found[name]) for name in SECTIONS if found[name])


def links(face: Literal["shop", "admin"], section: str) -> list[NavLink]:
    """Return the links of one section that the actor may open."""
    return [_link(contribution) for contribution in _allowed(face, section)]


def _allowed(face: str, section: str) -> Iterator[Contribution[Any]]:
    actor = actor_or_none()
    for contribution in registry().contributions("ui_nav"):
        item: NavItem = contribution.value
        if (item.face, item.section) != (face, section) or not may_open(item.endpoint):
            continue
        if not item.permission or (actor is not None and actor.may(item.permission)):
            yield contribution


def _link(contribution: Contribution[Any]) -> NavLink:
    item: NavItem = contribution.value
    url = url_for(item.endpoint)
    count = registry().attempt(contribution.owner, "ui_nav", item.badge).value if item.badge else None
    return NavLink(item.label, url, item.icon, is_current(url), count)


def is_current(url: str) -> bool:
    """Tell whether the page being shown is `url` or lies beneath it."""
    if not has_request_context():
        return False
    path = url.partition("?")[0]
    if path in ("/", "/admin/"):
        return request.path == path
    return request.path == path or request.path.startswith(path.rstrip("/") + "/")
