"""From a rule to a placed order: the hold, the pages, and decisions that come too late, twice, or from the wrong person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from addons.approval_chain import deciding, notices
from addons.approval_chain import rules as company_rules
from addons.approval_chain.models import Approval, Decision, Limit, Rule
from core.accounts.models import User
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting, set_actor, system
from core.data.write import write
from core.jobs.models import Job
from core.notifications.models import Notification
from core.orders import cart, lifecycle, pages, placing, queries
from core.orders.merging import NewItem
from core.runtime.operator import Operator
from core.settings.services import set_value
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound
from core.spec.orders import Stage
from core.testing import factories
from core.testing.signin import sign_in

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
TURNS = ("approver", "company_admin")
DECIDER = frozenset({"orders.order.view", "approval_chain.approval.decide"})


class World:
    """A shop with the addon, a company with a buyer, an approver and an administrator, and another company."""

    def __init__(self, app: Flask) -> None:
        set_actor(system("tests"))
        self.app = app
        company = factories.make_company("acme")
        self.company_id = company.id
        self.people = {
            name: factories.make_user(f"{name}@acme.example", company=company, roles=[role]).id
            for name, role in (("anna", "orderer"), ("bo", "approver"), ("carl", "company_admin"))
        }
        rival = factories.make_company("rival")
        factories.make_user("rita@rival.example", company=rival, roles=["company_admin"])
        factories.make_product("A-1", price="10.00")

    def rule(self, above: str = "100", who: str = "approver", tier: int = 1, **values: Any) -> int:
        """Add a rule of the company, or of another one; return its id."""
        step = {"above": "", "roles": [who] if who else [], "people": [], "need": 1, "tier": tier}
        given = {
            "company_id": self.company_id,
            "currency": "EUR",
            "steps": [step],
            "conditions": [{"fact": "total", "op": ">", "value": above}] if above else [],
            **values,
        }
        with write() as session:
            row = Rule(created_at=clock.now(), **given)
            session.add(row)
            session.flush()
        return row.id

    def actor(self, name: str, permissions: frozenset[str] = DECIDER) -> Actor:
        """Return a person of the company as the one who acts."""
        own = (self.company_id,)
        return Actor(self.people[name], name, Scope("companies", own, own, own), self.company_id, None, permissions)

    def place(self, quantity: int) -> str:
        """Order as Anna; return the number."""
        with self.app.test_request_context("/"), acting(self.actor("anna", BUYER)):
            cart.add([NewItem("A-1", Decimal(quantity))])
            page = pages.cart_page(Stage.SUBMIT)
            asked = placing.Placement(
                expected_total=page.priced.totals.gross,
                cart_key=page.order.client_reference,
                seen=pages.read_seen(page.seen),
            )
            return placing.place(asked).order.number or ""

    def decide(self, name: str, number: str, outcome: str = "approved", comment: str = "", digest: str = "") -> str:
        """Decide as a person; return the flow's state."""
        with self.app.test_request_context("/"), acting(self.actor(name)):
            seen = digest or queries.find(number).digest
            return deciding.decide(number, deciding.Said(outcome, seen, comment)).state

    def state(self, number: str) -> str:
        """Return the order's state."""
        db.session.expire_all()
        return queries.find(number).state


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    return World(app_with(addons=["approval_chain"]))


def test_an_order_waits_for_those_whom_the_rule_names(world):
    world.rule()
    assert world.state(world.place(10)) == "confirmed"  # 100.00 is not above 100
    number = world.place(11)
    assert world.state(number) == "submitted"
    for _again in range(2):  # a job may run twice
        notices.tell_approvers({"owner": "approval_chain", "number": number})
    told = {name: db.session.get_one(User, user_id).unread for name, user_id in world.people.items()}
    assert told == {"anna": 1, "bo": 1, "carl": 0}  # who ordered hears whom it waits for
    for name in ("anna", "carl"):
        with pytest.raises(Forbidden):
            world.decide(name, number)
    with pytest.raises(Conflict, match="changed since you looked"):
        world.decide("bo", number, digest="another")
    with pytest.raises(Invalid, match="why you reject"):
        world.decide("bo", number, "rejected")
    assert world.decide("bo", number) == "approved"
    assert world.state(number) == "confirmed"
    assert world.decide("bo", number) == "approved"  # again: nothing more
    assert db.session.scalar(select(func.count()).select_from(Decision)) == 1
    with pytest.raises(Conflict):
        world.decide("bo", number, "rejected", "changed my mind")


