"""Enter a voucher for the open cart, take it back, and say what it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from core.api.data import clock, db, unscoped, write
from core.api.hooks import ChargeLine, Invalid, PageContext
from core.api.i18n import translations
from core.api.orders import Order, OrderCharge, current_cart, lines_of, refresh_cart

from . import engine, services
from .engine import Item, Rule
from .models import Promotion, Voucher

_, _l, ngettext, _p = translations(__name__)
NUDGES = 2


@dataclass(frozen=True, slots=True)
class Nudge:
    """What is missing for a promotion: value in the cart's currency, and quantity."""

    name: str
    value: Decimal
    quantity: Decimal


def enter(text: str) -> str:
    """Take the code for the open cart, whatever it takes off now; Invalid where it is none that holds for the company."""
    code = normal(text)
    if not code:
        raise Invalid("VOUCHER-EMPTY", _("Enter the code of your voucher."))
    with write() as session:
        order = current_cart()
        if order is None:
            raise Invalid("CART-EMPTY", _("Your cart is empty."))
        promotion = _known(code, order)
        if services.used_up(promotion, order.company_id, order.id):
            raise Invalid("VOUCHER-USED-UP", _("The voucher %(code)s is used up.", code=code))
        session.merge(Voucher(order_id=order.id, company_id=order.company_id, code=code))
        session.flush()
        refresh_cart()
    return code


def _known(code: str, order: Order) -> Promotion:
    """Return the promotion behind a code; unknown, ended and other companies' codes are not told apart."""
    names = [rule.code for rule in services.holding(order.company_id, order.currency) if rule.voucher == code]
    query = select(Promotion).where(Promotion.code.in_(names))
    found = db.session.scalar(unscoped(query, "a voucher is known by its code alone")) if names else None
    if found is None:
        raise Invalid("VOUCHER-UNKNOWN", _("There is no voucher %(code)s, or it does not hold for you now.", code=code))
    return found


def take_back() -> None:
    """Forget the voucher of the open cart."""
    with write() as session:
        order = current_cart()
        if order is not None:
            session.execute(delete(Voucher).where(Voucher.order_id == order.id))
            refresh_cart()


def normal(text: str) -> str:
    """Return a code as it is kept: capitals, without spaces."""
    return "".join(text.split()).upper()[:40]


def cart_panel(context: PageContext) -> Mapping[str, Any] | None:
    """Return the voucher of the cart, whether it takes something off, and what is missing for more."""
    if context.subject_id is None:
        return None
    order = db.session.get(Order, context.subject_id)
    if order is None:
        return None
    code = services.voucher_of(order.id)
    rules = services.holding(order.company_id, order.currency)
    vouchers = any(rule.voucher for rule in rules) or _any_voucher()
    if code is None and not rules and not vouchers:
        return None
    lines = [
        ChargeLine(x.product_id, x.unit, x.quantity, x.base_quantity, x.net, str(x.position), x.price_source)
        for x in lines_of(order.id)
    ]
    items = services.items_of(lines, rules)
    charged = set(db.session.scalars(select(OrderCharge.code).where(OrderCharge.order_id == order.id)))
    mine = next((rule for rule in rules if rule.voucher and rule.voucher == code), None)
    return {
        "code": code,
        "rule": mine,
        "applies": mine is not None and (mine.code in charged or mine in _giving(rules, code, items)),
        "missing": _nudge(mine, items) if mine else None,
        "nudges": _nudges([rule for rule in rules if not rule.voucher], items),
        "field": vouchers,
        "currency": order.currency,
    }


def _giving(rules: Sequence[Rule], code: str | None, items: Sequence[Item]) -> list[Rule]:
    return [gift.rule for gift in engine.gifts([rule for rule in rules if rule.voucher in ("", code)], items)]


def _any_voucher() -> bool:
    query = select(Promotion.id).where(*services.in_force(clock.now()), Promotion.voucher != "").limit(1)
    return db.session.scalar(unscoped(query, "whether the shop has vouchers at all is no secret")) is not None


def _nudges(rules: Sequence[Rule], items: Sequence[Item]) -> list[Nudge]:
    """Return the promotions for which least is missing: those that look at the whole cart, and free goods begun with."""
    whole = [rule for rule in rules if rule.counted == engine.Selector() or engine.begun(rule, items)]
    found = [nudge for rule in whole if (nudge := _nudge(rule, items)) is not None]
    return sorted(found, key=lambda nudge: (nudge.value, nudge.quantity, nudge.name))[:NUDGES]


def _nudge(rule: Rule, items: Sequence[Item]) -> Nudge | None:
    lacks = engine.missing(rule, items)
    return None if lacks is None else Nudge(rule.name, *lacks)


def facts(order_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """Return the vouchers of orders, for what is approved, exported and shown to programs."""
    query = select(Voucher.order_id, Voucher.code).where(Voucher.order_id.in_(order_ids))
    return {row.order_id: {"code": row.code} for row in db.session.execute(query)}


def copy(_source: int, _target: int) -> None:
    """Do not take a voucher over into another order: it is entered again."""
