"""Who is asked by choice, who looks at an order, and what roles of a company may do beyond being asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from addons.approval_chain import asking, policies
from addons.approval_chain.models import Approval, Group
from core.accounts.models import User
from core.companies.models import Company
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.orders import queries
from core.spec.errors import Forbidden, Invalid
from core.testing import factories
from core.testing.signin import sign_in

from .test_approval import World

HERE = "/a/approval_chain"


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only, in whose company two approve."""
    found = World(app_with(addons=["approval_chain"]))
    company = db.session.get(Company, found.company_id)
    found.people["dora"] = factories.make_user("dora@acme.example", company=company, roles=["approver"]).id
    found.rule("100")
    return found


def code(world: World, name: str) -> str:
    """Return a person's public code."""
    return db.session.get_one(User, world.people[name]).code


def client(world: World, name: str) -> FlaskClient:
    """Return a browser in which a person is signed in."""
    return sign_in(world.app, f"{name}@acme.example")


def give(world: World, name: str, **rights: bool) -> None:
    """Put a person into a role of the company with rights."""
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        policies.save_group(f"Role of {name}", [code(world, name)], None, rights)


def test_who_ordered_asks_one_of_several(world):
    number = world.place(11)
    anna, dora = client(world, "anna"), code(world, "dora")
    page = anna.get(f"{HERE}/my-orders/{number}").text
    assert "Everybody who may decide" in page
    assert anna.post(f"{HERE}/my-orders/{number}/ask", data={"person": dora}).status_code == 303
    with pytest.raises(Forbidden):
        world.decide("bo", number)
    assert f'value="{dora}" selected' in anna.get(f"{HERE}/my-orders/{number}").text
    with world.app.test_request_context("/"), acting(world.actor("anna")):
        with pytest.raises(Invalid, match="Choose one of those"):
            asking.assign(number, code(world, "carl"))
        asking.assign(number, "")
        asking.assign(number, dora)
    with world.app.test_request_context("/"), acting(world.actor("bo")), pytest.raises(Forbidden):
        asking.assign(number, "")
    anna.post(f"{HERE}/my-orders/{number}/ask", data={"person": "nobody"})
    assert db.session.scalar(select(Approval.assigned_id)) == world.people["dora"]
    assert world.decide("dora", number) == "approved"


def test_whoever_is_asked_and_leaves_is_followed_by_the_others(world):
    number = world.place(11)
    with world.app.test_request_context("/"), acting(world.actor("anna")):
        asking.assign(number, code(world, "dora"))
    with write():
        db.session.get_one(User, world.people["dora"]).active = False
    assert world.decide("bo", number) == "approved"


def test_others_see_who_looks_at_an_order(world):
    number = world.place(11)
    bo = client(world, "bo")
    assert "I am looking at it" in bo.get(f"{HERE}/approvals/{number}").text
    assert bo.post(f"{HERE}/approvals/{number}/review").status_code == 303
    assert "bo looks at it." in client(world, "dora").get(f"{HERE}/approvals/{number}").text
    assert "bo looks at it." in client(world, "anna").get(f"{HERE}/my-orders/{number}").text
    assert world.decide("dora", number) == "approved"  # looking keeps nobody from deciding
    with world.app.test_request_context("/"), acting(world.actor("carl")), pytest.raises(Exception, match="does not wait"):
        asking.review(number)


def test_a_role_that_decides_on_every_order(world):
    number = world.place(11)
    with pytest.raises(Forbidden):
        world.decide("carl", number)
    give(world, "carl", decides=True)
    assert "For me" in client(world, "carl").get(f"{HERE}/approvals").text
    assert world.decide("carl", number) == "approved"
    assert world.state(number) == "confirmed"


def test_a_role_whose_orders_nobody_is_asked_about(world):
    give(world, "anna", barred=True)
    assert world.state(world.place(10)) == "confirmed"
    with pytest.raises(Invalid, match="does not let you ask"):
        world.place(11)


def test_who_sees_all_orders_that_wait(world):
    number = world.place(11)
    assert "In the company" in client(world, "dora").get(f"{HERE}/approvals").text
    admin = client(world, "carl")
    sent = {"selection": "all", "otherwise": "nobody", "fallback": "approver"}
    assert admin.post(f"{HERE}/approval-policy", data=sent).status_code == 303
    assert "Only administrators, and roles with the right" in admin.get(f"{HERE}/approval-rules").text
    page = client(world, "dora").get(f"{HERE}/approvals").text
    assert "In the company" not in page
    assert number in page  # she is asked
    give(world, "dora", sees=True)
    assert "In the company" in client(world, "dora").get(f"{HERE}/approvals").text
    assert "In the company" in admin.get(f"{HERE}/approvals").text
    assert queries.find(number).state == "submitted"


def test_the_page_of_a_role_keeps_its_rights(world):
    admin = client(world, "carl")
    sent = {"name": "Heads", "people": [code(world, "bo")], "decides": "y", "barred": "y"}
    assert admin.post(f"{HERE}/approval-roles/new", data=sent).status_code == 303
    group = db.session.scalars(select(Group)).one()
    assert (group.decides, group.sees, group.barred) == (True, False, True)
    assert admin.get(f"{HERE}/approval-roles/{group.id}").text.count("checked") == 3
    assert admin.post(f"{HERE}/approval-roles/{group.id}", data={"name": "Heads"}).status_code == 303
    db.session.expire_all()
    assert not group.decides
