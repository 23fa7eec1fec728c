"""What rules ask about an order: figures of drafts, for many orders at once; those that need the database read it once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.api.catalog import Category, Product
from core.api.companies import Address, Company, current_company, descendants, seller
from core.api.data import clock, db, once, unscoped
from core.api.hooks import DraftLine, OrderDraft, OrderFact
from core.api.i18n import pick, translations
from core.api.orders import Order, OrderLine, discounts_of, load_facts, order_facts

from . import allocation, basis, overruns
from .centre_models import CostCentre

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"
HUNDRED, ZERO = Decimal(100), Decimal(0)
#: What a line whose price staff set by hand says of where it comes from.
BY_HAND = "manual"
_REASON = "a rule of a parent company may ask about an order of a subsidiary"


def specs(*, ours: bool = False) -> Mapping[str, OrderFact]:
    """Return the figures that rules may name, the addon's own without its name; ``ours``: those of the seller's rules."""
    found = {name.removeprefix(f"{OWNER}."): spec for name, spec in order_facts().items()}
    return {name: spec for name, spec in found.items() if ours or not spec.internal}


def of_drafts(drafts: Sequence[OrderDraft], names: Collection[str]) -> list[dict[str, Any]]:
    """Return the named figures of each draft, and its total, in the drafts' currencies."""
    wanted = {name if "." in name else f"{OWNER}.{name}" for name in {*names, "total"}}
    return [{name.removeprefix(f"{OWNER}."): v for name, v in found.items()} for found in load_facts(wanted, drafts)]


def average_discount(lines: Iterable[tuple[Decimal, Decimal, Decimal]], order_discount: Decimal = ZERO) -> Decimal:
    """Return the percent below list of (list price, price, quantity), weighted by quantity; an order's discount first."""
    listed = paid = Decimal(0)
    for list_price, price, quantity in lines:
        listed += list_price * quantity
        paid += price * quantity
    return HUNDRED - HUNDRED * paid * (HUNDRED - order_discount) / HUNDRED / listed if listed else Decimal(0)


def _each(value: Callable[[OrderDraft], Any]) -> Callable[[Sequence[OrderDraft]], list[Any]]:
    return lambda drafts: [value(draft) for draft in drafts]


def _freight(drafts: Sequence[OrderDraft]) -> list[Decimal]:
    return [draft.charges_net - off for draft, off in zip(drafts, discounts_of(drafts), strict=True)]


def _discount(drafts: Sequence[OrderDraft]) -> list[Decimal]:
    """Return the percent below list of the lines that have both prices, and of what comes off the whole order."""
    found = []
    for draft, off in zip(drafts, discounts_of(drafts), strict=True):
        priced = ((x.list_price, x.unit_price, x.quantity / x.per) for x in draft.lines)
        both = ((listed, paid, count) for listed, paid, count in priced if listed is not None and paid is not None)
        found.append(average_discount(both, HUNDRED * -off / draft.net if draft.net else ZERO))
    return found


def _by_hand(draft: OrderDraft) -> Decimal:
    return Decimal(sum(1 for line in draft.lines if line.price_source == BY_HAND))


def _products(drafts: Iterable[OrderDraft]) -> list[int]:
    return sorted({x.product_id for draft in drafts for x in draft.lines if x.product_id is not None})


def _categories(drafts: Sequence[OrderDraft]) -> list[frozenset[str]]:
    """Return the categories of an order's products, with those above them."""
    ids = tuple(_products(drafts))
    paths = once(("approval_chain.paths", ids), lambda: _paths(ids))
    return [frozenset(code for x in draft.lines for code in paths.get(x.product_id, ())) for draft in drafts]


def _paths(product_ids: Sequence[int]) -> dict[int | None, list[str]]:
    query = select(Product.id, Category.path).join(Category, Category.id == Product.category_id)
    rows = db.session.execute(query.where(Product.id.in_(product_ids)))
    return {row.id: row.path.strip("/").split("/") for row in rows}


def _addresses(drafts: Sequence[OrderDraft]) -> dict[int | None, Any]:
    ids = sorted({draft.ship_to_id for draft in drafts if draft.ship_to_id is not None})
    query = select(Address.id, Address.code, Address.country).where(Address.id.in_(ids))
    return {row.id: row for row in db.session.execute(unscoped(query, _REASON))} if ids else {}


