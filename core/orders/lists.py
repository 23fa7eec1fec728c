"""Saved lists: copies of a cart under a name, to be ordered from again and again. Each person's own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select

from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import write
from core.i18n import _
from core.orders import cart, queries
from core.orders.models import Order, OrderLine
from core.spec.errors import Invalid, NotFound

MAX_LISTS = 100
_COPIED = (
    "position", "product_id", "unit", "quantity", "base_quantity", "configuration", "split_key", "sku", "name", "unit_price",
    "per", "note", "customer_reference",
)  # fmt: skip


def save(name: str) -> Order:
    """Keep a copy of the open cart as the list ``name``; a list of that name is replaced."""
    name = " ".join(name.split())[:100]
    if not name:
        raise Invalid("LIST-NAME", _("Give the list a name."))
    with write():
        source = cart.current_cart()
        lines = queries.lines_of(source.id) if source else []
        if source is None or not lines:
            raise Invalid("CART-EMPTY", _("Your cart is empty; there is nothing to keep as a list."))
        found = db.session.scalar(select(Order).where(*_mine(), Order.cart_name == name))
        if found is None:
            found = _new_list(source, name)
        else:
            db.session.execute(delete(OrderLine).where(OrderLine.order_id == found.id))
        found.updated_at = clock.now()
        db.session.flush()
        db.session.execute(insert(OrderLine), [_copy(line, found) for line in lines])
    return found


def all_lists() -> Sequence[Any]:
    """Return the person's lists by name, with key, number of lines and the last change; one statement."""
    query = (
        select(
            Order.client_reference.label("key"),
            Order.cart_name.label("name"),
            func.count(OrderLine.id).label("lines"),
            Order.updated_at,
        )
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .where(*_mine())
        .group_by(Order.id, Order.client_reference, Order.cart_name, Order.updated_at)
        .order_by(func.lower(Order.cart_name), Order.id)
    )
    return db.session.execute(query).all()


def find(key: str) -> Order:
    """Return the person's list with ``key``; NotFound for any other, whoever's it is."""
    found = db.session.scalar(select(Order).where(*_mine(), Order.client_reference == key))
    if found is None:
        raise NotFound("LIST-NOT-FOUND", _("There is no such list."))
    return found


def remove(key: str) -> None:
    """Delete a list."""
    with write():
        found = find(key)
        db.session.execute(delete(OrderLine).where(OrderLine.order_id == found.id))
        db.session.execute(delete(Order).where(Order.id == found.id))


def _mine() -> tuple[Any, ...]:
    actor = current_actor()
    return (
        Order.company_id == actor.company_id,
        Order.user_id == cart.buyer_id(actor),
        Order.state == "cart",
        Order.cart_name != "",
    )


def _new_list(source: Order, name: str) -> Order:
    if len(all_lists()) >= MAX_LISTS:
        raise Invalid("TOO-MANY-LISTS", _("You have %(count)s lists; delete one first.", count=MAX_LISTS))
    found = Order(
        seller_id=source.seller_id, company_id=source.company_id, user_id=source.user_id, state="cart", cart_name=name,
        client_reference=f"list-{secrets.token_urlsafe(12)}", currency=source.currency, locale=source.locale,
        created_at=clock.now(), updated_at=clock.now(),
    )  # fmt: skip
    db.session.add(found)
    return found


def _copy(line: OrderLine, target: Order) -> dict[str, Any]:
    return {**{name: getattr(line, name) for name in _COPIED}, "order_id": target.id, "company_id": target.company_id}
