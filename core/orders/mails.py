"""What people are told of orders, by jobs after the deed, each in the way they chose; see core.notifications."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from core.accounts.mails import address_of, path_of
from core.companies.memberships import holders
from core.companies.models import Company
from core.companies.services import seller
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import unscoped
from core.i18n import _, _l, speaking
from core.jobs.mail import Attachment, send_mail
from core.notifications.services import Message, notify
from core.orders.documents import confirmation
from core.orders.models import Movement, Order, OrderLine
from core.pricing.services import VIEW as SEE_PRICES
from core.spec.notifications import NotificationKind
from core.ui.formats import money, qty

CONFIRMED, REJECTED, CANCELLED = "orders.confirmed", "orders.rejected", "orders.cancelled"
RETURNED = "orders.returned"
PLACED_FOR, NEW = "orders.placed_for", "orders.new"
KINDS = (
    NotificationKind(
        "confirmed", _l("Order confirmed"), _l("Your order is confirmed; the mail at once carries the confirmation as PDF."),
        "buyer", icon="check-circle", order=10,
    ),
    NotificationKind("rejected", _l("Order not accepted"), "", "buyer", icon="x-circle", order=20),
    NotificationKind(
        "cancelled", _l("Order cancelled"), _l("The seller cancelled your order."), "buyer", icon="x-circle", order=25,
    ),
    NotificationKind(
        "returned", _l("Return received"), _l("Goods that you sent back have been recorded with their order."),
        "buyer", icon="arrow-counterclockwise", order=28,
    ),
    NotificationKind(
        "placed_for", _l("Order placed for me"), _l("The seller's staff placed an order in your name."),
        "buyer", icon="person-badge", order=30,
    ),
    NotificationKind(
        "new", _l("New order of my companies"), _l("A company that you look after has ordered."),
        "staff", mail="none", icon="receipt", order=10,
    ),
)  # fmt: skip


def send_confirmation(payload: dict[str, Any]) -> None:
    """Tell who ordered that the order is confirmed, with its document; handler of ``order.confirmed``."""
    order = _order(payload)
    if order is None or (order.user_id is None and not order.guest_key):
        return
    priced = _may_see_prices(order)
    attached = []
    if priced:
        document = confirmation(order)
        attached = [Attachment(document.name, document.type, document.content)]

    def compose() -> Message:
        if not priced:
            text = _("Thank you for your order %(number)s.\n\n%(seller)s", number=order.number, seller=seller().name)
            subject = _("Your order %(number)s is confirmed", number=order.number)
            return Message(subject, text, path_of("orders.order", number=order.number))
        return Message(
            _("Your order %(number)s is confirmed", number=order.number),
            _(
                "Thank you for your order %(number)s over %(total)s.\n\nThe confirmation is attached.\n\n%(seller)s",
                number=order.number,
                total=money(order.gross, order.currency),
                seller=seller().name,
            ),
            path_of("orders.order", number=order.number),
            attached,
        )

    _tell(order, CONFIRMED, compose)


def send_rejection(payload: dict[str, Any]) -> None:
    """Tell who ordered that the order was rejected, and why; handler of ``order.rejected``."""
    order = _order(payload)
    if order is None or (order.user_id is None and not order.guest_key):
        return
    told = _deed(order, "rejected")

    def compose() -> Message:
        return Message(
            _("Your order %(number)s was not accepted", number=order.number),
            _(
                "We could not accept your order %(number)s.\n\nReason: %(reason)s\n\n%(seller)s",
                number=order.number,
                reason=(told.reason if told else "") or "–",
                seller=seller().name,
            ),
            path_of("orders.order", number=order.number),
        )

    _tell(order, REJECTED, compose)


def send_cancellation(payload: dict[str, Any]) -> None:
    """Tell a visitor that the order is cancelled, a buyer where somebody else did it; handler of ``order.cancelled``."""
    order = _order(payload)
    if order is None or (order.user_id is None and not order.guest_key):
        return
    told = _deed(order, "cancelled")
    if order.user_id is not None and told is not None and told.actor_id == order.user_id:
        return
    values = {"number": order.number, "total": money(order.gross, order.currency)}

    def compose() -> Message:
        text = (
            _("Your order %(number)s over %(total)s is cancelled; nothing of it will be delivered.", **values)
            if _may_see_prices(order)
            else _("Your order %(number)s is cancelled; nothing of it will be delivered.", **values)
        )
        if told is not None and told.reason:
            text = f"{text}\n\n{_('Reason: %(reason)s', reason=told.reason)}"
        subject = _("Your order %(number)s is cancelled", number=order.number)
        return Message(subject, f"{text}\n\n{seller().name}", path_of("orders.order", number=order.number))

    _tell(order, CANCELLED, compose)


def tell_of_return(payload: dict[str, Any]) -> None:
    """Tell who ordered which goods came back, and what was said of it; handler of ``movement.recorded``."""
    order = _order(payload) if payload["kind"] == "returned" else None
    if order is None or (order.user_id is None and not order.guest_key):
        return
    query = (
        select(OrderLine.sku, OrderLine.unit, Movement.quantity, Movement.at)
        .join(OrderLine, OrderLine.id == Movement.line_id)
        .where(Movement.id.in_(payload["movement_ids"]))
        .order_by(OrderLine.position)
    )
    rows = db.session.execute(unscoped(query, "a job of the system reads the movements of its event")).all()
    told = _deed(order, "returned", rows[0].at)

    def compose() -> Message:
        lines = "\n".join(f"{row.sku}: {qty(row.quantity, row.unit)}" for row in rows)
        text = _("We have recorded what came back of your order %(number)s:", number=order.number)
        text = f"{text}\n\n{lines}"
        if told is not None and told.reason:
            text = f"{text}\n\n{_('Reason: %(reason)s', reason=told.reason)}"
        subject = _("Goods of your order %(number)s have come back", number=order.number)
        return Message(subject, f"{text}\n\n{seller().name}", path_of("orders.order", number=order.number))

    _tell(order, RETURNED, compose)


def _deed(order: Order, action: str, since: datetime | None = None) -> AuditEntry | None:
    """Return who did it, and why: the last time, or the first since an instant."""
    about = select(AuditEntry).where(AuditEntry.entity == "order", AuditEntry.entity_id == order.number)
    about = about.where(AuditEntry.action == action).limit(1)
    if since is None:
        return db.session.scalar(about.order_by(AuditEntry.id.desc()))
    return db.session.scalar(about.where(AuditEntry.at >= since).order_by(AuditEntry.id))


def tell_of_new(payload: dict[str, Any]) -> None:
    """Tell the buyer of an order that staff placed, and the company's sales person of any; for ``order.submitted``."""
    order = _order(payload)
    if order is None:
        return
    company = db.session.get_one(Company, order.company_id)
    values = {"number": order.number, "total": money(order.gross, order.currency), "company": company.name}

    def for_buyer() -> Message:
        subject = _("%(staff)s placed the order %(number)s for you", staff=order.placed_by_name, number=order.number)
        text = (
            _("The order for %(company)s is over %(total)s. If you did not ask for it, tell us.", **values)
            if _may_see_prices(order)
            else _("The order is for %(company)s. If you did not ask for it, tell us.", **values)
        )
        return Message(subject, text, path_of("orders.order", number=order.number))

    def for_staff() -> Message:
        subject = _("%(company)s ordered for %(total)s: %(number)s", **values)
        return Message(subject, url=path_of("orders_admin.order", number=order.number))

    def for_guest() -> Message:
        text = _("We have received your order %(number)s over %(total)s and confirm it soon.", **values)
        return Message(_("We have received your order %(number)s", **values), text)

    if order.guest_key and order.state == "submitted":
        _tell(order, "", for_guest)
    if order.placed_by_id is not None and order.user_id is not None:
        notify(PLACED_FOR, [order.user_id], for_buyer, key=f"order:{order.id}")
    if company.sales_rep_id is not None and company.sales_rep_id != order.placed_by_id:
        notify(NEW, [company.sales_rep_id], for_staff, key=f"order:{order.id}")


def _may_see_prices(order: Order) -> bool:
    """Tell whether who is told may see what the order costs: a visitor what it ordered itself."""
    return order.user_id is None or bool(holders(SEE_PRICES, order.company_id, [order.user_id]))


def _tell(order: Order, kind: str, compose: Callable[[], Message]) -> None:
    """Tell who ordered: a person as they chose, a visitor by mail with the link to the order's page."""
    if order.user_id is not None:
        notify(kind, [order.user_id], compose, key=f"order:{order.id}")
    elif order.guest_key:
        with speaking(order.locale):
            message = compose()
            link = _("Your order: %(link)s", link=address_of("orders.guest_order", key=order.guest_key))
        text = f"{message.text}\n\n{link}"
        send_mail(order.guest_email, message.subject, text, attachments=message.attachments, locale=order.locale)


def _order(payload: dict[str, Any]) -> Order | None:
    """Return the order of an event; None where it is gone."""
    query = select(Order).where(Order.id == payload["order_id"])
    return db.session.scalar(unscoped(query, "a job of the system reads the order of its event"))
