"""The quantities at which a contract price may change, for ladders."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from core.api.hooks import BreakQuantities
from core.api.pricing import PriceBatch, PriceLine, from_micro

from . import query
from .engine import Facts, collect, rows_for

_SMALLEST = Decimal("0.000001")


def break_quantities(batch: PriceBatch) -> Iterator[BreakQuantities]:
    """Yield the breaks of every contract for the lines, in each line's unit; one statement. Lines know their units."""
    products = {line.product_id: query.EVERY_BREAK for line in batch.lines if line.known}
    if not products:
        return
    facts = collect(query.fetch(batch.context, products), batch)
    for line in batch.lines:
        found = _breaks(line, facts) if line.known else set()
        if found:
            yield BreakQuantities(line.product_id, line.unit, sorted(found))


def _breaks(line: PriceLine, facts: Facts) -> set[Decimal]:
    found = set()
    numerator, denominator = line.factor
    for row in rows_for(line, facts):
        quantity = from_micro(row[query.MIN_QUANTITY])
        if row[query.UNIT] != line.unit:  # counts base units
            quantity = (quantity * denominator / numerator).quantize(_SMALLEST, ROUND_CEILING)
        if quantity > 0 and row[query.UNIT] in (line.unit, "", line.base_unit):
            found.add(quantity)
    return found
