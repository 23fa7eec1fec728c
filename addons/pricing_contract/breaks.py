"""The quantities at which a contract price may change, for ladders."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from core.api.catalog import exact
from core.api.hooks import BreakQuantities
from core.api.pricing import MICROS, PriceBatch, PriceLine, from_micro

from . import query
from .counting import NONE
from .engine import Facts, count, facts_of
from .graded import boundary
from .standing import rows_for

_SMALLEST = Decimal("0.000001")


def break_quantities(batch: PriceBatch) -> Iterator[BreakQuantities]:
    """Yield the breaks of every contract for the lines, in each line's unit; one statement, and one for orders before.

    Lines know their units.
    """
    products = {line.product_id: query.EVERY_BREAK for line in batch.lines if line.known}
    if not products:
        return
    facts, _rows = facts_of(batch.context, products)
    count(facts, batch, products)
    for line in batch.lines:
        found = _breaks(line, facts) if line.known else set()
        if found:
            yield BreakQuantities(line.product_id, line.unit, sorted(found))


def _breaks(line: PriceLine, facts: Facts) -> set[Decimal]:
    found = set()
    numerator, denominator = line.factor
    for row in rows_for(line, facts):
        quantity = from_micro(row[query.MIN_QUANTITY])
        if quantity and facts.agreed.sources[row[0]].progressive:
            quantity = boundary(quantity)
        if row[query.UNIT] != line.unit:  # counts base units
            quantity = (quantity * denominator / numerator).quantize(_SMALLEST, ROUND_CEILING)
        quantity -= _before(line, row, facts)
        if quantity > 0 and row[query.UNIT] in (line.unit, "", line.base_unit):
            found.add(quantity)
    return found


def _before(line: PriceLine, row: query.Row, facts: Facts) -> Decimal:
    """Return what was ordered before and counts towards the row's break, in the line's unit."""
    before = facts.counting.of(line, row).before if facts.counting is not None else NONE
    return exact(before * line.factor[1] / line.factor[0] / MICROS) if before else Decimal(0)
