"""Find orders: by number within the actor's scope, locked or not. What is not visible does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, or_, select, update

from core.data.db import db
from core.data.scope import unscoped
from core.i18n import _
from core.orders.models import Hold, Order, OrderLine
from core.spec.errors import NotFound


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


def locked(statement: Select[Any]) -> Select[Any]:
    """Return ``statement`` locking its rows; what the session holds of them is read again, or it would be stale."""
    return statement.with_for_update().execution_options(populate_existing=True)


def lines_of(order_id: int) -> list[OrderLine]:
    """Return the lines of an order in their order, read anew: they are updated in bulk, past the session."""
    query = select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def holds_of(order_id: int) -> list[Hold]:
    """Return all holds of an order, released ones too."""
    return list(db.session.scalars(select(Hold).where(Hold.order_id == order_id).order_by(Hold.id)))


def matching(text: str) -> Any:
    """Return the condition for a search of orders: number, PO number, or an article on one of the lines."""
    wanted = f"%{escape(text.strip())}%"
    folded = wanted.lower()
    return or_(
        func.lower(Order.number).like(folded, escape="\\"),
        func.lower(Order.po_number).like(folded, escape="\\"),
        Order.id.in_(
            select(OrderLine.order_id).where(
                or_(
                    func.lower(OrderLine.sku).like(folded, escape="\\"), func.lower(OrderLine.name).like(folded, escape="\\")
                )
            )
        ),
    )


def escape(text: str) -> str:
    """Return ``text`` with the wildcards of LIKE made literal."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def store_lines(rows: Iterable[dict[str, Any]]) -> None:
    """Update lines by id, all with the same columns: one statement however many. Their order was locked under scope."""
    changes = list(rows)
    if changes:
        statement = unscoped(update(OrderLine), "lines of an order that was locked under the actor's scope")
        db.session.execute(statement, changes)
