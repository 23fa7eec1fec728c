"""Reports of orders: every line of a period, and what was sold of each product and to each company."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, case, func, select

from core.companies.models import Company
from core.companies.services import seller
from core.data import clock
from core.data.db import db
from core.i18n import _, _l
from core.orders.models import STATES, Order, OrderLine
from core.pricing import manual
from core.spec.errors import Invalid
from core.spec.reports import ReportColumn, ReportParameter, ReportSource
from core.ui.states import state_of

_PART = 500
#: Orders that count as sold.
_SOLD = ("submitted", "confirmed", "completed")


def _this_month() -> date:
    return clock.today(seller().zone).replace(day=1)


def _today() -> date:
    return clock.today(seller().zone)


PERIOD = (
    ReportParameter("from", _l("From"), "day", _this_month, required=True),
    ReportParameter("to", _l("To and with"), "day", _today, required=True),
    ReportParameter("company", _l("Company code"), help=_l("Empty for all.")),
)


def _within(statement: Select[Any], values: Mapping[str, Any]) -> Select[Any]:
    """Keep what was ordered in the period, by the company; Invalid for a period that ends before it begins."""
    zone = seller().zone
    if values["to"] < values["from"]:
        raise Invalid("REPORT-PERIOD", _("The period ends before it begins."), details={"field": "to"})
    begin, end = clock.start_of_day(values["from"], zone), clock.end_of_day(values["to"], zone)
    statement = statement.where(Order.state.in_(_SOLD), Order.submitted_at >= begin, Order.submitted_at < end)
    if values["company"]:
        found = db.session.scalar(select(Company.id).where(Company.code == values["company"]))
        if found is None:
            said = _("There is no company %(code)s.", code=values["company"][:40])
            raise Invalid("COMPANY-UNKNOWN", said, details={"field": "company"})
        statement = statement.where(Order.company_id == found)
    return statement


def _streamed(statement: Select[Any]) -> Iterator[Sequence[Any]]:
    yield from db.session.execute(statement.execution_options(yield_per=_PART))


#: Why a line costs what it does; what gave the price before says nothing of one that was set by hand.
_reason = case((OrderLine.price_source == manual.SOURCE, ""), else_=OrderLine.price_reason)


def _lines(values: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    columns = (
        Order.number, Order.submitted_at, Order.state, Company.code, Company.name, OrderLine.sku, OrderLine.name,
        OrderLine.quantity, OrderLine.unit, OrderLine.unit_price, OrderLine.per, OrderLine.net, Order.currency, _reason,
    )  # fmt: skip
    joined = select(*columns).join(OrderLine, OrderLine.order_id == Order.id).join(Company, Company.id == Order.company_id)
    rows = _streamed(_within(joined, values).order_by(Order.submitted_at, Order.id, OrderLine.position))
    labels = {state: str(state_of(state).label) for state in STATES}
    return ((number, at, labels[state], *rest) for number, at, state, *rest in rows)


def _by_product(values: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    orders, quantity, net = func.count(Order.id.distinct()), func.sum(OrderLine.quantity), func.sum(OrderLine.net)
    columns = (OrderLine.sku, func.max(OrderLine.name), orders, quantity, OrderLine.unit, net, Order.currency)
    joined = select(*columns).join(OrderLine, OrderLine.order_id == Order.id)
    grouped = _within(joined, values).group_by(OrderLine.sku, OrderLine.unit, Order.currency)
    return _streamed(grouped.order_by(Order.currency, net.desc(), OrderLine.sku, OrderLine.unit))


def _by_company(values: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    net, charges = func.sum(Order.net), func.sum(Order.charges_net)
    columns = (Company.code, Company.name, func.count(Order.id), net, charges, Order.currency)
    joined = select(*columns).join(Company, Company.id == Order.company_id)
    grouped = _within(joined, values).group_by(Company.code, Company.name, Order.currency)
    return _streamed(grouped.order_by(Order.currency, net.desc(), Company.code))


_CURRENCY = ReportColumn("currency", _l("Currency"))

REPORTS = (
    ReportSource(
        "lines",
        _l("Order lines"),
        (
            ReportColumn("number", _l("Order"), "code"),
            ReportColumn("submitted", _l("Ordered"), "instant"),
            ReportColumn("state", _l("State")),
            ReportColumn("company", _l("Company code"), "code"),
            ReportColumn("company_name", _l("Company")),
            ReportColumn("sku", _l("Article code"), "code"),
            ReportColumn("name", _l("Article")),
            ReportColumn("quantity", _l("Quantity"), "quantity", "unit"),
            ReportColumn("unit", _l("Unit")),
            ReportColumn("unit_price", _l("Price"), "price", "currency"),
            ReportColumn("per", _l("Price is for"), "quantity", "unit"),
            ReportColumn("net", _l("Net"), "money", "currency"),
            _CURRENCY,
            ReportColumn("reason", _l("Reason of the price")),
        ),
        _lines,
        "orders.desk.view",
        PERIOD,
        _l("Every line that was ordered in a period, orders that were cancelled or rejected left out."),
        order=10,
    ),
    ReportSource(
        "by_product",
        _l("Sales by product"),
        (
            ReportColumn("sku", _l("Article code"), "code"),
            ReportColumn("name", _l("Article")),
            ReportColumn("orders", _l("Orders"), "number"),
            ReportColumn("quantity", _l("Quantity"), "quantity", "unit"),
            ReportColumn("unit", _l("Unit")),
            ReportColumn("net", _l("Net"), "money", "currency"),
            _CURRENCY,
        ),
        _by_product,
        "orders.desk.view",
        PERIOD,
        _l("What was ordered of each article, the largest sums first."),
        order=20,
    ),
    ReportSource(
        "by_company",
        _l("Sales by company"),
        (
            ReportColumn("company", _l("Company code"), "code"),
            ReportColumn("name", _l("Company")),
            ReportColumn("orders", _l("Orders"), "number"),
            ReportColumn("net", _l("Net"), "money", "currency"),
            ReportColumn("charges", _l("Freight and charges"), "money", "currency"),
            _CURRENCY,
        ),
        _by_company,
        "orders.desk.view",
        PERIOD,
        _l("What each company ordered, the largest sums first."),
        order=30,
    ),
)
