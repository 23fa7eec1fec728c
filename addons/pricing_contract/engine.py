"""The agreement step: from the rows of all contracts to one price for each line, and why.

For each line and contract one row stands: the most specific selector, then the row in the asked unit before one for any
unit before the base unit's, then the deepest break reached at the asked quantity, then the window that began last.
The contracts' prices are then merged in the order of their sources; ladders are never merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from core.api.data import book, db
from core.api.pricing import (
    ONE,
    Band,
    PriceBatch,
    PriceContext,
    PriceLine,
    PriceStage,
    PriceStep,
    from_micro,
    instant_value,
    minor_digits,
    to_micro,
)

from . import query, trace
from .agreed import COMPUTED, Agreed, Stretch
from .bases import DEPTH, Bases, asked_codes, asked_measures, worth_of
from .counting import Counted, Counting, own
from .cutting import misled
from .graded import graded, rungs_of
from .history import ordered_before
from .kinds import KINDS, Offer, Result, offer, per_of
from .query import FIXED, KIND, PER, TARGET, VALUE
from .sources import Source
from .standing import below_first, best_rows, in_base, ladder, rows_for, standing

#: The tables that contracts' kept rows come from, and for how many buyers they are kept.
STAMPS, MOST = ("contracts", "catalogue"), 1024
#: With more contracts than these, what is behind a final price is not read.
FEW = 4
ZERO = Fraction(0)
Row = Any


def agreement_step() -> PriceStep:
    """Return the step that applies contracts and price lists."""
    return PriceStep(trace.STEP, PriceStage.AGREEMENT, apply, prepare, title=trace.TITLE)


@dataclass(slots=True)
class Facts:
    """What is known for a batch: the contracts with their rows for categories and everything, and those of products."""

    agreed: Stretch
    products: dict[int, list[Row]] = field(default_factory=dict)
    bases: Bases = field(default_factory=lambda: Bases(2))
    #: what ``standing`` found already; with breaks it depends on the batch's quantities, without it is kept
    settled: dict[tuple[Any, ...], Sequence[Row]] = field(default_factory=dict)
    #: the quantities that count, where a break looks at more than the line's own
    counting: Counting | None = None

    def ordered(self, best: Mapping[int, Row]) -> Sequence[Row]:
        """Return the rows by the place of their contracts."""
        return [best[source_id] for source_id in self.agreed.sources if source_id in best]


def prepare(batch: PriceBatch) -> Facts:
    """Read the contracts and rows that may concern the lines, in one statement; in two where a final price was another's."""
    quantities: dict[int, int] = {}
    for line in batch.lines:
        if line.known:
            line.asked = largest = to_micro(line.quantity)
            if line.unit != line.base_unit:
                largest = max(largest, in_base(line))
            if quantities.setdefault(line.product_id, largest) < largest:
                quantities[line.product_id] = largest
    facts, rows = facts_of(batch.context, quantities, everything=batch.explain, lines=batch.lines)
    facts.bases.digits = minor_digits(batch.context.currency)
    count(facts, batch, quantities)
    computed = [row for row in rows if row[KIND] in COMPUTED]
    if computed or facts.agreed.computed:
        every = add_contracts(batch.context, [*facts.agreed.computed, *computed], quantities, facts.bases)
        measures = asked_measures(every)
        if measures:
            facts.bases.worth = worth_of(batch, quantities, measures)
    return facts


def facts_of(
    where: PriceContext, quantities: dict[int, int], *, everything: bool = False, lines: Sequence[PriceLine] = ()
) -> tuple[Facts, list[Row]]:
    """Return what the contracts say of the products, and the rows for them; one statement.

    ``quantities`` are the largest asked, in millionths, by product. For ``lines`` it is enough to know what they cost:
    what is behind a final price is read only for those that the price is not for.
    """
    if everything:
        general, rows = query.fetch(where, quantities, everything=True)
        return _facts(Agreed(where, general).everything(), rows), rows
    kept = book(STAMPS, "pricing_contract", most=MOST)
    key = where.company_ids, where.segment_ids, where.country, where.currency
    instant, wished = (_instant(at) for at in (where.instant, where.wished))
    agreed: Agreed | None = kept.get(key)
    if agreed is None:
        general, rows = query.fetch(where, quantities, cut=bool(lines))
        kept[key] = agreed = Agreed(where, general)
        stretch = agreed.at(instant, wished)
        if not (stretch.every_break or stretch.closing or wished):
            return _completed(where, _facts(stretch, rows), rows, quantities, lines)
    else:
        stretch = agreed.at(instant, wished)
    cut = len(stretch.sources) > FEW and bool(lines) and not stretch.every_break
    if stretch.every_break:
        quantities = dict.fromkeys(quantities, query.EVERY_BREAK)
    rows = _rows_of(where, stretch.sources, quantities, cut=cut) if stretch.sources else []
    facts = _facts(stretch, rows)
    return _completed(where, facts, rows, quantities, lines) if cut else (facts, rows)


