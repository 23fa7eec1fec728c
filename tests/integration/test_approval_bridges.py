"""What other addons say of orders, in rules: contracts, costs, discounts on the whole order; and without those addons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from addons.approval_chain import deciding, facts, rule_import, seller, services
from addons.approval_chain.tests.test_approval import BUYER, World
from addons.approval_chain.tests.test_rules import NEW, PLAIN, asked, step, when
from addons.approval_chain.tests.test_seller import HERE
from addons.approval_chain.tests.test_seller import rule as seller_rule
from addons.pricing_contract.models import ProductValue
from addons.pricing_contract.tests.conftest import contract, row
from addons.promotions.tests.conftest import promotion
from core.catalog.models import Product
from core.companies.models import Company
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.orders import cart, manual, queries
from core.orders.draft import draft_of, stored_draft
from core.orders.merging import NewItem
from core.pricing.models import ListPrice
from core.settings.services import set_value
from core.spec.imports import ImportRow
from core.spec.pricing import ManualTerms
from core.testing import factories
from core.testing.signin import sign_in

D = Decimal


@pytest.fixture
def whole(app_with: Callable[..., Flask]) -> World:
    """A shop with contracts and promotions too; the product costs 8 and is listed at 10."""
    world = World(app_with(addons=["approval_chain", "pricing_contract", "promotions"]))
    world.people["aino"] = factories.make_staff("aino@tukku.example", roles=["admin"]).id
    with write() as session:
        session.add(ProductValue(product_id=product(world), kind="cost", currency="EUR", amount=D(8)))
    return world


def product(world: World) -> int:
    """Return the id of the world's product."""
    return db.session.scalars(db.select(Product.id).where(Product.sku == "A-1")).one()


def figures(number: str, *names: str) -> dict[str, Any]:
    """Return what rules see of an order."""
    order = queries.find(number)
    return facts.of_drafts([stored_draft(order, queries.lines_of(order.id))], names)[0]


def test_a_line_below_cost_and_least_margin_waits_for_the_seller(whole):
    seller_rule(name="Floor", conditions=[when("pricing_contract.below_floor", ">", "0")], steps=[step("admin")])
    assert whole.state(whole.place(1)) == "confirmed"  # 10 is above 8
    with write():
        set_value("pricing_contract", "least_margin", D(25))
    assert whole.state(whole.place(1)) == "confirmed"  # 10 is the floor
    promotion("P-1", value="1")
    number = whole.place(1)
    with whole.app.test_request_context("/"):
        assert figures(number, "pricing_contract.below_floor")["pricing_contract.below_floor"] == 1
        assert [one.reasons for one in seller.waiting()] == [("Floor",)]
    assert whole.state(number) == "submitted"


def test_the_figure_of_costs_is_nothing_for_buyers(whole):
    carl = sign_in(whole.app, "carl@acme.example")
    assert "below_floor" not in carl.get(NEW).text
    sent = {
        **PLAIN, "conditions-0-fact": "pricing_contract.below_floor", "conditions-0-op": ">", "conditions-0-value": "0",
        "steps-0-who": "approver", "steps-0-need": "1", "steps-0-tier": "1",
    }  # fmt: skip
    assert carl.post(NEW, data=sent).status_code == 422
    admin = sign_in(whole.app, "aino@tukku.example")
    assert "Lines below the floor" in admin.get(f"{HERE}/seller-rules/new").text
    row = {"name": "Floor", "when": "pricing_contract.below_floor > 0", "steps": "|company_admin|1|1"}
    with write():
        refused, taken = (
            rule_import.load([ImportRow(2, {**row, "company": company, "steps": f"|{who}|1|1"})])[0].outcome
            for company, who in (("acme", "company_admin"), ("", "admin"))
        )
    assert (refused, taken) == ("error", "created")


def test_the_share_outside_contracts_asks(whole):
    whole.rule("", conditions=[when("pricing_contract.off_contract", ">", "50")])
    assert asked(whole, whole.place(1)) == [(1, ["bo"])]
    company = db.session.get_one(Company, whole.company_id)
    row(contract("C-1", company=company), db.session.get_one(Product, product(whole)), "9")
    number = whole.place(1)
    assert whole.state(number) == "confirmed"
    with whole.app.test_request_context("/"):
        found = figures(number, "pricing_contract.off_contract", "discount")
    assert found == {"pricing_contract.off_contract": 0, "discount": 10, "total": 9}


