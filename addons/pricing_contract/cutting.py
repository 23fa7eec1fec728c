"""Where the search for a price ended too early.

The statement of the step stops, for each product, at the first final contract with a row for it (see query.py). It knows
neither the unit nor the quantity of each line, nor whether the row makes a price; this looks after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.api.pricing import PriceLine

from .agreed import COMPUTED
from .query import FIXED, KIND, MIN_QUANTITY, UNIT
from .sources import Source

Row = Any


def misled(
    lines: Sequence[PriceLine],
    products: Mapping[int, Sequence[Row]],
    sources: Mapping[int, Source],
    best: Callable[[PriceLine, list[tuple[int, Row]]], Mapping[int, Row]],
) -> set[int]:
    """Return the products of lines to which no final contract that was read surely gives a price, though one has rows.

    A price that is computed from other lists, or from costs, may fail: that is seen only later.
    ``best`` is the engine's choice of the row that stands in each contract.
    """
    finals = {source.id for source in sources.values() if source.policy == "override"}
    if not finals or len(sources) == 1:
        return set()
    simple = all(row[KIND] is FIXED for rows in products.values() for row in rows)
    found = set()
    for line in lines:
        rows = products.get(line.product_id)
        if not rows:
            continue
        last = rows[-1]
        if simple and last[UNIT] == line.unit and last[MIN_QUANTITY] <= line.asked and last[0] in finals:
            continue
        own = [(0, row) for row in rows if row[0] in finals]
        if own and not (all(_gives(line, row) for _depth, row in own) and best(line, own)):
            found.add(line.product_id)
    return found


def _gives(line: PriceLine, row: Row) -> bool:
    """Tell whether the row surely makes a price; all of a contract's have to: a progressive ladder is priced by several."""
    return row[KIND] is FIXED or (row[KIND] not in COMPUTED and line.price is not None)