def count(facts: Facts, batch: PriceBatch, products: Iterable[int]) -> None:
    """Add the quantities that count for the batch; one statement where what was ordered before counts."""
    if facts.agreed.counting:
        sources = facts.agreed.sources
        past = ordered_before(batch.context, sources, products, batch.order_id)
        facts.counting = Counting(sources, batch.lines if batch.together else (), past)


def _rows_of(where: PriceContext, sources: Mapping[int, Source], quantities: dict[int, int], *, cut: bool) -> list[Row]:
    """Return the rows for products; contracts by the wished delivery take a statement of their own where it is known."""
    wished = where.wished
    if wished is None or not any(source.by_wished for source in sources.values()):
        if cut:
            final = {source.id: source.policy == "override" for source in sources.values()}
            return query.fetch_to_the_final(where, final, quantities)
        return query.fetch_products(where, sources, quantities)
    by_order = [source.id for source in sources.values() if not source.by_wished]
    then = query.fetch_products(
        replace(where, instant=wished), [source.id for source in sources.values() if source.by_wished], quantities
    )
    return [*(query.fetch_products(where, by_order, quantities) if by_order else ()), *then]


def _completed(
    where: PriceContext, facts: Facts, rows: list[Row], quantities: Mapping[int, int], lines: Sequence[PriceLine]
) -> tuple[Facts, list[Row]]:
    """Read all there is of the products where a final price ended the search that is not the line's own."""
    again = misled(lines, facts.products, facts.agreed.sources, best_rows)
    if not again:
        return facts, rows
    kept = [row for row in rows if row[TARGET] not in again]
    rows = [*kept, *_rows_of(where, facts.agreed.sources, {one: quantities[one] for one in again}, cut=False)]
    return _facts(facts.agreed, rows), rows


def _instant(at: datetime | None) -> Any:
    return None if at is None else instant_value(db.engine.dialect.name, at)


def _facts(stretch: Stretch, rows: Iterable[Row]) -> Facts:
    products: dict[int, list[Row]] = {}
    for row in rows:
        found = products.get(row[TARGET])
        if found is None:
            products[row[TARGET]] = [row]
        else:
            found.append(row)
    return Facts(stretch, products, settled={} if stretch.breaks else stretch.settled)


def add_contracts(where: PriceContext, rows: Sequence[Row], quantities: dict[int, int], bases: Bases) -> list[Row]:
    """Read the other contracts that formulas compute from, generation by generation; return all rows that compute.

    Each is asked for its own price, at the time it goes by; that nothing follows it is for its own buyers.
    """
    every = list(rows)
    wanted = asked_codes(every)
    instant, wished = (_instant(at) for at in (where.instant, where.wished))
    for _generation in range(DEPTH):
        if not wanted:
            break
        general, rows = query.fetch_lists(where, quantities, wanted)
        stretch = Agreed(where, general, closing=False).at(instant, wished)
        if stretch.lenient or (wished is not None and any(source.by_wished for source in stretch.sources.values())):
            rows = _rows_of(where, stretch.sources, dict.fromkeys(quantities, query.EVERY_BREAK), cut=False)
        inner = _facts(stretch, rows)
        for source in stretch.sources.values():
            bases.contracts[source.code] = Other(source.id, inner)
        found = [*stretch.computed, *(row for row in rows if row[KIND] in COMPUTED)]
        every += found
        wanted = asked_codes(found) - set(bases.contracts)
    return every


class Other(NamedTuple):
    """A contract that formulas compute from, with what is known of it and of those read with it."""

    id: int
    facts: Facts

    def standing(self, line: PriceLine) -> Row | None:
        """Return its row that stands for the line."""
        rows = standing(line, self.facts.products.get(line.product_id, ()), self.facts)
        return next((row for row in rows if row[0] == self.id), None)

    def rows_for(self, line: PriceLine) -> list[Row]:
        """Return every row of it whose selector fits the line's product."""
        return [row for row in rows_for(line, self.facts) if row[0] == self.id]


def apply(batch: PriceBatch, facts: Facts) -> None:
    """Give each line the price that its contracts agree on."""
    products, sources, bases, closing = facts.products, facts.agreed.sources, facts.bases, facts.agreed.closing
    nothing, explain = (), batch.explain
    deciding = facts.agreed.deciding
    for line in batch.lines:
        if not line.known:
            continue
        rows = products.get(line.product_id, nothing)
        if explain:
            _explained(batch, line, rows, facts)
            continue
        if rows and deciding is not None:  # as below, and most often so
            row = ladder(line, rows)
            if row is not None and row[0] == deciding.id and row[KIND] is FIXED:
                _charge_fixed(line, deciding, row)
                continue
        chosen = standing(line, rows, facts)
        if not chosen:
            if closing is not None:
                _take_nothing(line, closing)
            continue
        first = chosen[0]
        source = sources[first[0]]
        if source.final:  # what follows does not matter: no need to compare
            result = KINDS[first[KIND]](line, first, bases)
            if result[0] is not None:
                _charge(line, facts, source, first, result)
                continue
        winner = merge(line, _offers(line, chosen, facts), closed=closing is not None)
        if winner is not None:
            _take(line, winner, facts)
        elif closing is not None:
            _take_nothing(line, closing)


