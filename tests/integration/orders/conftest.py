"""A company with a buyer, some articles, and the buyer as the one who acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from core.companies.models import Company
from core.data.scope import Actor, Scope, acting
from core.orders import cart, pages, placing
from core.orders.merging import NewItem
from core.spec.orders import Stage
from core.testing import factories

BUYER = frozenset(
    {
        "catalog.product.view",
        "pricing.price.view",
        "orders.cart.use",
        "orders.order.place",
        "orders.order.view",
        "orders.order.cancel",
    }
)
STAFF = frozenset(
    {
        "catalog.product.view",
        "pricing.price.view",
        "orders.desk.view",
        "orders.order.confirm",
        "orders.order.cancel",
        "orders.order.cancel_confirmed",
        "orders.order.ship",
        "orders.order.note",
        "orders.hold.force_release",
        "orders.guest.merge",
    }
)


def buyer_of(company: Company, user: Any, permissions: frozenset[str] = BUYER, behalf: int | None = None) -> Actor:
    """Return the actor of a buyer of one company."""
    own = (company.id,)
    return Actor(user.id, user.name, Scope("companies", own, own, own), company.id, behalf, permissions)


def staff(user: Any, permissions: frozenset[str] = STAFF) -> Actor:
    """Return the actor of a member of staff."""
    return Actor(user.id, user.name, Scope("merchant"), permissions=permissions)


@dataclass
class Shop:
    """A shop with one buying company."""

    app: Flask
    company: Company
    buyer: Actor
    staff: Actor

    @contextmanager
    def request(self, actor: Actor | None = None) -> Iterator[None]:
        """Act as ``actor`` (the buyer) within a request."""
        with self.app.app_context(), self.app.test_request_context("/"), acting(actor or self.buyer):
            yield

    def place(self, *items: tuple[str, int], **values: Any) -> str:
        """Order articles and return the number."""
        with self.request():
            cart.add([NewItem(sku, Decimal(quantity)) for sku, quantity in items])
        with self.request():
            page = pages.cart_page(Stage.SUBMIT)
            return placing.place(placement(page, **values)).order.number


def placement(page: pages.CartPage, **values: Any) -> placing.Placement:
    """Return what the checkout page would send."""
    sent = {
        "expected_total": page.priced.totals.gross,
        "cart_key": page.order.client_reference,
        "seen": pages.read_seen(page.seen),
    }
    return placing.Placement(**{**sent, **values})


@pytest.fixture
def shop(app_with: Callable[..., Flask]) -> Shop:
    """A shop without addons."""
    app = app_with(addons=[])
    company = factories.make_company("acme")
    anna = factories.make_user("anna@acme.example", company=company)
    sam = factories.make_staff("sam@tukku.example", roles=["sales"])
    factories.make_product("A-1", price="10.00")
    factories.make_product("B-2", price="2.50", units=[factories.Unit("pcs", minimum=Decimal(10), step=Decimal(10))])
    factories.make_product("C-3", price=None)
    return Shop(app, company, buyer_of(company, anna), staff(sam))
