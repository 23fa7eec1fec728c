"""Panels of orders: the buyer's home and the queues of the staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import session, url_for
from sqlalchemy import func, select

from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.i18n import _, _l
from core.orders import articles, cart
from core.orders.models import Hold, Order, OrderLine
from core.pricing.services import may_see
from core.spec.ui import Card, PageContext, Panel
from core.ui.formats import age, display_zone

BOUGHT_OFTEN = 6


def continue_cart(_context: PageContext) -> Mapping[str, Any] | None:
    """The open cart, or what was chosen before signing in."""
    lines, total, currency = cart.badge()
    waiting = len(session.get(cart.SESSION_KEY, ())) if current_actor().company_id else 0
    return {"lines": lines, "total": total, "currency": currency, "waiting": waiting} if lines or waiting else None


def latest_orders(_context: PageContext) -> Mapping[str, Any] | None:
    """The company's last orders, with a button to order the same again."""
    company_id = current_actor().company_id
    if company_id is None:
        return None
    rows = db.session.execute(
        select(Order.number, Order.state, Order.submitted_at, Order.net, Order.currency, Order.user_name, Order.po_number)
        .where(Order.company_id == company_id, Order.state != "cart")
        .order_by(Order.submitted_at.desc(), Order.id.desc())
        .limit(5)
    ).all()
    zone = ZoneInfo(display_zone())
    orders = [{**row._mapping, "day": row.submitted_at.astimezone(zone).date()} for row in rows]
    return {"orders": orders, "priced": may_see()} if orders else None


def bought_often(_context: PageContext) -> Mapping[str, Any] | None:
    """What the company bought in most orders of a year and may still buy, in the unit that it mostly takes."""
    company_id = current_actor().company_id
    if company_id is None:
        return None
    since = clock.now() - timedelta(days=365)
    product, times = OrderLine.product_id, func.count(OrderLine.order_id.distinct())
    lines = select(product, times.label("times")).join(Order, Order.id == OrderLine.order_id)
    lines = lines.where(Order.company_id == company_id, Order.submitted_at >= since, product.is_not(None), ~OrderLine.free)
    often = lines.group_by(product).order_by(times.desc(), product).limit(BOUGHT_OFTEN * 2)
    found = {row.product_id: row.times for row in db.session.execute(often)}
    by_unit = lines.add_columns(OrderLine.unit).where(product.in_(found)).group_by(product, OrderLine.unit)
    units: dict[int, dict[str, int]] = {}
    for row in db.session.execute(by_unit.order_by(times.desc(), OrderLine.unit)) if found else ():
        units.setdefault(row.product_id, {}).setdefault(row.unit, row.times)
    known = articles.by_id(found)
    rows = [
        {"article": article, "unit": unit, "times": found[product_id]}
        for product_id in found
        if (article := known.get(product_id)) and article.availability == "ok"
        if (unit := next(filter(None, map(article.unit, units[product_id])), None))
    ]
    return {"rows": rows[:BOUGHT_OFTEN]} if rows else None


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of work: how many, since when the oldest, and where to go."""

    label: str
    url: str
    icon: str
    count: int
    note: str = ""
    urgent: bool = False


def queues(_context: PageContext) -> Mapping[str, Any] | None:
    """Orders that wait for staff: to confirm, on hold, to ship; one statement each."""
    held = select(Hold.order_id).where(Hold.released_at.is_(None))
    to_confirm = _queue(
        _("Orders to confirm"),
        "check2",
        {"state": "submitted", "hold": "free"},
        Order.state == "submitted",
        Order.id.not_in(held),
    )
    on_hold = _queue(
        _("Orders on hold"),
        "pause-circle",
        {"hold": "held", "state": "submitted,confirmed"},
        Order.state.in_(("submitted", "confirmed")),
        Order.id.in_(held),
    )
    to_ship = _queue(_("Orders to ship"), "truck", {"state": "confirmed"}, Order.state == "confirmed")
    return {"items": [to_confirm, on_hold, to_ship]}


def _queue(label: str, icon: str, params: Mapping[str, str], *conditions: Any) -> Queue:
    count, oldest = db.session.execute(select(func.count(Order.id), func.min(Order.submitted_at)).where(*conditions)).one()
    note = _("The oldest has waited for %(age)s.", age=age(oldest)) if oldest else ""
    late = bool(oldest and clock.now() - oldest > timedelta(days=1))
    return Queue(label, url_for("orders_admin.orders", **params), icon, count, note, late)


PANELS: Sequence[Panel] = (
    Panel(
        "cart",
        "storefront.home",
        "main",
        "orders/panels/cart.html",
        continue_cart,
        _l("Continue your cart"),
        "orders.cart.use",
        10,
    ),
    Panel(
        "latest",
        "storefront.home",
        "main",
        "orders/panels/latest.html",
        latest_orders,
        _l("Latest orders"),
        "orders.order.view",
        30,
    ),
    Panel(
        "often",
        "storefront.home",
        "side",
        "orders/panels/often.html",
        bought_often,
        _l("Bought often"),
        "orders.cart.use",
        20,
    ),
)
CARDS: Sequence[Card] = (Card("queues", "orders/panels/queues.html", queues, "queue", _l("Orders"), "orders.desk.view", 10),)
