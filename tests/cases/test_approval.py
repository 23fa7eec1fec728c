"""Who must approve what, from the published tests of other systems, run through the addon's engine and flow.

Reads ``approval.json`` here, or in the folder ``TUKKU_CASES_DIR``. Each case is passed, failed, or unsupported with the
name of the feature that is missing; a failure fails the suite, and the counts are printed. Where systems differ by
policy, Tukku's is: all fitting rules count, a rejection by one ends the request, nobody approves what they ordered
unless the company allows it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from addons.approval_chain.engine import Company, Condition, Person, Plan, Policy, Rule, Tier, evaluate
from addons.approval_chain.facts import average_discount
from addons.approval_chain.flow import Flow
from core.spec.errors import TukkuError

DEFAULT_PEOPLE = ({"id": "requester", "roles": ["requester"]}, {"id": "approver", "roles": ["approver"]})
#: Keys of a policy, or of a person or an order, that name something Tukku does not have.
MISSING_POLICIES = {
    "no_rule": "refusing a request where no rule exists",
    "editable_while_waiting": "fields that may change while an order waits",
}
MISSING_PEOPLE = {"rights": "rights beyond the role", "lacks": "the right to ask for approval"}
MISSING_ORDERS = {
    "assigned_to": "choosing the approver oneself",
    "payment": "payment online",
    "company": "rules by selling company",
}
MISSING_RULES = {"company": "rules by selling company", "priority": "one rule chosen by priority"}
MISSING_STEPS = {"review": "taking up for review", "restart": "asking anew after a rejection", "pay": "payment online",
                 "view": "a list of all pending orders"}  # fmt: skip


class Unsupported(Exception):
    """The case needs a feature that is not there."""


def number(value: Any) -> Decimal:
    """Return an exact number."""
    return Decimal(str(value))


class World:
    """The product's objects for one case, and what happened to its order."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        policy, order = case.get("policy", {}), case.get("order", {})
        self._refuse_what_is_missing(case, policy, order)
        self.requester = order.get("requester", "requester")
        self.by_limits = policy.get("decide_by") == "limits"
        self.facts = {
            k: number(v) if isinstance(v, int | float) and not isinstance(v, bool) else v for k, v in order.items()
        }
        people = tuple(self._person(p) for p in case.get("people") or DEFAULT_PEOPLE)
        unit = next((p.unit for p in people if p.id == self.requester), "")
        self.company = Company(
            people,
            tuple(self._rules(case, policy)),
            Policy(
                allow_self=policy.get("own_tier") == "allowed",
                once=policy.get("same_person") == "once",
                limits=self.by_limits,
                own_unit=policy.get("scope") == "own_unit",
            ),
            (*_upward(unit, case.get("units", ())), ""),
        )
        self.flow: Flow | None = None
        self.placed = False

    def _refuse_what_is_missing(self, case: Mapping[str, Any], policy: Mapping[str, Any], order: Mapping[str, Any]) -> None:
        if policy.get("select", "all") != "all":
            raise Unsupported(f"choosing among fitting rules ({policy['select']}): all that fit count")
        if order.get("kind") == "quote":
            raise Unsupported("quotes of sales people")
        for found, missing in (
            *((policy, MISSING_POLICIES) for _ in (1,)),
            *((p, MISSING_PEOPLE) for p in case.get("people", ())),
            (order, MISSING_ORDERS),
            *((r, MISSING_RULES) for r in case.get("rules", ())),
            *(({s["do"]: 1}, MISSING_STEPS) for s in case.get("steps", ())),
        ):
            for name, feature in missing.items():
                if name in found:
                    raise Unsupported(feature)

    def _person(self, row: Mapping[str, Any]) -> Person:
        limit = number(row["order_limit"]) if "order_limit" in row else None
        may = "approve_limit" in row or not self.by_limits
        approve = number(row["approve_limit"]) if "approve_limit" in row else None
        return Person(row["id"], frozenset(row.get("roles", ())), row.get("unit", ""), limit, approve, may)

    def _rules(self, case: Mapping[str, Any], policy: Mapping[str, Any]) -> list[Rule]:
        rows = case.get("rules")
        if rows is None:
            rows = [] if self.by_limits else [{"id": "default", "when": []}]
        tiers_by_sequence = policy.get("sequence") == "highest_first"
        made = [self._rule(row, -row.get("sequence", 0) if tiers_by_sequence else 1) for row in rows]
        exempt = frozenset(policy.get("exempt_roles", ()))
        return [*made, Rule("exempt", effect="bypass", for_roles=exempt)] if exempt else made

    def _rule(self, row: Mapping[str, Any], tier: int) -> Rule:
        who = row.get("approvers") or {"people": ["approver"], "need": "all"}
        need = 0 if who.get("need", "all") == "all" else 1
        return Rule(
            row["id"],
            tuple(
                Condition(w["fact"], w["op"], number(w["value"]) if isinstance(w["value"], int | float) else w["value"])
                for w in row.get("when", ())
            ),
            tiers=(Tier(tier, tuple(who.get("people", ())), tuple(who.get("roles", ())), need),),
            for_roles=frozenset(row.get("for_roles", ())),
            for_people=frozenset(row.get("for_people", ())),
        )

    @property
    def plan(self) -> Plan:
        """What the engine says now."""
        return evaluate(self.facts, self.requester, self.company)

    @property
    def state(self) -> str:
        """The state in the words of the cases."""
        return "ordered" if self.placed else self.flow.state if self.flow else "new"

    def bring_to(self, state: str) -> None:
        """Ask for approval, and let people decide, as far as ``state``."""
        if state == "new":
            return
        self.do({"do": "request", "by": self.requester})
        assert self.flow is not None
        if state == "rejected":
            self.flow.decide(self.flow.eligible()[0], "rejected", "no")
        while state == "approved" and self.flow.state == "waiting":
            self.flow.decide(self.flow.eligible()[0], "approved")

    def do(self, step: Mapping[str, Any]) -> str:
        """Do a step; return its outcome in the words of the cases."""
        try:
            return getattr(self, f"_{step['do']}")(step)
        except TukkuError as error:
            return "forbidden" if error.status == 403 else "refuse"

    def _request(self, step: Mapping[str, Any]) -> str:
        if self.flow or not self.plan.needed:
            return "refuse"
        self.flow = Flow(self.requester, self.plan, self.company.policy)
        return "ok"

    def _submit(self, step: Mapping[str, Any]) -> str:
        if self.plan.denied_by:
            return "refuse"
        if not self.flow and self.plan.needed:
            return self._request(step)
        return self._order(step)

    def _order(self, step: Mapping[str, Any]) -> str:
        if not self.can_order_now:
            return "refuse"
        self.placed = True
        return "ok"

    @property
    def can_order_now(self) -> bool:
        """Whether nothing stops the order any more."""
        return self.flow.state == "approved" if self.flow else not self.plan.needed and not self.plan.denied_by

    def _approve(self, step: Mapping[str, Any]) -> str:
        return self._decide(step, "approved")

    def _reject(self, step: Mapping[str, Any]) -> str:
        return self._decide(step, "rejected")

    def _decide(self, step: Mapping[str, Any], outcome: str) -> str:
        if self.flow is None:
            return "refuse"
        self.flow.refresh(self.plan)
        self.flow.decide(step["by"], outcome, step.get("comment", "not this time"))
        return "ok"

    def _edit(self, step: Mapping[str, Any]) -> str:
        return "refuse" if self.flow and self.flow.locked else "ok"

    def _raise_prices(self, step: Mapping[str, Any]) -> str:
        return "ok"  # the order holds its prices since it was placed: they are columns of its lines

    def _set_roles(self, step: Mapping[str, Any]) -> str:
        people = tuple(
            Person(p.id, frozenset(step["roles"]), p.unit, p.order_limit, p.approve_limit, p.may_approve)
            if p.id == step["person"]
            else p
            for p in self.company.people
        )
        self.company = Company(people, self.company.rules, self.company.policy, self.company.units)
        return "ok"

    def found(self, name: str, outcome: str) -> Any:
        """Return what the product says for a key of ``expect``."""
        plan = self.flow.plan if self.flow else self.plan
        asked = self.flow or Flow(self.requester, plan, self.company.policy)
        match name:
            case "outcome":
                return outcome
            case "approval_needed":
                return plan.needed
            case "required":
                return sorted({p for r in plan.requirements if r.need == len(r.people) for p in r.people})
            case "eligible":
                return sorted(asked.eligible())
            case "deciding_rules":
                return sorted(plan.rules)
            case "approvals_needed":
                return asked.decisions_needed()
            case "approvals_open" | "left_todo":
                return len(self.flow.eligible()) if self.flow else 0
            case "can_order":
                return not plan.denied_by and self.state != "rejected"
            case "can_order_now":
                return self.can_order_now
            case "can_request":
                return self.flow is None and plan.needed
            case "state":
                return self.state
            case "placed":
                return self.placed
            case "total":
                return self.facts.get("total")
            case "average_discount_percent":
                rows = [(number(x["list"]), number(x["price"]), number(x["qty"])) for x in self.facts["lines"]]
                return average_discount(rows, self.facts.get("order_discount", Decimal(0)))
            case "history":
                return [{"by": d.by, "did": d.outcome, "comment": d.comment} for d in asked.decisions]
            case "approvals":
                done = [{"by": d.by, "state": d.outcome} for d in asked.decisions]
                return done + [{"by": p, "state": "open"} for p in (self.flow.eligible() if self.flow else ())]
        raise Unsupported(f"the figure {name}")


