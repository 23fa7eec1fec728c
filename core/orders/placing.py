"""Place an order: once, whole or not at all, at the prices that the buyer saw, checked by every rule.

Locks are taken in one order everywhere: company, order, counter. A repeated request (double click, second tab,
retry after a lost answer) finds the order that the first one placed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from sqlalchemy import select

from core.accounts.models import User
from core.companies import services as companies
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, current_actor
from core.data.write import locked, write
from core.i18n import _, speaking
from core.orders import articles, cart, manual, queries, rules, steps
from core.orders.beside import shown, store_free
from core.orders.digest import content_of, digest, trace_digest
from core.orders.draft import Priced, draft_of, price_order
from core.orders.holds import add_hold
from core.orders.lifecycle import confirm_locked
from core.orders.models import Order, OrderLine
from core.orders.numbering import next_number
from core.orders.states import transition
from core.registry.registry import registry
from core.registry.state import moved_since
from core.settings.services import get
from core.spec.errors import Conflict, Invalid
from core.spec.orders import FREE, OrderDraft, Stage


@dataclass(frozen=True, slots=True)
class Placement:
    """What the buyer sends: which cart, what they were shown, and the head of the order.

    ``cart_key`` names the cart (from the page); ``client_reference`` is the idempotency key of a program, which orders
    whatever the open cart holds. ``expected_total`` is the gross total shown; ``seen`` the unit prices by position, and
    quantities by key of what comes for nothing (core.orders.beside).
    ``ship_to`` and ``bill_to`` are codes of the company's addresses, '' for the default. ``enter(order_id)``, where a page
    gives it, writes the head in the order's transaction instead of the fields: the steps of the checkout.
    """

    expected_total: Decimal
    cart_key: str = ""
    client_reference: str = ""
    seen: Mapping[str, Decimal | None] = field(default_factory=dict)
    ship_to: str = ""
    bill_to: str = ""
    po_number: str = ""
    note: str = ""
    wished_date: date | None = None
    enter: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The order, and whether this request placed it (False: an earlier one did)."""

    order: Order
    new: bool


@dataclass(frozen=True, slots=True)
class LineDifference:
    """A line whose price is not the one shown; None: there was, or is, no price."""

    position: int
    sku: str
    name: str
    before: Decimal | None
    after: Decimal | None
    per: Decimal
    unit: str


class PriceChanged(Conflict):
    """Prices changed since the buyer looked: nothing was placed; ``lines`` and totals say what is different."""

    def __init__(self, expected: Decimal, total: Decimal, currency: str, lines: Sequence[LineDifference]) -> None:
        super().__init__(
            "PRICE-CHANGED",
            _("Prices have changed since you looked. Nothing was ordered; check the new total and order again."),
            details={
                "expected_total": str(expected),
                "total": str(total),
                "currency": currency,
                "lines": [{"sku": d.sku, "before": _text(d.before), "after": _text(d.after)} for d in lines],
            },
        )
        self.expected, self.total, self.currency, self.lines = expected, total, currency, tuple(lines)


def place(asked: Placement) -> Placed:
    """Place the open cart as ``asked``; the same reference again returns the same order.

    Raises PriceChanged (409), CheckoutRefused (422), OrderingPaused (503), Conflict where the shop or the cart changed.
    Nothing is written then; the cart stays as it is.
    """
    actor = current_actor()
    if actor.company_id is None:
        raise Invalid("NO-COMPANY", _("Choose the company for which you are buying first."))
    with write():
        companies.lock_company(actor.company_id)
        order = _find(actor, asked)
        if order.state != "cart":
            return Placed(order, new=False)
        if moved_since(registry().generation):
            raise Conflict("SHOP-CHANGED", _("The shop has just been changed; check your order and send it again."))
        rules.refuse_if_paused()
        with articles.remembered():
            _place(order, asked, actor)
    return Placed(order, new=True)


def _find(actor: Actor, asked: Placement) -> Order:
    """Return the cart that ``asked`` names, or the order it became; locked."""
    reference = asked.client_reference or asked.cart_key
    mine = (Order.company_id == actor.company_id, Order.user_id == cart.buyer_id(actor), Order.cart_name == "")
    order = db.session.scalar(locked(select(Order).where(*mine, Order.client_reference == reference)))
    if order is None and asked.client_reference:
        order = db.session.scalar(locked(select(Order).where(*mine, Order.state == "cart")))
        if order is not None:
            order.client_reference = asked.client_reference[:80]
    if order is None:
        raise Conflict("CART-CHANGED", _("This cart is not open any more; look at your cart and your orders."))
    return order


