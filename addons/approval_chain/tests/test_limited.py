"""A rule may ask only those whose limit for approving covers the total; without anybody who may, it goes up the tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from addons.approval_chain import lint, services
from addons.approval_chain.engine import Company, Person, Policy, Requirement, Rule, Tier, climb, evaluate
from addons.approval_chain.models import Limit
from addons.approval_chain.models import Rule as RuleRow
from core.data.db import db
from core.data.write import write
from core.testing import factories
from core.testing.signin import sign_in

from .test_approval import World
from .test_properties import amounts, ids, people
from .test_rules import NEW, PLAIN, asked, step

D = Decimal


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals, and Eva, who may approve more than Bo."""
    found = World(app_with(addons=["approval_chain"]))
    found.people["eva"] = factories.make_user(
        "eva@acme.example", company=db.session.get_one(factories.Company, found.company_id), roles=["approver"]
    ).id
    return found


def limit(world: World, who: str, most: str) -> None:
    """Say up to which total somebody approves."""
    with write() as session:
        values = {"company_id": world.company_id, "user_id": world.people[who], "currency": "EUR"}
        session.add(Limit(**values, approve_limit=D(most)))


def test_only_whose_limit_covers_the_total_are_asked(world):
    world.rule("", steps=[step("approver", limited=True)])
    limit(world, "bo", "50")
    limit(world, "eva", "200")
    assert asked(world, world.place(5)) == [(1, ["bo", "eva"])]  # 50.00 is covered by 50
    assert asked(world, world.place(6)) == [(1, ["eva"])]
    assert asked(world, world.place(21)) == [(1, ["carl"])]  # nobody of them: the administrator
    assert lint_codes(world) == []
    limit(world, "carl", "100")
    number = world.place(21)
    with world.app.test_request_context("/"):
        assert services.pending(number).flow.plan.requirements[0].people == ("seller",)


def test_without_the_switch_whom_a_rule_names_decides_on_any_total(world):
    world.rule("", steps=[step("approver")])
    limit(world, "bo", "50")
    assert asked(world, world.place(21)) == [(1, ["bo", "eva"])]


def test_what_nobody_of_the_company_could_ever_approve_is_said(world):
    world.rule("1000", steps=[step("approver", limited=True)])
    for who, most in (("bo", "900"), ("eva", "900"), ("carl", "900")):
        limit(world, who, most)
    assert lint_codes(world) == ["APPROVAL-NOBODY"]


def lint_codes(world: World) -> list[str]:
    """Return what is wrong in the set-up of the company."""
    with world.app.test_request_context("/"):
        return [problem.code for problem in lint.problems(world.company_id)]


def test_the_form_keeps_the_switch_and_the_sentence_says_it(world):
    carl = sign_in(world.app, "carl@acme.example")
    sent = {
        **PLAIN, "name": "Tools", "steps-0-who": "approver", "steps-0-need": "1", "steps-0-tier": "1",
        "steps-0-limited": "y", "steps-1-who": "company_admin", "steps-1-need": "1", "steps-1-tier": "1",
    }  # fmt: skip
    assert carl.post(NEW, data=sent).status_code == 303
    row = db.session.scalars(select(RuleRow)).one()
    assert row.steps == [step("approver", limited=True), step("company_admin")]
    assert "Approver (only who may approve that much)" in carl.get("/a/approval_chain/approval-rules").text
    page = carl.get(f"/a/approval_chain/approval-rules/{row.id}").text
    boxes = {n: re.search(rf'<input[^>]*name="steps-{n}-limited"[^>]*>', page)[0] for n in range(2)}
    assert ["checked" in boxes[n] for n in range(2)] == [True, False]


limited = st.builds(
    Tier, st.just(1), st.just(()), st.just(("approver", "company_admin")), st.integers(0, 2), limited=st.just(True)
)


@given(people, limited, ids, st.integers(1, 3000).map(D), st.booleans(), amounts)
@settings(max_examples=200, deadline=None)
def test_nobody_decides_above_their_limit_and_somebody_always_does(people, tier, requester, total, own, most) -> None:
    units = ("shop", "country", "group")
    company = Company((*people, Person("9", frozenset({"approver"}), "shop", None, most)), (Rule("r", tiers=(tier,)),),
                      Policy(allow_self=own), units)  # fmt: skip
    plan = evaluate({"total": total}, requester, company)
    able = {p.id for p in company.people if p.may_approve and (p.approve_limit is None or total <= p.approve_limit)}
    for one in plan.requirements:
        assert one.people
        if one.rule:
            assert set(one.people) <= able | {"seller"}
    if not plan.requirements:
        assert requester in able, "only whose own limit covers it goes ahead by themselves"
    if not able - {requester} and requester not in able:
        assert Requirement(1, climb(company.person(requester), company, total), 1, "r", climbed=True) in plan.requirements
