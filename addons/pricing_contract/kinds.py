"""What a row's kind makes of a line: a price, the precision it is rounded to, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from core.api.i18n import translations
from core.api.pricing import ONE, STORED_PLACES, Band, PriceLine, by_factor, computed_places, finer, from_micro

from .bases import DEPTH, Bases
from .formulas import Terms, parsed
from .query import FIXED, KIND, PER, TERMS, UNIT, VALUE
from .sources import Source

_, _l, ngettext, _p = translations(__name__)
HUNDRED, ZERO = Decimal(100), Decimal(0)
#: Decimals of what a formula begins with: what thirds leave behind them must not be rounded up to the next multiple.
_EXACT = 10
NO_LIST = _l("There is no list price to compute from.")
Row = Any
#: What a kind makes of a line: the price for ``per`` units and ``per``, the decimals it is rounded to (None: all), whether
#: it comes from another unit, and the failure where there is no price. A plain tuple, made and taken apart for each line.
Result = tuple[Decimal | None, Decimal, int | None, bool, object]


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
    return Offer(source, row, *KINDS[row[KIND]](line, row, bases))


def per_of(row: Row) -> Decimal:
    """Return for how many units the row's value is; ``ONE`` itself where it is for one."""
    return ONE if row[PER] is None else from_micro(row[PER])


def _fixed(line: PriceLine, row: Row, bases: Bases) -> Result:
    price = from_micro(row[VALUE])
    per = per_of(row)
    if row[UNIT] == line.unit:
        return price, per, None, False, ""
    derived, places = by_factor(price, per, line.factor, bases.digits)
    return derived, ONE, places, True, ""


def _percent(line: PriceLine, row: Row, bases: Bases) -> Result:
    if line.price is None:
        return None, ONE, None, False, NO_LIST
    return line.price * _left(row[VALUE]), line.per, _places(line, line.price, bases.digits), False, ""


def _places(line: PriceLine, price: Decimal, digits: int) -> int:
    """Return the decimals of what is computed from the line's own price."""
    return line.list_places or computed_places(price, digits) if line.places is None else line.places


@lru_cache(4096)
def _left(percent: int) -> Decimal:
    """Return what is left of one after a percentage in millionths."""
    return (HUNDRED - from_micro(percent)) / HUNDRED


def _amount_off(line: PriceLine, row: Row, bases: Bases) -> Result:
    """Take the amount off for ``per`` of the row's unit (any unit: of the base unit); never below zero."""
    if line.price is None:
        return None, ONE, None, False, NO_LIST
    amount = from_micro(row[VALUE]) * line.per / per_of(row)
    if row[UNIT] != line.unit:
        amount = amount * line.factor[0] / line.factor[1]
    places = max(_places(line, line.price, bases.digits), computed_places(amount, bases.digits))
    return max(line.price - amount, ZERO), line.per, places, False, ""


def _formula(line: PriceLine, row: Row, bases: Bases, depth: int = DEPTH) -> Result:
    """Compute in the row's unit (any unit: in the base unit), then convert to the line's.

    The price is for as many units as what it is computed from: "12.34 per 100" would lose two decimals for one.
    """
    terms = parsed(row[KIND], row[VALUE], row[TERMS])
    found = _base_of(line, terms, bases, depth)
    if found is None:
        return None, ONE, None, False, _l("There is nothing to compute from (%(base)s).", base=terms.base)
    base, per, places = found
    # one of the row's unit is so many of the line's
    size = per if row[UNIT] == line.unit else per * line.factor[0] / line.factor[1]
    price = terms.apply(round(base / size, _EXACT)) * size
    if line.price is not None:
        places = max(places, _places(line, line.price, bases.digits))
    return price, per, max(places, min(bases.digits + finer(line.factor), STORED_PLACES)), False, ""


def _base_of(line: PriceLine, terms: Terms, bases: Bases, depth: int) -> tuple[Decimal, Decimal, int] | None:
    """Return the unrounded price of the line's unit that a formula begins with, for how many units it is, and its decimals.

    None where there is none, or contracts compute from each other in a circle.
    """
    if terms.contract:
        other = bases.contracts.get(terms.contract)
        row = other.standing(line) if other is not None and depth else None
        if row is None:
            return None
        result = _formula(line, row, bases, depth - 1) if row[KIND] == "formula" else KINDS[row[KIND]](line, row, bases)
        price, per, places, _derived, _failure = result
        return None if price is None else (price, per, computed_places(price, bases.digits) if places is None else places)
    if terms.base == "list":
        return None if line.price is None else (line.price, line.per, _places(line, line.price, bases.digits))
    worth = bases.worth.get((line.product_id, terms.base))
    if worth is None:
        return None
    places = min(worth.places + finer(line.factor), STORED_PLACES)
    return worth.amount * line.factor[0] / line.factor[1], ONE, places


KINDS: dict[str | None, Callable[[PriceLine, Row, Bases], Result]] = {
    FIXED: _fixed,
    "percent": _percent,
    "amount_off": _amount_off,
    "cost_plus": _formula,
    "formula": _formula,
}
