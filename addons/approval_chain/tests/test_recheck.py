"""When people, roles or rules change, what waits goes on at once, and whoever decides instead hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import absences, deciding, policies, recheck, rule_import, rules, seller, services
from addons.approval_chain.models import Approval, Rule
from addons.approval_chain.rule_models import role_of
from core.accounts import users
from core.accounts.models import User
from core.companies.memberships import set_memberships
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import acting, set_actor, system
from core.data.write import write
from core.jobs.models import Job
from core.jobs.runner import run_due
from core.notifications.models import Notification
from core.orders import lifecycle, queries
from core.settings.services import set_value
from core.spec.errors import Forbidden
from core.spec.imports import ImportRow
from core.testing import factories
from core.testing.signin import sign_in

from .test_approval import BUYER, World
from .test_deciding import approval, say
from .test_rules import step, when
from .test_seller import rule as seller_rule

ADMIN = BUYER | {"approval_chain.approval.decide", "approval_chain.rule.edit"}


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only, a second approver, and nothing that the clock would do."""
    found = World(app_with(addons=["approval_chain"]))
    company = db.session.get_one(Company, found.company_id)
    found.people["dora"] = factories.make_user("dora@acme.example", company=company, roles=["approver"]).id
    for key in ("remind_hours", "escalate_hours", "expire_hours"):
        set_value("approval_chain", key, 0)
    return found


def named(world: World, *names: str, need: int = 0, tier: int = 1) -> dict[str, object]:
    """Return a step that asks people by name; 0 asks all of them."""
    return step("", need=need, tier=tier, people=tuple(world.people[name] for name in names))


def leave(world: World, name: str) -> None:
    """Let a person leave the company, and what follows happen."""
    with write():
        set_memberships(db.session.get_one(User, world.people[name]), db.session.get_one(Company, world.company_id), [])
    follow(world)


def follow(world: World) -> None:
    """Run the jobs that wait."""
    run_due(world.app)
    db.session.expire_all()
    set_actor(system("tests"))
    assert list(db.session.scalars(select(Job.error).where(Job.error != ""))) == []


def told(world: World, name: str) -> list[str]:
    """Return the subjects of what a person was told."""
    query = select(Notification.subject).where(Notification.user_id == world.people[name]).order_by(Notification.id)
    return list(db.session.scalars(query))


def test_an_order_goes_on_at_once_when_the_last_one_who_was_missing_leaves(world):
    world.rule(steps=[named(world, "bo", "dora")])
    number = world.place(30)
    assert say(world, "bo", number, "approved") == "waiting"
    leave(world, "dora")
    assert (world.state(number), approval(number).state) == ("confirmed", "approved")


def test_somebody_who_may_not_sign_in_any_more_is_missing_no_more(world):
    world.rule(steps=[named(world, "bo", "dora")])
    number = world.place(30)
    say(world, "bo", number, "approved")
    users.set_active(db.session.get_one(User, world.people["dora"]), False)
    follow(world)
    assert world.state(number) == "confirmed"


def test_the_next_turn_begins_when_who_was_missing_in_this_one_leaves(world):
    world.rule(steps=[named(world, "bo", "dora"), step("company_admin", tier=2)])
    number = world.place(30)
    say(world, "bo", number, "approved")
    leave(world, "dora")
    assert (approval(number).tier, world.state(number)) == (2, "submitted")
    assert any(number in subject for subject in told(world, "carl"))


def test_whoever_decides_instead_of_somebody_who_left_is_told(world):
    world.rule(steps=[named(world, "bo")])
    number = world.place(30)
    follow(world)
    assert told(world, "carl") == []
    leave(world, "bo")
    assert any(number in subject for subject in told(world, "carl"))


def test_an_order_for_which_no_rule_asks_any_more_goes_on(world):
    rule_id = world.rule()
    number = world.place(30)
    with world.app.test_request_context("/"), acting(world.actor("carl", ADMIN)):
        rules.remove(Rule, rule_id)
    follow(world)
    assert world.state(number) == "confirmed"


def test_a_role_that_loses_a_person_frees_what_waited_for_them(world):
    with world.app.test_request_context("/"), acting(world.actor("carl", ADMIN)):
        codes = [db.session.get_one(User, world.people[name]).code for name in ("bo", "dora")]
        group_id = policies.save_group("Heads", codes).id
    world.rule(steps=[step(role_of(group_id), need=0)])
    number = world.place(30)
    say(world, "bo", number, "approved")
    with world.app.test_request_context("/"), acting(world.actor("carl", ADMIN)):
        policies.save_group("Heads", codes[:1], group_id)
    follow(world)
    assert world.state(number) == "confirmed"


def test_a_rule_that_ends_with_the_day_lets_go(world, monkeypatch):
    day = factories.today()
    world.rule(valid_until=day + timedelta(days=1))
    number = world.place(30)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=4))
    set_actor(system("tests"))
    recheck.run({})
    assert world.state(number) == "confirmed"


