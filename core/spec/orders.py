"""Checkout rules and their findings, hold types, and the parts that addons add to an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from wtforms import Form


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


#: What the source of a price begins with where nothing is paid, because what was ordered earned the goods.
FREE = "free:"


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
    #: Where the price comes from ("contract:C-1", "list"), and the list price for as many units as ``unit_price``.
    price_source: str = ""
    list_price: Decimal | None = None
    #: For how many units ``unit_price`` and ``list_price`` are.
    per: Decimal = Decimal(1)
    #: In percent; None where it is not known.
    tax_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order as rules see it: plain values only. Amounts in ``currency``.

    ``lines`` are what is ordered: limits, minimums and approvals look at them. ``free`` is what comes with it for nothing.
    """

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
    #: Net of freight and other charges; ``net`` is that of the lines, ``gross`` is the sum of both and the tax.
    charges_net: Decimal = Decimal(0)
    wished_date: date | None = None
    #: What of ``charges_net`` comes off, 0 or less, of an order that is not stored; of others its rows of charges say it.
    discounts_net: Decimal = Decimal(0)
    free: tuple[DraftLine, ...] = ()

    @property
    def without_tax(self) -> Decimal:
        """Lines and charges, net: what limits and approvals compare."""
        return self.net + self.charges_net


@dataclass(frozen=True, slots=True)
class OrderFact:
    """A figure of orders on which rules may depend: ``load(drafts)`` returns a value for each draft, in their order.

    ``kind`` says how it is typed, compared and read: money (in the draft's currency), number, percent; choice (a
    frozenset of values among ``options()``) and codes (a frozenset of any). None: the order has no such figure, and no
    condition on it holds. ``load`` runs as many statements for one draft as for many; it reads and never writes.
    ``internal`` keeps it to the seller's rules: what it says (costs, margins) is nothing for those who buy.
    """

    key: str
    title: object
    kind: Literal["money", "number", "percent", "choice", "codes"]
    load: Callable[[Sequence[OrderDraft]], Sequence[Any]]
    options: Callable[[], Iterable[tuple[str, object]]] | None = None
    order: int = 100
    internal: bool = False


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """A line of which charges depend; ``net`` is None where there is no price, ``source`` names where it came from."""

    product_id: int | None
    unit: str
    quantity: Decimal
    base_quantity: Decimal
    net: Decimal | None
    key: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """The document that is being priced; ``net`` is that of its lines.

    ``company_id`` is None for visitors, ``order_id`` for lines that are no order or cart of a company.
    """

    company_id: int | None
    currency: str
    net: Decimal
    lines: Sequence[ChargeLine]
    ship_to_country: str
    at: datetime
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """Freight or another charge on a document: ``net`` in its currency, rounded to the minor unit.

    Without a ``tax_class`` it is taxed as the goods are, in proportion where they differ.
    """

    code: str
    label: object
    net: Decimal
    tax_class: str = ""
    order: int = 100

    def __post_init__(self) -> None:
        """Refuse what a row could not hold: ValueError."""
        if not 0 < len(self.code) <= 40 or len(str(self.label)) > 120 or not self.net.is_finite():
            raise ValueError(f"A charge has a code of 1 to 40 characters, a label up to 120 and a finite net: {self!r}")


@dataclass(frozen=True, slots=True)
class DiscountRequest:
    """The document that is being priced, and the net of its charges."""

    document: ChargeRequest
    charges: Decimal


@dataclass(frozen=True, slots=True)
class Discount:
    """What comes off a document: an amount off each line (by its key) and off the charges, in its currency, not below zero.

    Each part is taxed as its line; never more comes off than is left.
    """

    code: str
    label: object
    lines: Mapping[str, Decimal]
    charges: Decimal = Decimal(0)
    order: int = 100

    def __post_init__(self) -> None:
        """Refuse what a row could not hold: ValueError."""
        amounts = (*self.lines.values(), self.charges)
        if not 0 < len(self.code) <= 40 or len(str(self.label)) > 120 or not all(amount >= 0 for amount in amounts):
            raise ValueError(f"A discount has a code of 1 to 40 characters, a label up to 120, no amount below 0: {self!r}")


@dataclass(frozen=True, slots=True)
class FreeGoods:
    """Goods that come with what is ordered, for nothing: ``quantity`` in base units of the product; buyers read ``label``.

    They are given in the product's base unit, or the unit that it is sold in first, rounded down to whole ones (as many
    decimals as the unit has); its least, most and steps are for who orders. Nothing is given of a product that the buyer
    may not order.
    """

    code: str
    label: object
    product_id: int
    quantity: Decimal
    order: int = 100

    def __post_init__(self) -> None:
        """Refuse what a line could not hold: ValueError."""
        fits = 0 < len(self.code) <= 40 and len(str(self.label)) <= 120
        if not fits or not self.quantity.is_finite() or self.quantity <= 0:
            raise ValueError(
                f"Free goods have a code of 1 to 40 characters, a label up to 120, a quantity above 0: {self!r}"
            )


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
class CheckoutStep:
    """A step of the checkout: a sub-form on its page, between core's own, saved in the transaction of the order.

    ``load(order_id) -> mapping`` fills the form; ``save(order_id, data)`` writes before the rules are asked, may raise
    Invalid, and is undone with the order. Programs order without steps: what must not be missing, a checkout rule asks for.
    ``template`` draws it with ``step`` and ``form``; without one its fields stand in a panel. ``applies(order_id)`` leaves
    it out where there is nothing to ask. Core's steps have the orders 20 (delivery), 40 (billing) and 60 (about).
    One that is ``folded`` shows its title alone until it is opened or filled in: for what few orders need.

    With ``guests`` a visitor who orders without an account is asked too: ``load`` and ``applies`` get None then, as there is
    no order yet, and ``save`` writes to the order of a company that was made for it.
    """

    key: str
    title: object
    form_class: type[Form]
    load: Callable[[int | None], Mapping[str, Any]]
    save: Callable[[int, Mapping[str, Any]], None]
    template: str = ""
    applies: Callable[[int | None], bool] | None = None
    order: int = 100
    guests: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """What a hold type wants held: why, and what is blocked (confirm, ship, invoice).

    A lazy ``label`` without values is told to each reader in their own language; a plain text stays as it is given,
    which is in the merchant's language.
    """

    label: object
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
class OrderFollower:
    """What an addon writes together with a change of an order, in its transaction: both happen or neither.

    ``follow(order_id, change)`` is called with company and order locked, after the order was written. ``change`` is
    submitted, amended, confirmed, completed, cancelled or rejected, or moved where movements were recorded. One that
    fails stops the change; it must not change the order itself.
    """

    name: str
    follow: Callable[[int, str], None]
    order: int = 100

    @property
    def key(self) -> str:
        """The follower's name."""
        return self.name


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
