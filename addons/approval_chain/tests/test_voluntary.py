"""An approval that no rule requires: asked for at the checkout, and then as binding as any other."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from addons.approval_chain import (
    asking,
    clockwork,
    deciding,
    history,
    notices,
    policies,
    recheck,
    services,
    story,
    voluntary,
)
from addons.approval_chain.models import Approval, OrderRequest, Policy, Rule
from addons.approval_chain.tests.test_approval import BUYER, World
from core.accounts.models import User
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.notifications.models import Notification
from core.orders import cart, queries, reorder
from core.spec.errors import Conflict, Forbidden, Invalid
from core.testing import factories
from core.testing.signin import sign_in

HERE = "/a/approval_chain"
ASK = "Ask for approval before this order is placed"


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A company without any rule, in which two approve."""
    found = World(app_with(addons=["approval_chain"]))
    company = db.session.get(Company, found.company_id)
    found.people["dora"] = factories.make_user("dora@acme.example", company=company, roles=["approver"]).id
    return found


def code(world: World, name: str) -> str:
    """Return a person's public code."""
    return db.session.get_one(User, world.people[name]).code


def filled(world: World, quantity: int = 3) -> FlaskClient:
    """Return Anna's client with a cart."""
    client = sign_in(world.app, "anna@acme.example")
    client.post("/cart/add", data={"sku": "A-1", "unit": "pcs", "quantity": str(quantity)})
    return client


def order(client: FlaskClient, person: str, message: str = "") -> object:
    """Send the checkout as it is shown, asking a person; return the answer."""
    page = client.get("/checkout").text
    data = dict(re.findall(r'name="(cart_key|expected_total|seen)"[^>]*value="([^"]*)"', page))
    names = dict(re.findall(r'name="([\w.-]*(person|message))"', page))
    fields = {kind: name for name, kind in names.items()}
    data |= {fields.get("person", "voluntary-person"): person, fields.get("message", "voluntary-message"): message}
    return client.post("/checkout", data={k: v.replace("&#34;", '"') for k, v in data.items()})


def placed(world: World, person: str, message: str = "") -> str:
    """Place an order that asks a person; return its number."""
    answer = order(filled(world), person, message)
    assert answer.status_code == 303, answer.text
    return answer.location.split("/")[-2]


def flow(world: World, number: str):
    """Return where the approval stands."""
    with world.app.test_request_context("/"):
        return services.pending(number).flow


def test_it_goes_the_way_of_every_approval(world, monkeypatch):
    page = filled(world).get("/checkout").text
    assert ASK in page
    assert "Anybody who may approve it" in page
    for name, there in (("bo", True), ("carl", True), ("dora", True), ("anna", False)):
        assert (f'value="{code(world, name)}"' in page) is there, name
    number = placed(world, code(world, "bo"), "Is this the right bolt?")
    assert world.state(number) == "submitted"
    assert flow(world, number).eligible() == [str(world.people["bo"])]
    with world.app.test_request_context("/"):
        notices.tell_approvers({"owner": "approval_chain", "number": number})
        said = {n.user_id: f"{n.subject} {n.text}" for n in db.session.scalars(select(Notification))}
    assert "Is this the right bolt?" in said[world.people["bo"]]
    assert "Asked for by who ordered" in said[world.people["anna"]]
    assert world.people["dora"] not in said
    anna, bo = sign_in(world.app, "anna@acme.example"), sign_in(world.app, "bo@acme.example")
    thanks = anna.get(f"/orders/{number}/thanks").text
    assert "Asked for by who ordered" in thanks
    assert number in bo.get(f"{HERE}/approvals").text
    decision = bo.get(f"{HERE}/approvals/{number}").text
    assert "Is this the right bolt?" in decision
    assert world.decide("bo", number) == "approved"
    assert world.state(number) == "confirmed"
    with world.app.test_request_context("/"):
        events = [(e["text"], e["who"], e["note"]) for e in story.of(services.pending(number))]
    assert events == [("Asked for approval", "anna", "Is this the right bolt?"), ("Approved", "bo", "")]
    told: list[dict] = []
    monkeypatch.setattr(history, "compile_pdf", lambda _template, data, **_more: told.append(data) or b"%PDF")
    assert anna.get(f"{HERE}/approvals/{number}/history.pdf").status_code == 200
    assert "Is this the right bolt?" in str(told)
    assert "Asked for by who ordered" in str(told)


