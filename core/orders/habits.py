"""Answers core.catalog's question: what has the reader's company ordered before?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from core.catalog.habits import Habit
from core.data.db import db
from core.data.scope import current_actor
from core.orders.models import Order, OrderLine

VIEW = "orders.order.view"


class OrderHabits:
    """The ``Habits`` of core.catalog: of the company that buys now, for who may see its orders."""

    def among(self, products: Select[Any], most: int) -> Sequence[Habit]:
        """Return the products ordered in most orders, of equals the latest first; one statement, none for visitors."""
        actor = current_actor()
        if actor.company_id is None or not actor.may(VIEW):
            return ()
        times, last = func.count(Order.id.distinct()), func.max(Order.submitted_at)
        statement = (
            select(OrderLine.product_id, times, last)
            .join(Order, Order.id == OrderLine.order_id)
            .where(Order.company_id == actor.company_id, Order.submitted_at.is_not(None))
            .where(OrderLine.product_id.in_(products), ~OrderLine.free)
            .group_by(OrderLine.product_id)
            .order_by(times.desc(), last.desc(), OrderLine.product_id)
        )
        return [Habit(*row) for row in db.session.execute(statement.limit(most))]
