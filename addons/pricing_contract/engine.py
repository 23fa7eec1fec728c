"""The agreement step: from the rows of all contracts to one price for each line, and why.

For each line and contract one row stands: the most specific selector, then the row in the asked unit before one for any
unit before the base unit's, then the deepest break reached at the asked quantity, then the window that began last.
The contracts' prices are then merged in the order of their sources; ladders are never merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from core.api.pricing import PriceBatch, PriceLine, PriceStage, PriceStep, minor_digits

from . import query, trace
from .bases import DEPTH, Bases, asked_codes, asked_measures, worth_of
from .kinds import Offer, offer
from .query import MIN_QUANTITY, PATH, ROW_FROM, TARGET, UNIT
from .sources import Source, sources_of

STEP = "agreement"
#: Kinds that compute from more than the list price.
COMPUTED = ("formula", "cost_plus")
ALL = 0
PRODUCT = 1_000
MILLION = Decimal(1_000_000)
Row = Any
#: Unit preference within a contract: the asked unit, any unit, the base unit.
EXACT, ANY, BASE = 2, 1, 0
#: A row for a category or everything, with how specific that is.
General = tuple[int, Row]


def agreement_step() -> PriceStep:
    """Return the step that applies contracts and price lists."""
    return PriceStep(STEP, PriceStage.AGREEMENT, apply, prepare)


@dataclass(slots=True)
class Facts:
    """What the statement brought: contracts in their order, and the rows of categories and of each product."""

    sources: dict[int, Source]
    #: rows for categories by the category's path, those for everything under ''
    general: dict[str, list[Row]] = field(default_factory=dict)
    products: dict[int, list[Row]] = field(default_factory=dict)
    #: the row that carries each contract's own columns
    headers: dict[int, Row] = field(default_factory=dict)
    #: whether any row for categories or everything holds only from a quantity on
    breaks: bool = False
    bases: Bases = field(default_factory=lambda: Bases(2))
    #: the rows for categories and everything that stand, by category, unit and (with breaks) quantity
    settled: dict[tuple[Any, ...], Sequence[Row]] = field(default_factory=dict)

    def ordered(self, best: Mapping[int, Row]) -> Sequence[Row]:
        """Return the rows by the place of their contracts."""
        return [best[source_id] for source_id in self.sources if source_id in best]


def prepare(batch: PriceBatch) -> Facts:
    """Read the contracts and rows that may concern the lines, in one statement."""
    quantities: dict[int, int] = {}
    for line in batch.lines:
        if line.known:
            line.asked = largest = int(line.quantity * MILLION)
            if line.unit != line.base_unit:
                largest = max(largest, _in_base(line))
            if largest > quantities.get(line.product_id, -1):
                quantities[line.product_id] = largest
    rows = query.fetch(batch.context, quantities, batch.explain)
    facts = collect(rows, batch)
    facts.bases.digits = minor_digits(batch.context.currency)
    if any(row[query.KIND] in COMPUTED for row in rows):
        _add_bases(batch, rows, quantities, facts.bases)
    return facts


def _add_bases(batch: PriceBatch, rows: Sequence[Row], quantities: dict[int, int], bases: Bases) -> None:
    """Read what formulas compute from: other contracts, generation by generation, then costs."""
    every = list(rows)
    wanted = asked_codes(every)
    for _generation in range(DEPTH):
        if not wanted:
            break
        found = query.fetch_lists(batch.context, quantities, wanted)
        inner = collect(found, batch)
        for source in inner.sources.values():
            bases.contracts[source.code] = partial(_standing_in, source, inner)
        every += found
        wanted = asked_codes(found) - set(bases.contracts)
    measures = asked_measures(every)
    if measures:
        bases.worth = worth_of(batch, quantities, measures)


def _standing_in(source: Source, facts: Facts, line: PriceLine) -> tuple[Source, Row] | None:
    """Return the row of one contract that stands for the line."""
    rows = [row for row in standing(line, facts.products.get(line.product_id, ()), facts) if row[0] == source.id]
    return (source, rows[0]) if rows else None


def _in_base(line: PriceLine) -> int:
    """Return the quantity in millionths of the base unit."""
    return line.asked if line.unit == line.base_unit else line.asked * line.factor[0] // line.factor[1]


def collect(rows: list[Row], batch: PriceBatch) -> Facts:
    """Sort the rows of the statement by what they are for."""
    facts = Facts({})
    products = facts.products
    for row in rows:
        target = row[TARGET]
        if target is not None and target > 0:
            if target in products:
                products[target].append(row)
            else:
                products[target] = [row]
            continue
        facts.headers.setdefault(row[0], row)
        if target is not None:
            facts.general.setdefault(row[PATH] or "", []).append(row)
            facts.breaks = facts.breaks or row[MIN_QUANTITY] > 0
    facts.sources = sources_of(facts.headers.values(), batch.context)
    return facts


def apply(batch: PriceBatch, facts: Facts) -> None:
    """Give each line the price that its contracts agree on."""
    products, sources, bases = facts.products, facts.sources, facts.bases
    for line in batch.lines:
        if not line.known:
            continue
        rows = products.get(line.product_id, ())
        if batch.explain:
            _explained(batch, line, rows, facts)
            continue
        chosen = standing(line, rows, facts)
        if not chosen:
            continue
        first = chosen[0]
        source = sources[first[0]]
        winner: Offer | None = offer(line, source, first, bases)
        if source.policy != "override" or winner.price is None:  # what follows matters too
            winner = merge(line, _offers(line, chosen, facts))
        if winner is not None:
            _take(line, winner)


def _explained(batch: PriceBatch, line: PriceLine, rows: Sequence[Row], facts: Facts) -> None:
    """Do the same and tell it: rows that are not in force are named and set aside first."""
    every = rows_for(line, facts)
    force = {id(row) for row in every if trace.in_force(batch, line, row, facts)}
    general = {path: [row for row in found if id(row) in force] for path, found in facts.general.items()}
    inner = Facts(facts.sources, general, breaks=True)
    chosen = standing(line, [row for row in rows if id(row) in force], inner)
    offers = _offers(line, chosen, facts, every=True)
    winner, before = merge(line, offers), line.price
    trace.tell(line, [row for row in every if id(row) in force], offers, winner, facts)
    if winner is not None:
        _take(line, winner)
        line.note(STEP, before, winner.source.reason, winner.source.code)


def _offers(line: PriceLine, rows: Sequence[Row], facts: Facts, *, every: bool = False) -> list[Offer]:
    """Compute what the rows offer, in order; what follows a final price is of interest only to explanations."""
    offers: list[Offer] = []
    for row in rows:
        one = offer(line, facts.sources[row[0]], row, facts.bases)
        offers.append(one)
        if one.price is not None and one.source.policy == "override" and not every:
            break
    return offers


def standing(line: PriceLine, rows: Sequence[Row], facts: Facts) -> Sequence[Row]:
    """Return the row that stands for each contract, in the order of the contracts.

    A row for the product comes before any other; what the contracts say of its category and of everything is the same
    for all products there, so it is found once for each category, unit and quantity.
    """
    key = (line.category_path, line.unit, line.base_unit, line.asked if facts.breaks else line.price_from_base)
    general = facts.settled.get(key)
    if general is None:
        found = _general(line.category_path, facts)
        general = facts.settled[key] = facts.ordered(_best(line, found))
    if not rows:
        return general
    if len(rows) == 1:
        row = rows[0]
        if row[UNIT] == line.unit and row[MIN_QUANTITY] <= line.asked and not general:
            return rows
    own = _best(line, [(PRODUCT, row) for row in rows])
    if not own:
        return general
    if not general:
        return facts.ordered(own) if len(own) > 1 else list(own.values())
    return facts.ordered({**{row[0]: row for row in general}, **own})


def rows_for(line: PriceLine, facts: Facts) -> list[Row]:
    """Return every row whose selector fits the line's product."""
    own = facts.products.get(line.product_id, ())
    return [*own, *(row for _depth, row in _general(line.category_path, facts))]