def _ship_to(drafts: Sequence[OrderDraft]) -> list[frozenset[str] | None]:
    found = _addresses(drafts)
    return [frozenset({row.code}) if (row := found.get(draft.ship_to_id)) else None for draft in drafts]


def _country(drafts: Sequence[OrderDraft]) -> list[frozenset[str] | None]:
    found = _addresses(drafts)
    return [frozenset({row.country}) if (row := found.get(draft.ship_to_id)) else None for draft in drafts]


def _company(drafts: Sequence[OrderDraft]) -> list[frozenset[str]]:
    ids = sorted({draft.company_id for draft in drafts})
    rows = db.session.execute(unscoped(select(Company.id, Company.code).where(Company.id.in_(ids)), _REASON))
    codes = {row.id: row.code for row in rows}
    return [frozenset({codes[draft.company_id]}) for draft in drafts]


def _first(drafts: Sequence[OrderDraft]) -> list[frozenset[str]]:
    """Tell whether the company has no other order that was placed and stands."""
    ids = sorted({draft.company_id for draft in drafts})
    placed = Order.state.in_(("submitted", "confirmed", "completed"))
    query = select(Order.company_id, func.min(Order.id), func.count()).where(Order.company_id.in_(ids), placed)
    rows = db.session.execute(unscoped(query.group_by(Order.company_id), _REASON))
    known = {company_id: (first, count) for company_id, first, count in rows}

    def first(draft: OrderDraft) -> bool:
        oldest, count = known.get(draft.company_id, (draft.order_id, 0))
        return not count or oldest == draft.order_id

    return [frozenset({"yes" if first(draft) else "no"}) for draft in drafts]


def _wished(drafts: Sequence[OrderDraft]) -> list[Decimal | None]:
    """Return in how many days delivery is wished, counted from the day of the order; None: whenever it may be."""
    ids, zone = sorted({draft.order_id for draft in drafts if draft.wished_date}), seller().zone
    query = unscoped(select(Order.id, Order.submitted_at).where(Order.id.in_(ids)), _REASON)
    placed = {row.id: row.submitted_at for row in db.session.execute(query)} if ids else {}

    def days(draft: OrderDraft) -> Decimal | None:
        at = placed.get(draft.order_id) or clock.now()
        return Decimal((draft.wished_date - at.astimezone(ZoneInfo(zone)).date()).days) if draft.wished_date else None

    return [days(draft) for draft in drafts]


def _dearer(drafts: Sequence[OrderDraft]) -> list[Decimal | None]:
    """Return by how many percent the dearest line costs more than when the company bought it last; None: all is new."""
    ids = sorted({draft.company_id for draft in drafts})
    last = (
        select(func.max(OrderLine.id))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.company_id.in_(ids), Order.state.in_(("confirmed", "completed")))
        .where(OrderLine.product_id.in_(_products(drafts)), OrderLine.unit_price > 0)
        .group_by(Order.company_id, OrderLine.product_id, OrderLine.unit)
    )
    rows = db.session.scalars(unscoped(select(OrderLine).where(OrderLine.id.in_(last)), _REASON))
    paid = {(row.company_id, row.product_id, row.unit): (row.unit_price or 0) / row.per for row in rows}

    def rise(draft: OrderDraft, line: DraftLine) -> Decimal | None:
        before = paid.get((draft.company_id, line.product_id, line.unit))
        return HUNDRED * (line.net / line.quantity - before) / before if before and line.net is not None else None

    rises = [[r for line in draft.lines if (r := rise(draft, line)) is not None] for draft in drafts]
    return [max(found, default=None) for found in rises]


def _new(drafts: Sequence[OrderDraft]) -> list[Decimal]:
    """Return how many different products of an order its company has not bought before."""
    ids = sorted({draft.company_id for draft in drafts})
    query = (
        select(Order.company_id, OrderLine.product_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.company_id.in_(ids), Order.state.in_(("confirmed", "completed")))
        .where(OrderLine.product_id.in_(_products(drafts)), ~OrderLine.free)
        .distinct()
    )
    bought = {tuple(row) for row in db.session.execute(unscoped(query, _REASON))}
    asked = [{(draft.company_id, line.product_id) for line in draft.lines} for draft in drafts]
    return [Decimal(len(one - bought)) for one in asked]


