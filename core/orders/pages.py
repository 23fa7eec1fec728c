"""What the pages of cart and orders show, as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.catalog.units import UnitInfo
from core.companies.services import seller
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import current_actor, unscoped
from core.i18n import _
from core.i18n.titles import in_words_of
from core.orders import articles, cart, guest_cart
from core.orders.addresses import USES, chosen
from core.orders.beside import FreeLine, shown
from core.orders.cart import CartView
from core.orders.draft import Priced, PricedLine, draft_of
from core.orders.manual import AgreedTerms, agreed, bands_of
from core.orders.models import Order, OrderLine
from core.orders.movements import LineSums, delivery_status, sums_of
from core.orders.rules import findings
from core.pricing import services as pricing
from core.pricing.bands import bands_text
from core.spec.errors import Invalid
from core.spec.orders import Finding, Stage
from core.ui.deeds import deed
from core.ui.formats import plain, price, qty
from core.ui.links import row_url


@dataclass(frozen=True, slots=True)
class CartRow:
    """A line of the cart: what it is, what it costs now, what it cost at the last look, and what is wrong with it.

    ``held`` is the code as the cart keeps it, which an article that is renamed leaves as it was.
    """

    key: str
    held: str
    sku: str
    name: str
    image: str
    unit_name: str
    unit: UnitInfo | None
    quantity: Decimal
    price: Decimal | None
    per: Decimal
    list_price: Decimal | None
    reason: object
    net: Decimal | None
    bands: str = ""
    before: Decimal | None = None
    changed: bool = False
    reference: str = ""
    note: str = ""
    problems: tuple[str, ...] = ()
    #: It comes with the others for nothing, for the ``reason``; nobody changes it by itself.
    free: bool = False

    @property
    def url(self) -> str:
        """The article's page, '' where it may not be opened."""
        return row_url("catalog.product", self.sku)

    @property
    def image_url(self) -> str:
        """The article's picture, '' where there is none."""
        return row_url("catalog.media", self.image)


@dataclass(frozen=True, slots=True)
class CartPage:
    """The cart as a page shows it: what was chosen (``rows``), and what comes with it for nothing (``free``).

    ``key`` names it when it is placed, ``seen`` the prices shown.
    """

    rows: tuple[CartRow, ...]
    priced: Priced
    findings: tuple[Finding, ...] = ()
    order: Order | None = None

    @property
    def changed(self) -> tuple[CartRow, ...]:
        """The rows whose price is not the one of the last look."""
        return tuple(row for row in self.rows if row.changed)

    @property
    def seen(self) -> str:
        """What was shown, for the comparison when the order is placed: unit prices by line, quantities of free goods."""
        free = {key: plain(quantity) for key, quantity in shown(self.priced.free).items()}
        return json.dumps({row.key: None if row.price is None else str(row.price) for row in self.rows} | free)

    @property
    def free(self) -> tuple[CartRow, ...]:
        """The rows of what comes for nothing."""
        return tuple(_free_row(one) for one in self.priced.free)

    @property
    def stopped(self) -> bool:
        """True where something has to be mended before the order can be placed."""
        return any(finding.level == "block" for finding in self.findings)


def cart_page(stage: Stage = Stage.CART) -> CartPage | None:
    """Return the open cart (a visitor's too) priced now, with the findings of ``stage``; None while there is none."""
    if guest_cart.is_guest():
        return _guest_page()
    with articles.remembered():
        view = cart.view()
        if view is None or not view.lines:
            return None
        draft = draft_of(view.order, view.lines, view.priced)
        proposed = {f"{use}_id": address.id for use in USES if (address := chosen(use, getattr(draft, f"{use}_id")))}
        found = findings(stage, replace(draft, **proposed))
    return CartPage(_rows(view, found), view.priced, found, view.order)


def read_seen(text: str) -> dict[str, Decimal | None]:
    """Return what a page said it showed; Invalid for anything that our pages do not send."""
    try:
        values = json.loads(text or "{}")
        return {str(key): None if value is None else Decimal(str(value)) for key, value in values.items()}
    except (ValueError, ArithmeticError, AttributeError) as error:
        raise Invalid("BAD-REQUEST", _("The page that was sent is not complete; load it again.")) from error


def _guest_page() -> CartPage | None:
    chosen, priced = guest_cart.priced()
    if not chosen:
        return None
    rows = tuple(
        _row(line, item.sku, item.sku, item.unit, priced.currency) for line, item in zip(priced.lines, chosen, strict=True)
    )
    return CartPage(rows, priced)