def test_it_stands_folded_until_it_is_used(world):
    client = filled(world)
    step = re.compile(r'<details[^>]*id="step-approval_chain-voluntary"([^>]*)>')
    assert step.search(client.get("/checkout").text)[1].strip() == ""
    assert step.search(order(client, "nobody").text)[1].strip() == "open"


def test_without_asking_nothing_waits(world):
    number = placed(world, "")
    assert world.state(number) == "confirmed"


def test_anybody_may_be_asked_and_one_is_enough(world):
    number = placed(world, voluntary.ANYBODY)
    assert sorted(flow(world, number).eligible()) == sorted(str(world.people[n]) for n in ("bo", "carl", "dora"))
    assert world.decide("dora", number) == "approved"
    assert world.state(number) == "confirmed"


def test_nobody_asks_themselves_or_a_stranger(world):
    company = db.session.get(Company, world.company_id)
    boss = factories.make_user("boss@acme.example", company=company, roles=["orderer", "company_admin"])
    rita = db.session.scalars(select(User).where(User.email == "rita@rival.example")).one().code
    me, own = boss.id, boss.code
    world.people["boss"] = me
    client = sign_in(world.app, "boss@acme.example")
    client.post("/cart/add", data={"sku": "A-1", "unit": "pcs", "quantity": "3"})
    page = client.get("/checkout").text
    assert ASK in page
    for wrong in (own, rita, "nobody"):
        assert f'value="{wrong}"' not in page
        answer = order(client, wrong)
        assert answer.status_code == 422, wrong
        assert "Choose one of the values in the list." in answer.text
    with world.app.test_request_context("/"), acting(world.actor("boss", BUYER)), write():
        row = cart.current_cart()
        for wrong in (own, rita):
            with pytest.raises(Invalid, match="nobody approves what they ordered"):
                voluntary.ask(row, wrong)
        voluntary.ask(row, voluntary.ANYBODY)
        plan = services.plan_of(services.stored_draft(row, queries.lines_of(row.id)))
        assert str(me) not in plan.requirements[0].people


def test_it_comes_beside_what_rules_ask_and_one_act_counts_for_both(world):
    world.rule("10", who="company_admin")
    number = placed(world, code(world, "bo"))
    assert sorted(flow(world, number).eligible()) == sorted(str(world.people[n]) for n in ("bo", "carl"))
    assert world.decide("carl", number) == "waiting"
    assert world.decide("bo", number) == "approved"
    both = placed(world, code(world, "carl"))
    assert world.decide("carl", both) == "approved", "one act in both places"


def test_a_rule_that_lifts_approvals_does_not_lift_what_was_asked_for(world):
    world.rule("", effect="bypass", steps=[])
    assert world.state(placed(world, code(world, "bo"))) == "submitted"


def test_whoever_is_asked_leaves_and_the_administrators_decide(world):
    number = placed(world, code(world, "bo"))
    with write():
        db.session.get_one(User, world.people["bo"]).active = False
    assert flow(world, number).eligible() == [str(world.people["carl"])]
    with write():
        db.session.get_one(User, world.people["carl"]).active = False
    assert flow(world, number).eligible() == ["seller"], "and never nobody"


def test_time_passes_as_for_every_approval(world):
    number = placed(world, code(world, "bo"))
    for _look in range(6):
        with clock.frozen(clock.now() + timedelta(days=30)), world.app.test_request_context("/"):
            clockwork.run({})
    row = db.session.scalars(select(Approval)).one()
    assert row.state == "returned", "nobody decided: it went back"
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        again = deciding.send_again(number, {}, queries.find(number).digest)
        assert again.eligible() == [str(world.people["bo"])]


