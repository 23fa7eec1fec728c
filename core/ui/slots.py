"""Panels that domains and addons put into the slots of a page; one that fails hurts only itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import render_template
from markupsafe import Markup

from core.data.db import db
from core.data.scope import actor_or_none
from core.data.write import writing
from core.i18n import _
from core.registry.registry import Contribution, registry
from core.spec.ui import PAGES, Card, PageContext, Panel


@dataclass(frozen=True, slots=True)
class Filled:
    """A panel as the page shows it; ``error`` is set, for staff only, where it failed; ``bare``: without a frame."""

    key: str
    title: object = ""
    html: str = ""
    error: str = ""
    bare: bool = False


def panels(page: str, slot: str, subject_id: int | None = None, subject_code: str = "") -> list[Filled]:
    """Return the filled panels of a slot in order; KeyError for a page or slot that is not in ``PAGES``.

    A panel is left out where the actor lacks its permission or its ``load`` returns None. One that raises is an
    incident; staff see a box that names the addon, buyers see nothing.
    """
    if slot not in PAGES[page]:
        raise KeyError(f"{page} has no slot {slot}; it has {', '.join(PAGES[page])}")
    context = PageContext(page, subject_id, subject_code)
    return [filled for contribution in _allowed(page, slot) for filled in fill(contribution, context, "ui_panels")]


def _allowed(page: str, slot: str) -> Iterator[Contribution[Any]]:
    actor = actor_or_none()
    for contribution in registry().contributions("ui_panels"):
        panel: Panel = contribution.value
        if (panel.page, panel.slot) != (page, slot):
            continue
        if not panel.permission or (actor is not None and actor.may(panel.permission)):
            yield contribution


def fill(contribution: Contribution[Any], context: PageContext, hook: str) -> Iterator[Filled]:
    """Yield the panel or card as drawn, or for staff the box that says it failed; nothing where it hides itself."""
    owner, panel = contribution.owner, contribution.value
    key = f"{owner}-{panel.key}"
    attempt = registry().attempt(owner, hook, _render, panel, context)
    if attempt.failed:
        if not writing():
            db.session.rollback()  # PostgreSQL refuses further statements after one that failed
        if _is_staff():
            yield Filled(
                key, panel.title, error=_("%(owner)s could not show this panel. The incident is recorded.", owner=owner)
            )
    elif attempt.value is not None:
        yield Filled(key, panel.title, attempt.value, bare=not panel.title)


def _render(panel: Panel | Card, context: PageContext) -> Markup | None:
    values = panel.load(context)
    return None if values is None else Markup(render_template(panel.template, context=context, **values))  # noqa: S704  (a template escapes)


def _is_staff() -> bool:
    actor = actor_or_none()
    return actor is not None and actor.scope.kind in ("merchant", "portfolio", "system")
