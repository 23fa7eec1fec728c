"""Whom a change of an assortment touches: what companies see before and after it, in a step that is rolled back.

The same condition decides on both sides, so what is shown is what will be seen. The companies that bought most come first;
how many there are in all is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from core.api.catalog import Category, Product, visible_to_company
from core.api.companies import Company
from core.api.data import clock, db, write
from core.api.orders import Order, OrderLine

from . import touched
from .models import Assortment

#: Companies that are looked at at most, and at a time: others do not write while some are.
COMPANIES, AT_ONCE = 100, 10
#: Codes that are named of what a company loses or gains.
NAMED = 8


class Viewer(NamedTuple):
    """A company, or with None a visitor."""

    id: int | None
    code: str
    name: str


def effect_of(one: Assortment, targets: Iterable[Sequence[int | None]] | None, apply: Callable[[], None]) -> dict[str, Any]:
    """Return as JSON what ``apply`` would do to what those see whom the assortment concerns.

    ``targets`` are the products and categories that it moves, None for any. ``companies``: each that loses or gains goods,
    with how many and the first codes; ``carts``: open carts that hold what their company loses.
    """
    viewers, total = _viewers(one)
    among = true() if targets is None else _named(targets)
    before = {viewer.id: _seen(viewer, among) for viewer in viewers}
    after: dict[int | None, frozenset[int]] = {}
    for first in range(0, len(viewers), AT_ONCE):
        with write():
            trial = db.session.begin_nested()
            try:
                apply()
                db.session.flush()
                after |= {viewer.id: _seen(viewer, among) for viewer in viewers[first : first + AT_ONCE]}
            finally:
                trial.rollback()
    lost = {viewer.id: before[viewer.id] - after[viewer.id] for viewer in viewers}
    gained = {viewer.id: after[viewer.id] - before[viewer.id] for viewer in viewers}
    skus = _skus(lost.values(), gained.values())
    return {
        "at": clock.now().isoformat(),
        "concerned": total,
        "looked_at": len(viewers),
        "lost": len(frozenset().union(*lost.values())),
        "gained": len(frozenset().union(*gained.values())),
        "companies": [
            {
                "code": viewer.code, "name": viewer.name,
                "lost": len(lost[viewer.id]), "gained": len(gained[viewer.id]),
                "names_lost": _first(lost[viewer.id], skus), "names_gained": _first(gained[viewer.id], skus),
            }
            for viewer in viewers
            if lost[viewer.id] or gained[viewer.id]
        ],
        "carts": _carts({company_id: ids for company_id, ids in lost.items() if company_id and ids}, viewers, skus),
    }  # fmt: skip


def _viewers(one: Assortment) -> tuple[list[Viewer], int]:
    """Return whom an assortment concerns, those with the largest orders first, and how many there are in all."""
    ids = touched.companies(one)
    query = select(Company.id, Company.code, Company.name).where(Company.status != "closed")
    if ids is not None:
        query = query.where(Company.id.in_(ids))
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    placed = and_(Order.company_id == Company.id, Order.state != "cart")
    bought = select(func.coalesce(func.sum(Order.net), 0)).where(placed).correlate(Company).scalar_subquery()
    found = [Viewer(*row) for row in db.session.execute(query.order_by(bought.desc(), Company.code).limit(COMPANIES))]
    return [*found, *([Viewer(None, "", "")] if touched.visitors(one) else [])], total


def _named(targets: Iterable[Sequence[int | None]]) -> ColumnElement[bool]:
    """Return the condition on products that are named, or lie below a category that is."""
    pairs = list(targets)
    categories = [category for _product, category in pairs if category]
    named = select(Category.path).where(Category.id.in_(categories)).subquery()
    beneath = select(Category.id).join(named, func.substr(Category.path, 1, func.length(named.c.path)) == named.c.path)
    return or_(Product.id.in_([product for product, _category in pairs if product]), Product.category_id.in_(beneath))


def _seen(viewer: Viewer, among: ColumnElement[bool]) -> frozenset[int]:
    query = select(Product.id).where(Product.status != "discontinued", among, *visible_to_company(viewer.id))
    return frozenset(db.session.scalars(query))


def _skus(*groups: Iterable[frozenset[int]]) -> dict[int, str]:
    """Return the codes of the products, in the order of the codes."""
    wanted = sorted(frozenset().union(*(ids for group in groups for ids in group)))
    found: dict[int, str] = {}
    for first in range(0, len(wanted), 5000):
        query = select(Product.id, Product.sku).where(Product.id.in_(wanted[first : first + 5000]))
        found |= {row.id: row.sku for row in db.session.execute(query)}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _first(ids: frozenset[int], skus: Mapping[int, str]) -> list[str]:
    return sorted(skus[product_id] for product_id in ids)[:NAMED]


def _carts(lost: Mapping[int, frozenset[int]], viewers: Sequence[Viewer], skus: Mapping[int, str]) -> list[dict[str, Any]]:
    names = {viewer.id: viewer for viewer in viewers}
    query = (
        select(Order.id, Order.company_id, OrderLine.product_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.state == "cart", Order.company_id.in_(lost))
        .order_by(Order.company_id, Order.id, OrderLine.position)
    )
    carts: dict[int, dict[str, Any]] = {}
    for order_id, company_id, product_id in db.session.execute(query):
        if product_id in lost[company_id]:
            viewer = names[company_id]
            cart = carts.setdefault(order_id, {"code": viewer.code, "company": viewer.name, "lines": 0, "names": []})
            cart["lines"] += 1
            cart["names"] = [*cart["names"], skus[product_id]][:NAMED]
    return list(carts.values())
