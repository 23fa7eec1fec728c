"""What people are told of orders, by jobs after the deed, each in the way they chose; see core.notifications."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from core.accounts.mails import path_of
from core.companies.models import Company
from core.companies.services import seller
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import unscoped
from core.i18n import _, _l
from core.jobs.mail import Attachment
from core.notifications.services import Message, notify
from core.orders.documents import confirmation
from core.orders.models import Order
from core.spec.notifications import NotificationKind
from core.ui.formats import money

CONFIRMED, REJECTED, PLACED_FOR, NEW = "orders.confirmed", "orders.rejected", "orders.placed_for", "orders.new"
KINDS = (
    NotificationKind(
        "confirmed", _l("Order confirmed"), _l("Your order is confirmed; the mail at once carries the confirmation as PDF."),
        "buyer", icon="check-circle", order=10,
    ),
    NotificationKind("rejected", _l("Order not accepted"), "", "buyer", icon="x-circle", order=20),
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
    if order is None or order.user_id is None:
        return
    document = confirmation(order)
    attached = Attachment(document.name, document.type, document.content)

    def compose() -> Message:
        return Message(
            _("Your order %(number)s is confirmed", number=order.number),
            _(
                "Thank you for your order %(number)s over %(total)s.\n\nThe confirmation is attached.\n\n%(seller)s",
                number=order.number,
                total=money(order.gross, order.currency),
                seller=seller().name,
            ),
            path_of("orders.order", number=order.number),
            [attached],
        )

    notify(CONFIRMED, [order.user_id], compose, key=f"order:{order.id}")


def send_rejection(payload: dict[str, Any]) -> None:
    """Tell who ordered that the order was rejected, and why; handler of ``order.rejected``."""
    order = _order(payload)
    if order is None or order.user_id is None:
        return
    reason = db.session.scalar(
        select(AuditEntry.reason).where(
            AuditEntry.entity == "order", AuditEntry.entity_id == order.number, AuditEntry.action == "rejected"
        )
    )

    def compose() -> Message:
        return Message(
            _("Your order %(number)s was not accepted", number=order.number),
            _(
                "We could not accept your order %(number)s.\n\nReason: %(reason)s\n\n%(seller)s",
                number=order.number,
                reason=reason or "–",
                seller=seller().name,
            ),
            path_of("orders.order", number=order.number),
        )

    notify(REJECTED, [order.user_id], compose, key=f"order:{order.id}")


def tell_of_new(payload: dict[str, Any]) -> None:
    """Tell the buyer of an order that staff placed, and the company's sales person of any; for ``order.submitted``."""
    order = _order(payload)
    if order is None:
        return
    company = db.session.get_one(Company, order.company_id)
    values = {"number": order.number, "total": money(order.gross, order.currency), "company": company.name}

    def for_buyer() -> Message:
        subject = _("%(staff)s placed the order %(number)s for you", staff=order.placed_by_name, number=order.number)
        text = _("The order for %(company)s is over %(total)s. If you did not ask for it, tell us.", **values)
        return Message(subject, text, path_of("orders.order", number=order.number))

    def for_staff() -> Message:
        subject = _("%(company)s ordered for %(total)s: %(number)s", **values)
        return Message(subject, url=path_of("orders_admin.order", number=order.number))

    if order.placed_by_id is not None and order.user_id is not None:
        notify(PLACED_FOR, [order.user_id], for_buyer, key=f"order:{order.id}")
    if company.sales_rep_id is not None and company.sales_rep_id != order.placed_by_id:
        notify(NEW, [company.sales_rep_id], for_staff, key=f"order:{order.id}")


def _order(payload: dict[str, Any]) -> Order | None:
    """Return the order of an event; None where it is gone."""
    query = select(Order).where(Order.id == payload["order_id"])
    return db.session.scalar(unscoped(query, "a job of the system reads the order of its event"))
