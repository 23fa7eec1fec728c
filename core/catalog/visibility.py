"""Which products the current actor sees: one SQL condition for lists, counts, facets, pages, carts and exports."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import g, has_request_context
from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import aliased

from core.catalog.models import Category, Product
from core.companies import services as companies
from core.data import clock
from core.data.scope import Actor, current_actor
from core.registry.registry import registry
from core.spec.catalog import VisibilityQuery

VIEW = "catalog.product.view"


def condition(*, discontinued: bool = False) -> ColumnElement[bool]:
    """Return the condition on ``Product`` for what the current actor may see.

    It holds the status (``discontinued`` articles only where asked for: look-ups by code, product pages, old
    orders), hidden categories, and every ``catalog_visibility`` condition. Staff who act for nobody see all.
    """
    conditions = [*_conditions(current_actor())]
    if not discontinued:
        conditions.append(Product.status != "discontinued")
    return and_(*conditions) if conditions else Product.id.is_not(None)


def by_catalogue_alone() -> str | None:
    """Return a word for the condition of the current actor where nothing but the catalogue's tables decides what it
    finds; None where a ``catalog_visibility`` of an addon restricts this very actor."""
    actor = current_actor()
    if not actor.may(VIEW):
        return "nothing"
    if actor.scope.unlimited and actor.company_id is None:
        return "everything"
    return None if _of_addons(actor) else "shop"


def _conditions(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    if not actor.may(VIEW):
        return (false(),)
    if actor.scope.unlimited and actor.company_id is None:
        return ()
    return (_in_shown_category(), *_of_addons(actor))


def _of_addons(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Return what addons add to the actor's conditions, asked of the hooks once per request."""
    if not has_request_context():
        return _ask(actor.company_id)
    kept: dict[Actor, tuple[ColumnElement[bool], ...]] = g.setdefault("catalog_visibility", {})
    if actor not in kept:
        kept[actor] = _ask(actor.company_id)
    return kept[actor]


def of_company(company_id: int | None) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on ``Product`` for what a company (None: a visitor) may buy: for staff, who see more."""
    return (_in_shown_category(), *_ask(company_id), Product.status != "discontinued")


def _ask(company_id: int | None) -> tuple[ColumnElement[bool], ...]:
    if not registry().answers("catalog_visibility"):
        return ()
    answers = registry().batch("catalog_visibility", query=query_for(company_id))
    return tuple(found for _owner, results in answers for found in results)


def query_for(company_id: int | None) -> VisibilityQuery:
    """Return for whom addons are asked what is seen: a company with its parents and segments, or visitors (None)."""
    ancestors = companies.ancestors(company_id) if company_id is not None else ()
    segments = companies.segment_ids(ancestors) if ancestors else companies.visitor_segment_ids()
    return VisibilityQuery(company_id, tuple(ancestors), tuple(segments), clock.now())


@cache
def _in_shown_category() -> ColumnElement[bool]:
    """A hidden category takes everything beneath it out of the shop."""
    child: Any = aliased(Category)
    hidden: Any = aliased(Category)
    is_beneath = func.substr(child.path, 1, func.length(hidden.path)) == hidden.path
    beneath = select(child.id).join(hidden, is_beneath).where(hidden.hidden.is_(True))
    return or_(Product.category_id.is_(None), Product.category_id.not_in(beneath))