def _rows(view: CartView, found: Sequence[Finding]) -> tuple[CartRow, ...]:
    now = view.priced.by_key()
    said: dict[str, list[str]] = {}
    for finding in found:
        for key in finding.lines:
            said.setdefault(key, []).append(str(finding.message))
    currency = view.priced.currency
    return tuple(
        _order_row(line, now[str(line.position)], tuple(said.get(str(line.position), ())), currency) for line in view.lines
    )


def _order_row(line: OrderLine, now: PricedLine, problems: tuple[str, ...], currency: str) -> CartRow:
    row = _row(now, line.sku, line.name, line.unit, currency)
    before, after = _per_one(line.unit_price, line.per), _per_one(row.price, row.per)
    values = {name: getattr(row, name) for name in CartRow.__slots__}
    values |= {
        "before": line.unit_price,
        "changed": before != after,
        "reference": line.customer_reference,
        "note": line.note,
        "problems": problems,
    }
    return CartRow(**values)


def _row(now: PricedLine, sku: str, name: str, unit: str, currency: str) -> CartRow:
    article, found = now.article, now.price
    return CartRow(
        key=now.key,
        held=sku,
        sku=article.sku if article else sku,
        name=article.name if article else name,
        image=article.image if article else "",
        unit_name=now.unit.unit if now.unit else unit,
        unit=now.unit,
        quantity=now.quantity,
        price=now.unit_price,
        per=found.per if found else Decimal(1),
        list_price=found.list_price if found and found.show_list else None,
        reason=found.reason if found else "",
        net=now.net,
        bands=bands_text(found.bands, currency, found.unit) if found else "",
    )


def _free_row(one: FreeLine) -> CartRow:
    article, nothing = one.article, Decimal(0)
    return CartRow(
        key=one.key, held=article.sku, sku=article.sku, name=article.name, image=article.image, unit_name=one.unit.unit,
        unit=one.unit, quantity=one.quantity, price=nothing, per=Decimal(1), list_price=None, reason=one.label, net=nothing,
        free=True,
    )  # fmt: skip


def _per_one(price: Decimal | None, per: Decimal) -> Decimal | None:
    return None if price is None else price / per


def prices_open(order: Order) -> bool:
    """Tell whether the reader may see the prices of an order: a visitor those of what it ordered itself."""
    return order.guest_key is not None or pricing.may_see()


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A placed order: lines with what happened to them, and where its delivery stands."""

    order: Order
    lines: tuple[OrderLine, ...]
    sums: Mapping[int, LineSums]
    #: What was set by hand, by the line's id.
    agreed: Mapping[int, AgreedTerms] = field(default_factory=dict)
    #: How the price is made where parts have their own, by the line's id.
    bands: Mapping[int, str] = field(default_factory=dict)

    @property
    def priced(self) -> bool:
        """True where the reader may see what it cost: a visitor what it ordered itself."""
        return prices_open(self.order)

    @property
    def delivery(self) -> str:
        """The state of its delivery, '' where there is nothing to deliver."""
        return delivery_status(list(self.sums.values())) if self.order.state in ("confirmed", "completed") else ""

    @property
    def to_ship(self) -> bool:
        """True where something remains to be shipped."""
        return self.order.state == "confirmed" and any(line.to_ship > 0 for line in self.sums.values())

    @property
    def to_return(self) -> bool:
        """True where goods that were shipped may come back."""
        return self.order.state in ("confirmed", "completed") and any(line.to_return > 0 for line in self.sums.values())


def order_page(order: Order, lines: Sequence[OrderLine]) -> OrderPage:
    """Return what the page of an order shows; two statements."""
    by_hand = {line.id: found for line in lines if (found := agreed(line, order.currency))}
    made = {line.id: text for line in lines if (text := bands_of(line, order.currency))}
    return OrderPage(order, tuple(lines), sums_of([order.id]), by_hand, made)


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the timeline."""

    text: str
    at: Any
    who: str
    icon: str
    note: str = ""


_ICONS = {
    "submitted": "send",
    "confirmed": "check2",
    "completed": "check2-circle",
    "cancelled": "x-circle",
    "rejected": "x-circle",
    "held": "pause-circle",
    "hold released": "play-circle",
    "hold released by force": "play-circle",
    "shipped": "truck",
    "delivered": "check2-circle",
    "invoiced": "receipt",
    "credited": "arrow-counterclockwise",
    "returned": "arrow-counterclockwise",
    "moved": "buildings",
    "noted": "pencil",
    "priced": "tag",
}


