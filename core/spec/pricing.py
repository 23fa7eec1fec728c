"""The price pipeline: requests in, priced lines out, each with its reason; the whole batch at once.

Stages run in the order of ``PriceStage``. A step's ``prepare`` may query once for the batch; ``apply`` is pure.
Lines carry no more than they need, so that a thousand of them cost milliseconds: trace and candidates are
filled only where the batch explains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from operator import attrgetter
from typing import Any, NamedTuple

#: What most prices are for, one unit: always this object, so that comparing is to look whether it is the same.
ONE = Decimal(1)
#: The start of a validity that has always held; shown as an empty date.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class PriceStage(IntEnum):
    """Where a step stands in the pipeline."""

    BASE = 10
    AGREEMENT = 20
    CAMPAIGN = 30
    MANUAL = 40
    GUARD = 50
    ROUND = 60


@dataclass(frozen=True, slots=True)
class PriceContext:
    """For whom and when: loaded once per request. ``company_ids`` is the company and its parents, nearest first.

    ``wished`` is the start of the wished day of delivery, None where none is known: contracts may go by it.
    """

    currency: str
    instant: datetime
    company_id: int | None = None
    company_ids: tuple[int, ...] = ()
    segment_ids: tuple[int, ...] = ()
    country: str = ""
    zone: str = "UTC"
    wished: datetime | None = None


class PriceRequest(NamedTuple):
    """What is asked: a product in a unit at a quantity; ``key`` is the caller's, unique in the batch."""

    key: str
    product_id: int
    unit: str
    quantity: Decimal = ONE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A price that was considered: where it came from, what it would have been, and why it lost ("" for the winner).

    ``price`` is net for ``per`` of ``unit`` in the context's currency, None where it could not be computed.
    ``selector`` says what it was made for (product, a category, everything), ``rule`` what it does ("10 % off").
    """

    source: str
    label: str
    price: Decimal | None
    per: Decimal
    unit: str
    min_quantity: Decimal
    lost: object = ""
    selector: object = ""
    rule: object = ""


class Band(NamedTuple):
    """A part of what is counted, in the line's unit, and its price: ``quantity`` units at ``price`` for ``per`` of them."""

    quantity: Decimal
    price: Decimal
    per: Decimal = ONE


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One change of a line's price by a step: before and after, in currency per ``per`` units, and why."""

    step: str
    before: Decimal | None
    after: Decimal | None
    reason: object
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ManualTerms:
    """What staff agreed for one line by hand: a price, a discount on it, or a discount on the price that was found.

    ``price`` and ``amount`` (off) are net for ``per`` units. Without an amount ``percents`` come off, one after the other,
    or as one sum where they are ``added``. The terms hold from the quantity ``least`` on.
    ``base`` is the price for ``per`` from which a discount counts where that is frozen, as on a placed order.
    """

    price: Decimal | None = None
    amount: Decimal | None = None
    percents: tuple[Decimal, ...] = ()
    added: bool = False
    per: Decimal = ONE
    least: Decimal = Decimal(0)
    base: Decimal | None = None
    reason: str = ""
    by: str = ""


