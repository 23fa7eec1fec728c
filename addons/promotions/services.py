"""Which promotions may hold for a document, and what they take off: a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from core.api.catalog import Category, Product
from core.api.companies import ancestors, segment_ids
from core.api.data import clock, db, locked, once, unscoped, writing
from core.api.hooks import (
    ChargeLine,
    ChargeRequest,
    DataCheck,
    Discount,
    DiscountRequest,
    Finding,
    FreeGoods,
    OrderDraft,
)
from core.api.i18n import translations
from core.api.orders import FREE, Order, OrderCharge, OrderLine

from . import engine
from .engine import Item, Rule, Selector
from .models import Promotion, Voucher

_, _l, ngettext, _p = translations(__name__)
OWNER = "promotions"
#: Sources of prices that nobody agreed on with the buyer.
OPEN_SOURCES = ("", "list")
USED = ("submitted", "confirmed", "completed")
_UNREAD = "a discount may come from a promotion that its buyer never reads"


def discounts(request: DiscountRequest) -> Iterator[Discount]:
    """Yield what promotions take off the document; the answer to the hook."""
    document = request.document
    rules = [rule for rule in rules_for(document) if rule.kind != engine.FREE_GOODS]
    if not rules:
        return
    items = items_of(document.lines, rules)
    for place, saving in enumerate(engine.savings(rules, items, request.charges, document.currency)):
        yield Discount(saving.rule.code, saving.rule.name, saving.lines, saving.charges, order=place)


def free_goods(document: ChargeRequest) -> Iterator[FreeGoods]:
    """Yield what promotions give beside the lines of the document; the answer to the hook."""
    rules = [rule for rule in rules_for(document) if rule.kind == engine.FREE_GOODS]
    for gift in engine.gifts(rules, items_of(document.lines, rules)) if rules else ():
        yield FreeGoods(gift.rule.code, gift.rule.name, gift.product_id, gift.quantity)


def rules_for(document: ChargeRequest) -> list[Rule]:
    """Return the promotions that hold for the buyer now: those without a code, and that of the voucher that was entered."""
    code = voucher_of(document.order_id)
    found = [
        (promotion, rule)
        for promotion, rule in _holding(document.company_id, document.currency, document.at)
        if promotion.voucher in ("", code)
    ]
    return [rule for promotion, rule in found if not used_up(promotion, document.company_id, document.order_id)]


def holding(company_id: int | None, currency: str) -> list[Rule]:
    """Return the promotions that hold for the buyer now, those with a voucher too."""
    return [rule for _promotion, rule in _holding(company_id, currency, clock.now())]


def _holding(company_id: int | None, currency: str, at: datetime) -> list[tuple[Promotion, Rule]]:
    """Return what holds at an instant; the parts of a page ask moments apart, which is one question."""
    key = ("promotions.holding", company_id, currency, at.replace(second=0, microsecond=0))
    return once(key, lambda: _read_holding(company_id, currency, at))


def _read_holding(company_id: int | None, currency: str, at: datetime) -> list[tuple[Promotion, Rule]]:
    counted, reduced = aliased(Category), aliased(Category)
    query: Select[Any] = (
        select(Promotion, counted.path, reduced.path)
        .outerjoin(counted, counted.id == Promotion.counted_category_id)
        .outerjoin(reduced, reduced.id == Promotion.reduced_category_id)
        .where(*in_force(at), Promotion.currency.in_(("", currency)), _for(company_id))
        .order_by(Promotion.code)
    )
    rows = db.session.execute(unscoped(query, _UNREAD)).all()
    return [(promotion, _rule(promotion, counts, less)) for promotion, counts, less in rows]


def in_force(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for promotions that are active at an instant."""
    ends = or_(Promotion.valid_until.is_(None), Promotion.valid_until > at)
    return Promotion.status == "active", Promotion.valid_from <= at, ends


def _for(company_id: int | None) -> ColumnElement[bool]:
    everybody = Promotion.company_id.is_(None) & Promotion.segment_id.is_(None)
    if company_id is None:
        return everybody
    ids = ancestors(company_id)
    return or_(everybody, Promotion.company_id.in_(ids), Promotion.segment_id.in_(segment_ids(ids)))


def _rule(promotion: Promotion, counted: str | None, reduced: str | None) -> Rule:
    names = (
        "code", "name", "kind", "value", "min_value", "min_quantity", "max_units", "free_quantity", "for_every",
        "with_charges", "on_agreed", "voucher",
    )  # fmt: skip
    return Rule(
        **{name: getattr(promotion, name) for name in names},
        counted=Selector(promotion.counted_product_id, counted),
        reduced=Selector(promotion.reduced_product_id, reduced),
    )


