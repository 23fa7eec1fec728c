"""Whom a change of prices touches: the engine's own prices before and after, worked out in a step that is rolled back.

The same engine prices both sides, so what is shown is what will be charged. Limits keep it short: the companies that
bought most come first, and what was left out is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select, true

from core.api.catalog import Category, Product
from core.api.companies import Company, CompanySegment, descendants_of
from core.api.data import clock, db, write
from core.api.orders import Order, OrderLine
from core.api.pricing import PriceLine, PriceRequest, context, line_net, price

from .models import Contract, ProductValue

#: Companies and (for rows of a category or of everything) products that are priced at most.
COMPANIES, PRODUCTS = 100, 500
SHOWN = 25
ONE, HUNDRED = Decimal(1), Decimal(100)


class Asked(NamedTuple):
    """A price to compare: what, in which unit and from which quantity."""

    product_id: int
    unit: str
    quantity: Decimal


def effect_of(
    contract: Contract, rows: Iterable[Mapping[str, Any]], apply: Callable[[], None], then: Mapping[str, Any]
) -> dict[str, Any]:
    """Return as JSON what ``apply`` would do to the prices of those whom the contract concerns.

    ``rows`` have target, unit and min_quantity; ``then`` are the contract's new terms, if any. Counts are of prices (company
    × product × quantity); ``jumps`` are the largest by percent, ``carts`` those whose value moves. Money is text, in each
    company's own currency.
    """
    asked = _asked(rows)
    concerned, total = _concerned([_audience(contract, {}), _audience(contract, then)])
    carts = _cart_lines([company.id for company in concerned], {one.product_id for one in asked})
    before = {company.id: _prices(company, asked, carts) for company in concerned}
    with write():  # only what follows the change needs the lock
        trial = db.session.begin_nested()
        try:
            apply()
            db.session.flush()
            after = {company.id: _prices(company, asked, carts) for company in concerned}
        finally:
            trial.rollback()
    names = _products({one.product_id for one in asked})
    touched = [
        (company, old, new) for company in concerned for old, new in zip(before[company.id], after[company.id], strict=True)
    ]
    prices = [(company, old, new) for company, old, new in touched if not old.key.startswith("cart:")]
    return {
        "at": clock.now().isoformat(),
        "companies": total,
        "priced": len(concerned),
        "products": len(names),
        **_counted(prices),
        "jumps": _jumps(prices, names),
        "carts": _carts(touched, carts),
    }


def _asked(rows: Iterable[Mapping[str, Any]]) -> list[Asked]:
    """Return the prices that the rows may move: each product at the row's quantity, products of a category at one."""
    asked: dict[Asked, None] = {}
    general = []
    for row in rows:
        if row["target"] > 0:
            asked[Asked(row["target"], row["unit"], max(Decimal(row["min_quantity"]), ONE))] = None
        else:
            general.append(row)
    for row in general:
        quantity = max(Decimal(row["min_quantity"]), ONE)
        for product_id in _below(-row["target"]):
            asked[Asked(product_id, row["unit"], quantity)] = None
    units = _base_units({one.product_id for one in asked if not one.unit})
    known = [one._replace(unit=one.unit or units[one.product_id]) for one in asked]
    return list(dict.fromkeys(known))  # a row for everything and one for the product may ask for the same price


def _below(category_id: int) -> Sequence[int]:
    """Return products of the category and what is below it, or of all (0): those ordered most come first."""
    sold = select(OrderLine.product_id, func.count().label("times")).group_by(OrderLine.product_id).subquery()
    query = select(Product.id).outerjoin(sold, sold.c.product_id == Product.id)
    if category_id:
        path = select(Category.path).where(Category.id == category_id).scalar_subquery()
        query = query.join(Category, Category.id == Product.category_id).where(Category.path.startswith(path))
    return list(db.session.scalars(query.order_by(func.coalesce(sold.c.times, 0).desc(), Product.sku).limit(PRODUCTS)))


def _base_units(product_ids: set[int]) -> dict[int, str]:
    query = select(Product.id, Product.base_unit).where(Product.id.in_(product_ids))
    return {row.id: row.base_unit for row in db.session.execute(query)}


class Buyer(NamedTuple):
    """A company whose prices are compared."""

    id: int
    code: str
    name: str


class Circle(NamedTuple):
    """For whom a contract is, now or then."""

    audience: str
    company_id: int | None
    segment_id: int | None
    country: str


def _audience(contract: Contract, then: Mapping[str, Any]) -> Circle:
    return Circle(*(then.get(name, getattr(contract, name)) for name in Circle._fields))


def _concerned(circles: Sequence[Circle]) -> tuple[list[Buyer], int]:
    """Return companies whom a contract is for, those with the largest orders first, and how many there are in all."""
    inside = or_(*(_inside(circle) for circle in dict.fromkeys(circles)))
    query = select(Company.id, Company.code, Company.name).where(Company.status != "closed", inside)
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    placed = and_(Order.company_id == Company.id, Order.state != "cart")
    bought = select(func.coalesce(func.sum(Order.net), 0)).where(placed).correlate(Company).scalar_subquery()
    found = db.session.execute(query.order_by(bought.desc(), Company.code).limit(COMPANIES))
    return [Buyer(*row) for row in found], total


