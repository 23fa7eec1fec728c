"""What is left of the lines of orders after cancellations and returns: what limits and budgets count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from core.api.data import db, unscoped
from core.api.orders import Movement, Order, OrderLine, discounts_by_line
from core.api.pricing import round_money

from . import basis

_REASON = "a limit counts what its person ordered for every company beneath the one that set it"
GONE = ("cancelled", "returned")
#: Orders in these states count: those that wait are spent already, or two could be placed that do not both fit.
COUNTED = ("submitted", "confirmed", "completed")


@dataclass(frozen=True, slots=True)
class Gone:
    """What of a line was cancelled or returned, as it counts, in the currency of its order."""

    order_id: int
    amount: Decimal


def taken_back(orders: Any, bases: Mapping[int, str], as_entered: Mapping[int, str] = {}) -> dict[int, Gone]:
    """Return by line id what was cancelled or returned; three statements at most.

    ``orders`` are ids, or a SELECT of them; ``bases`` say by company what of an order counts, ``as_entered`` by order.
    It is computed from the sum of the quantities, so that the parts of a line add up to the whole of it, and less the
    line's part of what came off the whole order.
    """
    lines = (OrderLine.id, OrderLine.order_id, OrderLine.net, OrderLine.tax_rate, OrderLine.quantity)
    columns = (*lines, Order.currency, Order.company_id)
    query = (
        select(*columns, func.sum(Movement.quantity).label("gone"))
        .join(Movement, Movement.line_id == OrderLine.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.order_id.in_(orders), Movement.kind.in_(GONE), OrderLine.net.is_not(None))
        .group_by(*columns)
    )
    rows = db.session.execute(unscoped(query, _REASON)).all()
    off = discounts_by_line({row.order_id for row in rows})
    found = {}
    for row in rows:
        left = (row.net - off.get(row.id, 0)) * min(row.gone, row.quantity) / row.quantity
        how = as_entered.get(row.order_id) or bases[row.company_id]
        amount = round_money(basis.of_line(how, left, row.tax_rate), row.currency)
        found[row.id] = Gone(row.order_id, amount)
    return found