def timeline(order: Order, *, internal: bool) -> list[Event]:
    """Return what happened to an order, newest first; buyers see neither notes of staff nor who of the staff it was."""
    about = select(AuditEntry).where(AuditEntry.entity == "order", AuditEntry.entity_id == order.number)
    rows = db.session.scalars(
        unscoped(about.order_by(AuditEntry.id.desc()), "the history of an order that the actor sees, before it moved too")
    )
    merchant = "" if internal else seller().name
    told = [row for row in rows if internal or row.action in _TOLD]
    kept = {row.action for row in told}
    return [_event(row, order, merchant) for row in told] + _from_stamps(order, kept)


_TOLD = frozenset(
    {
        "submitted",
        "amended",
        "priced",
        "confirmed",
        "completed",
        "cancelled",
        "rejected",
        "shipped",
        "delivered",
        "invoiced",
        "credited",
        "returned",
    }
)


def _from_stamps(order: Order, kept: Set[str]) -> list[Event]:
    """Return what an order went through in another system, of which it has the instants and nothing else."""
    if "submitted" in kept:
        return []
    ended = _("Order rejected") if order.state == "rejected" else _("Order cancelled")
    stamps = [
        ("rejected" if order.state == "rejected" else "cancelled", order.cancelled_at, ended, "x-circle"),
        ("completed", order.completed_at, _("Everything shipped"), "check2-circle"),
        ("confirmed", order.confirmed_at, _("Order confirmed"), "check2"),
        ("submitted", order.submitted_at, _("Order placed"), "send"),
    ]
    return [
        Event(text, at, order.user_name if icon == "send" else "", icon)
        for action, at, text, icon in stamps
        if at and action not in kept
    ]


def _event(row: AuditEntry, order: Order, merchant: str) -> Event:
    automatic = bool((row.after or {}).get("automatic"))
    buyers = {order.user_id, order.placed_by_id, current_actor().user_id}
    who = "" if automatic else row.actor if not merchant or row.actor_id in buyers else merchant
    hidden = row.action == "check skipped" or (merchant and row.action == "priced")  # why a price was set is for staff alone
    reason = "" if hidden else row.reason
    said = [text for text in (_moved(row), (row.after or {}).get("document", ""), reason) if text]
    return Event(_sentence(row, order), row.at, who, _ICONS.get(row.action, "clock"), " · ".join(said))


def _moved(row: AuditEntry) -> str:
    """Return "A-1 5 pcs, B-2 20 pcs, …" for a movement whose lines the entry names, else ''."""
    after = row.after or {}
    if "moved" not in after:
        return ""
    named = [f"{sku} {qty(Decimal(quantity), unit)}" for sku, quantity, unit in after["moved"]]
    return ", ".join([*named, "…"] if len(named) < after.get("lines", 0) else named)


def _price_sentence(row: AuditEntry, currency: str) -> str:
    after, before = row.after or {}, (row.before or {}).get("price")
    now = price(Decimal(after["price"]), currency) if after.get("price") else "–"
    if not after.get("by"):
        return _("Price of %(sku)s set back to %(now)s", sku=after.get("sku", ""), now=now)
    was = price(Decimal(before), currency) if before else "–"
    return _("Price of %(sku)s set by hand: %(now)s instead of %(was)s", sku=after.get("sku", ""), now=now, was=was)


def _sentence(row: AuditEntry, order: Order) -> str:
    after = row.after or {}
    match row.action:
        case "priced":
            return _price_sentence(row, order.currency)
        case "submitted":
            return _("Order placed")
        case "amended":
            return _("Order changed before it was confirmed")
        case "confirmed":
            return _("Order confirmed")
        case "completed":
            return _("Everything shipped")
        case "cancelled":
            return _("Order cancelled")
        case "rejected":
            return _("Order rejected")
        case "held":
            return _("On hold: %(label)s", label=in_words_of(row.addon, str(after.get("label", ""))))
        case "hold released":
            return _("Hold released: %(label)s", label=in_words_of(row.addon, str(after.get("label", ""))))
        case "hold released by force":
            return _("Hold released by force: %(label)s", label=in_words_of(row.addon, str(after.get("label", ""))))
        case "shipped":
            return _("Goods shipped")
        case "delivered":
            return _("Goods delivered")
        case "invoiced":
            return _("Invoiced")
        case "credited":
            return _("Credited")
        case "returned":
            return _("Goods returned")
        case "moved":
            return _("Moved from the visitor's company %(code)s", code=after.get("from", ""))
        case "noted":
            return _("Note")
        case "check skipped":
            return _("The addon %(addon)s was switched off and did not check the order", addon=row.addon)
    said = deed(row.action)
    return said[:1].upper() + said[1:]
