"""The seller's side: its rules hold orders for its staff, who approve or reject them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import notices, seller
from addons.approval_chain.seller_models import SellerDecision, SellerRule
from core.accounts.models import User
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.orders import queries
from core.spec.errors import Invalid
from core.testing import factories
from core.testing.signin import sign_in

from .test_approval import World
from .test_rules import PLAIN, step, when

HERE = "/admin/a/approval_chain"


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only, and its staff."""
    found = World(app_with(addons=["approval_chain"]))
    for name, role in (("sami", "sales"), ("aino", "admin"), ("ville", "warehouse")):
        found.people[name] = factories.make_staff(f"{name}@tukku.example", roles=[role]).id
    return found


def rule(**values: Any) -> None:
    """Add a rule of the seller: above 100 sales approve."""
    given = {"steps": [step("sales")], "conditions": [when("total", ">", "100")], "currency": "EUR", **values}
    with write() as session:
        session.add(SellerRule(created_at=clock.now(), **given))


def send(world: World, who: str, number: str, outcome: str, comment: str = "", digest: str = "") -> int:
    """Decide on the page as a member of staff."""
    seen = {"outcome": outcome, "comment": comment, "digest": digest or queries.find(number).digest}
    client = sign_in(world.app, f"{who}@tukku.example")
    return client.post(f"{HERE}/seller-approvals/{number}", data=seen).status_code


def test_an_order_waits_for_the_staff_whom_the_rule_names(world):
    rule(name="Large")
    assert world.state(world.place(10)) == "confirmed"
    number = world.place(11)
    assert world.state(number) == "submitted"
    notices.tell_approvers({"owner": "approval_chain", "number": number, "code": "seller_approval"})
    told = {name: db.session.get_one(User, world.people[name]).unread for name in ("sami", "aino", "anna")}
    assert told == {"sami": 1, "aino": 0, "anna": 0}
    page = sign_in(world.app, "sami@tukku.example").get(f"{HERE}/seller-approvals").text
    assert number in page
    assert "Large" in page
    assert "Waits for: sami" in page
    shown = sign_in(world.app, "aino@tukku.example").get(f"{HERE}/seller-approvals").text
    assert number in shown
    assert 'value="approved"' not in shown  # not asked
    assert sign_in(world.app, "ville@tukku.example").get(f"{HERE}/seller-approvals").status_code == 403
    send(world, "aino", number, "approved")
    assert world.state(number) == "submitted"
    send(world, "sami", number, "approved", digest="another")
    assert world.state(number) == "submitted"
    send(world, "sami", number, "approved", "Fine")
    assert world.state(number) == "confirmed"
    assert db.session.scalars(select(SellerDecision.comment)).all() == ["Fine"]
    assert send(world, "sami", number, "approved") == 404
    assert "sami approved it." in sign_in(world.app, "sami@tukku.example").get(f"/admin/orders/{number}").text


def test_a_rejection_needs_a_comment_and_turns_follow_each_other(world):
    rule(steps=[step("sales"), step("admin", above="500", tier=2)])
    number = world.place(60)
    send(world, "aino", number, "approved")
    assert world.state(number) == "submitted"  # not yet the turn of the administrators
    send(world, "sami", number, "approved")
    assert world.state(number) == "submitted"
    send(world, "aino", number, "rejected")
    assert world.state(number) == "submitted"
    send(world, "aino", number, "rejected", "Not at this price")
    assert world.state(number) == "rejected"


def test_both_sides_hold_an_order_and_each_lets_go_by_itself(world):
    world.rule("100")
    rule()
    number = world.place(11)
    send(world, "sami", number, "approved")
    assert world.state(number) == "submitted"
    assert world.decide("bo", number) == "approved"
    assert world.state(number) == "confirmed"


def test_an_order_that_the_seller_does_not_take(world):
    rule(conditions=[when("total", ">", "5000")], effect="deny", steps=[])
    with pytest.raises(Invalid, match="contact person"):
        world.place(600)
    assert seller.waiting_count() == 0


def test_the_first_order_of_a_customer_and_no_rule_any_more(world):
    rule(conditions=[when("first", "in", ["yes"])], steps=[step("finance")])
    number = world.place(1)
    assert world.state(number) == "submitted"
    with world.app.test_request_context("/"):
        (one,) = seller.waiting()
        assert one.who == ("aino",)  # nobody is in finance: the administrators decide
    with write():
        db.session.scalars(select(SellerRule)).one().active = False
    send(world, "sami", number, "approved")  # nothing asks any more, so anybody of the staff lets it go
    assert world.state(number) == "confirmed"
    assert world.state(world.place(1)) == "confirmed"


def test_statements_do_not_grow_with_orders_that_wait(world, count_statements):
    rule()
    world.place(11)
    with world.app.test_request_context("/"), count_statements() as one:
        seller.waiting()
    for _more in range(3):
        world.place(12)
    with world.app.test_request_context("/"), count_statements() as more:
        assert len(seller.waiting()) == 4
    assert more.count <= one.count + 1
    assert seller.badge() == 4


def test_pages_of_the_sellers_rules(world):
    admin = sign_in(world.app, "aino@tukku.example")
    assert "No rule yet" in admin.get(f"{HERE}/seller-rules").text
    assert "Nothing waits for us" in admin.get(f"{HERE}/seller-approvals").text
    new = admin.get(f"{HERE}/seller-rules/new").text
    assert "Orders by" not in new
    assert "Holds for subsidiaries" not in new
    sent = {
        **PLAIN, "name": "Floor", "conditions-0-fact": "discount", "conditions-0-op": ">", "conditions-0-value": "30",
        "conditions-1-fact": "company", "conditions-1-op": "in", "conditions-1-value": "acme",
        "steps-0-who": "finance", "steps-0-need": "1", "steps-0-tier": "1",
    }  # fmt: skip
    bad = admin.post(f"{HERE}/seller-rules/new", data={**sent, "conditions-1-value": "nobody"})
    assert bad.status_code == 422
    assert "knows no" in bad.text
    assert admin.post(f"{HERE}/seller-rules/new", data={**sent, "steps-0-who": "approver"}).status_code == 422
    assert admin.post(f"{HERE}/seller-rules/new", data=sent).status_code == 303
    page = admin.get(f"{HERE}/seller-rules").text
    assert "It is about every order" not in page
    assert "Percent below list price above 30\xa0% and Company that orders: acme: 1 approves, in turn 1: Finance." in page
    own = f"{HERE}/seller-rules/{db.session.scalar(select(SellerRule.id))}"
    assert admin.post(own, data={**sent, "name": "Lower floor"}).status_code == 303
    assert "Lower floor" in admin.get(f"{HERE}/seller-rules").text
    everything = {**sent, "name": "All", "conditions-0-fact": "", "conditions-0-value": ""}
    everything |= {"conditions-1-fact": "", "conditions-1-value": ""}
    assert admin.post(own, data=everything).status_code == 303
    assert "It is about every order: each waits from now on." in admin.get(f"{HERE}/seller-rules").text
    assert sign_in(world.app, "sami@tukku.example").get(f"{HERE}/seller-rules").status_code == 403
    assert admin.post(f"{own}/remove").status_code == 303
    assert admin.post(f"{own}/remove").status_code == 404
    carl = sign_in(world.app, "carl@acme.example")
    assert carl.get(f"{HERE}/seller-rules").status_code in (302, 403, 404)
