"""The ledger of agreements: it follows orders by adding what differs, so that doing it twice adds nothing.

What a line draws stands in the source of its price, as it was frozen. Of what is cancelled or returned, first goes what
was beyond the agreement. A placed line reserves, a confirmed one commits; what is left of an agreement is computed from
the sums. Everybody who draws from an agreement shares the root of its tree, under whose lock orders are placed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from core.api.data import clock, current_actor, db, unscoped
from core.api.orders import Movement, Order, OrderLine

from . import engine
from .models import Agreement, Entry

ZERO = Decimal(0)
GONE = ("cancelled", "returned")
COUNTED = ("submitted", "confirmed", "completed")
#: The source of a price set by hand; where it lowered the price of a placed line, the terms name the one before.
MANUAL = "manual"
_REASON = "an agreement of a parent is drawn from by companies that do not read it"


@dataclass(frozen=True, slots=True)
class Difference:
    """What the ledger should say of a line in an agreement and says not."""

    order_id: int
    number: str
    company_id: int
    position: int
    agreement_id: int
    step: int
    reserved: Decimal
    committed: Decimal

    @property
    def kind(self) -> str:
        """What happened to the line."""
        if self.committed:
            return "commit" if self.committed > 0 else "restore"
        return "reserve" if self.reserved > 0 else "release"


def post(order_ids: Sequence[int]) -> None:
    """Add to the ledger what orders changed; inside ``write()`` with their company locked. Again, it adds nothing."""
    at, who = clock.now(), current_actor().name
    rows = [
        {
            "agreement_id": d.agreement_id, "company_id": d.company_id, "order_id": d.order_id, "position": d.position,
            "step": d.step, "kind": d.kind, "reserved": d.reserved, "committed": d.committed, "at": at, "by_name": who,
        }
        for d in differences(order_ids)
    ]  # fmt: skip
    if rows:
        db.session.execute(insert(Entry), rows)


def differences(order_ids: Sequence[int]) -> list[Difference]:
    """Return where the ledger says something else than the orders; statements do not grow with these."""
    entered = _entered(order_ids)
    wanted = _wanted(order_ids, {order for order, _position, _agreement in entered})
    if not entered and not wanted:
        return []
    ids = {*(order for order, _position, _agreement in entered), *(order for order, _position, _agreement in wanted)}
    orders = {o.id: o for o in db.session.execute(select(Order.id, Order.number, Order.company_id).where(Order.id.in_(ids)))}
    found = []
    for key in sorted({*entered, *wanted}):
        order, row = orders[key[0]], entered.get(key)
        reserved, committed = wanted.get(key, (ZERO, ZERO))
        if row is not None:
            reserved, committed = reserved - row.reserved, committed - row.committed
        if reserved or committed:
            step = row.step + 1 if row is not None else 1
            found.append(
                Difference(order.id, order.number or "", order.company_id, key[1], key[2], step, reserved, committed)
            )
    return found


def _entered(order_ids: Sequence[int]) -> dict[tuple[int, int, int], Any]:
    key = (Entry.order_id, Entry.position, Entry.agreement_id)
    sums = (
        func.max(Entry.step).label("step"), func.sum(Entry.reserved).label("reserved"),
        func.sum(Entry.committed).label("committed"),
    )  # fmt: skip
    query = select(*key, *sums).where(Entry.order_id.in_(order_ids)).group_by(*key)
    return {(row.order_id, row.position, row.agreement_id): row for row in db.session.execute(query)}


def _wanted(order_ids: Sequence[int], known: Iterable[int]) -> dict[tuple[int, int, int], tuple[Decimal, Decimal]]:
    """Return what lines should have reserved and committed, by order, position and agreement."""
    lines = _drawing(order_ids)
    if not lines:
        return {}
    gone = _gone([line.id for line, _drawn in lines])
    codes = {code for _line, drawn in lines for code in drawn}
    query = select(Agreement.code, Agreement.id).where(Agreement.code.in_(codes))
    ids = {row.code: row.id for row in db.session.execute(unscoped(query, _REASON))}
    wanted = {}
    for line, drawn in lines:
        left = line.base_quantity - gone.get(line.id, ZERO) * line.base_quantity / line.quantity
        for code, quantity in drawn.items():
            taken = min(quantity, max(left, ZERO))
            left -= taken
            if code in ids and (taken or line.order_id in known):
                wanted[line.order_id, line.position, ids[code]] = (
                    (taken, ZERO) if line.state == "submitted" else (ZERO, taken)
                )
    return wanted


def _drawing(order_ids: Sequence[int]) -> list[tuple[Any, dict[str, Decimal]]]:
    """Return the lines of counted orders that draw from agreements, with what each draws by code."""
    query = (
        select(
            OrderLine.id, OrderLine.order_id, OrderLine.position, OrderLine.quantity, OrderLine.base_quantity,
            OrderLine.price_source, OrderLine.manual, Order.state,
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.id.in_(order_ids), Order.state.in_(COUNTED))
        .where(OrderLine.price_source.startswith(engine.PREFIX) | (OrderLine.price_source == MANUAL))
    )  # fmt: skip
    found = []
    for line in db.session.execute(query):
        source, whole = line.price_source, line.base_quantity
        if source == MANUAL:  # lowered by hand after it was placed: it draws as it did
            kept = line.manual or {}
            source, least = kept.get("source", ""), Decimal(kept.get("least") or line.quantity)
            whole = whole * min(least, line.quantity) / line.quantity
        drawn = engine.drawn(source, whole)
        if drawn:
            found.append((line, drawn))
    return found


def _gone(line_ids: Sequence[int]) -> dict[int, Decimal]:
    query = (
        select(Movement.line_id, func.sum(Movement.quantity).label("gone"))
        .where(Movement.line_id.in_(line_ids), Movement.kind.in_(GONE))
        .group_by(Movement.line_id)
    )
    return {row.line_id: row.gone for row in db.session.execute(query)}
