"""Approvals, cost centres, budgets, limits and rules for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import limit_import
from addons.approval_chain.models import CostCentre, Decision, Limit, SpendLimit
from addons.approval_chain.tests.test_approval import World
from addons.approval_chain.tests.test_inbox import more
from core.companies.models import Company
from core.data.db import db
from core.data.models import AuditEntry
from core.orders import queries
from core.restapi import keys
from core.testing import factories


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only, where Bo approves what is above 100."""
    found = World(app_with(addons=["approval_chain"]))
    found.rule(name="More than a hundred")
    return found


class Program:
    """Calls the API with a key of the merchant or a company."""

    def __init__(self, world: World, company: str = "", permissions: list[str] | None = None) -> None:
        self.client = world.app.test_client()
        company_id = db.session.scalar(select(Company.id).where(Company.code == company)) if company else None
        held = permissions if permissions is not None else keys.offered(company_id)
        self.secret = keys.create("ERP", held, company_id=company_id, days=1).secret

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.secret}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.client.open(f"/api/v1/approval_chain/{path}", method=method, json=body, headers=sent)


def test_a_program_lists_reads_and_decides(world):
    number, other = world.place(20), world.place(30)
    erp = Program(world, "acme")
    items = erp("GET", "approvals?state=waiting&sort=submitted").json["items"]
    assert [item["number"] for item in items] == [number, other]
    item = erp("GET", f"approvals/{number}").json
    asked = {"need": 1, "people": ["bo@acme.example"], "reason": "More than a hundred", "seller": False}
    assert (item["asked"], item["why"], item["story"]) == ([asked], "More than a hundred", [])
    assert (item["digest"], item["without_tax"], item["late"]) == (queries.find(number).digest, "200", False)
    decide = {"person": "bo@acme.example", "digest": item["digest"], "outcome": "approved", "comment": "In the ERP"}
    path = f"approvals/{number}/decide"
    assert erp("POST", path, {**decide, "digest": "old"}).status_code == 409
    assert erp("POST", path, {**decide, "person": "anna@acme.example"}).status_code == 403
    assert erp("POST", path, {**decide, "person": "rita@rival.example"}).json["errors"]["json"]["person"]
    assert erp("POST", path, {**decide, "outcome": "rejected", "comment": ""}).status_code == 422
    assert world.state(number) == "submitted"
    first = erp("POST", path, decide, Idempotency_Key="d-1")
    assert (first.status_code, first.json["state"], first.json["order_state"]) == (200, "approved", "confirmed")
    assert first.json["story"][0]["note"] == "In the ERP"
    again = erp("POST", path, decide, Idempotency_Key="d-1")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert erp("POST", path, decide).status_code == 200, "the same decision again changes nothing"
    decision = db.session.scalars(select(Decision)).one()
    assert (decision.through, decision.user_id) == ("api", world.people["bo"])
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "approval decided through the API")).first()
    assert "ERP" in entry.actor
    back = {**decide, "digest": queries.find(other).digest, "outcome": "returned"}
    shown = erp("POST", f"approvals/{other}/decide", {**back, "lines": [{"position": 1, "quantity": "5"}]}).json
    assert (shown["state"], shown["story"][0]["what"]) == ("returned", "Smaller order proposed")


def test_others_read_nothing_and_keys_need_the_right(world, count_statements):
    number = world.place(20)
    rival = Program(world, "rival")
    assert rival("GET", "approvals").json["items"] == []
    assert rival("GET", f"approvals/{number}").status_code == 404
    decide = {"person": "bo@acme.example", "digest": queries.find(number).digest, "outcome": "approved"}
    assert rival("POST", f"approvals/{number}/decide", decide).status_code == 404
    poor = Program(world, "acme", ["orders.order.view"])
    assert poor("GET", "approvals").status_code == 403
    assert poor("POST", f"approvals/{number}/decide", decide).status_code == 403
    merchant = Program(world)
    assert [x["company"] for x in merchant("GET", "approvals").json["items"]] == ["acme"]
    assert merchant("POST", f"approvals/{number}/decide", decide).status_code == 403, "the company decides"
    with count_statements() as one:
        merchant("GET", "approvals?limit=100")
    more(number, 40)
    with count_statements(at_most=one.count):
        assert len(merchant("GET", "approvals?limit=100").json["items"]) == 41


