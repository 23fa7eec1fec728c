"""A shop with promotions, a buyer, and short ways to make and order things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from addons.promotions import editing
from addons.promotions.models import Promotion
from core.companies.models import Company
from core.data import clock
from core.data.scope import Actor, Scope, acting, system
from core.orders import cart, pages, placing
from core.orders.merging import NewItem
from core.spec.orders import Stage
from core.testing import factories

RIGHTS = frozenset(
    {"catalog.product.view", "pricing.price.view", "orders.cart.use", "orders.order.place", "orders.order.view"}
)
NOTHING = dict.fromkeys(
    ("min_value", "min_quantity", "max_units", "counted_product_id", "counted_category_id", "reduced_product_id",
     "reduced_category_id", "free_quantity", "for_every", "company_id", "segment_id", "uses", "uses_per_company",
     "valid_until")
)  # fmt: skip


def promotion(code: str, kind: str = "percent", value: str = "10", **values: Any) -> Promotion:
    """Make an active promotion in euros that began yesterday."""
    given = {
        **NOTHING, "code": code, "name": f"Promotion {code}", "kind": kind, "value": Decimal(value), "currency": "EUR",
        "with_charges": False, "on_agreed": False, "voucher": "", "status": "active",
        "valid_from": clock.now() - timedelta(days=1), **values,
    }  # fmt: skip
    with acting(system("tests")):
        return editing.save(None, given)


@dataclass
class Shop:
    """A shop and one of its companies."""

    app: Flask
    company: Company
    buyer: Actor

    @contextmanager
    def request(self, actor: Actor | None = None) -> Iterator[None]:
        """Act as the buyer within a request."""
        with self.app.app_context(), self.app.test_request_context("/"), acting(actor or self.buyer):
            yield

    def fill(self, *items: tuple[str, str]) -> None:
        """Put articles into the cart."""
        with self.request():
            cart.add([NewItem(sku, Decimal(quantity)) for sku, quantity in items])

    def place(self) -> str:
        """Order the cart and return the number."""
        with self.request():
            page = pages.cart_page(Stage.SUBMIT)
            asked = placing.Placement(
                expected_total=page.priced.totals.gross,
                cart_key=page.order.client_reference,
                seen=pages.read_seen(page.seen),
            )
            return placing.place(asked).order.number


def buyer_of(company: Company, email: str) -> Actor:
    """Return a new buyer of a company."""
    user, own = factories.make_user(email, company=company), (company.id,)
    return Actor(user.id, user.name, Scope("companies", own, own, own), company.id, None, RIGHTS)


@pytest.fixture
def shop(app_with: Callable[..., Flask]) -> Shop:
    """Two articles, taxed alike, and one taxed less."""
    app = app_with(addons=["promotions"])
    company = factories.make_company("acme")
    factories.make_tax_rate("FI", "reduced", "14")
    factories.make_product("A-1", price="10.00")
    factories.make_product("B-2", price="2.50")
    factories.make_product("FOOD", price="10.00", tax_class="reduced")
    return Shop(app, company, buyer_of(company, "anna@acme.example"))