def _upward(unit: str, rows: Any) -> list[str]:
    parents = {row["id"]: row.get("parent") for row in rows}
    found: list[str] = []
    while unit and unit not in found:
        found.append(unit)
        unit = parents.get(unit) or ""
    return found


def run(case: Mapping[str, Any]) -> str:
    """Return what is wrong, '' if the product agrees; Unsupported names a missing feature."""
    world = World(case)
    world.bring_to(case.get("state", "new"))
    wrong = _compare(world, case.get("expect", {}), "")
    for step in case.get("steps", ()):
        if step.get("apart"):
            world = World(case)
            world.bring_to(case.get("state", "new"))
        outcome = world.do(step)
        wrong = wrong or _compare(world, step.get("expect", {}), outcome)
    return wrong


def _compare(world: World, expected: Mapping[str, Any], outcome: str) -> str:
    for name, wanted in expected.items():
        found = world.found(name, outcome)
        if isinstance(wanted, int | float) and not isinstance(wanted, bool):
            wanted = number(wanted)
        elif name in ("required", "eligible", "deciding_rules"):
            wanted = sorted(wanted)
        elif name in ("history", "approvals"):
            found = [{k: f[k] for k in w if k in f} for f, w in zip(found, wanted, strict=False)] + found[len(wanted) :]
        if found != wanted:
            return f"{name} is {found}, {wanted} is expected"
    return ""


def test_approval_cases(capsys: pytest.CaptureFixture[str]) -> None:
    """Run every case; print the counts and what is missing."""
    folder = Path(os.environ.get("TUKKU_CASES_DIR") or Path(__file__).parent)
    outcomes: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    failed: list[str] = []
    for case in json.loads((folder / "approval.json").read_text())["cases"]:
        try:
            problem = run(case)
        except Unsupported as error:
            outcomes["unsupported"] += 1
            missing[f"{error}{' (universal)' if case['portability'] == 'universal' else ''}"] += 1
            continue
        outcomes["failed" if problem else "passed"] += 1
        if problem:
            failed.append(f"{case['id']} ({case['portability']}): {problem}")
    with capsys.disabled():
        counts = ", ".join(f"{outcomes[name]} {name}" for name in ("passed", "failed", "unsupported"))
        print(f"\napproval cases: {counts}")
        for feature, times in sorted(missing.items()):
            print(f"  unsupported {times}x: {feature}")
    assert not failed, "\n".join(failed)
