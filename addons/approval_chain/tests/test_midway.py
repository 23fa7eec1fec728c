"""What changes while an order waits: rules that forbid it now, people who leave, and one person in several places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import absences, clockwork, rules, services
from addons.approval_chain.engine import Plan, Requirement
from addons.approval_chain.flow import Flow
from addons.approval_chain.models import Decision, Rule
from addons.approval_chain.tests.test_approval import World
from addons.approval_chain.tests.test_deciding import again, approval, say
from core.accounts.models import User
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.spec.errors import Conflict, Forbidden
from core.testing import factories
from core.testing.signin import sign_in


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only, and a second approver."""
    found = World(app_with(addons=["approval_chain"]))
    company = db.session.get_one(Company, found.company_id)
    found.people["dora"] = factories.make_user("dora@acme.example", company=company, roles=["approver"]).id
    return found


def ask(world: World, *names: str, need: int = 0) -> None:
    """Let a rule ask people by name; 0 asks all of them."""
    people = [world.people[name] for name in names]
    world.rule(steps=[{"above": "", "roles": [], "people": people, "need": need, "tier": 1}])


def away(world: World, name: str, substitute: str) -> None:
    """Let somebody be away today, with a substitute."""
    codes = [db.session.get_one(User, world.people[n]).code for n in (name, substitute)]
    day = factories.today()
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        absences.add(*codes, day - timedelta(days=1), day + timedelta(days=3), "Holiday")


def eligible(world: World, number: str) -> list[str]:
    """Return the names of who may decide now."""
    with world.app.test_request_context("/"):
        able = services.pending(number).flow.eligible()
    return [name for name, user_id in world.people.items() if str(user_id) in able]


def decided() -> list[tuple[str, str]]:
    """Return who decided in whose place."""
    return [(d.user_name, d.for_name) for d in db.session.scalars(select(Decision).order_by(Decision.id))]


def test_what_a_rule_forbids_meanwhile_is_not_approved_and_waits_for_administrators(world):
    ask(world, "bo", "dora")
    number = world.place(30)
    assert say(world, "bo", number, "approved") == "waiting"
    forbidding = world.rule(above="200", who="", effect="deny", steps=[])
    with pytest.raises(Forbidden):
        say(world, "dora", number, "approved")
    assert again(world, number, {}) == "waiting"  # sent again as it is: not let go
    assert (world.state(number), approval(number).state) == ("submitted", "waiting")
    assert eligible(world, number) == ["carl"]
    page = sign_in(world.app, "carl@acme.example").get(f"/a/approval_chain/approvals/{number}").text
    assert "does not allow this order any more" in page
    assert 'value="rejected"' in page
    assert 'value="approved"' not in page
    with pytest.raises(Conflict, match="does not allow this order any more"):
        say(world, "carl", number, "approved")
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        rules.remove(Rule, forbidding)
    assert say(world, "dora", number, "approved") == "approved"  # and Bo's approval of the same order counts again
    assert world.state(number) == "confirmed"


def test_whoever_is_asked_and_stands_in_decides_in_one_act(world):
    ask(world, "bo", "dora")
    away(world, "bo", "dora")
    number = world.place(30)
    assert say(world, "dora", number, "approved") == "approved"
    assert say(world, "dora", number, "approved") == "approved"  # twice is once
    assert decided() == [("dora", ""), ("dora", "bo")]


def test_whoever_stands_in_for_two_decides_for_both(world):
    ask(world, "bo", "dora")
    for name in ("bo", "dora"):
        away(world, name, "carl")
    assert say(world, "carl", world.place(30), "approved") == "approved"
    assert decided() == [("carl", "bo"), ("carl", "dora")]


def test_where_two_of_several_decide_a_substitute_is_one_of_them(world):
    ask(world, "bo", "dora", "carl", need=2)
    away(world, "bo", "dora")
    number = world.place(30)
    assert say(world, "dora", number, "approved") == "waiting"
    assert eligible(world, number) == ["carl"]
    assert say(world, "carl", number, "approved") == "approved"


def test_an_order_goes_on_when_the_last_one_who_was_missing_leaves(world):
    ask(world, "bo", "dora")
    number = world.place(30)
    assert say(world, "bo", number, "approved") == "waiting"
    with write():
        db.session.get_one(User, world.people["dora"]).active = False
    clockwork.tick(number)
    assert (world.state(number), approval(number).state) == ("confirmed", "approved")


def test_nothing_goes_back_to_somebody_who_has_left(world, monkeypatch):
    ask(world, "bo")
    number = world.place(30)
    with write():
        db.session.get_one(User, world.people["anna"]).active = False
    with pytest.raises(Conflict, match="has left"):
        say(world, "bo", number, "returned")
    ends = approval(number).expires_at
    assert ends
    monkeypatch.setattr(clock, "now", lambda: ends + timedelta(seconds=1))
    clockwork.tick(number)
    assert (world.state(number), approval(number).state) == ("rejected", "rejected")


def test_whose_turn_comes_later_is_told_so():
    """Not yet is another answer than never: 409, not 403."""
    flow = Flow("1", Plan((Requirement(1, ("2",), 1, "a"), Requirement(2, ("3",), 1, "b"))))
    with pytest.raises(Conflict, match="not your turn yet"):
        flow.decide("3", "approved")
    with pytest.raises(Forbidden):
        flow.decide("4", "approved")
    flow.decide("2", "approved")
    assert flow.decide("3", "approved")