def test_the_sellers_order_goes_on_when_the_last_of_staff_who_was_missing_leaves(world):
    staff = [factories.make_staff(f"{name}@tukku.example", roles=["sales"]).id for name in ("sami", "aino")]
    seller_rule(steps=[step("", need=0, people=tuple(staff))])
    world.people |= {"sami": staff[0], "aino": staff[1]}
    number = world.place(11)
    sami = sign_in(world.app, "sami@tukku.example")
    sent = {"outcome": "approved", "digest": queries.find(number).digest}
    assert sami.post(f"/admin/a/approval_chain/seller-approvals/{number}", data=sent).status_code == 303
    assert world.state(number) == "submitted"
    users.set_active(db.session.get_one(User, staff[1]), False)
    follow(world)
    assert world.state(number) == "confirmed"
    assert seller.waiting_count() == 0


def returned(world: World) -> str:
    """Place an order that came back to Anna, who leaves then."""
    world.rule(steps=[named(world, "bo")])
    number = world.place(30)
    assert say(world, "bo", number, "returned", {1: Decimal(20)}) == "returned"
    leave(world, "anna")
    return number


def test_administrators_hear_when_who_ordered_has_left_and_take_it_over(world):
    number = returned(world)
    assert any("has left" in subject and number in subject for subject in told(world, "carl"))
    assert not any("has left" in subject for subject in told(world, "bo"))
    carl = sign_in(world.app, "carl@acme.example")
    assert number in carl.get("/a/approval_chain/approvals/list/ordered").text
    page = carl.get(f"/a/approval_chain/my-orders/{number}").text
    assert "anna has left" in page
    assert sign_in(world.app, "bo@acme.example").get(f"/a/approval_chain/my-orders/{number}").status_code == 403
    sent = {"digest": queries.find(number).digest, "quantity-1": "30"}
    assert carl.post(f"/a/approval_chain/my-orders/{number}", data=sent).status_code == 303
    assert approval(number).taken_id == world.people["carl"]
    assert approval(number).state == "waiting"
    assert say(world, "bo", number, "approved") == "approved"


def test_whoever_took_an_order_over_does_not_approve_it(world):
    world.rule(steps=[step("company_admin")])
    number = world.place(30)
    assert say(world, "carl", number, "returned") == "returned"
    leave(world, "anna")
    with world.app.test_request_context("/"), acting(world.actor("bo")), pytest.raises(Forbidden):
        deciding.send_again(number, {}, queries.find(number).digest)
    with world.app.test_request_context("/"), acting(world.actor("carl", ADMIN)):
        deciding.send_again(number, {}, queries.find(number).digest)
        flow = services.pending(number).flow
    assert flow.requester == str(world.people["carl"])
    assert flow.eligible() == ["seller"]  # nobody else of the company may
    with pytest.raises(Forbidden):
        say(world, "carl", number, "approved")


def test_an_administrator_cancels_what_came_back_to_somebody_who_left(world):
    number = returned(world)
    with world.app.test_request_context("/"), acting(world.actor("carl", ADMIN)):
        lifecycle.cancel(number, "nobody needs it")
    follow(world)
    assert (world.state(number), approval(number).state) == ("cancelled", "withdrawn")


def test_the_seller_hears_where_no_administrator_is_left(world):
    world.people["sam"] = factories.make_staff("sam@tukku.example", roles=["sales"]).id
    leave(world, "carl")
    number = returned(world)
    assert any(number in subject for subject in told(world, "sam"))


def test_absences_count_in_the_time_zone_of_the_company(world, monkeypatch):
    world.rule(steps=[named(world, "bo")])
    set_value("approval_chain", "zone", "Pacific/Auckland", target="company:acme")
    at = clock.now().replace(hour=13, minute=0)  # the next day in Auckland already
    tomorrow = at.date() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: at)
    codes = [db.session.get_one(User, world.people[name]).code for name in ("bo", "dora")]
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        absences.add(*codes, tomorrow, tomorrow, "Holiday")
    assert absences.away_now({world.people["bo"]}) == {str(world.people["bo"]): str(world.people["dora"])}
    monkeypatch.setattr(clock, "now", lambda: at - timedelta(hours=6))
    assert absences.away_now({world.people["bo"]}) == {}


def test_many_orders_are_looked_at_in_as_many_statements(world, count_statements):
    world.rule(steps=[named(world, "bo")])
    world.place(30)
    set_actor(system("tests"))
    with count_statements() as one:
        recheck.run({})
    for _ in range(4):
        world.place(30)
    set_actor(system("tests"))
    with count_statements() as more:
        recheck.run({})
    assert more.count == one.count
    assert db.session.scalar(select(Approval.id).where(Approval.state != "waiting")) is None


def test_rules_that_come_in_as_a_file_count_at_once(world):
    rule_id = world.rule(name="Tools", conditions=[when("total", ">", "100")])
    number = world.place(30)
    with write():
        rule_import.load([ImportRow(2, {"company": "acme", "name": "Tools", "active": False})])
    follow(world)
    assert world.state(number) == "confirmed"
    assert db.session.get_one(Rule, rule_id).active is False