def test_cost_centres_and_budgets(world):
    merchant, own = Program(world), Program(world, "acme")
    row = {"company": "acme", "code": "4100/A", "name": "Repairs", "source": "erp", "external_id": "77"}
    assert merchant("POST", "cost_centres/batch", {"rows": [row]}).json["created"] == 1
    assert merchant("POST", "cost_centres/batch", {"rows": [row]}).json["unchanged"] == 1
    renamed = {"company": "acme", "source": "erp", "external_id": "77", "name": "Maintenance"}
    assert merchant("POST", "cost_centres/batch", {"rows": [renamed]}).json["updated"] == 1
    wrong = merchant("POST", "cost_centres/batch", {"rows": [{**row, "code": "B"}]}).json["rows"][0]
    assert "known here as 4100/A" in wrong["errors"]["external_id"][0]
    assert own("POST", "cost_centres/batch", {"rows": [row]}).status_code == 403
    money = {"company": "acme", "cost_centre": "4100/A", "amount": "500", "mode": "warn"}
    assert merchant("POST", "cost_centres/budgets/batch", {"rows": [money]}).json["created"] == 1
    made = own("PUT", "cost_centres/NEW", {"name": "New one", "owner": "bo@acme.example"}).json
    assert (made["owner"], made["budget"], made["company"]) == ("bo@acme.example", None, "acme")
    assert own("PUT", "cost_centres/NEW", {"name": "New", "owner": "anna@acme.example"}).status_code == 422
    assert own("PUT", "cost_centres/NEW", {"name": "Other", "active": False}).json["active"] is False
    with_budget = own("PUT", "cost_centres/NEW/budget", {"amount": "50", "period": "quarter"}).json["budget"]
    assert (with_budget["left"], with_budget["period"], with_budget["used"]) == ("50", "quarter", "0")
    assert own("PUT", "cost_centres/NEW/budget", {"amount": "-1"}).status_code == 422
    assert own("DELETE", "cost_centres/NEW/budget").json["budget"] is None
    world.place(12)
    found = own("GET", "cost_centres/4100/A").json
    assert (found["name"], found["external_id"], found["budget"]["reserved"]) == ("Maintenance", "77", "120")
    listed = merchant("GET", "cost_centres?company=acme&active=yes").json["items"]
    assert [(x["code"], x["budget"]["left"]) for x in listed] == [("4100/A", "380")]
    assert merchant("PUT", "cost_centres/X", {"name": "X"}).status_code == 422, "of which company?"
    rival = Program(world, "rival")
    assert rival("GET", "cost_centres").json["items"] == []
    assert rival("GET", "cost_centres/4100/A").status_code == 404
    assert rival("PUT", "cost_centres/4100/A", {"company": "acme", "name": "Mine"}).status_code == 404
    assert db.session.scalars(select(CostCentre.name).where(CostCentre.code == "4100/A")).one() == "Maintenance"


def test_limits_and_rules(world):
    merchant = Program(world)
    rows = [
        {"company": "acme", "role": "orderer", "order_limit": "50", "approve_limit": "unlimited"},
        {"company": "acme", "person": "BO@acme.example", "approve_limit": "1000.50"},
        {"company": "acme", "person": "rita@rival.example", "order_limit": "1"},
        {"company": "acme", "order_limit": "1"},
        {"company": "acme", "role": "king", "order_limit": "1"},
        {"company": "none", "role": "orderer", "order_limit": "1"},
        {"company": "acme", "role": "approver", "order_limit": "a lot"},
    ]
    said = merchant("POST", "limits/batch", {"rows": rows}).json
    assert (said["created"], said["failed"]) == (2, 5)
    assert merchant("POST", "limits/batch", {"rows": rows[:2]}).json["unchanged"] == 2
    assert merchant("POST", "limits/batch", {"rows": [{**rows[0], "order_limit": "60"}]}).json["updated"] == 1
    listed = merchant("GET", "limits?company=acme").json["rows"]
    assert {"company": "acme", "person": "", "role": "orderer", "order_limit": "60", "approve_limit": "unlimited"} in listed
    assert db.session.scalars(select(Limit.approve_limit).where(Limit.user_id == world.people["bo"])).one()
    spending = {"company": "acme", "role": "orderer", "period": "month", "amount": "300"}
    assert merchant("POST", "limits/spending/batch", {"rows": [spending]}).json["created"] == 1
    assert merchant("POST", "limits/spending/batch", {"rows": [spending]}).json["unchanged"] == 1
    assert merchant("GET", "limits/spending").json["rows"] == [{**spending, "person": ""}]
    assert merchant("POST", "limits/spending/batch", {"rows": [{**spending, "amount": "unlimited"}]}).json["updated"] == 1
    assert db.session.scalars(select(SpendLimit.amount)).one() is None
    assert merchant("GET", "limits?company=rival").json["rows"] == []
    rule = {"company": "acme", "name": "Bearings", "effect": "require", "when": "total > 10", "steps": "|approver|1|1"}
    assert merchant("POST", "rules/batch", {"rows": [rule]}).json["created"] == 1
    assert {row["name"] for row in merchant("GET", "rules?company=acme").json["rows"]} == {"Bearings", "More than a hundred"}
    assert Program(world, "acme")("GET", "rules").status_code == 403
    names = world.app.test_client().get("/api/v1/openapi.json").json["components"]["schemas"]
    assert {"ApprovalChainApprovalItem", "ApprovalChainCentreItem", "ApprovalChainDecisionAsked"} <= set(names)


def test_limits_go_out_as_they_came_in(world):
    factories.make_company("third")
    rows = [{"company": "third", "role": "orderer", "order_limit": "0", "approve_limit": "unlimited"}]
    merchant = Program(world)
    assert merchant("POST", "limits/batch", {"rows": rows}).json["created"] == 1
    assert [{k: v for k, v in row.items() if v} for row in limit_import.export_limits()] == [
        {"company": "third", "role": "orderer", "order_limit": "0", "approve_limit": "unlimited"}
    ]
