"""Tell people that an order waits for them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from core.api.data import db
from core.api.hooks import NotificationKind
from core.api.i18n import translations
from core.api.notifications import Message, notify, path_of
from core.api.orders import Order
from core.api.ui import money_text

from . import engine, services

_, _l, ngettext, _p = translations(__name__)
WAITS = "approval_chain.waits"
KINDS = (
    NotificationKind(
        "waits", _l("Order waits for my approval"),
        _l("Somebody of your company ordered, and you are among those who decide."),
        "buyer", icon="check-circle", order=40,
    ),
)  # fmt: skip


def tell_approvers(payload: dict[str, Any]) -> None:
    """Tell those whose turn it is; for ``hold.added``."""
    if payload["owner"] == services.OWNER:
        tell(payload["number"])


def tell(number: str) -> None:
    """Tell those who may decide on the order now, each once for each tier; the seller's staff see the hold."""
    order = db.session.scalar(select(Order).where(Order.number == number))
    if order is None:
        return
    flow = services.pending(number).flow
    people = [int(p) for p in flow.eligible() if p != engine.SELLER]
    total = money_text(order.net, order.currency)

    def compose() -> Message:
        subject = _("%(name)s ordered for %(total)s: %(number)s waits for your approval", name=order.user_name, total=total,
                    number=number)  # fmt: skip
        text = _("Open the order to read it; approving or rejecting it takes one more press there.")
        return Message(subject, text, path_of("approval_chain.decision", number=number))

    if people:
        notify(WAITS, people, compose, key=f"order:{order.id}:{flow.tier}")
