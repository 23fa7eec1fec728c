"""What is left of the lines of orders after cancellations and returns: what limits and budgets count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from core.api.data import db, unscoped
from core.api.orders import Movement, Order, OrderLine, discounts_by_line
from core.api.pricing import round_money

_REASON = "a limit counts what its person ordered for every company beneath the one that set it"
GONE = ("cancelled", "returned")
#: Orders in these states count: those that wait are spent already, or two could be placed that do not both fit.
COUNTED = ("submitted", "confirmed", "completed")


def taken_back(orders: Any) -> dict[int, Decimal]:
    """Return by line id the net that was cancelled or returned, in the currency of its order; three statements at most.

    ``orders`` are ids, or a SELECT of them. It is computed from the sum of the quantities, so that the parts of a line
    add up to the whole of it, and less the line's part of what came off the whole order.
    """
    columns = (OrderLine.id, OrderLine.order_id, OrderLine.net, OrderLine.quantity, Order.currency)
    query = (
        select(*columns, func.sum(Movement.quantity).label("gone"))
        .join(Movement, Movement.line_id == OrderLine.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.order_id.in_(orders), Movement.kind.in_(GONE), OrderLine.net.is_not(None))
        .group_by(*columns)
    )
    rows = db.session.execute(unscoped(query, _REASON)).all()
    off = discounts_by_line({row.order_id for row in rows})
    return {
        row.id: round_money((row.net - off.get(row.id, 0)) * min(row.gone, row.quantity) / row.quantity, row.currency)
        for row in rows
    }
