"""What an article's page says of goods that come with it free of charge: the same promotions as the cart asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from core.api.catalog import Category, Product, product_views, visible_products
from core.api.data import db
from core.api.hooks import PageContext
from core.api.i18n import translations
from core.api.pricing import PriceRequest, may_see, price
from core.api.pricing import context as price_context
from core.api.ui import money_text, quantity_text

from . import services
from .engine import FREE_GOODS, ONE, Item, Rule

_, _l, ngettext, _p = translations(__name__)


@dataclass(frozen=True, slots=True)
class Offer:
    """What comes free of charge, in words, and the name of the promotion."""

    text: str
    name: str


def of_product(context: PageContext) -> Mapping[str, Any] | None:
    """Return what comes with the article for the buyer without a voucher; None where nothing does, or prices are hidden."""
    where = price_context()
    rules = [rule for rule in services.holding(where.company_id, where.currency) if rule.kind == FREE_GOODS]
    rules = [rule for rule in rules if not rule.voucher]
    if not rules or context.subject_id is None or not may_see():
        return None
    found = select(Product.id, Product.base_unit, Category.path).where(Product.id == context.subject_id)
    row = db.session.execute(found.outerjoin(Category, Category.id == Product.category_id)).one()
    item = Item("1", row.id, ONE, ONE, row.path or "")
    about = [rule for rule in rules if rule.counted.takes(item)]
    if not all(rule.on_agreed for rule in about) and _agreed(row.id, row.base_unit):
        about = [rule for rule in about if rule.on_agreed]
    others = _others(about)
    offers = [
        Offer(_text(rule, row.base_unit, others.get(rule.reduced.product_id or 0), where.currency), rule.name)
        for rule in about
        if rule.reduced.product_id is None or rule.reduced.product_id in others
    ]
    return {"offers": offers} if offers else None


def _agreed(product_id: int, unit: str) -> bool:
    """Tell whether the article has a price that was agreed, on which promotions do not count unless they say so."""
    found = price(price_context(), [PriceRequest("1", product_id, unit, ONE)]).lines[0]
    return found.source not in services.OPEN_SOURCES


def _others(rules: Sequence[Rule]) -> Mapping[int, Any]:
    """Return the articles that are given with another, by id: those that the buyer may see."""
    ids = {rule.reduced.product_id for rule in rules if rule.reduced.product_id is not None}
    if not ids:
        return {}
    seen = db.session.scalars(select(Product.id).where(Product.id.in_(sorted(ids)), visible_products()))
    return product_views(sorted(seen))


def _text(rule: Rule, unit: str, other: Any, currency: str) -> str:
    free = quantity_text(ONE if rule.free_quantity is None else rule.free_quantity, other.base_unit if other else unit)
    every = "" if rule.for_every is None else quantity_text(rule.for_every)
    values = {"free": free, "every": every, "least": quantity_text(rule.min_quantity or ONE, unit)}
    if other is not None:
        values["name"] = other.name
        said = _("%(free)s %(name)s free of charge for every %(every)s", **values) if every else ""
        said = said or _("%(free)s %(name)s free of charge from %(least)s", **values)
    else:
        said = _("%(every)s + %(free)s free of charge", **values) if every else ""
        said = said or _("%(free)s free of charge from %(least)s", **values)
    if rule.for_every is not None and (rule.min_quantity or ONE) > rule.for_every:
        said = _("%(offer)s, from %(least)s", offer=said, least=values["least"])
    if rule.min_value:
        said = _("%(offer)s, from a value of %(value)s", offer=said, value=money_text(rule.min_value, currency))
    return said