def items_of(lines: Iterable[ChargeLine], rules: Iterable[Rule]) -> list[Item]:
    """Return the lines that have a price, with their categories where a promotion asks for them."""
    priced = [line for line in lines if line.net is not None and line.quantity > 0]
    wanted = any(selector.path is not None for rule in rules for selector in (rule.counted, rule.reduced))
    paths = _paths([line.product_id for line in priced if line.product_id is not None]) if wanted else {}
    return [
        Item(
            x.key,
            x.product_id,
            x.quantity,
            x.net,
            paths.get(x.product_id or 0, ""),
            x.source not in OPEN_SOURCES,
            x.base_quantity,
        )
        for x in priced
        if x.net is not None
    ]


def _paths(product_ids: Sequence[int]) -> dict[int, str]:
    query = select(Product.id, Category.path).join(Category, Category.id == Product.category_id)
    return {row.id: row.path for row in db.session.execute(query.where(Product.id.in_(product_ids)))}


def voucher_of(order_id: int | None) -> str | None:
    """Return the code that was entered for the cart or order, None where there is none."""
    if order_id is None:
        return None
    query = select(Voucher.code).where(Voucher.order_id == order_id)
    return once(("promotions.voucher", order_id), lambda: db.session.scalar(query))


def used_up(promotion: Promotion, company_id: int | None, order_id: int | None) -> bool:
    """Tell whether other orders have used the promotion as often as it may be; asks only where there is a limit."""
    for limit, mine in ((promotion.uses, False), (promotion.uses_per_company, True)):
        if limit is not None and _uses(promotion, company_id if mine else None, order_id) >= limit:
            return True
    return False


def _uses(promotion: Promotion, company_id: int | None, order_id: int | None) -> int:
    query = select(func.count(func.distinct(Order.id))).where(Order.state.in_(USED))
    if promotion.kind == engine.FREE_GOODS:  # only a voucher is limited in its uses, and it leads to the few orders
        query = query.join(Voucher, Voucher.order_id == Order.id).join(OrderLine, OrderLine.order_id == Order.id)
        query = query.where(Voucher.code == promotion.voucher, OrderLine.price_source == source_of(promotion.code))
    else:
        query = query.join(OrderCharge, OrderCharge.order_id == Order.id)
        query = query.where(OrderCharge.owner == OWNER, OrderCharge.code == promotion.code)
    if company_id is not None:
        query = query.where(Order.company_id == company_id)
    if order_id is not None:
        query = query.where(Order.id != order_id)
    return db.session.scalar(unscoped(query, "how often a voucher was used is counted over all companies")) or 0


def source_of(code: str) -> str:
    """Return what lines name that a promotion gives."""
    return f"{FREE}{OWNER}:{code}"


def last_use_granted_once(draft: OrderDraft) -> Sequence[Finding]:
    """Refuse an order whose voucher was used up meanwhile; the promotion is locked, so that the last use is granted once."""
    code = voucher_of(draft.order_id)
    if code is None:
        return ()
    query = select(Promotion).where(*in_force(clock.now()), Promotion.voucher == code).order_by(Promotion.id)
    if writing():  # the checkout page asks too, where nothing would hold a lock
        query = locked(query)
    for promotion in db.session.scalars(unscoped(query, _UNREAD)):
        charged = select(OrderCharge.id).where(OrderCharge.order_id == draft.order_id, OrderCharge.code == promotion.code)
        given = any(line.price_source == source_of(promotion.code) for line in draft.free)
        wanted = given or db.session.scalar(charged.limit(1)) is not None
        if wanted and used_up(promotion, draft.company_id, draft.order_id):
            text = _("The voucher %(code)s was just used up. Look at what you get now and order again.", code=code)
            return (Finding("VOUCHER-USED-UP", "block", text),)
    return ()


def overused() -> Iterator[str]:
    """Find promotions that more orders have used than may, altogether or of one company."""
    charged = select(Promotion).join(OrderCharge, and_(OrderCharge.code == Promotion.code, OrderCharge.owner == OWNER))
    given = select(Promotion).join(Voucher, Voucher.code == Promotion.voucher)
    given = given.join(
        OrderLine, and_(OrderLine.order_id == Voucher.order_id, OrderLine.price_source == source_of("") + Promotion.code)
    )
    for used, order_id in ((charged, OrderCharge.order_id), (given, OrderLine.order_id)):
        for limit, whose in ((Promotion.uses, ()), (Promotion.uses_per_company, (Order.company_id,))):
            query = used.join(Order, Order.id == order_id).where(Order.state.in_(USED), limit.is_not(None))
            query = query.group_by(Promotion.code, limit, *whose).having(func.count(func.distinct(Order.id)) > limit)
            yield from db.session.scalars(query.with_only_columns(Promotion.code).order_by(Promotion.code))


SWEEPS = (
    DataCheck(
        "PROMOTION-OVERUSED", "No promotion was used more often than it may be.", overused,
        "Look at the orders that it names as a discount; where the limit was lowered later, this is no fault.", "warning",
    ),
)  # fmt: skip
