"""Checkout rules and their findings, hold types, and the parts that addons add to an order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal


class Stage(StrEnum):
    """When a checkout rule runs: advisory in the cart, when submitting, and inside the confirming transaction."""

    CART = "cart"
    SUBMIT = "submit"
    COMMIT = "commit"


Level = Literal["info", "warning", "block"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that stops or warns: what, on which lines (their keys), and the remedy as a label and a URL path."""

    code: str
    level: Level
    message: object
    lines: tuple[str, ...] = ()
    remedy: object = ""
    remedy_url: str = ""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line as rules see it; ``net`` and ``unit_price`` in the order's currency, None where there is no price."""

    key: str
    id: int
    product_id: int | None
    sku: str
    unit: str
    quantity: Decimal
    base_quantity: Decimal
    unit_price: Decimal | None
    net: Decimal | None
    position: int


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order as rules see it: plain values only. Amounts in ``currency``."""

    order_id: int
    company_id: int
    user_id: int | None
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    lines: tuple[DraftLine, ...]
    po_number: str = ""
    ship_to_id: int | None = None
    bill_to_id: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckoutRule:
    """A rule of a stage: ``check(draft)`` returns findings; it reads the draft and queries in batch, never writes."""

    name: str
    stage: Stage
    check: Callable[[OrderDraft], Sequence[Finding]]
    order: int = 100

    @property
    def key(self) -> str:
        """Stage and name."""
        return f"{self.stage}:{self.name}"


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """What a hold type wants held: label for people and what is blocked (confirm, ship, invoice)."""

    label: str
    blocks: tuple[str, ...] = ("confirm",)


@dataclass(frozen=True, slots=True)
class HoldType:
    """A reason for which an addon may hold an order: ``wanted(draft)`` is asked at submit, None means no hold."""

    code: str
    title: object
    release_permission: str
    wanted: Callable[[OrderDraft], HoldRequest | None]
    order: int = 100

    @property
    def key(self) -> str:
        """The hold's code."""
        return self.code


@dataclass(frozen=True, slots=True)
class OrderPart:
    """An addon's 1:1 data of orders or lines.

    ``facts(order_ids) -> {order_id: plain mapping}`` enters snapshot, digest, diff and export; ``copy(source, target)``
    serves reorder and split; ``split_key(line) -> str`` keeps lines apart that must not be merged.
    """

    name: str
    facts: Callable[[Sequence[int]], Mapping[int, Mapping[str, Any]]]
    copy: Callable[[int, int], None]
    split_key: Callable[[Mapping[str, Any]], str] | None = None
    order: int = 100

    @property
    def key(self) -> str:
        """The part's name."""
        return self.name