def test_who_ordered_reads_whom_it_waits_for_in_the_same_words_everywhere(world):
    world.rule("", steps=[{"above": "", "roles": [r], "people": [], "need": 1, "tier": t} for t, r in enumerate(TURNS, 1)])
    anna = sign_in(world.app, "anna@acme.example")
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(11))])
    said = ("Turn 1: bo", "Turn 2: carl", "Every order", "Expected by ", "; then it is passed on.")
    assert all(words in anna.get("/cart").text for words in said)
    number = world.place(1)
    page = anna.get(f"/orders/{number}/thanks").text
    assert "This order waits for the approval of:" in page
    assert all(words in page for words in said)
    notices.tell_approvers({"owner": "approval_chain", "number": number})
    query = select(Notification).where(Notification.user_id == world.people["anna"])
    (told,) = db.session.scalars(query)
    assert (told.subject, told.mail) == (f"Your order {number} waits for approval", "now")
    mails = [x["text"] for x in db.session.scalars(select(Job.payload)) if x.get("to") == "anna@acme.example"]
    for text in (told.text, *mails):
        assert all(words in text for words in said)
    assert len(mails) == 1
    world.decide("bo", number)
    world.decide("carl", number)
    assert "waits for the approval" not in anna.get(f"/orders/{number}/thanks").text


def test_freight_counts_towards_the_total_that_rules_and_limits_look_at(world):
    world.rule(above="100")
    with write():
        set_value("orders", "freight", Decimal("9.90"))
    waiting, free = world.place(10), world.place(9)
    assert queries.find(waiting).without_tax == Decimal("109.90")
    assert (world.state(waiting), world.state(free)) == ("submitted", "confirmed")


def test_a_rejection_ends_it_with_its_reason(world):
    world.rule()
    number = world.place(20)
    assert world.decide("bo", number, "rejected", "Too much for this month") == "rejected"
    assert world.state(number) == "rejected"
    with pytest.raises(Conflict):
        world.decide("bo", number)


def test_turns_rules_that_deny_and_people_who_leave(world):
    world.rule()
    world.rule("500", who="company_admin", tier=2)
    world.rule("5000", effect="deny", steps=[])
    number = world.place(60)
    with pytest.raises(Conflict, match="not your turn yet"):
        world.decide("carl", number)
    assert world.decide("bo", number) == "waiting"
    assert world.decide("carl", number) == "approved"
    with pytest.raises(Invalid, match="does not allow"):
        world.place(600)
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.clear()
    waiting = world.place(11)
    with write():
        db.session.get_one(User, world.people["bo"]).active = False
    assert world.decide("carl", waiting) == "approved"  # the administrator takes over


def impact(app):
    return Operator(app.extensions["tukku.config"], app).tools().impact("approval_chain")


def test_others_see_nothing_and_staff_release_with_a_reason(world):
    world.rule()
    number = world.place(11)
    rival = sign_in(world.app, "rita@rival.example")
    assert rival.get(f"/a/approval_chain/approvals/{number}").status_code == 404
    assert rival.post(f"/a/approval_chain/approvals/{number}", data={"outcome": "approved"}).status_code == 404
    assert number not in rival.get("/a/approval_chain/approvals").text
    said = [(i.count, i.severity, i.message) for i in impact(world.app)]
    assert (1, "severe", "1 rule asks nobody any more: what is ordered needs no approval.") in said
    assert (1, "severe", "1 order stays on hold by it; staff may release it with a reason.") in said
    with world.app.test_request_context("/"):
        lifecycle.release(number, queries.holds_of(queries.find(number).id)[0].id, "Called them")
    assert world.state(number) == "confirmed"
    assert [i.count for i in impact(world.app) if i.severity == "severe"] == [1], "the rule is left"
    with pytest.raises(Conflict):
        world.decide("bo", number)
    with pytest.raises(NotFound):
        world.decide("bo", world.place(1))
    assert db.session.scalar(select(func.count()).select_from(Approval)) == 1


