"""Counts by category and attribute, each facet counted with the selections of all the others.

The list is what passes every chosen facet of the base (what is seen, searched, in the category). For a chosen facet,
products count too that fail this facet only. Adding up is left to SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, literal, or_, select, union_all

from core.catalog.models import Product, ProductAttribute
from core.catalog.selection import Bounds, Selection
from core.catalog.structure import AttributeInfo
from core.data import stamps
from core.data.db import db

#: Above this many hits only categories are counted, until the list is narrowed.
MOST_HITS = 20_000
OPEN = Bounds()
#: Products by attribute id and value.
Counts = Mapping[int, Mapping[str, int]]
_MOST = 0.5
_FEW = 500
_DIGITS = re.compile(r"(\d+(?:[.,]\d+)?)")


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet: as stored, as shown, in how many products, and whether it is chosen."""

    text: str
    label: str
    count: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """An attribute by which the list can be narrowed; ``low`` and ``high`` are the ends of a number's values."""

    attribute: AttributeInfo
    values: tuple[FacetValue, ...]
    total: int
    low: Decimal | None = None
    high: Decimal | None = None
    bounds: Bounds = OPEN

    @property
    def active(self) -> bool:
        """True where the list is narrowed by it."""
        return any(value.chosen for value in self.values) or self.bounds != OPEN


def conditions(selection: Selection, attributes: Mapping[str, AttributeInfo]) -> dict[int, ColumnElement[bool]]:
    """Return the condition on ``Product`` of each chosen facet by attribute id."""
    return {
        attributes[code].id: _condition(attributes[code], selection.values.get(code, ()), selection.bounds.get(code))
        for code in selection.chosen
    }


def _condition(attribute: AttributeInfo, values: Sequence[str], bounds: Bounds | None) -> ColumnElement[bool]:
    v = ProductAttribute
    tests: list[ColumnElement[bool]] = []
    if values:
        tests.append(v.text.in_(values))
    if bounds is not None:
        sides = ([v.number >= bounds.low] if bounds.low is not None else []) + (
            [v.number <= bounds.high] if bounds.high is not None else []
        )
        tests.append(and_(*sides))
    return Product.id.in_(select(v.product_id).where(v.attribute_id == attribute.id, or_(*tests)))


def listed(base: ColumnElement[bool], chosen: Mapping[int, ColumnElement[bool]]) -> CTE:
    """Return the products of the list: of the base, and passing every chosen facet."""
    statement = select(Product.id, Product.category_id).where(base, *chosen.values())
    return statement.cte("listed").prefix_with("MATERIALIZED")


def marked(base: ColumnElement[bool], chosen: Mapping[int, ColumnElement[bool]]) -> CTE:
    """Return the products of the base that fail at most one facet: ``missed`` is its attribute, 0 for none."""
    misses: Any = literal(0)
    missed: Any = literal(0)
    for attribute_id, condition in chosen.items():
        misses = misses + case((condition, 0), else_=1)
        missed = missed + case((condition, 0), else_=attribute_id)  # the sum is the id where exactly one fails
    inner = select(Product.id, misses.label("misses"), missed.label("missed")).where(base).subquery()
    return select(inner.c.id, inner.c.missed).where(inner.c.misses <= 1).cte("marked").prefix_with("MATERIALIZED")


def category_counts(products: CTE) -> dict[int | None, int]:
    """Return how many products of the list lie directly in each category; one statement."""
    rows = db.session.execute(select(products.c.category_id, func.count()).group_by(products.c.category_id))
    return {row[0]: row[1] for row in rows}


def _direct(products: CTE, ids: Sequence[int]) -> Select[Any]:
    v = ProductAttribute
    return (
        select(v.attribute_id, v.text, func.count())
        .join(products, products.c.id == v.product_id)
        .where((v.attribute_id + 0).in_(ids))  # + 0: SQLite shall begin with the list
        .group_by(v.attribute_id, v.text)
    )


def _lacking(products: CTE, ids: Sequence[int]) -> Select[Any]:
    """Count, below zero, what the list lacks: with `_everything` quicker where it has more than half of all products."""
    v: Any = ProductAttribute
    others = select(Product.id).where(Product.id.not_in(select(products.c.id))).cte("others").prefix_with("MATERIALIZED")
    return (
        select(v.attribute_id, v.text, -func.count())
        .join(others, others.c.id == v.product_id)
        .where((v.attribute_id + 0).in_(ids))
        .group_by(v.attribute_id, v.text)
    )


