"""The price pipeline: requests in, priced lines out, each with its reason; the whole batch at once.

Stages run in the order of ``PriceStage``. A step's ``prepare`` may query once for the batch; ``apply`` is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any


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
    """For whom and when: loaded once per request. ``company_ids`` is the company and its parents, nearest first."""

    currency: str
    instant: datetime
    company_id: int | None = None
    company_ids: tuple[int, ...] = ()
    segment_ids: tuple[int, ...] = ()
    country: str = ""
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """What is asked: a product in a unit at a quantity; ``key`` is the caller's, unique in the batch."""

    key: str
    product_id: int
    unit: str
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A price that was considered: where it came from, what it would have been, and why it lost ("" for the winner).

    ``price`` is net for ``per`` units in the context's currency.
    """

    source: str
    label: str
    price: Decimal | None
    per: Decimal
    unit: str
    min_quantity: Decimal
    lost: str = ""


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One change of a line's price by a step: before and after, in currency per ``per`` units, and why."""

    step: str
    before: Decimal | None
    after: Decimal | None
    reason: str
    reference: str = ""


@dataclass(slots=True)
class PriceLine:
    """A line on its way through the pipeline; steps change ``price``, ``per``, ``source`` through ``set_price``.

    ``price`` is net for ``per`` of ``unit``, or None ("ask for a quote"). ``list_price`` is for the same ``per``.
    ``factor`` is (numerator, denominator) base units in one ``unit``. ``trace`` and ``candidates`` are filled
    only where the batch explains. ``locked_by`` names a source that later stages must leave alone.
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
    price_from_base: bool = True
    price: Decimal | None = None
    per: Decimal = Decimal(1)
    list_price: Decimal | None = None
    source: str = ""
    reason: object = ""
    locked_by: str = ""
    derived: bool = False
    trace: list[TraceEntry] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PriceBatch:
    """The lines of one question in the order asked; ``explain`` asks for trace and candidates."""

    context: PriceContext
    lines: tuple[PriceLine, ...]
    explain: bool = False

    def by_key(self) -> dict[str, PriceLine]:
        """Return the lines by the caller's key."""
        return {line.key: line for line in self.lines}


@dataclass(frozen=True, slots=True)
class PriceStep:
    """A step of a stage: ``facts = prepare(batch)`` may query once; ``apply(batch, facts)`` changes the lines, purely."""

    name: str
    stage: PriceStage
    apply: Callable[[PriceBatch, Any], None]
    prepare: Callable[[PriceBatch], Any] | None = None
    order: int = 100

    @property
    def key(self) -> str:
        """Stage and name."""
        return f"{int(self.stage)}:{self.name}"


@dataclass(frozen=True, slots=True)
class Break:
    """A rung of a ladder: from ``min_quantity`` the net ``price`` for ``per`` units."""

    min_quantity: Decimal
    price: Decimal
    per: Decimal


@dataclass(frozen=True, slots=True)
class BreakQuantities:
    """The quantities at which the price of (product, unit) may change, as an addon knows them."""

    product_id: int
    unit: str
    quantities: Sequence[Decimal]
