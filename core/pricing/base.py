"""The first step: what each product is, and the merchant's own list price for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, or_, select

from core.catalog.models import Category, Product, ProductUnit
from core.data.db import db
from core.data.types import Instant
from core.i18n import _l
from core.pricing.asked import instant_value, line_table, line_values, prepared
from core.pricing.models import ListPrice
from core.pricing.money import MICROS, computed_places, from_micro, minor_digits, round_to
from core.spec.pricing import Candidate, PriceBatch, PriceLine, PriceStage, PriceStep

STEP = "list_price"
LIST = "list"
LIST_REASON = _l("List price")
_DERIVED_REASON = _l("List price of the base unit, for the whole package")
_UNKNOWN_PRODUCT = _l("There is no such product.")
_UNKNOWN_UNIT = _l("The product is not sold in this unit.")
_OTHER_UNIT = _l("A price in the asked unit comes first.")
_OLDER = _l("A price whose validity began later holds now.")
ZERO = Decimal(0)
PRICE, PER, SINCE, NUMERATOR, DENOMINATOR, FROM_BASE, BASE_PRICE, BASE_PER = range(5, 13)
Row = Any


def list_price_step() -> PriceStep:
    """Return the step that gives every line its product's facts and the list price."""
    return PriceStep(STEP, PriceStage.BASE, apply, prepare)


def prepare(batch: PriceBatch) -> list[Row]:
    """Read product, unit and list prices of every line in one statement; nested validities give several rows."""
    dialect = db.engine.dialect.name
    return prepared(_statement, dialect).rows(
        **line_values(dialect, "lines", batch.lines),
        currency=batch.context.currency,
        instant=instant_value(dialect, batch.context.instant),
    )


def _statement(dialect: str) -> Select[Any]:
    """Build the statement; scaled decimals come as integers, and only those that are used become Decimals."""
    lines = line_table(dialect, "lines")
    product, unit, price = Product.__table__, ProductUnit.__table__, ListPrice.__table__
    category = Category.__table__
    instant = bindparam("instant", type_=Instant)
    # null for a base unit: then neither its factor nor a second price is looked up at all
    larger = case((lines.c.unit != product.c.base_unit, lines.c.id))
    in_unit, in_base = price.alias("in_unit"), price.alias("in_base")
    return (
        select(
            lines.c.n,
            product.c.sku,
            product.c.base_unit,
            product.c.tax_class,
            category.c.path,
            in_unit.c.price,
            in_unit.c.per,
            func.coalesce(in_unit.c.valid_from, in_base.c.valid_from).label("since"),
            unit.c.numerator,
            unit.c.denominator,
            unit.c.price_from_base,
            in_base.c.price,
            in_base.c.per,
        )
        .select_from(lines)
        .join(product, product.c.id == lines.c.id)
        .outerjoin(category, category.c.id == product.c.category_id)
        .outerjoin(in_unit, _valid(in_unit, lines.c.id, lines.c.unit, instant))
        .outerjoin(unit, and_(unit.c.product_id == larger, unit.c.unit == lines.c.unit))
        .outerjoin(in_base, _valid(in_base, larger, product.c.base_unit, instant))
    )


def _valid(price: Any, product_id: Any, unit: Any, instant: Any) -> ColumnElement[bool]:
    return and_(
        price.c.product_id == product_id,
        price.c.unit == unit,
        price.c.currency == bindparam("currency"),
        price.c.valid_from <= instant,
        or_(price.c.valid_until.is_(None), price.c.valid_until > instant),
    )


def apply(batch: PriceBatch, rows: list[Row]) -> None:
    """Fill the lines; a price in the asked unit comes first, else the base unit's by the factor, where allowed."""
    digits = minor_digits(batch.context.currency)
    lines = batch.lines
    if len(rows) > len(lines):  # windows nest: the one that began last holds, and when it ends the outer one returns
        rows = sorted(rows, key=lambda row: str(row[SINCE] or ""))
    for row in rows:
        line = lines[row[0]]
        line.sku, line.base_unit, line.category_path = row[1], row[2], row[4] or ""
        if row[3] != "standard":
            line.tax_class = row[3]
        if line.unit == row[2]:
            line.known = True
        elif not _known_unit(line, row):
            continue
        if row[PRICE] is not None:
            line.price = line.list_price = from_micro(row[PRICE])
            if row[PER] != MICROS:
                line.per = from_micro(row[PER])
            line.source, line.reason = LIST, LIST_REASON
        elif row[BASE_PRICE] is not None and line.price_from_base:
            _derive(line, row, digits)
    if len(rows) != len(lines) and len({row[0] for row in rows}) < len(lines):
        for line in lines:
            if not line.base_unit:
                line.reason = _UNKNOWN_PRODUCT
    if batch.explain:
        _explain(batch, rows)


def _known_unit(line: PriceLine, row: Row) -> bool:
    """Take over the factor of a unit that is not the base unit; False if the product is not sold in it."""
    if row[NUMERATOR] is None:
        line.reason = _UNKNOWN_UNIT
        return False
    line.factor, line.price_from_base = (row[NUMERATOR], row[DENOMINATOR]), bool(row[FROM_BASE])
    line.known = True
    return True


def _derive(line: PriceLine, row: Row, digits: int) -> None:
    base = from_micro(row[BASE_PRICE])
    line.price, line.places = by_factor(base, from_micro(row[BASE_PER]), line.factor, digits)
    line.list_price = round_to(line.price, line.places)
    line.source, line.reason, line.derived = LIST, _DERIVED_REASON, True


def by_factor(price: Decimal, per: Decimal, factor: tuple[int, int], digits: int) -> tuple[Decimal, int]:
    """Return what one larger unit costs, from the base unit's price for ``per``, and the decimals to round it to."""
    return price * factor[0] / (factor[1] * per), computed_places(price, digits)


def _explain(batch: PriceBatch, rows: list[Row]) -> None:
    """Tell every list price that was there, and why it was not taken; the last row of a line is the one that holds."""
    for n, line in enumerate(batch.lines):
        mine = [row for row in rows if row[0] == n]
        for row in mine:
            if row[PRICE] is not None:
                lost = "" if row is mine[-1] else _OLDER
                _consider(line, row[PRICE], row[PER], line.unit, lost)
        if mine and mine[-1][BASE_PRICE] is not None:
            lost = "" if line.derived else _OTHER_UNIT
            _consider(line, mine[-1][BASE_PRICE], mine[-1][BASE_PER], line.base_unit, lost)
        if line.price is not None:
            line.note(STEP, None, line.reason)


def _consider(line: PriceLine, price: int, per: int, unit: str, lost: object) -> None:
    line.consider(Candidate(LIST, str(LIST_REASON), from_micro(price), from_micro(per), unit, ZERO, lost))
