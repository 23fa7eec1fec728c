"""Who must approve an order: pure, from facts, people and rules; queries are in loading.py.

Which of the rules that fit count is the policy of the company whose rules they are (selection.py). ``deny`` stops the
order, ``bypass`` of a unit lifts what that unit and those below it ask for, and never a ``deny``. Where nobody may decide,
the administrators up the tree do, and in the end the seller's account manager: an approval never waits for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from . import selection
from .parts import (
    ADMIN,
    NO_RULE,
    SELLER,
    TOTAL,
    Company,
    Condition,
    Person,
    Plan,
    Policy,
    Pool,
    Requirement,
    Rule,
    Tier,
    depth,
)  # fmt: skip

__all__ = [
    "ADMIN", "NO_RULE", "SELLER", "TOTAL", "Company", "Condition", "Person", "Plan", "Policy", "Pool", "Requirement",
    "Rule", "Tier", "climb", "depth", "evaluate", "reach",
]  # fmt: skip


def evaluate(facts: Mapping[str, Any], requester_id: str, company: Company) -> Plan:
    """Return who must approve an order with ``facts``, and why."""
    requester, total = company.person(requester_id), facts.get(TOTAL)
    plan = _by_rules(facts, requester, company, total)
    if plan.denied_by or not company.demands:
        return plan
    asked = (_requirement(tier, why, requester, company, total) for why, tier in company.demands)
    every = {*plan.requirements, *(r for r in asked if r is not None)}
    return replace(plan, requirements=tuple(sorted(every, key=lambda r: (r.tier, r.rule))))


def _by_rules(facts: Mapping[str, Any], requester: Person, company: Company, total: Decimal | None) -> Plan:
    fitting = [rule for rule in company.rules if rule.fits(facts, requester)]
    denied = next((rule.id for rule in fitting if rule.effect == "deny"), "")
    if denied:
        return Plan(rules=(denied,), denied_by=denied)
    lifted = _lifted(fitting, company.units)
    open_rules = [r for r in company.rules if r.effect == "require" and depth(r, company.units) > lifted]
    chosen = selection.choose(open_rules, facts, requester, company)
    wanted = [_requirement(one.tier, one.rule, requester, company, total) for one in chosen]
    over = any(_above(total, limit) for limit in (requester.order_limit, requester.left))
    if company.policy.limits and lifted < 0 and over:
        wanted.append(_by_limit(facts[TOTAL], requester, company))
    if not fitting and not wanted:
        return _otherwise(requester, company, total)
    kept = tuple(sorted({r for r in wanted if r is not None}, key=lambda r: (r.tier, r.rule)))
    return Plan(kept, tuple(dict.fromkeys(rule for one in chosen for rule in one.rules)))


def _otherwise(requester: Person, company: Company, total: Decimal | None) -> Plan:
    """Return what holds where no rule fits: every policy up the tree has its say."""
    said = {pool.otherwise for pool in company.pools}
    if "deny" in said:
        return Plan(denied_by=NO_RULE)
    asked = [pool.fallback for pool in company.pools if pool.otherwise == "ask"]
    found = (_requirement(tier, NO_RULE, requester, company, total) for tier in asked)
    return Plan(tuple(dict.fromkeys(r for r in found if r is not None)), (NO_RULE,) if asked else ())


def _lifted(fitting: Iterable[Rule], units: Sequence[str]) -> int:
    """Return up to which unit, counted upward from the requester's, requirements are lifted; -1: none."""
    return max((depth(rule, units) for rule in fitting if rule.effect == "bypass"), default=-1)


def _above(total: Decimal | None, limit: Decimal | None) -> bool:
    return total is not None and limit is not None and total > limit


def reach(tier: Tier, requester: Person, company: Company, total: Decimal | None = None) -> tuple[str, ...]:
    """Return who would decide at a tier on an order of the requester, None: whatever its total; only SELLER: nobody may."""
    found = _requirement(tier, "", requester, company, total)
    return found.people if found else ()


def _requirement(tier: Tier, rule: str, requester: Person, company: Company, total: Decimal | None) -> Requirement | None:
    roles = frozenset(tier.roles)
    named = [p for p in company.people if p.may_approve and (p.id in tier.people or p.roles & roles)]
    found = [p for p in named if not (tier.limited and _above(total, p.approve_limit))]
    return _settle(Requirement(tier.number, tuple(p.id for p in found), tier.need, rule), requester, company, total)


def _by_limit(total: Decimal, requester: Person, company: Company) -> Requirement | None:
    """Anybody whose own limit for approving covers the total: of the requester's unit first, then of those above."""
    able = [p for p in company.people if p.may_approve and not _above(total, p.approve_limit) and p.id != requester.id]
    groups = [[p for p in able if p.unit == unit] for unit in company.units] if company.policy.own_unit else [able]
    found = next((group for group in groups if group), [])
    return _settle(Requirement(1, tuple(p.id for p in found), 1), requester, company, total)


def _settle(asked: Requirement, requester: Person, company: Company, total: Decimal | None) -> Requirement | None:
    """Take the requester out, or let their own right settle it; look further up where nobody is left."""
    people = asked.people
    if requester.id in people:
        if company.policy.allow_self and (asked.need == 1 or len(people) == 1):
            return None
        people = tuple(p for p in people if p != requester.id)
    if not people:
        return replace(asked, people=climb(requester, company, total), need=1, climbed=True)
    return replace(asked, people=people, need=min(asked.need, len(people)) or len(people))


def climb(requester: Person, company: Company, total: Decimal | None = None) -> tuple[str, ...]:
    """Return the nearest administrators up the tree, else the seller: never nobody."""
    for unit in company.units:
        found = tuple(
            p.id
            for p in company.people
            if p.unit == unit and ADMIN in p.roles and p.may_approve and p.id != requester.id
            if not _above(total, p.approve_limit)
        )
        if found:
            return found
    return (SELLER,)
