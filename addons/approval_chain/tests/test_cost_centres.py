"""Cost centres: who keeps them, what carts and lines are put on, what an order keeps, documents and imports."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from addons.approval_chain import allocation, centre_import, cost_centres, services
from addons.approval_chain.centre_models import CostCentre, LineCentre
from addons.approval_chain.shares import shares, spread
from addons.approval_chain.tests.test_approval import BUYER, World
from core.accounts.models import User
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.orders import cart, documents, lifecycle, queries
from core.orders.merging import NewItem
from core.orders.models import Order
from core.settings.services import set_value
from core.spec.errors import Invalid
from core.spec.imports import ImportRow
from core.testing import factories
from core.testing.signin import sign_in

HERE = "/a/approval_chain"
MONEY = st.decimals(0, 10**6, places=2)


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    return World(app_with(addons=["approval_chain"]))


def code_of(world: World, name: str) -> str:
    """Return the public code of a person."""
    return db.session.scalars(select(User.code).where(User.id == world.people[name])).one()


def centre(world: World, code: str, owner: str = "", **values: Any) -> CostCentre:
    """Add a cost centre as the company's administrator."""
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        given = {"code": code, "name": f"Centre {code}", "owner": code_of(world, owner) if owner else "", **values}
        return cost_centres.add(world.company_id, given)


def borne(number: str) -> dict[str, Decimal]:
    """Return what each cost centre bears of an order."""
    db.session.expire_all()
    order = queries.find(number)
    return {c.code: amount for c, amount in allocation.borne_by([order.id])[order.id].items()}


@given(st.lists(st.tuples(st.sampled_from("abc"), MONEY), max_size=8), MONEY, st.sampled_from([0, 2, 3]))
def test_shares_add_up_to_the_last_coin(lines, charges, digits):
    lines = [(key, round(net, digits)) for key, net in lines]
    charges = round(charges, digits)
    found = shares(lines, sum(net for _key, net in lines) + charges, digits)
    assert sum(found.values()) == (sum(net for _key, net in lines) + charges if lines else 0)
    assert all(amount == round(amount, digits) for amount in found.values())
    for key, amount in found.items():
        assert amount >= sum(net for k, net in lines if k == key)


def test_charges_follow_the_nets():
    assert spread(Decimal("10.00"), [Decimal(1), Decimal(1), Decimal(1)], 2) == [
        Decimal(x) for x in ("3.34", "3.33", "3.33")
    ]
    assert spread(Decimal("5"), [Decimal(0), Decimal(0)], 2) == [5, 0]
    assert spread(Decimal("-0.01"), [Decimal(1), Decimal(3)], 2) == [0, Decimal("-0.01")]


def test_an_order_goes_on_what_was_chosen_else_the_persons_own_else_the_only_one(world):
    centre(world, "A")
    assert borne(world.place(1)) == {"A": Decimal(10)}  # the only one
    centre(world, "B")
    assert borne(world.place(1)) == {}
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        cost_centres.set_default(world.company_id, code_of(world, "anna"), "B")
    number = world.place(2)
    assert borne(number) == {"B": Decimal(20)}
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(1))])
        with write():
            cost_centres.choose(cart.current_cart(), "A")
        with pytest.raises(Invalid, match="not a cost centre"), write():
            cost_centres.choose(cart.current_cart(), "NOPE")
    assert borne(world.place(1)) == {"A": Decimal(20)}
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        b = cost_centres.by_code(world.company_id, "B")
        cost_centres.change(b, {"name": "Renamed", "owner": "", "active": False})
    assert borne(world.place(1)) == {"A": Decimal(10)}  # B is switched off, so A is the only one
    order = queries.find(number)
    assert [c.name for c in allocation.of_orders([order.id])[order.id].values()] == ["Centre B"]  # as it was placed
    with world.app.test_request_context("/"), acting(world.actor("carl")), pytest.raises(Invalid, match="switch it off"):
        cost_centres.remove(cost_centres.by_code(world.company_id, "B"))


def test_lines_are_split_with_freight_and_kept_with_the_digest(world):
    with acting(system("tests")):
        set_value("orders", "freight", Decimal("9.90"))
    factories.make_product("B-1", price="20.00")
    centre(world, "A")
    centre(world, "B")
    world.rule("1")
    anna = sign_in(world.app, "anna@acme.example")
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(1)), NewItem("B-1", Decimal(1)), NewItem("A-1", Decimal(1))])
    page = anna.get(f"{HERE}/cart-cost-centres").text
    assert "Centre A" in page
    assert anna.post(f"{HERE}/cart-cost-centres", data={"line-1": "A", "line-2": "NOPE"}).status_code == 422
    assert anna.post(f"{HERE}/cart-cost-centres", data={"line-1": "A", "line-2": "B"}).status_code == 303
    page = anna.get("/checkout").text
    assert "By line, as set in the cart" in page
    assert "Choose cost centres line by line" in page
    number = world.place(1)
    assert sum(borne(number).values()) == Decimal("59.90")
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        placed = queries.find(number)
        with pytest.raises(Invalid, match="CART-CHANGED"):  # by a page that was open in another window
            cost_centres.choose_lines(placed, {line.id: "B" for line in queries.lines_of(placed.id)})
    order = queries.find(number)
    assert allocation.facts([order.id]) == {order.id: {"A": [1], "B": [2]}}
    assert order.digest == queries.db.session.scalars(select(Order.digest).where(Order.number == number)).one()
    with world.app.test_request_context("/"):
        assert services.pending(number).flow.state == "waiting"
        assert (
            documents.content(order, queries.lines_of(order.id), factories.make_seller())["sections"][0]["title"]
            == "Cost centres"
        )
    assert "Centre B" in anna.get(f"/orders/{number}").text
    with world.app.test_request_context("/"):
        lifecycle.cancel(number)
    assert db.session.scalar(select(func.count()).select_from(LineCentre)) == 2


