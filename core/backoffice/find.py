"""The command field: companies, orders, products and people that fit a few typed letters, each at most five."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select

from core.accounts.models import User
from core.catalog.models import Product, ProductText
from core.companies.models import Company
from core.data.db import db
from core.i18n import _l, current_locale
from core.orders.models import Order
from core.ui.filters import contains
from core.ui.links import may_open, row_url

LIMIT = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A hit: what it is called, what stands beside it, where it opens."""

    label: str
    note: str
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """The hits of one kind."""

    title: object
    hits: tuple[Found, ...]


def find(text: str) -> list[FoundGroup]:
    """Return hits by kind for `text`, only of kinds whose pages the actor may open; nothing for under two letters."""
    query = text.strip()
    if len(query) < 2:
        return []
    groups = (FoundGroup(title, tuple(_hits(query, endpoint, icon, ask))) for title, icon, endpoint, ask in KINDS)
    return [group for group in groups if group.hits]


def _hits(query: str, endpoint: str, icon: str, ask: Any) -> Iterator[Found]:
    if not may_open(endpoint):
        return
    rows: Sequence[Any] = db.session.execute(ask(query).limit(LIMIT)).all()
    for code, label, note in rows:
        yield Found(str(label), str(note or ""), row_url(endpoint, str(code)), icon)


def _orders(query: str) -> Select[Any]:
    found = or_(contains(Order.number, query), contains(Order.po_number, query))
    statement = select(Order.number, Order.number, Company.name).join(Company, Company.id == Order.company_id)
    return statement.where(Order.state != "cart", found).order_by(Order.submitted_at.desc(), Order.id)


def _companies(query: str) -> Select[Any]:
    found = or_(contains(Company.name, query), contains(Company.code, query), contains(Company.vat_id, query))
    return select(Company.code, Company.name, Company.code).where(found).order_by(Company.name, Company.id)


def _products(query: str) -> Select[Any]:
    named = ProductText.product_id == Product.id, ProductText.locale == current_locale()
    found = or_(contains(Product.sku, query), contains(ProductText.name, query), Product.gtin == query)
    return (
        select(Product.sku, ProductText.name, Product.sku)
        .join(ProductText, named[0] & named[1])
        .where(found)
        .order_by(Product.position, Product.id)
    )


def _people(query: str) -> Select[Any]:
    return (
        select(User.code, User.name, User.email)
        .where(or_(contains(User.name, query), contains(User.email, query)))
        .order_by(User.name)
    )


#: title, icon, endpoint of the detail page (called with the code), question
KINDS = (
    (_l("Orders"), "receipt", "orders_admin.order", _orders),
    (_l("Companies"), "building", "companies_admin.company", _companies),
    (_l("Products"), "box-seam", "catalog_admin.product", _products),
    (_l("People"), "person", "accounts_admin.user", _people),
)
