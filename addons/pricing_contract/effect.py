"""Whom a change of prices touches: the engine's own prices before and after, worked out in a step that is rolled back.

The same engine prices both sides, so what is shown is what will be charged. Limits keep it short: the companies that
bought most and the products that are ordered most come first, and what was left out is said. All rows are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.orm import aliased

from core.api.catalog import Category, Product
from core.api.companies import Company, CompanySegment, descendants_of
from core.api.data import clock, db, write
from core.api.orders import Order, OrderLine
from core.api.pricing import PriceContext, PriceLine, PriceRequest, context, line_net, price

from .change_rows import give_way
from .models import Contract, ProductValue
from .saving import groups

#: Companies and (for rows of a category or of everything) products that are priced at most.
COMPANIES, PRODUCTS = 100, 500
#: Prices (company × product × quantity) that are compared at most, in all and for one company.
PRICES, OF_ONE = COMPANIES * PRODUCTS, 5000
#: Prices that are worked out in one trial, which keeps others from writing.
AT_ONCE = 5000
SHOWN = 25
ONE, HUNDRED = Decimal(1), Decimal(100)


class Asked(NamedTuple):
    """A price to compare: what, in which unit and from which quantity."""

    product_id: int
    unit: str
    quantity: Decimal


def effect_of(
    contract: Contract,
    rows: Iterable[Mapping[str, Any]],
    apply: Callable[[Collection[int]], None],
    then: Mapping[str, Any],
) -> dict[str, Any]:
    """Return as JSON what ``apply`` (of the products that are looked at) would do to the prices of those concerned.

    ``rows`` have target, unit and min_quantity; ``then`` are the contract's new terms, if any. Counts are of prices (company
    × product × quantity); ``jumps`` are the largest by percent, ``carts`` those whose value moves. Money is text, in each
    company's own currency.
    """
    concerned, total = _concerned([_audience(contract, {}), _audience(contract, then)])
    named, below, reach = _asked(rows)
    every = [*named, *below]
    asked = _known(every[: min(OF_ONE, max(PRODUCTS, PRICES // max(1, len(concerned))))])
    carts = _cart_lines([company.id for company in concerned], {one.product_id for one in asked})
    before = {company.id: _prices(company, asked, carts) for company in concerned}
    after: dict[int, tuple[PriceLine, ...]] = {}
    for some in groups(concerned, max(1, AT_ONCE // max(1, len(asked)))):
        with write():  # only what follows the change needs the lock, and not for all companies at a time
            after |= _after(lambda: apply({one.product_id for one in asked}), some, asked, carts)
        give_way()
    names = _products({one.product_id for one in asked})
    touched = [
        (company, old, new) for company in concerned for old, new in zip(before[company.id], after[company.id], strict=True)
    ]
    prices = [(company, old, new) for company, old, new in touched if not old.key.startswith("cart:")]
    return {
        "at": clock.now().isoformat(),
        "companies": total,
        "priced": len(concerned),
        "products": max(reach, len({one.product_id for one in every})),
        "looked_at": len(names),
        **_counted(prices),
        "jumps": _jumps(prices, names),
        "carts": _carts(touched, carts),
    }


def _after(
    apply: Callable[[], None], some: Sequence[Buyer], asked: Sequence[Asked], carts: Sequence[CartLine]
) -> dict[int, tuple[PriceLine, ...]]:
    """Return the prices of some companies as they would be, worked out in a step that is rolled back."""
    trial = db.session.begin_nested()
    try:
        apply()
        db.session.flush()
        return {company.id: _prices(company, asked, carts) for company in some}
    finally:
        trial.rollback()


def _asked(rows: Iterable[Mapping[str, Any]]) -> tuple[list[Asked], list[Asked], int]:
    """Return the prices that the rows may move: each product at the row's quantity, then products of a category at one.

    Last comes how many products the rows for categories or everything are for, of which only some are asked for. What is
    ordered most comes first; where a row names no unit, it is the base unit's.
    """
    asked: dict[Asked, None] = {}
    beneath: dict[Asked, None] = {}
    general = []
    for row in rows:
        if row["target"] > 0:
            asked[Asked(row["target"], row["unit"], max(Decimal(row["min_quantity"]), ONE))] = None
        else:
            general.append(row)
    for row in general:
        quantity = max(Decimal(row["min_quantity"]), ONE)
        for product_id in _below(-row["target"]):
            beneath[Asked(product_id, row["unit"], quantity)] = None
    times = _ordered_most() if len(asked) > PRODUCTS else {}
    return sorted(asked, key=lambda one: times.get(one.product_id, len(times))), list(beneath), _reach(general)


def _known(asked: Sequence[Asked]) -> list[Asked]:
    """Return the prices with their units, each once: a row for everything and one for the product may ask for the same."""
    units: dict[int, str] = {}
    for some in groups(sorted({one.product_id for one in asked if not one.unit})):
        units |= _base_units(set(some))
    return list(dict.fromkeys(one._replace(unit=one.unit or units[one.product_id]) for one in asked))


def _ordered_most() -> dict[int, int]:
    """Return the place of each of the products that are on most lines of orders."""
    query = select(OrderLine.product_id).where(OrderLine.product_id.is_not(None)).group_by(OrderLine.product_id)
    found = db.session.scalars(query.order_by(func.count().desc(), OrderLine.product_id).limit(PRICES))
    return {product_id: place for place, product_id in enumerate(found) if product_id is not None}


def _reach(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return how many products rows for categories (or for everything) are for."""
    categories = {-row["target"] for row in rows}
    query = select(func.count()).select_from(Product)
    if 0 not in categories:
        named, own = aliased(Category), aliased(Category)
        above = func.substr(own.path, 1, func.length(named.path)) == named.path
        within = select(own.id).join(named, above).where(named.id.in_(categories))
        query = query.where(Product.category_id.in_(within))
    return db.session.scalar(query) or 0 if categories else 0


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
    where: PriceContext


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
    return [Buyer(*row, where=context(company_id=row.id)) for row in found], total


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
    columns = [getattr(OrderLine, name) for name in CartLine._fields]
    query = (
        select(*columns)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state == "cart", Order.company_id.in_(company_ids))
        .order_by(OrderLine.id)
    )
    return [CartLine(*row) for row in db.session.execute(query) if row.product_id in product_ids]


