"""What always holds of stored orders: amounts, states, holds, movements, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select, union_all

from core.data.db import db
from core.data.models import AuditEntry
from core.data.types import Amount, Quantity
from core.orders.models import Hold, Movement, Order, OrderCharge, OrderLine
from core.orders.movements import LineSums
from core.pricing.money import line_net, round_money
from core.registry.owners import known_owners
from core.registry.registry import registry
from core.spec.app import DataCheck

ZERO = Decimal(0)
#: Rows of a stream that are fetched at once.
STREAM = 1000
_NOTHING, _NONE = literal(ZERO, Amount), literal(ZERO, Quantity)
_PLACED = Order.state != "cart"
#: Imported documents keep the amounts of their source, and have the history that it had.
_COMPUTED = and_(_PLACED, Order.rounding == "line")
_OURS = and_(_PLACED, Order.source == "")
_ON_ITS_WAY = Order.state.in_(("confirmed", "completed"))


def _stream(query: Select[Any]) -> Any:
    return db.session.execute(query.execution_options(yield_per=STREAM))


def _named(*conditions: ColumnElement[bool]) -> Iterator[str]:
    """Yield the numbers of orders, of one that has none its id."""
    for number, order_id in _stream(select(Order.number, Order.id).where(*conditions).order_by(Order.id)):
        yield number or f"id {order_id}"


def amounts() -> Iterator[str]:
    """Find orders whose amounts are not the sums of their rows."""
    lines = select(OrderLine.order_id, func.sum(OrderLine.net).label("net")).group_by(OrderLine.order_id).subquery()
    charges = select(OrderCharge.order_id, func.sum(OrderCharge.net).label("net")).group_by(OrderCharge.order_id).subquery()
    differs = or_(
        Order.net != func.coalesce(lines.c.net, _NOTHING),
        Order.charges_net != func.coalesce(charges.c.net, _NOTHING),
        Order.gross != Order.net + Order.charges_net + Order.tax,
    )
    query = select(Order.number, Order.id).outerjoin(lines, lines.c.order_id == Order.id)
    query = query.outerjoin(charges, charges.c.order_id == Order.id).where(_COMPUTED, differs).order_by(Order.id)
    return (number or f"id {order_id}" for number, order_id in _stream(query))


def taxes() -> Iterator[str]:
    """Find orders whose VAT is not that of their rows, by category and rate, each rounded once."""
    rows = union_all(*(select(m.order_id, m.net, m.tax_category, m.tax_rate) for m in (OrderLine, OrderCharge))).subquery()
    how = (rows.c.order_id, rows.c.tax_category, rows.c.tax_rate)
    sums = select(*how, func.sum(rows.c.net).label("base")).group_by(*how).subquery()
    heads = (Order.id, Order.number, Order.currency, Order.tax, Order.tax_lines)
    query = select(*heads, sums.c.tax_category, sums.c.tax_rate, sums.c.base).join(sums, sums.c.order_id == Order.id)
    for _order_id, found in groupby(_stream(query.where(_COMPUTED).order_by(Order.id)), key=lambda row: row.id):
        categories = list(found)
        if not _taxed_right(categories):
            yield categories[0].number or f"id {categories[0].id}"


def _taxed_right(rows: list[Any]) -> bool:
    head = rows[0]
    bases = {(row.tax_category, row.tax_rate or ZERO): row.base for row in rows if row.base}
    stored: dict[tuple[str, Decimal], Decimal] = {}
    tax = ZERO
    for line in head.tax_lines:
        rate, base, amount = (Decimal(line[name]) for name in ("rate", "base", "tax"))
        if amount != round_money(base * rate / 100, head.currency):
            return False
        tax += amount
        stored[line["category"], rate] = stored.get((line["category"], rate), ZERO) + base
    return tax == head.tax and {key: base for key, base in stored.items() if base} == bases


def nets() -> Iterator[str]:
    """Find lines whose net is not quantity × price, rounded once."""
    columns = (OrderLine.quantity, OrderLine.unit_price, OrderLine.per, OrderLine.net)
    query = select(Order.number, Order.currency, OrderLine.position, *columns).join(OrderLine.order).where(_COMPUTED)
    for row in _stream(query):
        wanted = None if row.unit_price is None else line_net(row.quantity, row.unit_price, row.per, row.currency)
        if row.net != wanted:
            yield f"{row.number} line {row.position}"


def unfinished() -> Iterator[str]:
    """Find orders without a number, a date of submission, or a line."""
    lines = exists().where(OrderLine.order_id == Order.id)
    return _named(_PLACED, or_(Order.number.is_(None), Order.submitted_at.is_(None), ~lines))


def undated() -> Iterator[str]:
    """Find orders in a state of which they do not say since when."""
    since = case(
        (Order.state == "confirmed", Order.confirmed_at),
        (Order.state == "completed", Order.completed_at),
        (Order.state.in_(("cancelled", "rejected")), Order.cancelled_at),
        else_=Order.submitted_at,
    )
    return _named(_OURS, since.is_(None))


def untold() -> Iterator[str]:
    """Find orders whose trail does not tell of their submission, or of their present state."""

    def told(action: Any) -> ColumnElement[bool]:
        return exists().where(
            AuditEntry.entity == "order", AuditEntry.entity_id == Order.number, AuditEntry.action == action
        )  # fmt: skip

    return _named(_OURS, or_(~told("submitted"), ~told(Order.state)))


def strangers() -> Iterator[str]:
    """Find orders of which a row is kept for another company."""
    kept = [
        exists().where(model.order_id == Order.id, model.company_id != Order.company_id)
        for model in (OrderLine, OrderCharge, Hold)
    ]
    moved = exists().where(
        Movement.line_id == OrderLine.id, OrderLine.order_id == Order.id, Movement.company_id != Order.company_id
    )  # fmt: skip
    return _named(or_(*kept, moved))


def held_and_confirmed() -> Iterator[str]:
    """Find orders that were confirmed against an open hold."""
    query = select(Order.number, Hold.blocks).join(Hold, Hold.order_id == Order.id)
    query = query.where(_ON_ITS_WAY, Hold.released_at.is_(None)).order_by(Order.id, Hold.id)
    return (number for number, blocks in _stream(query) if "confirm" in blocks)


def held_for_nothing() -> Iterator[str]:
    """Find open holds that say no reason, or that nobody releases: the addon runs and has no such hold."""
    here = registry()
    known = {(found.owner, found.value.code) for found in here.contributions("order_hold_types")}
    query = select(Order.number, Hold.owner, Hold.code, Hold.label).join(Hold, Hold.order_id == Order.id)
    for row in _stream(query.where(Order.state == "submitted", Hold.released_at.is_(None)).order_by(Order.id, Hold.id)):
        orphan = row.owner in here.addons and (row.owner, row.code) not in known
        if orphan or not row.label.strip():
            yield f"{row.number} ({row.owner}.{row.code})"


def held_by_nobody() -> Iterator[str]:
    """Find open holds of an addon that is gone: nothing releases them but force."""
    query = select(Order.number, Hold.owner, Hold.code).join(Hold, Hold.order_id == Order.id)
    goes_on = Order.state.in_(("submitted", "confirmed"))
    query = query.where(goes_on, Hold.released_at.is_(None), Hold.owner.not_in(known_owners())).order_by(Order.id, Hold.id)
    return (f"{row.number} ({row.owner}.{row.code})" for row in _stream(query))


def twice_a_cart() -> Iterator[str]:
    """Find people with two open carts in a company."""
    query = select(Order.company_id, Order.user_id).where(
        Order.state == "cart", Order.cart_name == "", Order.user_id.is_not(None)
    )  # fmt: skip
    for company, user in _stream(query.group_by(Order.company_id, Order.user_id).having(func.count() > 1)):
        yield f"company {company}, person {user}"


def moved_too_much() -> Iterator[str]:
    """Find lines of which more was shipped, invoiced, taken back … than they have room for."""
    keys = (Order.number, OrderLine.id, OrderLine.position, OrderLine.quantity)
    query = select(*keys, Movement.kind, func.sum(Movement.quantity).label("moved")).join(OrderLine.order)
    query = query.join(Movement, Movement.line_id == OrderLine.id).group_by(*keys, Movement.kind).order_by(OrderLine.id)
    for _line, found in groupby(_stream(query), key=lambda row: row.id):
        rows = list(found)
        sums = LineSums(rows[0].quantity, **{row.kind: row.moved for row in rows})
        if any(sums.room(row.kind) < 0 for row in rows):
            yield f"{rows[0].number} line {rows[0].position}"


def completed_too_early() -> Iterator[str]:
    """Find completed orders of which something is still to be shipped."""
    moved = (
        select(Movement.line_id, func.sum(Movement.quantity).label("sum"))
        .where(Movement.kind.in_(("shipped", "cancelled")))
        .group_by(Movement.line_id)
        .subquery()
    )
    open_line = select(OrderLine.id).outerjoin(moved, moved.c.line_id == OrderLine.id)
    open_line = open_line.where(OrderLine.order_id == Order.id, func.coalesce(moved.c.sum, _NONE) < OrderLine.quantity)
    return _named(_OURS, Order.state == "completed", open_line.exists())


_TELL = "Do not edit it by hand: report it with the order's history, and correct it by a credit or a new order."
_MEND = "Report it with the order's history; until it is mended, staff decide on the order desk."
CHECKS = (
    DataCheck("ORDER-AMOUNTS", "The amounts of an order are the sums of its lines, charges and taxes.", amounts, _TELL),
    DataCheck("ORDER-TAX", "The VAT of an order is that of its lines and charges.", taxes, _TELL),
    DataCheck("LINE-NET", "The net of a line is its quantity times its price.", nets, _TELL),
    DataCheck("ORDER-UNFINISHED", "A placed order has a number, a date and lines.", unfinished, _MEND),
    DataCheck("ORDER-UNDATED", "An order says since when it is in its state.", undated, _MEND),
    DataCheck("ORDER-UNTOLD", "The trail tells how an order came into its state.", untold, _MEND),
    DataCheck("ORDER-COMPANY", "The rows of an order are kept for the company of the order.", strangers, _MEND),
    DataCheck("HOLD-PASSED", "No order is confirmed while a hold stops that.", held_and_confirmed, _MEND),
    DataCheck(
        "HOLD-FOR-NOTHING", "Each open hold has a reason and somebody who releases it.", held_for_nothing,
        "Release it by force with a reason, on the order's page.", "warning",
    ),
    DataCheck(
        "HOLD-GONE", "Each open hold belongs to core or to an addon that is installed.", held_by_nobody,
        "Install the addon again, or release the hold by force with a reason, on the order's page.", "warning",
    ),
    DataCheck("CART-TWICE", "A person has one open cart in a company.", twice_a_cart, "Empty one of the carts."),
    DataCheck("MOVED-TOO-MUCH", "No more of a line is moved than was ordered.", moved_too_much, _TELL),
    DataCheck("COMPLETED-EARLY", "Of a completed order nothing is left to ship.", completed_too_early, _MEND),
)  # fmt: skip