def test_without_contracts_a_rule_about_them_asks_nobody(app_with):
    world = World(app_with(addons=["approval_chain"]))
    world.rule("", conditions=[when("pricing_contract.off_contract", ">", "0")])
    seller_rule(conditions=[when("pricing_contract.below_floor", ">", "0")])
    assert world.state(world.place(1)) == "confirmed"


def test_a_price_that_rose_since_the_company_bought_last_asks(app_with):
    world = World(app_with(addons=["approval_chain"]))
    world.rule("", conditions=[when("dearer", ">", "20")])
    assert world.state(world.place(1)) == "confirmed"
    for price, state in (("12", "confirmed"), ("15", "submitted")):  # a fifth more, then a quarter
        with write() as session:
            session.scalars(db.select(ListPrice)).one().price = D(price)
        assert world.state(world.place(1)) == state


def test_what_comes_off_the_whole_order_counts_as_a_discount_and_not_as_freight(whole):
    set_value("orders", "freight", D(15))
    promotion("P-1", value="20")
    whole.rule("", conditions=[when("discount", ">=", "20")])
    number = whole.place(10)
    with whole.app.test_request_context("/"):
        found = figures(number, "discount", "freight", "goods")
        assert found == {"discount": 20, "freight": 15, "goods": 100, "total": 95}
    assert whole.state(number) == "submitted"


def test_prices_for_a_hundred_weigh_as_what_they_cost(whole):
    factories.make_product("S-1", price="100", per="100")
    company, own = whole.company_id, whole.actor("anna", BUYER | {manual.SET})
    sales = replace(own, user_id=whole.people["aino"], on_behalf_of=whole.people["anna"], name="Aino")
    with whole.app.test_request_context("/"), acting(sales):
        cart.add([NewItem("S-1", D(100)), NewItem("A-1", D(10))])
        manual.set_in_cart(1, ManualTerms(percents=(D(50),), reason="Trade fair"))
        order = cart.current_cart()
        assert order is not None
        assert order.company_id == company
        draft = stored_draft(order, queries.lines_of(order.id))
        found = facts.of_drafts([draft], {"discount", "by_hand"})[0]
    assert found == {"discount": 25, "by_hand": 1, "total": 150}  # 50 of 200, though per 100 it is 50 of 110


def test_free_goods_wait_with_the_order_and_follow_its_quantities(whole):
    """Figures look at what is paid, nobody decides on what is free, and a smaller order has what it earns then."""
    whole.rule(above="150")
    promotion("TEN", "free_goods", "0", for_every=D(10), free_quantity=D(1), name="10 + 1")
    assert whole.state(whole.place(10)) == "confirmed"
    number = whole.place(30)
    with whole.app.test_request_context("/"):
        said = figures(number, "lines", "quantity", "discount", "goods")
        assert said == {"lines": 1, "quantity": 30, "discount": 0, "goods": 300, "total": 300}
        assert [(x.quantity, x.net) for x in queries.lines_of(queries.find(number).id)] == [(30, 300), (3, 0)]
    bo, anna = sign_in(whole.app, "bo@acme.example"), sign_in(whole.app, "anna@acme.example")
    shop = "/a/approval_chain"
    for page in (bo.get(f"{shop}/approvals/{number}").text, anna.get(f"{shop}/my-orders/{number}").text):
        assert "Free of charge" in page
        assert "10 + 1" in page
        assert 'name="quantity-1"' in page
        assert 'name="quantity-2"' not in page
    with whole.app.test_request_context("/"), acting(whole.actor("bo")):
        said = deciding.Said("returned", queries.find(number).digest, "less", {1: D(20), 2: D(0)})
        deciding.decide(number, said)
        assert deciding.proposal_of(services.pending(number)) == {1: D(20)}
    with whole.app.test_request_context("/"), acting(whole.actor("anna", BUYER)):
        assert deciding.send_again(number, {1: D(20)}, queries.find(number).digest).state == "approved"
        assert [x.quantity for x in queries.lines_of(queries.find(number).id)] == [20, 2]


def test_what_was_only_given_was_not_bought(whole):
    """A first order of an article that came free before is a first order."""
    gift = factories.make_product("G-1", price="3").id
    promotion("GIFT", "free_goods", "0", for_every=D(1), free_quantity=D(1), reduced_product_id=gift)
    whole.place(1)
    with whole.app.test_request_context("/"), acting(whole.actor("anna", BUYER)):
        cart.add([NewItem("A-1", D(1)), NewItem("G-1", D(1))])
        view = cart.view()
        draft = draft_of(view.order, view.lines, view.priced)
        assert facts.of_drafts([draft], ["new_products"])[0]["new_products"] == 1
