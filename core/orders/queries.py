"""Find orders: by number within the actor's scope, locked or not. What is not visible does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import or_, select, update

from core.data.db import db
from core.data.once import once
from core.data.scope import unscoped
from core.data.write import locked
from core.i18n import _
from core.orders.models import Hold, Order, OrderLine
from core.spec.errors import NotFound
from core.ui.filters import contains


def find(number: str) -> Order:
    """Return the order with ``number``; NotFound if there is none that the actor may see. Carts have no number."""
    order = db.session.scalar(select(Order).where(Order.number == number, Order.state != "cart"))
    if order is None:
        raise NotFound("ORDER-NOT-FOUND", _("There is no order %(number)s.", number=number[:40]))
    return order


def lock(number: str) -> Order:
    """Return the order with ``number``, its row locked and read again; call inside ``write()``."""
    order = db.session.scalar(locked(select(Order).where(Order.number == number, Order.state != "cart")))
    if order is None:
        raise NotFound("ORDER-NOT-FOUND", _("There is no order %(number)s.", number=number[:40]))
    return order


def lines_of(order_id: int) -> list[OrderLine]:
    """Return the lines of an order in their order, read anew after a change: they are updated in bulk, past the session."""
    query = select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    fresh = query.execution_options(populate_existing=True)
    return list(once(("orders.lines", order_id), lambda: list(db.session.scalars(fresh))))


def holds_of(order_id: int) -> list[Hold]:
    """Return all holds of an order, released ones too."""
    return list(db.session.scalars(select(Hold).where(Hold.order_id == order_id).order_by(Hold.id)))


def standing_holds(order: Order) -> list[Hold]:
    """Return the holds that still stop an order: those of one that was rejected or cancelled stop nothing."""
    return [] if order.state in ("rejected", "cancelled") else [h for h in holds_of(order.id) if h.released_at is None]


def matching(text: str) -> Any:
    """Return the condition for a search of orders: number, PO number, or an article on one of the lines."""
    wanted = text.strip()
    on_a_line = or_(contains(OrderLine.sku, wanted), contains(OrderLine.name, wanted))
    return or_(
        contains(Order.number, wanted),
        contains(Order.po_number, wanted),
        Order.id.in_(select(OrderLine.order_id).where(on_a_line)),
    )


def store_lines(rows: Iterable[dict[str, Any]]) -> None:
    """Update lines by id, all with the same columns: one statement however many. Their order was locked under scope."""
    changes = list(rows)
    if changes:
        statement = unscoped(update(OrderLine), "lines of an order that was locked under the actor's scope")
        db.session.execute(statement, changes)
