"""Rules come in and go out as rows; twice the same changes nothing, and what is wrong is said by column."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import rule_import, timing
from addons.approval_chain.models import Group, Rule, SellerRule
from core.data.db import db
from core.data.write import write
from core.settings.services import set_value
from core.settings.values import SettingInvalid
from core.spec.imports import ImportRow, RowResult

from .test_approval import World
from .test_rules import step, when


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    return World(app_with(addons=["approval_chain"]))


def load(*rows: dict[str, object]) -> list[RowResult]:
    """Import rows."""
    with write():
        return list(rule_import.load([ImportRow(n, row) for n, row in enumerate(rows, 2)]))


def test_rules_of_companies_and_of_the_seller(world):
    with write() as session:
        session.add(Group(company_id=world.company_id, name="Heads"))
    rows = (
        {
            "company": "acme", "name": "Tools", "effect": "require", "priority": 3,
            "when": "total > 1000.50;country in FI,SE",
            "orderers": "orderer,bo@acme.example", "steps": "|approver,Heads|2|1;5000|CARL@acme.example|all|2|limit",
        },
        {"company": "", "name": "Floor", "effect": "require", "when": "discount > 30", "steps": "|sales|1|1"},
        {"company": "acme", "name": "Never", "effect": "deny", "when": "total > 9000"},
    )  # fmt: skip
    assert [r.outcome for r in load(*rows)] == ["created"] * 3
    assert [r.outcome for r in load(*rows)] == ["unchanged"] * 3
    rule = db.session.scalars(select(Rule).where(Rule.name == "Tools")).one()
    heads = db.session.scalars(select(Group)).one().role
    assert rule.conditions == [when("total", ">", "1000.50"), when("country", "in", ["FI", "SE"])]
    assert rule.steps == [
        {**step("approver", need=2), "roles": ["approver", heads]},
        step("", above="5000", need=0, tier=2, people=(world.people["carl"],), limited=True),
    ]
    assert (rule.for_roles, rule.for_people, rule.priority) == (["orderer"], [world.people["bo"]], 3)
    assert db.session.scalars(select(SellerRule)).one().currency == "EUR"
    out = list(rule_import.export())
    assert [row["name"] for row in out] == ["Floor", "Tools", "Never"]
    again = [{k: v for k, v in row.items() if v not in (None, "")} for row in out]
    assert [r.outcome for r in load(*again)] == ["unchanged"] * 3
    assert load({"company": "acme", "name": "Tools", "active": False})[0].outcome == "updated"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("company", "nobody", "company"),
        ("when", "total", "no condition"),
        ("when", "total > much", "not a number"),
        ("when", "country in Finland", "knows no"),
        ("when", "gone > 1", "no figure"),
        ("steps", "approver", "no step"),
        ("steps", "|approver|some|1", "no step"),
        ("steps", "|approver|1|0", "no step"),
        ("steps", "|approver|1|1|unlimited", "no step"),
        ("steps", "much|approver|1|1", "not a number"),
        ("steps", "||1|1", "who approves"),
        ("steps", "", "who approves"),
        ("orderers", "sales", "neither a role nor a person"),
    ],
)
def test_rows_that_are_wrong(world, column, value, said):
    good = {"company": "acme", "name": "Tools", "when": "total > 1", "steps": "|approver|1|1"}
    (result,) = load({**good, column: value})
    assert (result.outcome, result.field) == ("error", column)
    assert said in str(result.message)
    assert db.session.scalars(select(Rule)).all() == []


@pytest.mark.parametrize("days", ["12-25 2026-06-19", "02-29", "", "01-06, 12-24"])
def test_closed_days_that_are_days(world, days):
    with write():
        set_value("approval_chain", "closed_days", days)
    assert timing.calendar_of(world.company_id).closed == set(days.replace(",", " ").split())


@pytest.mark.parametrize("days", ["12-32", "christmas", "25.12.", "2026-02-30"])
def test_closed_days_that_are_none(world, days):
    with pytest.raises(SettingInvalid, match="is no day"), write():
        set_value("approval_chain", "closed_days", days)