def _explained(batch: PriceBatch, line: PriceLine, rows: Sequence[Row], facts: Facts) -> None:
    """Do the same and tell it: rows that are not in force are named and set aside first."""
    every, agreed = rows_for(line, facts), facts.agreed
    closing = trace.closing(batch, facts)
    order = {source_id: place for place, source_id in enumerate(agreed.sources)}
    last = order[closing.id] if closing is not None else len(order)
    behind = [row for row in every if order[row[0]] > last]
    if closing is not None:
        trace.tell_behind(line, behind, closing, facts)
    every = [row for row in every if order[row[0]] <= last]
    first = below_first(line, [row for row in every if not trace.filtered(batch, row, facts)], facts)
    force = {id(row) for row in every if trace.in_force(batch, line, row, facts, below=id(row) in first)}
    general = {path: [row for row in found if id(row) in force] for path, found in facts.agreed.general.items()}
    own_rows = [row for row in rows if id(row) in force]
    agreed = replace(agreed, general=general, breaks=True)
    inner = replace(facts, agreed=agreed, products={line.product_id: own_rows}, settled={})
    chosen = standing(line, own_rows, inner)
    offers = _offers(line, chosen, inner, every=True)
    winner, before = merge(line, offers, closed=closing is not None), line.price
    trace.tell(line, [row for row in every if id(row) in force], offers, winner, facts)
    if winner is not None:
        _take(line, winner, facts)
        line.note(trace.STEP, before, line.reason, winner.source.code)
        trace.tell_bands(batch, line)
    elif closing is not None:
        _take_nothing(line, closing)
        line.note(trace.STEP, before, line.reason, closing.code)


def _offers(line: PriceLine, rows: Sequence[Row], facts: Facts, *, every: bool = False) -> list[Offer]:
    """Compute what the rows offer, in order; what follows a final price is of interest only to explanations."""
    offers: list[Offer] = []
    for row in rows:
        one = _offer(line, row, facts)
        offers.append(one)
        if one.price is not None and one.source.policy == "override" and not every:
            break
    return offers


def _offer(line: PriceLine, row: Row, facts: Facts) -> Offer:
    """Compute what one row offers, with the rows below it where each has its own units."""
    source = facts.agreed.sources[row[0]]
    if not source.progressive:
        return offer(line, source, row, facts.bases)
    counted = facts.counting.of(line, row) if facts.counting is not None else Counted(ZERO, own(line))
    return graded(line, source, rungs_of(row, rows_for(line, facts)), counted, facts.bases)


def merge(line: PriceLine, offers: Sequence[Offer], *, closed: bool = False) -> Offer | None:
    """Return the offer that wins, None where the price before the contracts stays, if nothing ``closed`` it off.

    From the last source to the first: ``override`` takes over whatever follows it, ``best_of`` keeps the lower of
    itself and what follows (itself at a tie), ``fallback`` only fills a gap.
    """
    winner: Offer | None = None
    price, per = (None, line.per) if closed else (line.price, line.per)
    for one in reversed(offers):
        if one.price is None:
            continue
        policy = one.source.policy
        if policy == "override" or price is None or (policy == "best_of" and one.price * per <= price * one.per):
            winner, price, per = one, one.price, one.per
    return winner


def _take_nothing(line: PriceLine, closing: Source) -> None:
    """Leave the line without a price: the contract lets nothing follow, and what follows is not told either."""
    line.price = line.list_price = line.places = None
    line.source, line.reference, line.reason = "", closing.code, closing.nothing


def _take(line: PriceLine, winner: Offer, facts: Facts) -> None:
    source, row, price, per, places, derived, failure, bands = winner
    _charge(line, facts, source, row, (price, per, places, derived, failure), bands)


def _charge_fixed(line: PriceLine, source: Source, row: Row) -> None:
    """Give the line the fixed price of a row in its own unit, which decides alone."""
    key = source.key
    if row[PER] is None and line.per is ONE:  # as set_price does it; most lines come this way
        line.price, line.places, line.bands, line.derived = from_micro(row[VALUE]), None, (), False
        line.source, line.reason, line.reference = key, source.reason, source.code
    else:
        line.set_price(from_micro(row[VALUE]), per_of(row), None, key, source.reason, source.code)
    if source.show_list:
        line.show_list = True
    line.locked_by = key


def _charge(line: PriceLine, facts: Facts, source: Source, row: Row, result: Result, bands: Sequence[Band] = ()) -> None:
    """Give the line the price that its row in ``source`` makes, of which ``bands`` say how it came about."""
    price, per, places, derived, _failure = result
    reason, key = source.reason, source.key
    if facts.counting is not None:
        reason = facts.counting.said(line, row, reason, anyway=bool(bands))
    if per is line.per:  # as set_price does it; most lines come this way
        line.price, line.places, line.bands = price, places, bands
        line.source, line.reason, line.reference, line.derived = key, reason, source.code, derived
    else:
        line.set_price(price, per, places, key, reason, source.code, derived, bands)
    if source.show_list:
        line.show_list = True
    if source.policy == "override":
        line.locked_by = key
