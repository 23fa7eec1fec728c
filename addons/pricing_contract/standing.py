"""The row of each contract that stands for a line: the most specific, in the nearest unit, at the deepest break reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from core.api.pricing import MICROS, PriceLine

from . import query
from .counting import Counting
from .query import CONTRACT, MIN_QUANTITY, ROW_FROM, UNIT
from .sources import Source

if TYPE_CHECKING:
    from .engine import Facts

ALL = 0
PRODUCT = 1_000
Row = Any
#: Unit preference within a contract: the asked unit, any unit, the base unit.
EXACT, ANY, BASE = 2, 1, 0
#: A row for a category or everything, with how specific that is.
General = tuple[int, Row]


def standing(line: PriceLine, rows: Sequence[Row], facts: Facts) -> Sequence[Row]:
    """Return the row that stands for each contract, in the order of the contracts.

    A row for the product comes before any other; what the contracts say of its category and of everything is the same
    for all products there, so it is found once for each category and unit, and with breaks for each quantity and size of
    the unit: a box of one product may be larger than a box of another.
    """
    agreed = facts.agreed
    if agreed.every_break:
        every = [*((PRODUCT, row) for row in rows), *_general(line.category_path, facts)]
        return facts.ordered(best_rows(line, every, agreed.sources, facts.counting))
    reached = (line.asked, line.factor) if agreed.breaks else None
    key = (line.category_path, line.unit, line.base_unit, line.price_from_base, reached)
    general = facts.settled.get(key)
    if general is None:
        found = _general(line.category_path, facts)
        general = facts.settled[key] = facts.ordered(best_rows(line, found))
    if not rows:
        return general
    row = ladder(line, rows)
    if row is not None:
        if not general or (len(general) == 1 and general[0][0] == row[0]):
            return (row,)
        if row[0] == agreed.first:
            return [row, *[other for other in general if other[0] != row[0]]]
    own = best_rows(line, [(PRODUCT, row) for row in rows])
    if not own:
        return general
    if not general:
        return facts.ordered(own) if len(own) > 1 else list(own.values())
    return facts.ordered({**{row[0]: row for row in general}, **own})


def ladder(line: PriceLine, rows: Sequence[Row]) -> Row | None:
    """Return the row that stands where all are one contract's in the asked unit, which is most often so; else None."""
    best, unit, asked = rows[0], line.unit, line.asked
    if len(rows) == 1:
        return best if best[UNIT] == unit and best[MIN_QUANTITY] <= asked else None
    source, best = best[CONTRACT], None
    for row in rows:
        if row[UNIT] != unit or row[CONTRACT] != source:
            return None
        if row[MIN_QUANTITY] <= asked and (
            best is None or (row[MIN_QUANTITY], row[ROW_FROM]) > (best[MIN_QUANTITY], best[ROW_FROM])
        ):
            best = row
    return best


def rows_for(line: PriceLine, facts: Facts) -> list[Row]:
    """Return every row whose selector fits the line's product."""
    own = facts.products.get(line.product_id, ())
    return [*own, *(row for _depth, row in _general(line.category_path, facts))]


def _general(path: str, facts: Facts) -> list[General]:
    """Return the rows for the category, its ancestors and everything; the deeper the more specific."""
    found = [(ALL, row) for row in facts.agreed.general.get("", ())]
    if path:
        end = path.find("/", 1)
        while end > 0:
            selector = path[: end + 1]
            found += [(selector.count("/"), row) for row in facts.agreed.general.get(selector, ())]
            end = path.find("/", end + 1)
    return found


def best_rows(
    line: PriceLine,
    rows: Iterable[General],
    lenient: Mapping[int, Source] | None = None,
    counting: Counting | None = None,
) -> dict[int, Row]:
    """Return the best row of each contract, of those that are for this unit and reached at this quantity.

    Contracts in ``lenient`` of which nothing is reached may give smaller quantities the price of their first break.
    """
    unit, base, asked = line.unit, line.base_unit, line.asked
    base_asked = asked if unit == base else in_base(line)
    best: dict[int, Row] = {}
    ranks: dict[int, tuple[int, int, int, Any]] = {}
    beyond: list[tuple[tuple[int, int, int, Any], Row]] = []
    for depth, row in rows:
        row_unit, minimum = row[UNIT], row[MIN_QUANTITY]
        if row_unit == unit:
            preference, reached = EXACT, asked
        elif row_unit == "":
            preference, reached = ANY, base_asked
        elif row_unit == base and line.price_from_base:
            preference, reached = BASE, base_asked
        else:
            continue
        source = row[0]
        if counting is not None:
            reached = counting.reached(line, row)
        if minimum > reached:
            if lenient:
                beyond.append(((depth, preference, -minimum, row[ROW_FROM]), row))
            continue
        rank = (depth, preference, minimum, row[ROW_FROM])
        if source not in best or rank > ranks[source]:
            best[source], ranks[source] = row, rank
    return {**_first_breaks(line, beyond, lenient or {}), **best} if beyond else best


def _first_breaks(
    line: PriceLine, beyond: Iterable[tuple[tuple[int, int, int, Any], Row]], sources: Mapping[int, Source]
) -> dict[int, Row]:
    """Return the first break of each contract that gives its price to smaller quantities too: see models.BELOW_FIRST."""
    allowed = {"any", "whole" if line.asked % MICROS == 0 else "fraction"}
    if line.asked < MICROS:
        allowed.add("below_one")
    return {row[0]: row for _rank, row in sorted(beyond, key=itemgetter(0)) if sources[row[0]].below_first in allowed}


def below_first(line: PriceLine, rows: Sequence[Row], facts: Facts) -> set[int]:
    """Return the rows (by identity) that stand though their quantity is not reached."""
    if not facts.agreed.lenient:
        return set()
    mine = set(best_rows(line, [(ALL, row) for row in rows], None, facts.counting))
    own = {id(row): row for row in facts.products.get(line.product_id, ())}
    ranked = [(PRODUCT if id(row) in own else (row[query.PATH] or "").count("/"), row) for row in rows]
    found = best_rows(line, ranked, facts.agreed.sources, facts.counting)
    return {id(row) for source, row in found.items() if source not in mine}


def in_base(line: PriceLine) -> int:
    """Return the quantity in millionths of the base unit."""
    return line.asked if line.unit == line.base_unit else line.asked * line.factor[0] // line.factor[1]
