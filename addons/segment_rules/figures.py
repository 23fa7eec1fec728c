"""What companies bought in a window: spend, orders, and the share of a category; each company with those beneath it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import func, select

from core.api.catalog import Category, Product
from core.api.companies import Company, seller
from core.api.data import db, today
from core.api.orders import Movement, Order, OrderLine
from core.api.pricing import rates

#: States of orders that count: what was only asked for or fell through does not.
COUNTED = ("confirmed", "completed")
ZERO, HUNDRED, CENT = Decimal(0), Decimal(100), Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Bought:
    """Net spend in the seller's currency without what came back, the number of orders, and the part in a category."""

    spend: Decimal = ZERO
    orders: int = 0
    in_category: Decimal = ZERO

    @property
    def share(self) -> Decimal:
        """Percent of the spend in the category, with two decimals; 0 without spend."""
        return (self.in_category * HUNDRED / self.spend).quantize(CENT, ROUND_HALF_UP) if self.spend > 0 else ZERO

    def __add__(self, other: Bought) -> Bought:
        return Bought(self.spend + other.spend, self.orders + other.orders, self.in_category + other.in_category)


@dataclass(frozen=True, slots=True)
class Buyer:
    """A company as rules see it."""

    id: int
    code: str
    name: str
    country: str
    parent_id: int | None


def buyers() -> dict[int, Buyer]:
    """Return every company that is not closed, by id."""
    query = select(Company.id, Company.code, Company.name, Company.country, Company.parent_id)
    return {row.id: Buyer(*row) for row in db.session.execute(query.where(Company.status != "closed"))}


def bought(since: datetime, companies: Mapping[int, Buyer], category_path: str = "") -> dict[int, Bought]:
    """Return what each company and those beneath it bought since then.

    At most six statements, whatever the number of companies and orders. Raises RateMissing where an order's currency has
    no rate of today to the seller's.
    """
    ordered = db.session.execute(_orders(since)).all()
    convert = _Converter(row.currency for row in ordered)
    own: dict[int, Bought] = defaultdict(Bought)
    for company_id, currency, net, orders in ordered:
        own[company_id] += Bought(convert(net, currency), orders)
    for company_id, currency, value in _returned(since, ""):
        own[company_id] += Bought(-convert(value, currency))
    if category_path:
        for company_id, currency, net in db.session.execute(_lines(since, category_path)):
            own[company_id] += Bought(in_category=convert(net, currency))
        for company_id, currency, value in _returned(since, category_path):
            own[company_id] += Bought(in_category=-convert(value, currency))
    return _with_those_above(own, companies)


class _Converter:
    """Amounts into the seller's currency at the newest rates of today, which are read at once."""

    def __init__(self, currencies: Iterable[str]) -> None:
        own = seller()
        found = rates([(currency, own.currency) for currency in set(currencies)], today(own.zone))
        self._rates = {currency: rate.value for (currency, _into), rate in found.items()}

    def __call__(self, amount: Decimal | None, currency: str) -> Decimal:
        return (amount or ZERO) * self._rates[currency]


def _counts(since: datetime) -> tuple[Any, ...]:
    return Order.state.in_(COUNTED), Order.submitted_at >= since


def _orders(since: datetime) -> Any:
    return (
        select(Order.company_id, Order.currency, func.sum(Order.net), func.count())
        .where(*_counts(since))
        .group_by(Order.company_id, Order.currency)
    )


def _within(query: Any, path: str) -> Any:
    """Limit a query of lines to the products of a category and those beneath it."""
    if not path:
        return query
    beneath = Category.path.startswith(path, autoescape=True)
    products = select(Product.id).join(Category, Category.id == Product.category_id).where(beneath)
    return query.where(OrderLine.product_id.in_(products))


def _lines(since: datetime, path: str) -> Any:
    query = select(OrderLine.company_id, Order.currency, func.sum(OrderLine.net)).join(Order, Order.id == OrderLine.order_id)
    return _within(query.where(*_counts(since)), path).group_by(OrderLine.company_id, Order.currency)


def _returned(since: datetime, path: str) -> Iterable[tuple[int, str, Decimal]]:
    """Return the worth of what came back, per line, with its company and currency."""
    query = (
        select(OrderLine.company_id, Order.currency, OrderLine.net, OrderLine.quantity, func.sum(Movement.quantity))
        .join(Order, Order.id == OrderLine.order_id)
        .join(Movement, Movement.line_id == OrderLine.id)
        .where(*_counts(since), Movement.kind == "returned")
        .group_by(OrderLine.id, OrderLine.company_id, Order.currency, OrderLine.net, OrderLine.quantity)
    )
    for company_id, currency, net, ordered, back in db.session.execute(_within(query, path)):
        yield company_id, currency, (net or ZERO) * back / ordered


def _with_those_above(own: Mapping[int, Bought], companies: Mapping[int, Buyer]) -> dict[int, Bought]:
    """Give every company the sum of itself and of all that are beneath it."""
    found: dict[int, Bought] = defaultdict(Bought)
    for company_id, mine in own.items():
        at, seen = companies.get(company_id), set()
        while at is not None and at.id not in seen:
            found[at.id] += mine
            seen.add(at.id)
            at = companies.get(at.parent_id) if at.parent_id is not None else None
    return found