def _everything(attributes: Mapping[str, AttributeInfo]) -> Counts:
    """Return how many products of all have each value of the facets; one statement after the catalogue has changed."""
    v: Any = ProductAttribute
    ids = [a.id for a in attributes.values() if a.facet]
    statement: Select[Any] = select(v.attribute_id, v.text, func.count()).where(v.attribute_id.in_(ids))
    return stamps.kept("catalogue", "facet_counts", lambda: _counts([statement.group_by(v.attribute_id, v.text)]))


def _for_chosen(products: CTE, ids: Sequence[int]) -> Select[Any]:
    """Values of a chosen facet count what only that facet keeps out of the list, too."""
    v = ProductAttribute
    return (
        select(v.attribute_id, v.text, func.count())
        .join(products, products.c.id == v.product_id)
        .where(v.attribute_id.in_(ids), or_(products.c.missed == 0, products.c.missed == v.attribute_id))
        .group_by(v.attribute_id, v.text)
    )


def _counts(parts: Sequence[Select[Any]], start: Counts | None = None) -> dict[int, dict[str, int]]:
    """Return the counts by attribute and value, added to those of ``start``; one statement."""
    counts = {i: dict(values) for i, values in (start or {}).items()}
    for attribute_id, text, count in db.session.execute(union_all(*parts)) if parts else ():
        values = counts.setdefault(attribute_id, {})
        values[text] = values.get(text, 0) + count
    return {i: {text: count for text, count in values.items() if count} for i, values in counts.items()}


def facets(
    base: ColumnElement[bool],
    chosen: Mapping[int, ColumnElement[bool]],
    selection: Selection,
    attributes: Mapping[str, AttributeInfo],
    total: int,
) -> tuple[Facet, ...]:
    """Return the facets that can narrow a list of ``total`` products, in the attributes' order.

    One statement, and two more where it has most of all products and the catalogue has changed since.
    """
    offered = [a for a in attributes.values() if a.facet or a.id in chosen]
    free = [a.id for a in offered if a.id not in chosen]
    products, parts, start = listed(base, chosen), [], None
    if free and _is_most(total):
        start = {i: counts for i, counts in _everything(attributes).items() if i in free}
        parts.append(_lacking(products, free))
    elif free:
        parts.append(_direct(products, free))
    if chosen:
        parts.append(_for_chosen(marked(base, chosen), list(chosen)))
    counts = _counts(parts, start)
    made = (_facet(a, counts.get(a.id, {}), selection) for a in offered)
    return tuple(facet for facet in made if len(facet.values) > 1 or facet.active)


def _is_most(total: int) -> bool:
    """Tell whether a list has most of all products; a short one is looked up directly, however large the catalogue is."""
    if total <= _FEW:
        return False
    return total > _MOST * stamps.kept("catalogue", "product_count", _count_products)


def _count_products() -> int:
    return db.session.scalar(select(func.count()).select_from(Product)) or 0


def _facet(attribute: AttributeInfo, counts: Mapping[str, int], selection: Selection) -> Facet:
    chosen = selection.values.get(attribute.code, ())
    texts = {**counts, **{text: 0 for text in chosen if text not in counts}}
    values = [FacetValue(text, attribute.value(text), count, text in chosen) for text, count in texts.items()]
    values.sort(key=lambda value: natural(value.text if attribute.numeric else value.label))
    numbers = [Decimal(text) for text in counts] if attribute.numeric else []
    return Facet(
        attribute,
        tuple(values),
        sum(counts.values()),
        min(numbers, default=None),
        max(numbers, default=None),
        selection.bounds.get(attribute.code, OPEN),
    )


def natural(text: str) -> list[tuple[int, Decimal, str]]:
    """Return a key that sorts M8 before M10, and 2.5 before 10."""
    return [
        (0, Decimal(part.replace(",", ".")), "") if _DIGITS.fullmatch(part) else (1, Decimal(0), part.casefold())
        for part in _DIGITS.split(text)
        if part
    ]
