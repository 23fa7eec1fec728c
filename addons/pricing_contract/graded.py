"""Progressive breaks: only the units above a break cost its price, so that the price of a line is made of several.

The sum is exact: the price is that of the line's whole quantity, for which ``per`` stands, so that no average is rounded.
Where several lines count together, or orders before count, each line takes its share of the units that are counted now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from core.api.catalog import exact
from core.api.pricing import MICROS, Band, PriceLine, round_to

from .bases import Bases
from .counting import Counted, own
from .kinds import Offer, offer
from .query import MIN_QUANTITY, ROW_FROM, TARGET, UNIT
from .sources import Source

Row = Any


def rungs_of(row: Row, rows: Iterable[Row]) -> list[Row]:
    """Return the ladder up to ``row``, lowest first: the rows of its contract for the same target and unit.

    Of several for one quantity, the validity that began last holds.
    """
    found: dict[int, Row] = {}
    for other in rows:
        same = other[0] == row[0] and other[TARGET] == row[TARGET] and other[UNIT] == row[UNIT]
        if same and other[MIN_QUANTITY] <= row[MIN_QUANTITY]:
            known = found.get(other[MIN_QUANTITY])
            if known is None or other[ROW_FROM] > known[ROW_FROM]:
                found[other[MIN_QUANTITY]] = other
    return [found[quantity] for quantity in sorted(found)]


def graded(line: PriceLine, source: Source, rungs: Sequence[Row], counted: Counted, bases: Bases) -> Offer:
    """Return what the ladder makes of the line; the last rung is the row that stands."""
    last = offer(line, source, rungs[-1], bases)
    parts = [(rung, size) for rung, size in _parts(line, rungs, counted) if size > 0]
    if len(parts) < 2:
        return offer(line, source, parts[0][0], bases) if parts else last
    bands = []
    for rung, size in parts:
        one = offer(line, source, rung, bases)
        if one.price is None:
            return one._replace(row=rungs[-1])
        price = one.price if one.places is None else round_to(one.price, one.places)
        bands.append((size, price, one.per))
    total = sum((size * Fraction(price) / Fraction(per) for size, price, per in bands), Fraction(0))
    share = total * own(line) / counted.together
    told = tuple(Band(exact(size), price, per) for size, price, per in bands)
    return Offer(source, rungs[-1], exact(share), line.quantity, None, derived=last.derived, bands=told)


def _parts(line: PriceLine, rungs: Sequence[Row], counted: Counted) -> list[tuple[Row, Fraction]]:
    """Return how many of the units that are counted now lie on each rung, in the line's unit.

    What was ordered before lies below them; everything below the second break is on the first.
    """
    factor = Fraction(line.factor[0], line.factor[1])
    scale = factor if rungs[0][UNIT] == line.unit else Fraction(1)
    starts = [Fraction(0), *(rung[MIN_QUANTITY] * scale for rung in rungs[1:])]
    ends = [*(end for _start, end in pairwise(starts)), counted.total]
    return [
        (rung, max(Fraction(0), min(end, counted.total) - max(start, counted.before)) / factor / MICROS)
        for rung, start, end in zip(rungs, starts, ends, strict=True)
    ]


def boundary(quantity: Decimal) -> Decimal:
    """Return a quantity just above a break, where the first unit costs the break's price."""
    return quantity + Decimal("0.000001")
