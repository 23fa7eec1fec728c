"""Mails about orders, sent by jobs after the deed: the confirmation with its PDF, and the refusal with its reason."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from core.accounts.models import User
from core.companies.services import seller
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import unscoped
from core.i18n import _
from core.jobs.mail import Attachment, send_mail
from core.orders.documents import confirmation, speaking
from core.orders.models import Order
from core.ui.formats import money


def send_confirmation(payload: dict[str, Any]) -> None:
    """Mail the confirmation of an order to who ordered it; handler of ``order.confirmed``."""
    found = _order_and_buyer(payload)
    if found is None:
        return
    order, to = found
    locale = order.locale
    with speaking(locale):
        subject = _("Your order %(number)s is confirmed", number=order.number)
        text = _(
            "Thank you for your order %(number)s over %(total)s.\n\nThe confirmation is attached.\n\n%(seller)s",
            number=order.number,
            total=money(order.gross, order.currency),
            seller=seller().name,
        )
    document = confirmation(order)
    send_mail(to, subject, text, attachments=[Attachment(document.name, document.type, document.content)], locale=locale)


def send_rejection(payload: dict[str, Any]) -> None:
    """Tell who ordered that the order was rejected, and why; handler of ``order.rejected``."""
    found = _order_and_buyer(payload)
    if found is None:
        return
    order, to = found
    reason = db.session.scalar(
        select(AuditEntry.reason).where(
            AuditEntry.entity == "order", AuditEntry.entity_id == order.number, AuditEntry.action == "rejected"
        )
    )
    with speaking(order.locale):
        subject = _("Your order %(number)s was not accepted", number=order.number)
        text = _(
            "We could not accept your order %(number)s.\n\nReason: %(reason)s\n\n%(seller)s",
            number=order.number,
            reason=reason or "–",
            seller=seller().name,
        )
    send_mail(to, subject, text, locale=order.locale)


def _order_and_buyer(payload: dict[str, Any]) -> tuple[Order, str] | None:
    """Return the order and the address of its buyer; None where there is nobody to write to any more."""
    query = (
        select(Order, User.email).join(User, User.id == Order.user_id).where(Order.id == payload["order_id"], User.active)
    )
    row = db.session.execute(unscoped(query, "a job of the system reads the order of its event")).first()
    return (row[0], row[1]) if row else None