def test_the_checkout_asks_and_may_insist(world):
    with acting(system("tests")):
        set_value("approval_chain", "cost_centre_required", True, target="company:acme")
    anna = sign_in(world.app, "anna@acme.example")
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(1))])
    assert "Cost centre of the order" not in anna.get("/checkout").text  # the company has none
    centre(world, "A")
    centre(world, "B")
    page = anna.get("/checkout").text
    assert "wants one on every line" in page
    sent = {name: _hidden(page, name) for name in ("cart_key", "expected_total", "seen")}
    assert anna.post("/checkout", data={**sent, "approval_chain__cost_centre": "NOPE"}).status_code == 422
    refused = anna.post("/checkout", data={**sent, "approval_chain__cost_centre": ""})
    assert (refused.status_code, "wants one on every line" in refused.text) == (422, True)
    assert anna.post("/checkout", data={**sent, "approval_chain__cost_centre": "B"}).status_code == 303
    number = db.session.scalars(select(Order.number).where(Order.number.is_not(None))).one()
    assert borne(number) == {"B": Decimal(10)}
    desk = sign_in(world.app, factories.make_staff("sales@tukku.example", ["sales"]).email)
    listed = desk.get("/admin/orders?col=number&col=approval_chain__cost_centre&export=csv").text
    assert "B" in listed.splitlines()[1]


def _hidden(page: str, name: str) -> str:
    import html
    import re

    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def test_pages_of_administrators(world):
    carl = sign_in(world.app, "carl@acme.example")
    assert "No cost centres yet" in carl.get(f"{HERE}/cost-centres").text
    new = f"{HERE}/cost-centres/new"
    sent = {"code": "4100-MAINT", "name": "Maintenance", "owner": code_of(world, "bo")}
    for wrong in ({"code": "a b"}, {"name": ""}, {"owner": code_of(world, "anna")}):
        assert carl.post(new, data={**sent, **wrong}).status_code == 422
    assert carl.post(new, data=sent).status_code == 303
    assert carl.post(new, data={**sent, "code": "4100-maint"}).status_code == 422
    assert "bo" in carl.get(f"{HERE}/cost-centres/4100-MAINT").text
    edit = f"{HERE}/cost-centres/4100-MAINT/edit"
    assert "Maintenance" in carl.get(edit).text
    assert carl.post(edit, data={"name": "Upkeep", "owner": "", "active": "y"}).status_code == 303
    assert "Upkeep" in carl.get(f"{HERE}/cost-centres").text
    anna = code_of(world, "anna")
    assert carl.post(f"{HERE}/cost-centre-of/{anna}", data={"cost_centre": "4100-MAINT"}).status_code == 303
    assert carl.post(f"{HERE}/cost-centre-of/{anna}", data={"cost_centre": "NOPE"}).status_code == 303
    assert cost_centres.people(world.company_id)[0][2] == "4100-MAINT"
    buyer, rival = sign_in(world.app, "anna@acme.example"), sign_in(world.app, "rita@rival.example")
    assert buyer.get(f"{HERE}/cost-centres").status_code == 403
    assert rival.get(f"{HERE}/cost-centres/4100-MAINT").status_code == 404
    assert sign_in(world.app, "bo@acme.example").post(edit, data={"name": "X"}).status_code == 403
    assert carl.post(f"{HERE}/cost-centres/4100-MAINT/remove").status_code == 303
    assert "No cost centres yet" in carl.get(f"{HERE}/cost-centres").text


def test_import_is_the_same_twice_and_comes_out_as_it_went_in(world):
    row = {"company": "acme", "code": "A", "name": "Alpha", "owner": "bo@acme.example", "active": True, "people": []}

    def load(*rows: dict[str, Any]) -> list[str]:
        with write():
            found = centre_import.load([ImportRow(i, r) for i, r in enumerate(rows, 2)])
        return [f"{r.outcome} {r.field}".strip() for r in found]

    wrong = (
        {**row, "company": "x"},
        {**row, "code": "a b"},
        {"company": "acme", "code": "N"},
        {**row, "owner": "anna@acme.example"},
    )
    assert load(row, *wrong) == ["created", "error company", "error code", "error name", "error owner"]
    assert load(row) == ["unchanged"]
    assert load({"company": "acme", "code": "A", "active": False}) == ["updated"]
    assert list(centre_import.export()) == [{**row, "active": False, "source": "", "external_id": ""}]
    whose = {"company": "acme", "code": "A", "people": ["anna@acme.example"]}
    assert load(whose, {**whose, "people": ["rita@rival.example"]}) == ["updated", "error people"]
    assert load(whose) == ["unchanged"]
    assert [r["people"] for r in centre_import.export()] == [["anna@acme.example"]]