def _centres(drafts: Sequence[OrderDraft]) -> list[frozenset[str]]:
    return [frozenset(centre.code for centre in found) for found in allocation.of_drafts(drafts)]


def _over_budget(drafts: Sequence[OrderDraft]) -> list[Decimal | None]:
    """Return by how much orders exceed the budgets of their cost centres; None: they are on none."""
    return [overruns.total_over(draft, found) for draft, found in zip(drafts, overruns.of_drafts(drafts), strict=True)]


def centre_options() -> Iterable[tuple[str, object]]:
    """Return the cost centres in use of the actor's company and its subsidiaries by code."""
    here = current_company()
    query = select(CostCentre.code, CostCentre.name).where(CostCentre.active).order_by(CostCentre.code)
    if here is not None:
        query = query.where(CostCentre.company_id.in_(descendants(here.id)))
    return [(row.code, row.name) for row in db.session.execute(query)]


def category_options() -> Iterable[tuple[str, object]]:
    """Return the categories by code."""
    rows = db.session.scalars(select(Category).order_by(Category.code))
    return [(row.code, pick(row.name, fallback=row.code)) for row in rows]


def address_options() -> Iterable[tuple[str, object]]:
    """Return delivery addresses of the actor's company and its subsidiaries by code."""
    here = current_company()
    if here is None:
        return []
    query = select(Address.code, Address.name, Address.city).where(Address.company_id.in_(descendants(here.id)))
    rows = db.session.execute(query.where(Address.active, Address.use != "bill_to").order_by(Address.code, Address.id))
    return list({row.code: f"{row.name}, {row.city}" for row in rows}.items())


#: The figures that are read from an order without its lines.
OF_HEADS = frozenset({"total", "goods", "gross", "freight", "ship_to", "country", "wished", "currency", "company", "first"})
YES_NO = (("yes", _l("Yes")), ("no", _l("No")))
FACTS = (
    OrderFact("total", basis.TITLE, "money", basis.amounts, order=10),
    OrderFact("goods", _l("Goods without tax and freight"), "money", _each(lambda draft: draft.net), order=11),
    OrderFact("gross", _l("Total with tax"), "money", _each(lambda draft: draft.gross), order=12),
    OrderFact("freight", _l("Freight and charges without tax"), "money", _freight, order=13),
    OrderFact("lines", _l("Number of lines"), "number", _each(lambda draft: Decimal(len(draft.lines))), order=20),
    OrderFact(
        "products", _l("Number of different products"), "number",
        _each(lambda draft: Decimal(len({line.product_id for line in draft.lines}))), order=21,
    ),
    OrderFact(
        "quantity", _l("Quantity of all lines, in base units"), "number",
        _each(lambda draft: sum((line.base_quantity for line in draft.lines), Decimal(0))), order=22,
    ),
    OrderFact("discount", _l("Percent below list price"), "percent", _discount, order=30),
    OrderFact("dearer", _l("Percent dearer than bought last (the dearest line)"), "percent", _dearer, order=31),
    OrderFact("new_products", _l("Products that the company has not bought before"), "number", _new, order=23),
    OrderFact("by_hand", _l("Lines with a price set by hand"), "number", _each(_by_hand), order=32),
    OrderFact("sku", _l("Products"), "codes", _each(lambda draft: frozenset(x.sku for x in draft.lines)), order=40),
    OrderFact("category", _l("Categories"), "choice", _categories, category_options, order=41),
    OrderFact("ship_to", _l("Delivery address"), "choice", _ship_to, address_options, order=50),
    OrderFact("country", _l("Country of delivery"), "codes", _country, order=51),
    OrderFact("wished", _l("Days until the wished delivery"), "number", _wished, order=53),
    OrderFact("currency", _l("Currency"), "codes", _each(lambda draft: frozenset({draft.currency})), order=52),
    OrderFact("cost_centre", _l("Cost centre"), "choice", _centres, centre_options, order=70),
    OrderFact("budget_overrun", _l("More than is left of budgets"), "money", _over_budget, order=71),
    OrderFact("company", _l("Company that orders"), "codes", _company, order=60),
    OrderFact("first", _l("First order of the company"), "choice", _first, lambda: YES_NO, order=61),
)  # fmt: skip
