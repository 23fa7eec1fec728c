"""What lines of orders count for a rebate: net of discounts and of what was cancelled or returned, and base units."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.api.catalog import Category, Product
from core.api.companies import seller
from core.api.data import db, unscoped
from core.api.orders import Movement, Order, OrderLine, discounts_by_line
from core.api.pricing import round_money

from .engine import ZERO
from .models import Rebate

GONE = ("cancelled", "returned")
#: An order counts from its confirmation on.
COUNTED = ("confirmed", "completed")
_REASON = "what every company of a tree bought counts for the rebate of its root"


@dataclass(frozen=True, slots=True)
class Counted:
    """A line of a confirmed order with what counts of it, in the currency of the order and in base units."""

    order_id: int
    number: str
    company_id: int
    position: int
    day: date
    currency: str
    product_id: int | None
    path: str
    unit: str
    net: Decimal
    quantity: Decimal


def counted(order_ids: Sequence[int]) -> list[Counted]:
    """Return the lines of confirmed orders, by order and position; statements do not grow with orders or lines."""
    query = (
        select(
            OrderLine.id, OrderLine.order_id, OrderLine.position, OrderLine.product_id, OrderLine.quantity,
            OrderLine.base_quantity, OrderLine.net, Order.number, Order.company_id, Order.currency, Product.base_unit,
            Category.path, func.coalesce(Order.confirmed_at, Order.submitted_at, Order.created_at).label("at"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(Product, Product.id == OrderLine.product_id)
        .outerjoin(Category, Category.id == Product.category_id)
        .where(Order.id.in_(order_ids), Order.state.in_(COUNTED), OrderLine.net.is_not(None), ~OrderLine.free)
        .order_by(OrderLine.order_id, OrderLine.position)
    )  # fmt: skip
    lines = db.session.execute(unscoped(query, _REASON)).all()
    gone, less = _gone([line.id for line in lines]), discounts_by_line({line.order_id for line in lines})
    zone = ZoneInfo(seller().zone)
    found = []
    for line in lines:
        left = max(line.quantity - gone.get(line.id, ZERO), ZERO)
        net = round_money((line.net - less.get(line.id, ZERO)) * left / line.quantity, line.currency)
        found.append(
            Counted(
                line.order_id, line.number or "", line.company_id, line.position, line.at.astimezone(zone).date(),
                line.currency, line.product_id, line.path or "", line.base_unit or "", net,
                (line.base_quantity * left / line.quantity).quantize(Decimal("0.000001")),
            )
        )  # fmt: skip
    return found


def _gone(line_ids: Sequence[int]) -> dict[int, Decimal]:
    query = (
        select(Movement.line_id, func.sum(Movement.quantity).label("gone"))
        .where(Movement.line_id.in_(line_ids), Movement.kind.in_(GONE))
        .group_by(Movement.line_id)
    )
    return {row.line_id: row.gone for row in db.session.execute(unscoped(query, _REASON))} if line_ids else {}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which products a rebate counts: those named, and those in categories (by path); everything where none is."""

    products: frozenset[int]
    paths: tuple[str, ...]

    def takes(self, line: Counted) -> bool:
        """Tell whether the line is one of them."""
        if not self.products and not self.paths:
            return True
        return line.product_id in self.products or any(line.path.startswith(path) for path in self.paths)


def chosen(rebates: Collection[Rebate]) -> dict[int, Chosen]:
    """Return which products each rebate counts, in one statement at most."""
    ids = {target.category_id for rebate in rebates for target in rebate.targets if target.category_id}
    paths = dict(db.session.execute(select(Category.id, Category.path).where(Category.id.in_(ids))).all()) if ids else {}
    return {
        rebate.id: Chosen(
            frozenset(t.product_id for t in rebate.targets if t.product_id),
            tuple(paths[t.category_id] for t in rebate.targets if t.category_id),
        )
        for rebate in rebates
    }


def counts(rebate: Rebate, which: Chosen, line: Counted) -> bool:
    """Tell whether a line counts: product, currency, and (where quantity matters) the unit."""
    if line.currency != rebate.currency or not which.takes(line):
        return False
    return not rebate.unit or line.unit == rebate.unit
