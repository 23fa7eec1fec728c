"""What is set up wrongly is said, to the company and to staff; what is right is not mentioned."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from addons.approval_chain import checks, lint
from addons.approval_chain.models import Absence, Group, Limit, Manager, SellerRule
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.registry.registry import registry
from core.runtime.operator import contributed_by
from core.testing import factories
from core.testing.signin import sign_in

from .test_approval import World
from .test_rules import step, when


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    return World(app_with(addons=["approval_chain"]))


def codes(world: World) -> list[str]:
    """Return the codes of what is wrong."""
    with world.app.test_request_context("/"):
        return sorted(problem.code for problem in lint.problems())


@pytest.mark.parametrize(
    ("conditions", "wrong"),
    [
        ([when("total", ">", "500"), when("total", "<", "500")], True),
        ([when("total", ">", "500"), when("total", "<=", "500")], True),
        ([when("total", ">=", "500"), when("total", "<=", "500")], False),
        ([when("total", "=", "5"), when("total", "=", "6")], True),
        ([when("lines", "<", "0")], True),
        ([when("discount", "<", "0")], False),
        ([when("country", "in", ["FI"]), when("country", "in", ["SE"])], True),
        ([when("country", "in", ["FI", "SE"]), when("country", "not_in", ["FI"])], False),
        ([when("category", "in", ["tools"]), when("category", "in", ["goods"])], False),
        ([when("category", "in", ["tools"]), when("category", "not_in", ["tools"])], True),
        ([when("gone.figure", ">", "1")], True),
    ],
)
def test_a_rule_that_never_fits(world, conditions, wrong):
    world.rule("", conditions=conditions)
    assert codes(world) == (["APPROVAL-NEVER"] if wrong else [])


def test_a_band_that_the_rule_itself_rules_out(world):
    world.rule("", conditions=[when("total", "<", "100")], steps=[step("approver", "500")])
    world.rule("", conditions=[when("total", "<", "1000")], steps=[step("approver", "500")])
    assert codes(world) == ["APPROVAL-NEVER"]


def test_ended_rules_and_roles_without_people(world):
    day = factories.today()
    world.rule("1", valid_until=day - timedelta(days=2))
    world.rule("1", active=False, who="group:99")
    with write() as session:
        group = Group(company_id=world.company_id, name="Heads")
        session.add(group)
        session.flush()
        role = group.role
    world.rule("1", who=role)
    world.rule("1", who="cost_centre_owner")
    factories.make_user("dora@acme.example", company=db.session.get(Company, world.company_id), roles=["company_admin"])
    assert codes(world) == ["APPROVAL-ENDED", "APPROVAL-ROLE-EMPTY"]


def test_people_whom_nobody_can_approve(world):
    world.rule("1", who="company_admin")
    assert codes(world) == ["APPROVAL-NOBODY"]  # the only administrator's own orders
    with world.app.test_request_context("/"):
        text = [problem.text for problem in lint.problems()]
    assert text == ["Nobody of Company acme may approve the orders of 1 person (carl); they would wait for the seller."]
    company = db.session.get(Company, world.company_id)
    factories.make_user("dora@acme.example", company=company, roles=["company_admin"])
    assert codes(world) == []
    with write() as session:
        for user_id in world.people.values():
            session.add(
                Limit(
                    company_id=world.company_id, user_id=user_id, role="", currency="EUR", order_limit=Decimal(10),
                    approve_limit=Decimal(0),
                )
            )  # fmt: skip
    assert codes(world) == []  # dora approves without limit


def test_circles_of_managers_and_substitutes(world):
    day, people = factories.today(), world.people
    with write() as session:
        for who, lead in (("anna", "bo"), ("bo", "carl"), ("carl", "anna")):
            session.add(Manager(company_id=world.company_id, user_id=people[who], manager_id=people[lead]))
        for who, other, start in (("bo", "carl", 0), ("carl", "bo", 2)):
            session.add(
                Absence(
                    company_id=world.company_id, user_id=people[who], substitute_id=people[other], created_at=clock.now(),
                    since=day + timedelta(days=start), until=day + timedelta(days=start + 5),
                )
            )  # fmt: skip
    assert codes(world) == ["APPROVAL-MANAGERS", "APPROVAL-SUBSTITUTES"]


def test_money_that_cannot_be_converted(world):
    world.rule("1", currency="TRY")
    assert codes(world) == ["APPROVAL-CURRENCY"]


def test_the_company_and_staff_read_it(world, count_statements):
    def findings() -> list[Any]:
        with world.app.test_request_context("/"):
            return list(checks.approvals())

    assert findings() == []
    never = {"conditions": [when("total", ">", "5"), when("total", "<", "5")]}
    world.rule("", name="Impossible", **never)
    page = sign_in(world.app, "carl@acme.example").get("/a/approval_chain/approval-rules").text
    assert "A rule of Company acme never fits: Impossible" in page
    assert "Impossible" not in sign_in(world.app, "rita@rival.example").get("/a/approval_chain/approval-rules").text
    (finding,) = findings()
    assert (finding.code, finding.level, finding.values) == ("APPROVAL-NEVER", "warning", {"company": "acme"})
    with count_statements() as few:
        findings()
    for i in range(8):
        company = factories.make_company(f"c{i}")
        factories.make_user(f"x@c{i}.example", company=company, roles=["company_admin"])
        world.rule("", name=f"Rule {i}", company_id=company.id, **never)
    with count_statements() as many:
        found = findings()
    assert many.count <= few.count + 2  # the seller is read again after a change; who cannot be approved is named
    assert [f.code for f in found].count("APPROVAL-NEVER") == 6
    assert "4 more of this kind." in [str(f.message) for f in found]


def test_rules_of_the_seller_are_looked_at_too(world):
    factories.make_staff("sami@tukku.example", roles=["sales"])
    day = factories.today()
    plain = {"conditions": [], "currency": "EUR", "created_at": clock.now()}
    with write() as session:
        session.add_all(
            [
                SellerRule(**{**plain, "name": "Fine", "steps": [step("sales")]}),
                SellerRule(**{**plain, "name": "Over", "steps": [step("sales")], "valid_until": day - timedelta(days=3)}),
                SellerRule(**{**plain, "name": "Empty", "steps": [step("finance")]}),
                SellerRule(**{**plain, "name": "Off", "steps": [step("finance")], "active": False}),
                SellerRule(**{**plain, "name": "Never", "steps": [step("sales")], "conditions": [when("lines", "<", "0")]}),
            ]
        )
    with world.app.test_request_context("/"):
        found = sorted((f.code, f.level) for f in checks.approvals())
    assert found == [
        ("SELLER-RULE-EMPTY", "warning"), ("SELLER-RULE-ENDED", "info"), ("SELLER-RULE-NEVER", "warning"),
    ]  # fmt: skip


def test_it_is_said_where_people_and_their_roles_are_kept(world):
    world.rule()
    buyer = sign_in(world.app, "carl@acme.example")
    assert "What needs attention" not in buyer.get("/company/members").text
    page = buyer.get("/company/members").text
    member = re.search(r'href="(/company/members/[^"]+)"[^>]*>bo<', page)
    assert member, page
    answer = buyer.post(member[1], data={"roles": ["orderer"]}, follow_redirects=True).text
    assert "What needs attention" in answer
    assert "asks roles in which nobody is" in answer
    with world.app.test_request_context("/"):
        assert "Nobody of" in " ".join(p.text for p in lint.problems(world.company_id))


def test_the_page_of_the_addon_names_its_figures(world):
    with world.app.app_context():
        found = contributed_by("approval_chain", registry())
    assert {"total", "cost_centre", "budget_overrun"} <= set(found["order_facts"])
    assert "approval_limits" in found["data_imports"]