def _prices(company: Buyer, asked: Sequence[Asked], carts: Sequence[CartLine]) -> tuple[PriceLine, ...]:
    requests = [PriceRequest(str(n), *one) for n, one in enumerate(asked)]
    requests += [
        PriceRequest(f"cart:{line.id}", line.product_id, line.unit, line.quantity)
        for line in carts
        if line.company_id == company.id
    ]
    return price(company.where, requests).lines


def _products(product_ids: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in groups(sorted(product_ids)):
        query = select(Product.id, Product.sku).where(Product.id.in_(some))
        found |= {row.id: row.sku for row in db.session.execute(query)}
    return found


Pair = tuple[Buyer, PriceLine, PriceLine]


def _percent(old: PriceLine, new: PriceLine) -> Decimal | None:
    """Return by how many percent the price moves; None where either side has none, or the old one is zero."""
    if old.price is None or new.price is None or not old.price:
        return None
    return (new.price * old.per / (old.price * new.per) - ONE) * HUNDRED


def _counted(prices: Iterable[Pair]) -> dict[str, int]:
    counts = dict.fromkeys(("rises", "falls", "same", "appears", "vanishes"), 0)
    for _company, old, new in prices:
        counts[_moves(old, new)] += 1
    return counts


def _moves(old: PriceLine, new: PriceLine) -> str:
    """Return how the price moves; 10.00 for one and 1000 for a hundred are the same."""
    if old.price is None or new.price is None:
        return "same" if old.price is new.price else "appears" if old.price is None else "vanishes"
    was, will = old.price * new.per, new.price * old.per
    return "rises" if will > was else "falls" if will < was else "same"


def _jumps(prices: Iterable[Pair], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the largest moves; of equal ones the first."""
    moved = [(abs(by), pair) for pair in prices if (by := _percent(*pair[1:]))]
    shown = sorted(moved, key=lambda one: -one[0])[:SHOWN]
    costs = _costs({pair[1].product_id for _by, pair in shown})
    return [
        {
            "company": company.name, "code": company.code, "currency": company.where.currency,
            "sku": names.get(old.product_id, ""), "unit": old.unit, "quantity": str(old.quantity),
            "before": _text(old), "after": _text(new), "per": [str(old.per), str(new.per)],
            "percent": str(round(_percent(old, new) or 0, 1)), "margin": _margin(company, new, costs),
        }
        for _by, (company, old, new) in shown
    ]  # fmt: skip


def _text(line: PriceLine) -> str | None:
    return None if line.price is None else str(line.price)


def _costs(product_ids: set[int]) -> dict[int, tuple[str, Decimal]]:
    columns = select(ProductValue.product_id, ProductValue.currency, ProductValue.amount).where(ProductValue.kind == "cost")
    found: dict[int, tuple[str, Decimal]] = {}
    for some in groups(sorted(product_ids)):
        found |= {row[0]: (row[1], row[2]) for row in db.session.execute(columns.where(ProductValue.product_id.in_(some)))}
    return found


def _margin(company: Buyer, line: PriceLine, costs: Mapping[int, tuple[str, Decimal]]) -> str | None:
    """Return the margin in percent of the price of a base unit; None where the cost is not known in the same currency."""
    currency, cost = costs.get(line.product_id, ("", None))
    if cost is None or not line.price or line.unit != line.base_unit or currency != company.where.currency:
        return None
    return str(round((ONE - cost * line.per / line.price) * HUNDRED, 1))


def _carts(touched: Iterable[Pair], carts: Sequence[CartLine]) -> list[dict[str, Any]]:
    """Return the open carts whose value moves, with the value of the lines concerned before and after."""
    lines = {f"cart:{line.id}": line for line in carts}
    sums: dict[int, dict[str, Any]] = {}
    for company, old, new in touched:
        line = lines.get(old.key)
        if line is None or _moves(old, new) == "same":
            continue
        currency = company.where.currency
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