def test_pages_of_the_company(world, count_statements):
    admin = sign_in(world.app, "carl@acme.example")
    page = admin.get("/a/approval_chain/approval-rules").text
    assert "Orders are placed at once" in page
    sent = {
        "effect": "require", "priority": "0", "inherit": "y", "active": "y",
        "conditions-0-fact": "total", "conditions-0-op": ">", "conditions-0-value": "100",
        "steps-0-who": "approver", "steps-0-need": "1", "steps-0-tier": "1",
    }  # fmt: skip
    new = "/a/approval_chain/approval-rules/new"
    assert admin.post(new, data={**sent, "conditions-0-value": "much"}).status_code == 422
    assert admin.post(new, data={**sent, "steps-0-who": "@nobody"}).status_code == 422
    assert "Say who approves" in admin.post(new, data={**sent, "steps-0-who": ""}).text
    assert admin.post(new, data=sent).status_code == 303
    limit = {"whose": "orderer", "order_limit": "50"}
    assert admin.post("/a/approval_chain/approval-rules", data=limit).status_code == 303
    page = admin.get("/a/approval_chain/approval-rules").text
    assert "Total without tax above" in page
    assert "orders alone" in page
    number = world.place(11)
    bo = sign_in(world.app, "bo@acme.example")
    assert number in bo.get("/a/approval_chain/approvals").text
    with count_statements() as first:
        bo.get("/a/approval_chain/approvals")
    shown = bo.get(f"/a/approval_chain/approvals/{number}").text
    assert "Company acme" in shown or "anna" in shown
    assert world.state(number) == "submitted"  # looking decided nothing
    assert bo.post(f"/a/approval_chain/approvals/{number}", data={"outcome": "maybe"}).status_code == 422
    for _more in range(3):
        world.place(12)
    with count_statements() as more:
        bo.get("/a/approval_chain/approvals")
    assert more.count <= first.count
    digest = queries.find(number).digest
    assert bo.post(f"/a/approval_chain/approvals/{number}", data={"outcome": "approved", "digest": "old"}).status_code == 409
    assert (
        bo.post(f"/a/approval_chain/approvals/{number}", data={"outcome": "approved", "digest": digest}).status_code == 303
    )
    assert world.state(number) == "confirmed"
    assert "Approved" in bo.get(f"/orders/{number}").text
    buyer = sign_in(world.app, "anna@acme.example")
    assert buyer.get("/a/approval_chain/approval-rules").status_code == 403
    small = world.place(6)  # above the limit of 50, below the rule
    assert world.state(small) == "submitted"
    rule = db.session.scalar(select(Rule))
    assert (
        sign_in(world.app, "rita@rival.example").post(f"/a/approval_chain/approval-rules/{rule.id}/remove").status_code
        == 404
    )
    assert admin.post(f"/a/approval_chain/approval-rules/{rule.id}/remove").status_code == 303


def test_two_who_set_a_limit_at_once_leave_one(world, monkeypatch):
    start, who = threading.Barrier(2), company_rules._who

    def together(text: str) -> Any:
        found = who(text)
        start.wait(timeout=10)
        return found

    monkeypatch.setattr(company_rules, "_who", together)

    def work(amount: int) -> None:
        with world.app.test_request_context("/"), acting(world.actor("carl")):
            company_rules.set_limit({"whose": "orderer", "order_limit": Decimal(amount), "approve_limit": None})

    threads = [threading.Thread(target=work, args=(amount,)) for amount in (100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Limit)) == 1
