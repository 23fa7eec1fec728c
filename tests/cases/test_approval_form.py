"""Cases of our own for words of the form of approvals that the published sample does not use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask

from core.data.scope import set_actor, system
from core.testing import factories

from .neutral import Unsupported
from .test_approval import run

TWO = [{"id": "requester", "roles": ["requester"]}, {"id": "approver", "roles": ["approver"]}]


def fits(*when: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """Return a case with one rule, for an order."""
    return {"rules": [{"id": "r1", "when": list(when)}], **values}


def said(fact: str, op: str, value: Any) -> dict[str, Any]:
    """Return a condition."""
    return {"fact": fact, "op": op, "value": value}


OTHER = {"id": "other", "roles": []}
TENTH = {"total": 90, "order_discount": 10}
NEEDED, FREE = {"approval_needed": True}, {"approval_needed": False}
LOCKED = [
    {"do": "edit", "by": "requester", "change": change, "apart": True, "expect": {"outcome": outcome, "state": "waiting"}}
    for change, outcome in (("listed_field", "ok"), ("other_field", "refuse"), ("items", "refuse"))
]
CASES: Mapping[str, dict[str, Any]] = {
    "a listed field changes while it waits": {
        "policy": {"editable_while_waiting": ["reference"]}, "state": "waiting",
        "steps": [*LOCKED, {"do": "edit", "by": "requester", "change": "listed_field"},
                  {"do": "approve", "by": "approver", "expect": {"state": "approved", "approvals_open": 0}}],
    },
    "what was approved holds when a listed field changes": {
        "people": [*TWO, {"id": "second", "roles": []}],
        "policy": {"editable_while_waiting": ["reference"]},
        "rules": [{"id": "r1", "approvers": {"people": ["approver", "second"], "need": "all"}}],
        "state": "waiting",
        "steps": [
            {"do": "approve", "by": "approver"},
            {"do": "edit", "by": "requester", "change": "listed_field", "expect": {"eligible": ["second"]}},
        ],
    },
    "no field changes while it waits": {
        "state": "waiting", "steps": [{"do": "edit", "by": "requester", "change": "field", "expect": {"outcome": "refuse"}}]
    },
    "a discount on the order asks": fits(said("order_discount", ">", 5), order=TENTH, expect=NEEDED),
    "a smaller discount does not": fits(said("order_discount", ">", 10), order=TENTH, expect=FREE),
    "a changed price asks": fits(said("price_changed", "=", True), order={"price_changed": True}, expect=NEEDED),
    "an unchanged price does not": fits(said("price_changed", "=", True), order={"total": 50}, expect=FREE),
    "a rule about who orders": fits(said("requester", "=", "other"), people=[*TWO, OTHER], expect=FREE),
    "freight in another currency": fits(
        said("shipping_incl_tax", ">", 10), order={"total": 100, "shipping_incl_tax": 15, "currency": "USD"}, expect=NEEDED
    ),
    "lines and their total": fits(
        said("total", ">=", 150), order={"total": 150, "lines": [{"price": 100}, {"price": 25, "qty": 2}]}, expect=NEEDED
    ),
    "every order is on account": fits(said("payment", "=", "account"), expect=NEEDED),
    "whom the order is assigned to": {
        "people": [*TWO, {"id": "boss", "roles": [], "rights": ["decide_assigned"]},
                   {"id": "else", "roles": [], "rights": ["decide_assigned"]}],
        "order": {"assigned_to": "boss"}, "state": "waiting", "expect": {"eligible": ["boss"]},
        "steps": [{"do": "approve", "by": "else", "apart": True, "expect": {"outcome": "forbidden"}},
                  {"do": "approve", "by": "boss", "expect": {"outcome": "ok", "state": "approved"}}],
    },
    "keys without a value": {"people": None, "policy": None, "rules": None, "order": {"total": None}, "steps": None,
                             "expect": {"approval_needed": True, "eligible": ["approver"]}},
    "one condition, with another sign": {"rules": [{"id": "r1", "when": {"fact": "total", "op": "gte", "value": "70"}}],
                                         "order": {"total": "70.00"}, "expect": NEEDED},
    "whoever asked sees the order": {
        "people": [*TWO, {"id": "boss", "roles": [], "rights": ["decide_assigned"]}, {"id": "else", "roles": []}],
        "order": {"assigned_to": "boss"}, "state": "waiting",
        "steps": [{"do": "view", "by": who, "expect": {"outcome": outcome}}
                  for who, outcome in (("requester", "ok"), ("boss", "ok"), ("else", "forbidden"))]},
    "nobody can be asked": {
        "people": [{**TWO[0], "order_limit": 5, "unit": "u"}, {**TWO[1], "approve_limit": 50, "unit": "u"}],
        "units": [{"id": "u"}], "policy": {"decide_by": "limits", "scope": "own_unit"}, "order": {"total": 60},
        "expect": {"approval_needed": True, "eligible": [], "can_request": False, "can_order": False}},
    "nobody is left to decide": {"people": [TWO[0]], "rules": [{"id": "r1", "approvers": {"roles": ["nobody"]}}],
                                 "expect": {"required": [], "can_order": False}},
    "what needed nobody is not decided on": {"rules": [], "steps": [
        {"do": "submit", "by": "requester", "expect": {"outcome": "ok", "state": "ordered", "eligible": []}},
        {"do": "approve", "by": "approver", "expect": {"outcome": "refuse"}}]},
    "what nothing requires may be asked for": {
        "rules": [], "expect": {"approval_needed": False, "can_request": True, "can_order_now": True},
        "steps": [
            {"do": "request", "by": "requester", "to": "approver",
             "expect": {"outcome": "ok", "state": "waiting", "eligible": ["approver"], "approvals_open": 1, "left_todo": 1,
                        "can_order_now": False}},
            {"do": "approve", "by": "requester", "expect": {"outcome": "forbidden", "state": "waiting"}},
            {"do": "approve", "by": "approver", "expect": {"outcome": "ok", "state": "approved", "approvals_open": 0}}]},
    "anybody may be asked for it": {
        "people": [*TWO, {"id": "boss", "roles": []}], "rules": [], "state": "waiting",
        "expect": {"eligible": ["approver", "boss"], "required": [], "approvals_needed": 1},
        "steps": [{"do": "reject", "by": "boss", "comment": "no", "expect": {"outcome": "ok", "state": "rejected"}}]},
    "below a limit it may be asked for of who may approve that much": {
        "people": [{**TWO[0], "order_limit": 100}, {**TWO[1], "approve_limit": 50}, {"id": "boss", "approve_limit": 500}],
        "policy": {"decide_by": "limits"}, "order": {"total": 90},
        "expect": {"approval_needed": False, "can_request": True},
        "steps": [{"do": "request", "by": "requester", "expect": {"state": "waiting", "eligible": ["boss"]}}]},
    "nobody asks themselves": {"rules": [], "steps": [
        {"do": "request", "by": "requester", "to": "requester", "expect": {"outcome": "refuse", "state": "new"}}]},
    "where the policy is so nobody asks for what nothing requires": {
        "rules": [], "expect": {"can_request": False, "can_order_now": True},
        "steps": [{"do": "request", "by": "requester", "expect": {"outcome": "refuse", "state": "new"}},
                  {"do": "submit", "by": "requester", "expect": {"state": "ordered"}}]},
    "who may not ask may not ask for that either": {
        "people": [{**TWO[0], "lacks": ["request_approval"]}, TWO[1]], "rules": [], "expect": {"can_request": False}},
}  # fmt: skip
MISSING = {
    "payment online": {"order": {"payment": "online"}},
    "quotes of sales people": {"order": {"kind": "quote"}},
    "steps: do dance": {"steps": [{"do": "dance"}]},
}


def test_words_that_the_sample_does_not_use(app_with: Callable[..., Flask]) -> None:
    """Run every case, and say which fails; what is missing is said by its name."""
    app = app_with(addons=["approval_chain", "promotions"])
    set_actor(system("tests"))
    factories.make_tax_rate(rate="0")
    wrong = {name: run(case, app, f"own{n}") for n, (name, case) in enumerate(CASES.items())}
    assert {name: problem for name, problem in wrong.items() if problem} == {}
    for feature, case in MISSING.items():
        with pytest.raises(Unsupported, match=feature):
            run(case, app, "missing")
