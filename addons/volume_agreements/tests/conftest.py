"""A shop with agreements, two companies in a tree, and short ways to agree and order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from addons.volume_agreements import editing
from addons.volume_agreements.models import Agreement
from addons.volume_agreements.standing import Standing, standings
from core.catalog.models import Product
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting, system
from core.orders import cart, pages, placing
from core.orders.merging import NewItem
from core.spec.orders import Stage
from core.testing import factories

RIGHTS = frozenset(
    {
        "catalog.product.view", "pricing.price.view", "orders.cart.use", "orders.order.place", "orders.order.view",
        "orders.order.cancel",
    }
)  # fmt: skip


@dataclass
class Shop:
    """A shop, a company and its daughter, with a buyer each."""

    app: Flask
    company: Company
    daughter: Company
    buyer: Actor
    other: Actor

    @contextmanager
    def request(self, actor: Actor | None = None) -> Iterator[None]:
        """Act as the buyer (or somebody else) within a request."""
        with self.app.app_context(), self.app.test_request_context("/"), acting(actor or self.buyer):
            yield

    def agree(self, code: str = "VA-1", sku: str | None = "BOLT", quantity: str = "1000", **values: Any) -> Agreement:
        """Make an active agreement on BOLT at 2.00 that began 10 days ago and lasts 100."""
        with self.request(system("tests")):
            product = db.session.scalar(select(Product.id).where(Product.sku == sku)) if sku else None
            given = {
                "code": code, "name": f"Agreement {code}", "company_id": self.company.id, "product_id": product,
                "category_id": None, "unit": "pcs", "quantity": Decimal(quantity), "kind": "fixed", "value": Decimal(2),
                "per": Decimal(1), "currency": "EUR", "valid_from": clock.now() - timedelta(days=10),
                "valid_until": clock.now() + timedelta(days=90), "status": "active", "note": "", **values,
            }  # fmt: skip
            return editing.save(None, given)

    def standing(self, code: str = "VA-1") -> Standing:
        """Return how an agreement stands."""
        with self.request(system("tests")):
            return standings([editing.by_code(code)])[0]

    def fill(self, *items: tuple[str, str], actor: Actor | None = None, unit: str = "") -> None:
        """Put articles into the cart."""
        with self.request(actor):
            cart.add([NewItem(sku, Decimal(quantity), unit=unit) for sku, quantity in items])

    def place(self, actor: Actor | None = None) -> str:
        """Order the cart and return the number."""
        with self.request(actor):
            page = pages.cart_page(Stage.SUBMIT)
            asked = placing.Placement(
                expected_total=page.priced.totals.gross,
                cart_key=page.order.client_reference,
                seen=pages.read_seen(page.seen),
            )
            return placing.place(asked).order.number

    def order(self, *items: tuple[str, str], actor: Actor | None = None, unit: str = "") -> str:
        """Fill the cart and order it."""
        self.fill(*items, actor=actor, unit=unit)
        return self.place(actor)


def buyer_of(company: Company, email: str) -> Actor:
    """Return a new buyer of a company, who sees its parents' agreements."""
    user, own = factories.make_user(email, company=company, roles=["orderer", "company_admin"]), (company.id,)
    above = (company.id, *([company.parent_id] if company.parent_id else []))
    return Actor(user.id, user.name, Scope("companies", own, own, above), company.id, None, RIGHTS)


@pytest.fixture
def shop(app_with: Callable[..., Flask]) -> Shop:
    """BOLT in pieces and boxes of 200 at 2.50, NUT at 1.00 in a category, both in pieces."""
    app = app_with(addons=["volume_agreements"])
    company = factories.make_company("acme")
    daughter = factories.make_company("daughter", parent=company)
    factories.make_category("nuts", parent=factories.make_category("small"))
    units = (factories.Unit("pcs"), factories.Unit("box", numerator=200))
    factories.make_product("BOLT", price="2.50", units=units, category="small")
    factories.make_product("NUT", price="1.00", category="nuts")
    return Shop(app, company, daughter, buyer_of(company, "anna@acme.example"), buyer_of(daughter, "dora@acme.example"))
