"""Whom an assortment touches: how many companies it concerns, and how many open carts hold goods that it leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, func, select

from core.api.catalog import Product
from core.api.companies import GUESTS, Company, CompanySegment, Segment, descendants_of
from core.api.data import db
from core.api.i18n import translations
from core.api.orders import Order, OrderLine

from .models import Assortment

_, _l, ngettext, _p = translations(__name__)


def facts(one: Assortment, named: ColumnElement[bool]) -> Iterator[tuple[str, Any]]:
    """Yield what a page says of whom it touches; ``named`` is the condition on products that it names. Few statements."""
    ids = companies(one)
    open_ones = select(func.count()).select_from(Company).where(Company.status != "closed")
    count = db.session.scalar(open_ones if ids is None else open_ones.where(Company.id.in_(ids))) or 0
    words = ngettext("%(count)s company", "%(count)s companies", count)
    yield _("Concerns"), _("%(companies)s, and visitors", companies=words) if visitors(one) else words
    if one.mode != "also" and one.status != "ended":
        carts = db.session.scalar(_carts(ids, ~named if one.mode == "only" else named)) or 0
        yield _("Open carts with goods that it leaves out"), carts or None


def _carts(ids: tuple[int, ...] | None, left_out: ColumnElement[bool]) -> Any:
    query = (
        select(func.count(func.distinct(Order.id)))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Product, Product.id == OrderLine.product_id)
        .where(Order.state == "cart", left_out)
    )
    return query if ids is None else query.where(Order.company_id.in_(ids))


def companies(one: Assortment) -> tuple[int, ...] | None:
    """Return the companies that it concerns, with those below them; None for all."""
    if one.company_id is not None:
        return descendants_of((one.company_id,))
    if one.segment_id is not None:
        members = select(CompanySegment.company_id).where(CompanySegment.segment_id == one.segment_id)
        return descendants_of(tuple(db.session.scalars(members)))
    if one.country:
        return tuple(db.session.scalars(select(Company.id).where(Company.country == one.country)))
    return None


def visitors(one: Assortment) -> bool:
    if one.segment_id is None:
        return one.audience == "public"
    return db.session.scalar(select(Segment.code).where(Segment.id == one.segment_id)) == GUESTS
