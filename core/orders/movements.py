"""Movements: what happened to each line, appended and never changed; statuses are read from their sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import event, func, select

from core.data.db import db
from core.i18n import _
from core.orders.models import Movement, OrderLine
from core.spec.errors import Invalid, WriteError

Kind = Literal["shipped", "delivered", "invoiced", "credited", "cancelled", "returned"]
KINDS: tuple[Kind, ...] = ("shipped", "delivered", "invoiced", "credited", "cancelled", "returned")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class LineSums:
    """What happened to a line so far, in the line's unit; ``ordered`` is its quantity."""

    ordered: Decimal
    shipped: Decimal = ZERO
    delivered: Decimal = ZERO
    invoiced: Decimal = ZERO
    credited: Decimal = ZERO
    cancelled: Decimal = ZERO
    returned: Decimal = ZERO

    @property
    def wanted(self) -> Decimal:
        """What is still ordered: without the cancelled part."""
        return self.ordered - self.cancelled

    @property
    def to_ship(self) -> Decimal:
        """What remains to be shipped."""
        return max(ZERO, self.wanted - self.shipped)

    @property
    def to_return(self) -> Decimal:
        """What was shipped and has not come back."""
        return max(ZERO, self.shipped - self.returned)

    def room(self, kind: Kind) -> Decimal:
        """Return how much more of ``kind`` the line can take."""
        return {
            "shipped": self.wanted - self.shipped,
            "delivered": self.shipped - self.delivered,
            "invoiced": self.wanted - self.invoiced,
            "credited": self.invoiced - self.credited,
            "cancelled": self.wanted - max(self.shipped, self.invoiced - self.credited),
            "returned": self.shipped - self.returned,
        }[kind]


def sums_of(order_ids: Iterable[int]) -> dict[int, LineSums]:
    """Return the sums of every line of the orders, by line id; two statements."""
    ids = list(order_ids)
    ordered = db.session.execute(select(OrderLine.id, OrderLine.quantity).where(OrderLine.order_id.in_(ids)))
    moved: dict[int, dict[str, Decimal]] = {}
    query = (
        select(Movement.line_id, Movement.kind, func.sum(Movement.quantity))
        .join(OrderLine, OrderLine.id == Movement.line_id)
        .where(OrderLine.order_id.in_(ids))
        .group_by(Movement.line_id, Movement.kind)
    )
    for line_id, kind, quantity in db.session.execute(query):
        moved.setdefault(line_id, {})[kind] = quantity
    return {line_id: LineSums(quantity, **moved.get(line_id, {})) for line_id, quantity in ordered}


def check(kind: Kind, wanted: Mapping[int, Decimal], sums: Mapping[int, LineSums], skus: Mapping[int, str]) -> None:
    """Refuse quantities that are not positive or exceed what a line can take; Invalid names the line."""
    for line_id, quantity in wanted.items():
        if line_id not in sums:
            raise Invalid("LINE-UNKNOWN", _("One of the lines is not part of this order; reload the page."))
        room = sums[line_id].room(kind)
        if not quantity.is_finite() or quantity <= 0:
            raise Invalid("MOVEMENT-QUANTITY", _("%(sku)s: the quantity must be more than zero.", sku=skus[line_id]))
        if quantity > room:
            raise Invalid("MOVEMENT-TOO-MUCH", _too_much(kind, skus[line_id], quantity, max(ZERO, room)))


def delivery_status(sums: Sequence[LineSums]) -> str:
    """Return open, partly_shipped, shipped or delivered for an order's lines; '' where nothing is wanted."""
    lines = [line for line in sums if line.wanted > 0]
    if not lines:
        return ""
    if all(line.delivered >= line.wanted for line in lines):
        return "delivered"
    if all(line.to_ship == 0 for line in lines):
        return "shipped"
    return "partly_shipped" if any(line.shipped > 0 for line in lines) else "open"


def all_shipped(sums: Iterable[LineSums]) -> bool:
    """Tell whether nothing remains to be shipped, and something was."""
    lines = list(sums)
    return all(line.to_ship == 0 for line in lines) and any(line.shipped > 0 for line in lines)


def _too_much(kind: Kind, sku: str, quantity: Decimal, room: Decimal) -> str:
    values = {"sku": sku, "quantity": f"{quantity.normalize():f}", "room": f"{room.normalize():f}"}
    match kind:
        case "shipped":
            return _("%(sku)s: %(quantity)s cannot be shipped; only %(room)s of the line remain to be shipped.", **values)
        case "delivered":
            return _("%(sku)s: %(quantity)s cannot be delivered; only %(room)s are on the way.", **values)
        case "invoiced":
            return _("%(sku)s: %(quantity)s cannot be invoiced; only %(room)s remain to be invoiced.", **values)
        case "credited":
            return _("%(sku)s: %(quantity)s cannot be credited; only %(room)s were invoiced.", **values)
        case "cancelled":
            return _("%(sku)s: %(quantity)s cannot be cancelled; only %(room)s are neither shipped nor invoiced.", **values)
        case _:
            return _("%(sku)s: %(quantity)s cannot be returned; only %(room)s are at the buyer.", **values)


@event.listens_for(Movement, "before_update")
@event.listens_for(Movement, "before_delete")
def _append_only(_mapper: Any, _connection: Any, movement: Movement) -> None:
    raise WriteError(f"movement {movement.id} is history: record a return, a credit or a cancellation instead")
