"""What a company (or a visitor) sees, and why: for the staff, from the same assortments that decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from core.api.catalog import Category, Product, product_views, visibility_query, visible_to_company
from core.api.companies import Company, Segment, country_name
from core.api.data import db
from core.api.hooks import NotFound
from core.api.i18n import pick, translations
from core.api.settings import get

from .models import AssortmentRow
from .seeing import Head, Target, concerning

_, _l, ngettext, _p = translations(__name__)


@dataclass(frozen=True, slots=True)
class Weighed:
    """An assortment that concerns the buyer: for whom it is, what of it names the product, '' for nothing; if it decides."""

    head: Head
    audience: str
    by: str = ""
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a buyer sees: products ``seen`` of ``all``; with a product, whether it sees that one, and a sentence why."""

    company: Company | None
    seen: int
    all: int
    weighed: Sequence[Weighed]
    sku: str = ""
    product: str = ""
    visible: bool | None = None
    reason: str = ""


def decide(weighed: Sequence[tuple[str, bool]]) -> tuple[bool, set[int]]:
    """Return whether a product is seen, and the places of the assortments that decided; none did where none restricts.

    Given is of each assortment its mode, and whether it names the product.
    """
    naming = {mode: {n for n, (m, hit) in enumerate(weighed) if m == mode and hit} for mode in ("only", "without", "also")}
    only = {n for n, (mode, _hit) in enumerate(weighed) if mode == "only"}
    within = not only or bool(naming["only"])
    if within and not naming["without"]:
        return True, naming["only"]
    if naming["also"]:
        return True, naming["also"]
    return False, naming["without"] or only


def explain(company_code: str = "", sku: str = "") -> Answer:
    """Return what a company sees ('' for a visitor) and why; NotFound where a code leads nowhere."""
    company = _company(company_code) if company_code else None
    company_id = company.id if company else None
    seen = visible_to_company(company_id)
    heads = concerning(visibility_query(company_id))
    names = _audiences(heads)
    counts = select(func.count(), func.count().filter(and_(*seen))).select_from(Product)
    total, shown = db.session.execute(counts.where(Product.status != "discontinued")).one()
    if not sku:
        return Answer(company, shown, total, [Weighed(head, names[head.target]) for head in heads])
    product = _product(sku)
    hits = _hits(heads, product)
    visible, deciding = decide([(head.mode, head.id in hits) for head in heads])
    weighed = [
        Weighed(head, names[head.target], hits.get(head.id, ""), place in deciding) for place, head in enumerate(heads)
    ]
    there = db.session.scalar(select(func.count()).select_from(Product).where(Product.id == product.id, *seen)) == 1
    reason = _reason(product, visible, there, [one.head for one in weighed if one.decides])
    name = product_views([product.id])[product.id].name
    return Answer(company, shown, total, weighed, product.sku, name, there, reason)


def visitors_see() -> bool:
    """Tell whether visitors see any product at all: a setting of the shop."""
    return bool(get("core", "guest_sees_products"))


def _reason(product: Product, visible: bool, there: bool, deciding: Sequence[Head]) -> str:
    names = ", ".join(_("“%(name)s”", name=head.name) for head in deciding)
    if visible and not there:
        if product.status == "discontinued":
            return _("It is no longer sold, so it is in no list; by its code it is still found.")
        return _("No assortment hides it: its category is hidden in the shop, or another addon hides it.")
    if not deciding:
        return _("No assortment restricts what is seen.")
    if not visible:
        if deciding[0].mode == "without":
            return _("Left out by %(names)s.", names=names)
        return _("Not among the goods of %(names)s, and no other assortment gives it.", names=names)
    if deciding[0].mode == "also":
        return _("Given back by %(names)s, whatever hides it elsewhere.", names=names)
    return _("Among the goods of %(names)s.", names=names)


def _company(code: str) -> Company:
    found = db.session.scalar(select(Company).where(Company.code == code))
    if found is None:
        raise NotFound("COMPANY-UNKNOWN", _("There is no company with the code “%(code)s”.", code=code[:40]))
    return found


def _product(sku: str) -> Product:
    found = db.session.scalar(select(Product).where(Product.sku == sku))
    if found is None:
        raise NotFound("PRODUCT-UNKNOWN", _("There is no product with the code “%(code)s”.", code=sku[:80]))
    return found


def _hits(heads: Sequence[Head], product: Product) -> Mapping[int, str]:
    """Return what names the product in each assortment that does: the article itself, else its nearest category."""
    row, named, own = AssortmentRow, aliased(Category), aliased(Category)
    above = func.substr(own.path, 1, func.length(named.path)) == named.path
    ways: list[ColumnElement[bool]] = [row.product_id == product.id, named.id.is_not(None)]
    query = (
        select(row.assortment_id, row.product_id, named.name, named.code)
        .select_from(row)
        .outerjoin(own, own.id == product.category_id)
        .outerjoin(named, and_(named.id == row.category_id, above))
        .where(row.assortment_id.in_([head.id for head in heads]), or_(*ways))
        .order_by(row.product_id.is_not(None), func.length(named.path))
    )
    found: dict[int, str] = {}
    for assortment_id, product_id, name, code in db.session.execute(query):
        found[assortment_id] = _("the article itself") if product_id else pick(name, fallback=code)
    return found


def _audiences(heads: Sequence[Head]) -> Mapping[Target, str]:
    """Return for whom assortments are, in words, by target; at most two statements."""
    found: dict[Target, str] = {("public", 0): str(_("Everybody"))}
    for head in heads:
        if head.country:
            found[head.target] = _("Companies of %(country)s", country=country_name(head.country))
    for kind, model in (("company", Company), ("segment", Segment)):
        ids = {head.target[1] for head in heads if head.audience == kind}
        if ids:
            for row in db.session.scalars(select(_any(model)).where(_any(model).id.in_(ids))):
                found[kind, row.id] = row.name if kind == "company" else pick(row.name, fallback=row.code)
    return found


def _any(model: Any) -> Any:
    return model
