"""What a row's kind makes of a line: a price, the precision it is rounded to, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from core.api.i18n import translations
from core.api.pricing import MICROS, STORED_PLACES, Band, PriceLine, by_factor, computed_places, finer, from_micro

from .bases import DEPTH, Bases
from .formulas import parsed
from .query import KIND, PER, TERMS, UNIT, VALUE
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
    bands: Sequence[Band] = ()


def offer(line: PriceLine, source: Source, row: Row, bases: Bases) -> Offer:
    """Return what ``row`` of ``source`` makes of the line."""
    return KINDS[row[KIND]](line, source, row, bases)


def _fixed(line: PriceLine, source: Source, row: Row, bases: Bases) -> Offer:
    price = from_micro(row[VALUE])
    per = ONE if row[PER] == MICROS else from_micro(row[PER])
    if row[UNIT] == line.unit:
        return Offer(source, row, price, per)
    derived, places = by_factor(price, per, line.factor, bases.digits)
    return Offer(source, row, derived, ONE, places, derived=True)


def _percent(line: PriceLine, source: Source, row: Row, bases: Bases) -> Offer:
    if line.price is None:
        return Offer(source, row, None, ONE, failure=NO_LIST)
    price = line.price * _left(row[VALUE])
    places = line.places or line.list_places or computed_places(line.price, bases.digits)
    return Offer(source, row, price, line.per, places)


@lru_cache(4096)
def _left(percent: int) -> Decimal:
    """Return what is left of one after a percentage in millionths."""
    return (HUNDRED - from_micro(percent)) / HUNDRED


def _amount_off(line: PriceLine, source: Source, row: Row, bases: Bases) -> Offer:
    """Take the amount off for ``per`` of the row's unit (any unit: of the base unit); never below zero."""
    if line.price is None:
        return Offer(source, row, None, ONE, failure=NO_LIST)
    amount = from_micro(row[VALUE]) * line.per / from_micro(row[PER])
    if row[UNIT] != line.unit:
        amount = amount * line.factor[0] / line.factor[1]
    places = max(line.places or computed_places(line.price, bases.digits), computed_places(amount, bases.digits))
    return Offer(source, row, max(line.price - amount, ZERO), line.per, places)


def _formula(line: PriceLine, source: Source, row: Row, bases: Bases) -> Offer:
    """Compute in the row's unit (any unit: in the base unit), then convert to the line's."""
    terms = parsed(row[KIND], row[VALUE], row[TERMS])
    factor = ONE if row[UNIT] == line.unit else Decimal(line.factor[0]) / line.factor[1]
    if terms.contract:
        base = _price_in(line, terms.contract, bases)
        base = None if base is None else base / factor
    elif terms.base == "list":
        base = None if line.price is None else line.price / line.per / factor
    else:
        base = bases.worth.get((line.product_id, terms.base))
        if base is not None and row[UNIT] == line.unit:
            base = base * line.factor[0] / line.factor[1]
    if base is None:
        return Offer(source, row, None, ONE, failure=_l("There is nothing to compute from (%(base)s).", base=terms.base))
    price = terms.apply(base) * factor
    places = bases.digits if line.price is None else line.list_places or computed_places(line.price, bases.digits)
    return Offer(source, row, price, ONE, max(places, min(bases.digits + finer(line.factor), STORED_PLACES)))


def _price_in(line: PriceLine, code: str, bases: Bases, depth: int = DEPTH) -> Decimal | None:
    """Return what another contract asks for one of the line's unit, unrounded; None without a price or in a circle."""
    standing = bases.contracts.get(code)
    found = standing(line) if standing is not None else None
    if found is None or depth == 0:
        return None
    source, row = found
    terms = parsed(row[KIND], row[VALUE], row[TERMS]) if row[KIND] == "formula" else None
    if terms is not None and terms.contract:
        factor = ONE if row[UNIT] == line.unit else Decimal(line.factor[0]) / line.factor[1]
        base = _price_in(line, terms.contract, bases, depth - 1)
        return None if base is None else terms.apply(base / factor) * factor
    one = offer(line, source, row, bases)
    return None if one.price is None else one.price / one.per


KINDS: dict[str, Callable[[PriceLine, Source, Row, Bases], Offer]] = {
    "fixed": _fixed,
    "percent": _percent,
    "amount_off": _amount_off,
    "cost_plus": _formula,
    "formula": _formula,
}