def _general(path: str, facts: Facts) -> list[General]:
    """Return the rows for the category, its ancestors and everything; the deeper the more specific."""
    found = [(ALL, row) for row in facts.general.get("", ())]
    if path:
        end = path.find("/", 1)
        while end > 0:
            selector = path[: end + 1]
            found += [(selector.count("/"), row) for row in facts.general.get(selector, ())]
            end = path.find("/", end + 1)
    return found


def _best(line: PriceLine, rows: Iterable[General]) -> dict[int, Row]:
    """Return the best row of each contract, of those that are for this unit and reached at this quantity."""
    unit, base, asked = line.unit, line.base_unit, line.asked
    in_base = asked if unit == base else _in_base(line)
    best: dict[int, Row] = {}
    ranks: dict[int, tuple[int, int, int, Any]] = {}
    for depth, row in rows:
        row_unit, minimum = row[UNIT], row[MIN_QUANTITY]
        if row_unit == unit:
            preference, reached = EXACT, asked
        elif row_unit == "":
            preference, reached = ANY, in_base
        elif row_unit == base and line.price_from_base:
            preference, reached = BASE, in_base
        else:
            continue
        if minimum > reached:
            continue
        source = row[0]
        rank = (depth, preference, minimum, row[ROW_FROM])
        if source not in best or rank > ranks[source]:
            best[source], ranks[source] = row, rank
    return best


def merge(line: PriceLine, offers: Sequence[Offer]) -> Offer | None:
    """Return the offer that wins, None where the price before the contracts stays.

    From the last source to the first: ``override`` takes over whatever follows it, ``best_of`` keeps the lower of
    itself and what follows (itself at a tie), ``fallback`` only fills a gap.
    """
    winner: Offer | None = None
    price, per = line.price, line.per
    for one in reversed(offers):
        if one.price is None:
            continue
        policy = one.source.policy
        if policy == "override" or price is None or (policy == "best_of" and one.price * per <= price * one.per):
            winner, price, per = one, one.price, one.per
    return winner


def _take(line: PriceLine, winner: Offer) -> None:
    source = winner.source
    line.set_price(
        winner.price,
        winner.per,
        winner.places,
        source=source.key,
        reason=source.reason,
        reference=source.code,
        derived=winner.derived,
    )
    if source.show_list:
        line.show_list = True
    if source.policy == "override":
        line.locked_by = source.key