def test_a_changed_order_asks_the_same_again(world):
    number = placed(world, code(world, "bo"))
    with world.app.test_request_context("/"), acting(world.actor("bo")):
        deciding.decide(number, deciding.Said("returned", queries.find(number).digest, "more"))
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        found = deciding.send_again(number, {1: Decimal(5)}, queries.find(number).digest)
        assert (found.state, found.eligible()) == ("waiting", [str(world.people["bo"])])
        assert [line.asked for line in db.session.scalars(select(services.versions.Version))][-1] == ["1:asked"]


def test_who_asked_asks_no_more_until_somebody_decided(world):
    number = placed(world, code(world, "bo"))
    anna = sign_in(world.app, "anna@acme.example")
    assert "Ask for it no more" in anna.get(f"{HERE}/my-orders/{number}").text
    with pytest.raises(Forbidden), world.app.test_request_context("/"), acting(world.actor("dora")):
        asking.withdraw(number)
    assert anna.post(f"{HERE}/my-orders/{number}/withdraw").status_code == 303
    assert world.state(number) == "confirmed"
    with world.app.test_request_context("/"):
        assert [e["text"] for e in story.of(services.pending(number))] == ["Asked no more for an approval"]

    world.rule("10", who="company_admin")
    number = placed(world, code(world, "bo"))
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        assert asking.withdraw(number).eligible() == [str(world.people["carl"])], "what a rule asks stays"
    number = placed(world, code(world, "bo"))
    assert world.decide("carl", number) == "waiting"
    assert "Ask for it no more" not in anna.get(f"{HERE}/my-orders/{number}").text
    with pytest.raises(Conflict, match="decided"), world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        asking.withdraw(number)


def test_the_policy_and_a_role_may_forbid_it(world):
    number = placed(world, code(world, "bo"))
    with write() as session:
        session.add(Policy(company_id=world.company_id, fallback_role="company_admin", voluntary=False))
    client = filled(world)
    assert ASK not in client.get("/checkout").text
    assert order(client, code(world, "bo")).status_code == 303, "what is not offered is not read"
    assert db.session.scalars(select(OrderRequest.order_id)).all() == [queries.find(number).id]
    with world.app.test_request_context("/"):
        recheck.run({"company_id": world.company_id})
    assert world.state(number) == "confirmed", "people and rules are those of now"
    with write() as session:
        session.delete(session.scalars(select(Policy)).one())
    with world.app.test_request_context("/"), acting(world.actor("carl", BUYER | {"approval_chain.rule.edit"})):
        policies.save_group("barred", [code(world, "anna")], None, {"barred": True})
    assert ASK not in filled(world).get("/checkout").text


def test_what_a_cart_asked_is_forgotten_where_the_policy_forbids_it_when_it_is_placed(world):
    client = filled(world)
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)), write():
        voluntary.ask(cart.current_cart(), code(world, "bo"))
    rule = world.rule("10", who="company_admin")
    with write() as session:
        session.add(Policy(company_id=world.company_id, fallback_role="company_admin", voluntary=False))
    number = order(client, "").location.split("/")[-2]
    with write() as session:
        session.delete(session.scalars(select(Policy)).one())
        session.delete(session.get_one(Rule, rule))
    assert db.session.scalars(select(OrderRequest.order_id)).all() == []
    with world.app.test_request_context("/"):
        recheck.run({"company_id": world.company_id})
    assert world.state(number) == "confirmed", "nobody is asked any more"


def test_an_order_from_history_asks_nobody(world):
    number = placed(world, code(world, "bo"))
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        assert [line.article.sku for line in reorder.review(number) if line.article] == ["A-1"]
    page = filled(world).get("/checkout").text
    assert re.search(rf'value="{code(world, "bo")}"', page)
    assert not re.search(rf'selected[^>]*value="{code(world, "bo")}"|value="{code(world, "bo")}"[^>]*selected', page)
