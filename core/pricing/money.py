"""Exact money arithmetic: how many decimals a currency has, and how a line is rounded."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache, lru_cache

from babel.numbers import get_currency_precision

#: Prices, quantities and percents are stored as integers of a millionth.
MICROS = 1_000_000
_MICRO = Decimal("0.000001")
#: The decimals that stored prices have at most.
STORED_PLACES = 6


def from_micro(stored: int) -> Decimal:
    """Return the Decimal of a stored integer of millionths (a product is twice as fast as ``scaleb``)."""
    return Decimal(stored) * _MICRO


@lru_cache(4096)
def to_micro(value: Decimal) -> int:
    """Return the whole millionths in ``value``; kept, for the same few quantities are asked for again and again."""
    return int(value * MICROS)


@cache
def minor_digits(currency: str) -> int:
    """Return the number of decimals of ``currency`` by CLDR (EUR 2, JPY 0, KWD 3)."""
    return get_currency_precision(currency)


@cache
def quantum(places: int) -> Decimal:
    """Return the smallest step with ``places`` decimals."""
    return Decimal(1).scaleb(-places)


def round_to(value: Decimal, places: int) -> Decimal:
    """Return ``value`` with ``places`` decimals, half up (away from zero)."""
    return value.quantize(quantum(places), ROUND_HALF_UP)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Return ``amount`` rounded half up to the minor unit of ``currency``."""
    return round_to(amount, minor_digits(currency))


def line_net(quantity: Decimal, price: Decimal, per: Decimal, currency: str) -> Decimal:
    """Return the net of a line: quantity × price ÷ per, rounded half up to the minor unit."""
    return round_money(quantity * price / per, currency)


def decimals_of(value: Decimal) -> int:
    """Return how many decimals ``value`` has, trailing zeros aside."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def computed_places(base: Decimal, digits: int) -> int:
    """Return how many decimals a price computed from ``base`` gets: ``digits``, or more where the base has more."""
    return min(decimals_of(base), STORED_PLACES) if base % quantum(digits) else digits


def finer(factor: tuple[int, int]) -> int:
    """Return how many more decimals a price gets in a unit that is a part of the base unit: three for a gram of a kilogram.

    Otherwise a gram of what costs 4.90 would cost nothing, and a thousand grams not what a kilogram does.
    """
    numerator, denominator = factor
    more = 0
    while numerator * 10**more < denominator:
        more += 1
    return more


def distribute(amount: Decimal, weights: Sequence[Decimal], currency: str) -> tuple[Decimal, ...]:
    """Split ``amount`` over ``weights`` by largest remainder, so that the parts sum to it exactly.

    ``amount`` has the currency's decimals. Ties go to the earlier weight. Without weight all goes to the first part.
    """
    total = sum(weights, Decimal(0))
    if not weights:
        return ()
    if total == 0:
        return (amount, *(Decimal(0) for _weight in weights[1:]))
    step = quantum(minor_digits(currency))
    exact = [amount * weight / total for weight in weights]
    parts = [value.quantize(step, ROUND_DOWN) for value in exact]
    missing = int(((amount - sum(parts, Decimal(0))) / step).to_integral_value())
    by_remainder = sorted(range(len(parts)), key=lambda i: (-abs(exact[i] - parts[i]), i))
    unit = step if missing > 0 else -step
    for index in by_remainder[: abs(missing)]:
        parts[index] += unit
    return tuple(parts)