def _inside(circle: Circle) -> Any:
    conditions = [true()]
    if circle.audience == "company":
        conditions.append(Company.id.in_(descendants_of((circle.company_id or 0,))))
    elif circle.audience == "segment":
        members = select(CompanySegment.company_id).where(CompanySegment.segment_id == circle.segment_id)
        conditions.append(Company.id.in_(descendants_of(tuple(db.session.scalars(members)))))
    if circle.country:
        conditions.append(Company.country == circle.country)
    return and_(*conditions)


class CartLine(NamedTuple):
    """A line of an open cart."""

    id: int
    order_id: int
    company_id: int
    product_id: int
    unit: str
    quantity: Decimal


def _cart_lines(company_ids: Sequence[int], product_ids: set[int]) -> list[CartLine]:
    query = (
        select(
            OrderLine.id, OrderLine.order_id, OrderLine.company_id, OrderLine.product_id, OrderLine.unit, OrderLine.quantity
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state == "cart", Order.company_id.in_(company_ids), OrderLine.product_id.in_(product_ids))
        .order_by(OrderLine.id)
    )
    return [CartLine(*row) for row in db.session.execute(query)]


def _prices(company: Buyer, asked: Sequence[Asked], carts: Sequence[CartLine]) -> tuple[PriceLine, ...]:
    requests = [PriceRequest(str(n), *one) for n, one in enumerate(asked)]
    requests += [
        PriceRequest(f"cart:{line.id}", line.product_id, line.unit, line.quantity)
        for line in carts
        if line.company_id == company.id
    ]
    return price(context(company_id=company.id), requests).lines


def _products(product_ids: set[int]) -> dict[int, str]:
    query = select(Product.id, Product.sku).where(Product.id.in_(product_ids))
    return {row.id: row.sku for row in db.session.execute(query)}


Pair = tuple[Buyer, PriceLine, PriceLine]


def _percent(old: PriceLine, new: PriceLine) -> Decimal | None:
    """Return by how many percent the price moves; None where either side has none, or the old one is zero."""
    if old.price is None or new.price is None or not old.price:
        return None
    return (new.price * old.per / (old.price * new.per) - ONE) * HUNDRED


def _counted(prices: Iterable[Pair]) -> dict[str, int]:
    counts = dict.fromkeys(("rises", "falls", "same", "appears", "vanishes"), 0)
    for _company, old, new in prices:
        if old.price is None or new.price is None:
            key = "same" if old.price is new.price else "appears" if old.price is None else "vanishes"
        else:
            was, will = old.price * new.per, new.price * old.per
            key = "rises" if will > was else "falls" if will < was else "same"
        counts[key] += 1
    return counts


def _jumps(prices: Iterable[Pair], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the largest moves; of equal ones the first."""
    moved = [(abs(by), pair) for pair in prices if (by := _percent(*pair[1:]))]
    costs = _costs({pair[1].product_id for _by, pair in moved})
    shown = islice(sorted(moved, key=lambda one: -one[0]), SHOWN)
    return [
        {
            "company": company.name, "code": company.code, "currency": context(company_id=company.id).currency,
            "sku": names.get(old.product_id, ""), "unit": old.unit, "quantity": str(old.quantity),
            "before": _text(old), "after": _text(new), "per": [str(old.per), str(new.per)],
            "percent": str(round(_percent(old, new) or 0, 1)), "margin": _margin(company, new, costs),
        }
        for _by, (company, old, new) in shown
    ]  # fmt: skip


def _text(line: PriceLine) -> str | None:
    return None if line.price is None else str(line.price)


def _costs(product_ids: set[int]) -> dict[int, tuple[str, Decimal]]:
    query = select(ProductValue.product_id, ProductValue.currency, ProductValue.amount).where(
        ProductValue.kind == "cost", ProductValue.product_id.in_(product_ids)
    )
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query)}


def _margin(company: Buyer, line: PriceLine, costs: Mapping[int, tuple[str, Decimal]]) -> str | None:
    """Return the margin in percent of the price of a base unit; None where the cost is not known in the same currency."""
    currency, cost = costs.get(line.product_id, ("", None))
    if cost is None or not line.price or line.unit != line.base_unit or currency != context(company_id=company.id).currency:
        return None
    return str(round((ONE - cost * line.per / line.price) * HUNDRED, 1))


def _carts(touched: Iterable[Pair], carts: Sequence[CartLine]) -> list[dict[str, Any]]:
    """Return the open carts whose value moves, with the value of the lines concerned before and after."""
    lines = {f"cart:{line.id}": line for line in carts}
    sums: dict[int, dict[str, Any]] = {}
    for company, old, new in touched:
        line = lines.get(old.key)
        if line is None or _text(old) == _text(new):
            continue
        currency = context(company_id=company.id).currency
        one = sums.setdefault(
            line.order_id,
            {"company": company.name, "code": company.code, "currency": currency, "lines": 0, "before": 0, "after": 0},
        )
        one["lines"] += 1
        one["before"] += _net(old, currency)
        one["after"] += _net(new, currency)
    return [{**one, "before": str(one["before"]), "after": str(one["after"])} for one in sums.values()]


def _net(line: PriceLine, currency: str) -> Decimal:
    return Decimal(0) if line.price is None else line_net(line.quantity, line.price, line.per, currency)