@dataclass(slots=True, eq=False, repr=False)
class PriceLine:
    """A line on its way through the pipeline; steps change its price through ``set_price``.

    ``price`` is net for ``per`` of ``unit``, or None ("ask for a quote"). ``list_price`` is for the same ``per``.
    ``factor`` is (numerator, denominator) base units in one ``unit``. ``places`` is how many decimals a computed
    price is rounded to in the end, None for a stored price, which keeps its own. ``show_list`` asks pages to show
    the list price struck through. ``locked_by`` names a source that later stages must leave alone. ``bands`` says how
    a price is made of the prices of several quantity breaks; it is then the exact price for ``per``, the whole quantity.
    """

    key: str
    product_id: int
    unit: str
    quantity: Decimal
    sku: str = ""
    base_unit: str = ""
    category_path: str = ""
    tax_class: str = "standard"
    factor: tuple[int, int] = (1, 1)
    known: bool = False
    price_from_base: bool = True
    price: Decimal | None = None
    per: Decimal = ONE
    list_price: Decimal | None = None
    #: the decimals of a price that is computed from the list price; 0 where that is not known
    list_places: int = 0
    places: int | None = None
    source: str = ""
    reason: object = ""
    reference: object = ""
    locked_by: str = ""
    show_list: bool = False
    bands: Sequence[Band] = ()
    #: the price before terms agreed by hand took over, for ``per`` units
    found: Decimal | None = None
    #: the least that it should cost, for ``per`` units: told, not enforced, where the price was set by hand
    floor: Decimal | None = None
    derived: bool = False
    #: the quantity in millionths, as it is stored; filled by whoever compares it with stored quantities
    asked: int = 0
    trace: Sequence[TraceEntry] = ()
    candidates: Sequence[Candidate] = ()

    def at(self, quantity: Decimal) -> PriceLine:
        """Return a line that knows the same and asks for ``quantity``; for lines that no step has priced yet."""
        return PriceLine(self.key, self.product_id, self.unit, quantity, *_behind_quantity(self))

    def __repr__(self) -> str:
        what = f"{self.sku or self.product_id}, {self.quantity} {self.unit}"
        return f"PriceLine({self.key!r}, {what}: {self.price} per {self.per})"

    @property
    def base_quantity(self) -> Decimal:
        """The quantity in base units."""
        numerator, denominator = self.factor
        return self.quantity * numerator / denominator

    def set_price(
        self,
        price: Decimal | None,
        per: Decimal | None = None,
        places: int | None = None,
        source: str = "",
        reason: object = "",
        reference: object = "",
        derived: bool = False,
        bands: Sequence[Band] = (),
    ) -> None:
        """Replace the price; the list price follows to the new ``per``, and ``bands`` go unless they are given anew.

        An empty ``source`` keeps where the price came from: a rounding is not a new source.
        """
        if per is not None and per is not self.per and per != self.per:
            if self.list_price is not None:
                self.list_price = self.list_price * per / self.per
            self.per = per
        self.price = price
        self.places = places
        self.bands = bands
        if source:
            self.source, self.reason, self.reference = source, reason, reference
            self.derived = derived

    def note(self, step: str, before: Decimal | None, reason: object, reference: str = "") -> None:
        """Add what a step did to the trace."""
        self.trace = (*self.trace, TraceEntry(step, before, self.price, reason, reference))

    def consider(self, *candidates: Candidate) -> None:
        """Add what a step considered."""
        self.candidates = (*self.candidates, *candidates)


_behind_quantity = attrgetter(*[one.name for one in fields(PriceLine)][4:])


@dataclass(frozen=True, slots=True)
class PriceBatch:
    """The lines of one question in the order asked; ``explain`` asks for trace and candidates.

    ``manual`` holds what was agreed by hand, by the keys of the lines. ``together``: the lines are one document, so that
    what is limited is shared out among them; elsewhere each is a question of its own. ``order_id`` is the document's
    where it is stored already; keys are positions then.
    """

    context: PriceContext
    lines: tuple[PriceLine, ...]
    explain: bool = False
    manual: Mapping[str, ManualTerms] = field(default_factory=dict)
    together: bool = False
    order_id: int | None = None

    def by_key(self) -> dict[str, PriceLine]:
        """Return the lines by the caller's key."""
        return {line.key: line for line in self.lines}


@dataclass(frozen=True, slots=True)
class PriceStep:
    """A step of a stage: ``facts = prepare(batch)`` may query once; ``apply(batch, facts)`` changes the lines, purely.

    ``title`` names it where staff read why a price is what it is.
    Facts that are None say that the step has nothing to do for the batch: it is not applied.
    """

    name: str
    stage: PriceStage
    apply: Callable[[PriceBatch, Any], None]
    prepare: Callable[[PriceBatch], Any] | None = None
    order: int = 100
    title: object = ""

    @property
    def key(self) -> str:
        """Stage and name."""
        return f"{int(self.stage)}:{self.name}"


@dataclass(frozen=True, slots=True)
class Break:
    """A rung of a ladder: from ``min_quantity`` the net ``price`` for ``per`` units.

    ``part`` is set where the price holds only for the units of this rung, those above ``min_quantity`` up to ``until``.
    """

    min_quantity: Decimal
    price: Decimal
    per: Decimal
    part: bool = False
    until: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BreakQuantities:
    """The quantities at which the price of (product, unit) may change, as an addon knows them."""

    product_id: int
    unit: str
    quantities: Sequence[Decimal]
