"""Figures of the home page: how this month goes beside the same days of the last, in the seller's currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from core.backoffice.reports import USE
from core.companies.services import seller
from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.i18n import _
from core.orders.models import Order
from core.pricing.currency import RateMissing, rates
from core.pricing.money import round_money
from core.spec.ui import PageContext
from core.ui.dates import add_months
from core.ui.formats import money, qty
from core.ui.links import optional_url

PLACED = ("submitted", "confirmed", "completed")
OPEN = ("submitted", "confirmed")


def load(_context: PageContext) -> Mapping[str, Any]:
    """Return the stat cards of the month, net sales only for readers of reports, and how many orders are open."""
    zone, currency = seller().zone, seller().currency
    today = clock.today(zone)
    first = today.replace(day=1)
    start, earlier = clock.start_of_day(first, zone), clock.start_of_day(add_months(first, -1), zone)
    elapsed = clock.now() - start
    this, last = (_sums(at, at + elapsed, currency, today) for at in (start, earlier))
    waiting = db.session.scalar(select(func.count(Order.id)).where(Order.state.in_(OPEN))) or 0
    orders_url = optional_url("orders_admin.orders", submitted=f"{first.isoformat()}..")
    sales = (_sales(this, last, currency),) if current_actor().may(USE) else ()
    return {
        "stats": (
            *sales,
            _compared(_("Orders this month"), qty(this.orders), this.orders, last.orders) | {"url": orders_url},
            _compared(_("Companies that bought"), qty(this.companies), this.companies, last.companies),
            {"label": _("Open orders"), "value": qty(waiting), "note": _("placed and not completed")},
        )
    }


def _sales(this: _Sums, last: _Sums, currency: str) -> dict[str, Any]:
    """Return the card of net sales; where a currency has no rate it says so instead of comparing."""
    missing = sorted({*this.without_rate, *last.without_rate})
    card = _compared(_("Net sales this month"), money(this.net, currency), this.net, last.net)
    if missing:
        card |= {
            "trend": "",
            "note": _("without orders in %(currencies)s, for which there is no rate", currencies=", ".join(missing)),
        }
    return card


def _compared(label: str, shown: str, now: Decimal | int, before: Decimal | int) -> dict[str, Any]:
    return {
        "label": label,
        "value": shown,
        "trend": _trend(now, before),
        "note": _("compared with the same day of last month"),
    }


@dataclass(frozen=True, slots=True)
class _Sums:
    """Orders of a span of time: how many, by how many companies, their net; and the currencies that have no rate."""

    orders: int
    companies: int
    net: Decimal
    without_rate: tuple[str, ...]


def _sums(start: datetime, end: datetime, currency: str, day: date) -> _Sums:
    """Return the sums of [start, end), amounts at the rates of `day`."""
    span = (Order.state.in_(PLACED), Order.submitted_at >= start, Order.submitted_at < end)
    rows = db.session.execute(
        select(Order.currency, func.count(Order.id), func.sum(Order.net)).where(*span).group_by(Order.currency)
    ).all()
    buyers = db.session.scalar(select(func.count(func.distinct(Order.company_id))).where(*span)) or 0
    amounts = {source: _converted(total or Decimal(0), source, currency, day) for source, _count, total in rows}
    net = sum((amount for amount in amounts.values() if amount is not None), Decimal(0))
    missing = tuple(sorted(source for source, amount in amounts.items() if amount is None))
    return _Sums(sum(count for _source, count, _total in rows), buyers, net, missing)


def _converted(amount: Decimal, source: str, target: str, day: date) -> Decimal | None:
    try:
        return round_money(amount * rates([(source, target)], day)[source, target].value, target)
    except RateMissing:
        return None


def _trend(now: Decimal | int, before: Decimal | int) -> str:
    """Return the change in whole percent with its sign, '' where there is nothing to compare with."""
    if not before:
        return ""
    change = round((Decimal(now) - Decimal(before)) * 100 / Decimal(before))
    return f"{'+' if change >= 0 else '−'}{abs(change)}\u00a0%"
