"""What a row's kind makes of a line: a price, the precision it is rounded to, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from core.api.i18n import translations
from core.api.pricing import MICROS, PriceLine, by_factor, computed_places, from_micro

from .query import KIND, PER, UNIT, VALUE
from .sources import Source

_, _l, ngettext, _p = translations(__name__)
ONE, HUNDRED, ZERO = Decimal(1), Decimal(100), Decimal(0)
NO_LIST = _l("There is no list price to compute from.")
Row = Any


class Offer(NamedTuple):
    """What a contract offers for a line: ``price`` for ``per`` units, None with the reason why it cannot be computed."""

    source: Source
    row: Row
    price: Decimal | None
    per: Decimal
    places: int | None = None
    derived: bool = False
    failure: object = ""


def offer(line: PriceLine, source: Source, row: Row, digits: int) -> Offer:
    """Return what ``row`` of ``source`` makes of the line; ``digits`` are the currency's."""
    return _KINDS[row[KIND]](line, source, row, digits)


def _fixed(line: PriceLine, source: Source, row: Row, digits: int) -> Offer:
    price = from_micro(row[VALUE])
    per = ONE if row[PER] == MICROS else from_micro(row[PER])
    if row[UNIT] == line.unit:
        return Offer(source, row, price, per)
    derived, places = by_factor(price, per, line.factor, digits)
    return Offer(source, row, derived, ONE, places, derived=True)


def _percent(line: PriceLine, source: Source, row: Row, digits: int) -> Offer:
    if line.price is None:
        return Offer(source, row, None, ONE, failure=NO_LIST)
    price = line.price * _left(row[VALUE])
    return Offer(source, row, price, line.per, line.places or computed_places(line.price, digits))


@lru_cache(4096)
def _left(percent: int) -> Decimal:
    """Return what is left of one after a percentage in millionths."""
    return (HUNDRED - from_micro(percent)) / HUNDRED


def _amount_off(line: PriceLine, source: Source, row: Row, digits: int) -> Offer:
    """Take the amount off for ``per`` of the row's unit (any unit: of the base unit); never below zero."""
    if line.price is None:
        return Offer(source, row, None, ONE, failure=NO_LIST)
    amount = from_micro(row[VALUE]) * line.per / from_micro(row[PER])
    if row[UNIT] != line.unit:
        amount = amount * line.factor[0] / line.factor[1]
    places = max(line.places or computed_places(line.price, digits), computed_places(amount, digits))
    return Offer(source, row, max(line.price - amount, ZERO), line.per, places)


_KINDS: dict[str, Callable[[PriceLine, Source, Row, int], Offer]] = {
    "fixed": _fixed,
    "percent": _percent,
    "amount_off": _amount_off,
}
