"""What a buyer's contracts say apart from single products: the contracts themselves, and rows for categories and all.

It is the same for every question of a buyer, so it is kept between requests while the tables are unchanged; only what
holds at an instant is picked, and that too stays until the next validity begins or ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.api.pricing import PriceContext

from .query import (
    CONTRACT_FROM,
    CONTRACT_UNTIL,
    DATE_BASIS,
    KIND,
    MIN_QUANTITY,
    PATH,
    ROW_FROM,
    ROW_UNTIL,
    TARGET,
)
from .sources import Source, sources_of

#: Kinds that compute from more than the list price.
COMPUTED = ("formula", "cost_plus")
Row = Any


@dataclass(slots=True)
class Stretch:
    """What holds in [since, until), instants as the driver gives them (None: without end)."""

    since: Any
    until: Any
    #: contracts by id, in their order, up to the first that closes
    sources: dict[int, Source]
    #: the row that carries each contract's own columns
    headers: dict[int, Row]
    #: rows for categories by the category's path, those for everything under ''
    general: dict[str, list[Row]] = field(default_factory=dict)
    #: the contract that comes before all others
    first: int | None = None
    #: the same where a fixed price of it for the product decides, whatever else there is
    deciding: Source | None = None
    #: whether any of them holds only from a quantity on
    breaks: bool = False
    #: those that compute from more than the list price
    computed: list[Row] = field(default_factory=list)
    #: the rows that stand, as ``standing`` keeps them
    settled: dict[tuple[Any, ...], Sequence[Row]] = field(default_factory=dict)
    #: the contract after which nothing follows
    closing: Source | None = None
    #: whether quantities below a first break may have its price, so that every break is read
    lenient: bool = False
    #: whether a break looks at more than the line, and whether one has only the units above it
    counting: bool = False
    progressive: bool = False
    #: whether quantities beyond those of the lines may decide
    every_break: bool = False

    def close(self) -> None:
        """Leave out what follows the first contract that closes."""
        self.closing = next((source for source in self.sources.values() if source.closes), None)
        if self.closing is not None:
            last = list(self.sources).index(self.closing.id)
            self.sources = dict(list(self.sources.items())[: last + 1])

    def add(self, row: Row) -> None:
        """Take over a row for a category or everything."""
        self.general.setdefault(row[PATH] or "", []).append(row)
        self.breaks = self.breaks or row[MIN_QUANTITY] > 0
        if row[KIND] in COMPUTED:
            self.computed.append(row)


class Agreed:
    """The rows of a buyer's contracts that are not for a product, whatever their validity.

    Each contract has one at least, without a target where it has no such row.
    """

    def __init__(self, where: PriceContext, rows: Sequence[Row], *, closing: bool = True) -> None:
        """``closing``: nothing follows a contract that closes."""
        self._where = where
        self._rows = rows
        self._closing = closing
        self._latest: Stretch | None = None

    def everything(self) -> Stretch:
        """Return all rows, for explanations, which say themselves what does not hold."""
        return self._stretch(None, None, self._rows, self._rows)

    def at(self, instant: Any, wished: Any = None) -> Stretch:
        """Return what holds at an instant, of contracts by the ``wished`` delivery then; both as the driver gives them."""
        if wished is not None and any(row[DATE_BASIS] == "wished" for row in self._rows):
            return self._when(lambda row: wished if row[DATE_BASIS] == "wished" else instant, instant)
        latest = self._latest
        if latest is not None and latest.since <= instant and (latest.until is None or instant < latest.until):
            return latest
        contracts = [row for row in self._rows if _holds(row[CONTRACT_FROM], row[CONTRACT_UNTIL], instant)]
        rows = [row for row in contracts if row[TARGET] is not None and _holds(row[ROW_FROM], row[ROW_UNTIL], instant)]
        turns = {row[at] for row in self._rows for at in (CONTRACT_FROM, CONTRACT_UNTIL, ROW_FROM, ROW_UNTIL)} - {None}
        since = max((turn for turn in turns if turn <= instant), default=instant)
        until = min((turn for turn in turns if turn > instant), default=None)
        self._latest = latest = self._stretch(since, until, contracts, rows)
        return latest

    def _when(self, when: Callable[[Row], Any], instant: Any) -> Stretch:
        """Return what holds where contracts look at different instants; such a question is too rare to be kept."""
        contracts = [row for row in self._rows if _holds(row[CONTRACT_FROM], row[CONTRACT_UNTIL], when(row))]
        rows = [row for row in contracts if row[TARGET] is not None and _holds(row[ROW_FROM], row[ROW_UNTIL], when(row))]
        return self._stretch(instant, instant, contracts, rows)

    def _stretch(self, since: Any, until: Any, contracts: Sequence[Row], rows: Sequence[Row]) -> Stretch:
        headers: dict[int, Row] = {}
        for row in contracts:
            headers.setdefault(row[0], row)
        found = Stretch(since, until, sources_of(headers.values(), self._where), headers)
        if since is not None and self._closing:
            found.close()
        found.first = next(iter(found.sources), None)
        found.lenient = any(source.below_first != "none" for source in found.sources.values())
        found.counting = any(source.counts != "line" for source in found.sources.values())
        found.progressive = any(source.progressive for source in found.sources.values())
        found.every_break = found.lenient or found.counting
        if found.first is not None and found.sources[found.first].final and not found.every_break:
            found.deciding = found.sources[found.first]
        for row in rows:
            if row[TARGET] is not None and row[0] in found.sources:
                found.add(row)
        return found


def _holds(since: Any, until: Any, instant: Any) -> bool:
    return bool(since <= instant and (until is None or instant < until))
