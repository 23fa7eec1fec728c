"""Where the search for a price ended too early.

The statement of the step stops, for each product, at the first final contract with a fixed price (see query.py). It knows
neither the unit nor the quantity of each line, nor that another row of the contract may stand; this looks after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.api.pricing import PriceLine

from .query import KIND, MIN_QUANTITY, UNIT
from .sources import Source

Row = Any


def misled(
    lines: Sequence[PriceLine],
    products: Mapping[int, Sequence[Row]],
    sources: Mapping[int, Source],
    best: Callable[[PriceLine, list[tuple[int, Row]]], Mapping[int, Row]],
) -> set[int]:
    """Return the products of lines to which no final contract that was read gives a fixed price, though one has one.

    ``best`` is the engine's choice of the row that stands in each contract.
    """
    finals = {source.id for source in sources.values() if source.policy == "override"}
    if not finals or len(sources) == 1:
        return set()
    simple = all(row[KIND] == "fixed" for rows in products.values() for row in rows)
    found = set()
    for line in lines:
        rows = products.get(line.product_id)
        if not rows:
            continue
        last = rows[-1]
        if simple and last[UNIT] == line.unit and last[MIN_QUANTITY] <= line.asked and last[0] in finals:
            continue
        own = [(0, row) for row in rows if row[0] in finals]
        if own and not any(row[KIND] == "fixed" for row in best(line, own).values()):
            found.add(line.product_id)
    return found
