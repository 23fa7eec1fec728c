"""Trying rules: the page says what real orders would meet, and why."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from addons.approval_chain.centre_models import CentreDefault, CostCentre
from addons.approval_chain.models import SellerRule
from addons.approval_chain.tests.test_budgets import budget
from addons.approval_chain.tests.test_cost_centres import centre
from core.accounts.models import User
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.testing import factories
from core.testing.signin import sign_in

from .test_approval import World
from .test_rules import policy, step, when

SHOP, DESK = "/a/approval_chain/approval-bench", "/admin/a/approval_chain/approval-bench"


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    return World(app_with(addons=["approval_chain"]))


def shown(client: FlaskClient, path: str, status: int = 200, **asked: str) -> str:
    """Return the page's text for a question."""
    answer = client.get(path, query_string=asked)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace("\xa0", " ")


def code(world: World, name: str) -> str:
    """Return a person's public code."""
    return db.session.get_one(User, world.people[name]).code


def test_the_administrator_tries_an_order_that_is_only_thought_of(world):
    world.rule("", name="Bands", steps=[step("approver", "50"), step("company_admin", "200", tier=2)])
    world.rule("10", name="Tools", conditions=[when("category", "in", ["tools"]), when("total", ">", "10")])
    world.rule("", name="Others", for_people=[world.people["bo"]])
    world.rule("", name="Over", active=False)
    world.rule("9000", name="Never", effect="deny", steps=[])
    admin, anna = sign_in(world.app, "carl@acme.example"), code(world, "anna")
    text = shown(admin, SHOP, person=anna, amount="250")
    assert "The order would wait for approval." in text
    assert re.search(r"1 bo Bands", text)
    assert re.search(r"2 carl Bands", text)
    assert "expected by" in text
    assert "Up to 50.00 € no approval is needed." in text
    for said in ("Fits, and counts.", "Does not fit: Categories: tools.", "orders of others", "Not in use on this day."):
        assert said in text, said
    assert "Does not fit: Total without tax above 9,000.00 €." in text
    assert "Fits, but asks nobody at this total." in shown(admin, SHOP, person=anna, amount="40")
    assert "No approval is needed: the order is placed at once." in shown(admin, SHOP, person=anna, amount="40")
    assert "would not be allowed." in shown(admin, SHOP, person=anna, amount="9001")
    text = shown(admin, SHOP, person=anna, lines="a-1 30\nA-1 2 pcs", ship_to="main")
    assert "Total without tax 320.00 €" in text
    assert "Categories" in text
    for asked, said in (
        ({"lines": "B-9 1"}, "there is no product B-9"),
        ({"lines": "A-1 -1"}, "quantity above zero"),
        ({"lines": "A-1 many"}, "not a number"),
        ({"amount": "-5"}, "0 or more"),
        ({}, "Give an amount, or lines."),
        ({"amount": "5", "person": "nobody"}, "Choose somebody"),
    ):
        assert said in shown(admin, SHOP, 422, **{"person": anna, **asked}), asked
    assert world.state(world.place(1)) == "confirmed"  # trying ordered nothing
    assert sign_in(world.app, "anna@acme.example").get(SHOP).status_code == 403


def test_staff_try_the_rules_of_any_company(world):
    policy(world, otherwise="deny")
    staff = factories.make_staff("sales@tukku.example", roles=["sales"])
    assert staff.id
    desk = sign_in(world.app, "sales@tukku.example")
    assert "Company code" in shown(desk, DESK)
    assert "no company" in shown(desk, DESK, 422, company="nobody").lower()
    anna = code(world, "anna")
    assert "anna" in shown(desk, DESK, company="acme")
    assert "no rule fits it" in shown(desk, DESK, company="acme", person=anna, lines="A-1 3")
    world.rule("10", name="Small", who="approver")
    text = shown(desk, DESK, company="acme", person=anna, lines="A-1 3")
    assert "1 bo Small" in text
    assert "Total without tax 30.00 €" in text
    assert "Small" in shown(desk, "/admin/companies/c/acme")
    with write() as session:
        rows = {"conditions": [when("total", ">", "10")], "currency": "EUR", "created_at": clock.now()}
        session.add(SellerRule(name="Ours", steps=[step("sales")], **rows))
    assert "1. sales Ours" in shown(desk, DESK, company="acme", person=anna, lines="A-1 3")
    assert "Ours" not in shown(sign_in(world.app, "carl@acme.example"), SHOP, person=anna, lines="A-1 3")
    rival = sign_in(world.app, "rita@rival.example")
    assert rival.get(DESK).status_code in (302, 403, 404)


def test_budgets_of_the_cost_centre_count_in_an_order_that_is_only_thought_of(world):
    """An order goes on the cost centre that the person's orders take, or on another that is chosen."""
    centre(world, "A", "bo")
    centre(world, "B", "bo")
    budget(world, "100", "require", "A")
    admin, anna = sign_in(world.app, "carl@acme.example"), code(world, "anna")
    assert "placed at once" in shown(admin, SHOP, person=anna, amount="250")  # hers go on none unless she chooses one
    text = shown(admin, SHOP, person=anna, amount="250", centre="A")
    assert "The order would wait for approval." in text
    assert "A budget of the cost centre is exceeded." in text
    assert "Up to 100.00 € no approval is needed." in text
    assert "placed at once" in shown(admin, SHOP, person=anna, amount="250", centre="B")
    with write() as session:
        chosen = session.scalars(select(CostCentre.id).where(CostCentre.code == "A")).one()
        session.add(CentreDefault(company_id=world.company_id, user_id=world.people["anna"], cost_centre_id=chosen))
    assert "Up to 100.00 € no approval is needed." in shown(admin, SHOP, person=anna, amount="250")
    world.rule("", conditions=[when("cost_centre", "in", ["A"])], name="Whatever is for A")
    assert "Fits, and counts." in shown(admin, SHOP, person=anna, amount="50")
    assert "no cost centre Z" in shown(admin, SHOP, 422, person=anna, amount="50", centre="Z")
    sales = sign_in(world.app, factories.make_staff("sales@tukku.example", ["sales"]).email)
    assert "Whatever is for A" in shown(sales, DESK, company="acme", person=anna, amount="50", centre="A")