def _place(order: Order, asked: Placement, actor: Actor) -> None:
    (asked.enter or partial(_take_head, order, asked))(order.id)
    lines = queries.lines_of(order.id)
    country = cart.ship_to_country(order)
    priced = price_order(order, lines, ship_to_country=country, at=clock.now(), explain=True)
    _compare(asked, lines, priced)
    draft = draft_of(order, lines, priced)
    rules.refuse_if_stopped(rules.findings(Stage.SUBMIT, draft))
    _freeze_head(order, actor)
    lines = _freeze_lines(order, lines, priced)
    order.number = next_number(order.seller_id, prefix=get("orders", "number_prefix"))
    order.digest = digest(content_of(order, lines))
    transition(order, "place")
    manual.record_placed(order, lines)
    _hold_or_confirm(order, draft)


def _take_head(order: Order, asked: Placement, _order_id: int) -> None:
    """Take what a program or a visitor says of the order."""
    steps.take_address(order, "ship_to", asked.ship_to)
    steps.take_address(order, "bill_to", asked.bill_to)
    steps.take_about(order, {"po_number": asked.po_number, "note": asked.note, "wished_date": asked.wished_date})


def _compare(asked: Placement, lines: Sequence[OrderLine], priced: Priced) -> None:
    """Refuse if total or a line's price differs from what was shown."""
    now = priced.by_key()
    differences = []
    for line in lines:
        key = str(line.position)
        before = asked.seen.get(key, line.unit_price) if asked.seen else line.unit_price
        found = now[key]
        if before != found.unit_price:
            per = found.price.per if found.price else line.per
            differences.append(LineDifference(line.position, line.sku, line.name, before, found.unit_price, per, line.unit))
    if asked.expected_total != priced.totals.gross or (asked.seen and differences):
        raise PriceChanged(asked.expected_total, priced.totals.gross, priced.currency, differences)
    if asked.seen and {key: value for key, value in asked.seen.items() if key.startswith(FREE)} != shown(priced.free):
        text = _("What comes free of charge has changed since you looked. Nothing was ordered; look at it and order again.")
        raise Conflict("FREE-GOODS-CHANGED", text)


def _freeze_lines(order: Order, lines: Sequence[OrderLine], priced: Priced) -> list[OrderLine]:
    """Write final prices and what explains them; number the lines without gaps, what comes for nothing behind them."""
    cart.store_prices(order, lines, priced, final=True)
    found = priced.by_key()
    traces = [{"id": x.id, "trace_digest": trace_digest(p)} for x in lines if (p := found[str(x.position)].price)]
    queries.store_lines(traces)
    if [line.position for line in lines] != list(range(1, len(lines) + 1)):  # two steps: positions are unique
        queries.store_lines({"id": line.id, "position": -index} for index, line in enumerate(lines, start=1))
        queries.store_lines({"id": line.id, "position": index} for index, line in enumerate(lines, start=1))
    store_free(order, priced.free)
    return queries.lines_of(order.id)


def _freeze_head(order: Order, actor: Actor) -> None:
    order.locale = companies.current_company().locale if actor.on_behalf_of else actor.locale
    order.user_name = _name_of(order.user_id) or actor.name
    if actor.on_behalf_of:
        order.placed_by_id, order.placed_by_name = actor.user_id, actor.name
    order.required_checks = rules.checks_in_force()
    order.generation = registry().generation
    order.price_hold_until = clock.now() + timedelta(days=get("orders", "price_hold_days"))


def _hold_or_confirm(order: Order, draft: OrderDraft) -> None:
    """Place the holds that addons want; confirm at once if none stops that and the merchant wants it so."""
    held = False
    with speaking(companies.seller().locale):  # labels are for staff, whatever the buyer speaks
        asked = rules.wanted_holds(draft)
    for wanted in asked:
        hold = add_hold(order, wanted.owner, wanted.type.code, wanted.request, wanted.type.release_permission)
        held = held or "confirm" in hold.blocks
    if not held and get("orders", "confirm_automatically"):
        confirm_locked(order, automatic=True)


def _name_of(user_id: int | None) -> str:
    return db.session.scalar(select(User.name).where(User.id == user_id)) or ""


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
