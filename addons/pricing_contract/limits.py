"""Minimum, step and packages by contract: in which quantities a company may order what, stricter than the product says.

The nearest contract that names the product, one of its categories or everything decides, by its most specific row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, literal, or_, select
from sqlalchemy.orm import aliased

from core.api.catalog import Category, Product, ProductUnit, exact
from core.api.data import Instant, book, db, unscoped
from core.api.hooks import QuantityLine, QuantityRule
from core.api.i18n import translations
from core.api.pricing import PriceContext, context, id_values
from core.api.ui import quantity_text, unit_text

from .models import Contract, OrderLimit
from .query import chosen_contracts, contract_columns, in_force
from .sources import sources_of

_, _l, ngettext, _p = translations(__name__)
_REASON = "how a company may order is part of its own contracts, which it may not be allowed to read"
#: The product's row comes before that of the deepest category, everything's last.
PRODUCT, EVERYTHING = 10_000, 0


class Limit(NamedTuple):
    """A row for one product and unit, with the product's units: ``factor`` base units in the line's, ``own`` in its own."""

    contract_id: int
    name: str
    depth: int
    base_unit: str
    unit: str
    minimum: Decimal | None
    step: Decimal | None
    packages: Sequence[str]


def quantity_rules(lines: Sequence[QuantityLine], company_id: int | None) -> Iterator[QuantityRule]:
    """Yield the rules of the company's contracts for the lines; nothing is asked while there are no limits at all."""
    if not lines or not _any():
        return
    where = context(company_id=company_id)
    ids = sorted({line.product_id for line in lines})
    limits = _limits(where, ids)
    if not limits:
        return
    units = _units(line.product_id for line in lines if _other_unit(line, limits.get(line.product_id)))
    for line in lines:
        limit = limits.get(line.product_id)
        if limit is not None:
            yield _rule(line, limit, units.get(line.product_id, {}))


def _other_unit(line: QuantityLine, limit: Limit | None) -> bool:
    """Tell whether the limit counts in another unit than the line, so that it is to be converted."""
    return limit is not None and limit.minimum is not None and line.unit != (limit.unit or limit.base_unit)


def _any() -> bool:
    known = book(("contracts",), "pricing_contract limits", most=1)
    if "any" not in known:
        query = unscoped(select(OrderLimit.contract_id).limit(1), _REASON)
        known["any"] = db.session.execute(query).first() is not None
    return bool(known["any"])


def _limits(where: PriceContext, ids: Sequence[int]) -> dict[int, Limit]:
    """Return for each product the row that decides; one statement."""
    dialect, own = db.engine.dialect.name, aliased(Category)
    chosen = chosen_contracts(Contract.__table__, dialect, everything=False, by_code=False)
    limit, category = OrderLimit.__table__, Category.__table__
    below = and_(limit.c.category_id.is_not(None), func.substr(own.path, 1, func.length(category.c.path)) == category.c.path)
    statement = (
        select(
            chosen.c.id, *(literal(None) for _column in range(8)), *contract_columns(chosen, category),
            Product.id.label("product"), Product.base_unit, limit.c.unit, limit.c.minimum, limit.c.step, limit.c.packages,
            limit.c.product_id,
        )
        .select_from(chosen)
        .join(limit, limit.c.contract_id == chosen.c.id)
        .outerjoin(category, category.c.id == limit.c.category_id)
        .join(Product, Product.id.in_(ids))
        .outerjoin(own, own.id == Product.category_id)
        .where(or_(limit.c.target == Product.id, limit.c.target == 0, below))
        .where(*in_force(chosen, bindparam("instant", type_=Instant)))
    )  # fmt: skip
    values = {
        **id_values(dialect, "companies", where.company_ids),
        **id_values(dialect, "segments", where.segment_ids),
        "currency": where.currency,
        "country": where.country,
        "instant": where.instant,
    }
    rows = db.session.execute(unscoped(statement, _REASON), values).all()
    place = {contract_id: n for n, contract_id in enumerate(sources_of(rows, where))}
    found: dict[int, tuple[tuple[int, int], Limit]] = {}
    for row in rows:
        depth = PRODUCT if row.product_id is not None else (row.path or "").count("/")
        rank = (-place[row[0]], depth)
        if row.product not in found or rank > found[row.product][0]:
            limits = Limit(row[0], row.name, depth, row.base_unit, row.unit, row.minimum, row.step, row.packages or ())
            found[row.product] = rank, limits
    return {product_id: limit for product_id, (_rank, limit) in found.items()}


def _units(products: Iterable[int]) -> dict[int, dict[str, tuple[Fraction, int]]]:
    """Return factor and precision of each unit by product."""
    unit = ProductUnit
    found: dict[int, dict[str, tuple[Fraction, int]]] = {}
    wanted = set(products)
    if not wanted:
        return found
    query = select(unit.product_id, unit.unit, unit.numerator, unit.denominator, unit.precision)
    for row in db.session.execute(query.where(unit.product_id.in_(wanted))):
        found.setdefault(row.product_id, {})[row.unit] = Fraction(row.numerator, row.denominator), row.precision
    return found


def _rule(line: QuantityLine, limit: Limit, units: Mapping[str, tuple[Fraction, int]]) -> QuantityRule:
    if limit.packages and line.unit not in limit.packages:
        names = ", ".join(unit_text(name) for name in limit.packages)
        return QuantityRule(
            line.key, refused=_l("By your contract (%(name)s) it is ordered in: %(units)s.", name=limit.name, units=names)
        )
    unit = limit.unit or limit.base_unit
    same = line.unit == unit
    minimum, step = limit.minimum, limit.step if same else None
    if minimum is not None and not same:
        minimum = _converted(minimum, units.get(unit), units.get(line.unit))
    if minimum is None and step is None:
        return QuantityRule(line.key)
    return QuantityRule(line.key, minimum=minimum, step=step, reason=_said(limit, minimum, step, line.unit))


def _converted(quantity: Decimal, own: tuple[Fraction, int] | None, asked: tuple[Fraction, int] | None) -> Decimal | None:
    """Return the least quantity in the asked unit that holds as much; None where a factor is missing."""
    if own is None or asked is None:
        return None
    quantum = Fraction(1, 10 ** asked[1])
    parts = Fraction(quantity) * own[0] / asked[0] / quantum
    return exact(-(-parts.numerator // parts.denominator) * quantum)


def _said(limit: Limit, minimum: Decimal | None, step: Decimal | None, unit: str) -> object:
    if minimum is None:
        return _l("Your contract (%(name)s): in steps of %(step)s.", name=limit.name, step=quantity_text(step, unit))
    least = quantity_text(minimum, unit)
    if step is None:
        return _l("Your contract (%(name)s): at least %(minimum)s.", name=limit.name, minimum=least)
    return _l(
        "Your contract (%(name)s): at least %(minimum)s, in steps of %(step)s.",
        name=limit.name,
        minimum=least,
        step=quantity_text(step, unit),
    )
