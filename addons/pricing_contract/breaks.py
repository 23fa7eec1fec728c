"""The quantities at which a contract price may change, for ladders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal

from core.api.catalog import exact
from core.api.hooks import BreakQuantities
from core.api.pricing import MICROS, PriceBatch, PriceLine, from_micro

from . import query
from .bases import asked_codes
from .counting import NONE
from .engine import Facts, add_contracts, count, facts_of
from .graded import boundary
from .standing import rows_for

#: Rows of one contract for the same product, category or everything, in the same unit.
Ladder = tuple[int, int, str]
_SMALLEST = Decimal("0.000001")


def break_quantities(batch: PriceBatch) -> Iterator[BreakQuantities]:
    """Yield the breaks of every contract for the lines, and of those that formulas compute from, in each line's unit.

    It takes one statement, one for orders before, and one for each generation of formulas. Lines know their units.
    """
    products = {line.product_id: query.EVERY_BREAK for line in batch.lines if line.known}
    if not products:
        return
    facts, rows = facts_of(batch.context, products)
    count(facts, batch, products)
    add_contracts(batch.context, [*facts.agreed.computed, *rows], products, facts.bases)
    for line in batch.lines:
        found = _breaks(line, facts) if line.known else set()
        if found:
            yield BreakQuantities(line.product_id, line.unit, sorted(found))


def _breaks(line: PriceLine, facts: Facts) -> set[Decimal]:
    rows = [row for row in rows_for(line, facts) if row[query.UNIT] in (line.unit, "", line.base_unit)]
    lowest = _lowest(rows)
    found = set()
    for row in rows:
        quantity = from_micro(row[query.MIN_QUANTITY])
        # from its first break on, a progressive ladder has the price of that one
        if facts.agreed.sources[row[0]].progressive and row[query.MIN_QUANTITY] > lowest[_ladder(row)]:
            quantity = boundary(quantity)
        found.add(_in_lines_unit(line, row, quantity) - _before(line, row, facts))
    for row in _computed_from(line, rows, facts):
        found.add(_in_lines_unit(line, row, from_micro(row[query.MIN_QUANTITY])))
    return {quantity for quantity in found if quantity > 0}


def _lowest(rows: Sequence[query.Row]) -> dict[Ladder, int]:
    """Return the first break of each ladder."""
    found: dict[Ladder, int] = {}
    for row in rows:
        found[_ladder(row)] = min(row[query.MIN_QUANTITY], found.get(_ladder(row), query.EVERY_BREAK))
    return found


def _ladder(row: query.Row) -> Ladder:
    return row[0], row[query.TARGET], row[query.UNIT]


def _computed_from(line: PriceLine, rows: Sequence[query.Row], facts: Facts) -> list[query.Row]:
    """Return the rows of the contracts that formulas among ``rows`` compute from, and of those that these compute from."""
    others = facts.bases.contracts
    found: list[query.Row] = []
    seen: set[str] = set()
    wanted = asked_codes(rows)
    while wanted:
        seen |= wanted
        new = [row for code in wanted if code in others for row in others[code].rows_for(line)]
        found += new
        wanted = asked_codes(new) - seen
    return [row for row in found if row[query.UNIT] in (line.unit, "", line.base_unit)]


def _in_lines_unit(line: PriceLine, row: query.Row, quantity: Decimal) -> Decimal:
    """Return the least quantity of the line's unit that reaches one of the row's; any unit counts base units."""
    if row[query.UNIT] == line.unit:
        return quantity
    numerator, denominator = line.factor
    return (quantity * denominator / numerator).quantize(_SMALLEST, ROUND_CEILING)


def _before(line: PriceLine, row: query.Row, facts: Facts) -> Decimal:
    """Return what was ordered before and counts towards the row's break, in the line's unit."""
    before = facts.counting.of(line, row).before if facts.counting is not None else NONE
    return exact(before * line.factor[1] / line.factor[0] / MICROS) if before else Decimal(0)
