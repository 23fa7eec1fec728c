"""A shop with rebates, a company with a daughter, and short ways to agree, order, return and look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from addons.rebates import editing, ledger, standing
from addons.rebates.models import Entry
from core.companies.models import Company
from core.data.db import db
from core.data.scope import Actor, Scope, acting, system
from core.orders import cart, pages, placing
from core.orders.merging import NewItem
from core.spec.orders import Stage
from core.testing import factories

RIGHTS = frozenset(
    {"catalog.product.view", "pricing.price.view", "orders.cart.use", "orders.order.place", "orders.order.view"}
)
D = Decimal


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

    def staff(self) -> Any:
        """Act as the system within a request."""
        return self.request(system("tests"))

    def agree(
        self, code: str = "RB-1", steps: tuple[tuple[str, str], ...] = (("1000", "2"), ("5000", "4")), **values: Any
    ) -> None:
        """Make an active rebate of percents of the turnover by the calendar year, of everything."""
        with self.staff():
            given = {**self.given(code), "steps": [(D(a), D(b)) for a, b in steps], **values}
            editing.save(None, given)

    def given(self, code: str = "RB-1") -> dict[str, Any]:
        """Return what ``agree`` saves."""
        return {
            "code": code, "name": f"Rebate {code}", "company_id": self.company.id, "currency": "EUR", "period": "year",
            "starts": date(2020, 1, 1), "ends": None, "basis": "net", "unit": "", "kind": "percent", "mode": "retroactive",
            "status": "active", "note": "", "products": [], "categories": [], "steps": [(D(1000), D(2)), (D(5000), D(4))],
        }  # fmt: skip

    def change(self, code: str = "RB-1", **values: Any) -> None:
        """Change a rebate."""
        with self.staff():
            editing.save(editing.by_code(code), {**self.given(code), **values})

    def order(self, *items: tuple[str, str], actor: Actor | None = None) -> str:
        """Order articles and return the number."""
        with self.request(actor):
            cart.add([NewItem(sku, D(quantity)) for sku, quantity in items])
        with self.request(actor):
            page = pages.cart_page(Stage.SUBMIT)
            asked = placing.Placement(
                expected_total=page.priced.totals.gross,
                cart_key=page.order.client_reference,
                seen=pages.read_seen(page.seen),
            )
            return placing.place(asked).order.number

    def stands(self, code: str = "RB-1") -> tuple[Decimal, Decimal]:
        """Return turnover and what accrued in the present period, after the ledger was found to add up."""
        with self.staff():
            rebate = editing.by_code(code)
            assert ledger.corrections([rebate]) == []
            for ids in ledger.orders_of(rebate):
                assert ledger.differences([rebate], ids) == []
            (one,) = standing.current([rebate])
            return one.net, one.accrued

    def entries(self) -> list[tuple[str, Decimal, Decimal]]:
        """Return kind, net and what accrued of every entry."""
        with self.staff():
            rows = db.session.execute(select(Entry.kind, Entry.net, Entry.accrued).order_by(Entry.id))
            return [tuple(row) for row in rows]


def buyer_of(company: Company, email: str) -> Actor:
    """Return a new buyer of a company, who sees what its parents agreed on."""
    user, own = factories.make_user(email, company=company, roles=["orderer", "company_admin"]), (company.id,)
    above = (company.id, *([company.parent_id] if company.parent_id else []))
    return Actor(user.id, user.name, Scope("companies", own, own, above), company.id, None, RIGHTS)


@pytest.fixture
def shop(app_with: Callable[..., Flask]) -> Shop:
    """BOLT at 10.00 and NUT at 1.00 in a category, both in pieces; OIL in litres."""
    app = app_with(addons=["rebates"])
    company = factories.make_company("acme")
    daughter = factories.make_company("daughter", parent=company)
    factories.make_category("nuts", parent=factories.make_category("small"))
    factories.make_product("BOLT", price="10.00", category="small")
    factories.make_product("NUT", price="1.00", category="nuts")
    factories.make_product("OIL", price="10.00", units=(factories.Unit("l"),))
    return Shop(app, company, daughter, buyer_of(company, "anna@acme.example"), buyer_of(daughter, "dora@acme.example"))
