"""Who must approve an order: pure, from facts, people and rules; queries are in loading.py.

Every rule that fits counts. ``deny`` stops the order, ``bypass`` of a unit lifts what that unit and those below it ask
for, and never a ``deny``. Where nobody may decide, the administrators up the tree do, and in the end the seller's
account manager: an approval never waits for nobody.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

ADMIN = "company_admin"
#: Stands for the seller's account manager, where no person of the company may decide.
SELLER = "seller"
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the company. Limits: None is unlimited, 0 is nothing."""

    id: str
    roles: frozenset[str] = frozenset()
    unit: str = ""
    order_limit: Decimal | None = None
    approve_limit: Decimal | None = None
    may_approve: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one fact of the order; a fact that the order does not have never fits."""

    fact: str
    op: str
    value: Any

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Tell whether ``facts`` fit."""
        found = facts.get(self.fact)
        return found is not None and OPERATORS[self.op](found, self.value)


@dataclass(frozen=True, slots=True)
class Tier:
    """Who decides at one stage: named people and everybody in the roles; ``need`` of them, 0 for all."""

    number: int = 1
    people: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    need: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """When it fits, what follows. ``for_roles`` and ``for_people`` narrow the requesters; empty means everybody."""

    id: str
    conditions: tuple[Condition, ...] = ()
    effect: str = "require"
    tiers: tuple[Tier, ...] = ()
    for_roles: frozenset[str] = frozenset()
    for_people: frozenset[str] = frozenset()
    unit: str = ""

    def fits(self, facts: Mapping[str, Any], requester: Person) -> bool:
        """Tell whether the rule counts for this order of this person."""
        if self.for_people and requester.id not in self.for_people:
            return False
        if self.for_roles and not self.for_roles & requester.roles:
            return False
        return all(condition.holds(facts) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a company decides once: may people approve what they ordered, does one act count for all tiers."""

    allow_self: bool = False
    once: bool = False
    limits: bool = True
    own_unit: bool = True


@dataclass(frozen=True, slots=True)
class Requirement:
    """``need`` of ``people`` must approve at the tier; ``rule`` says why ('' is a limit)."""

    tier: int
    people: tuple[str, ...]
    need: int
    rule: str = ""
    climbed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What an evaluation found; without requirements the order needs nobody."""

    requirements: tuple[Requirement, ...] = ()
    rules: tuple[str, ...] = ()
    denied_by: str = ""

    @property
    def needed(self) -> bool:
        """Whether somebody must approve."""
        return bool(self.requirements)


@dataclass(frozen=True, slots=True)
class Company:
    """People and rules of a company and its parents; ``units`` lead from the requester's upward."""

    people: tuple[Person, ...]
    rules: tuple[Rule, ...] = ()
    policy: Policy = field(default_factory=Policy)
    units: tuple[str, ...] = ("",)

    def person(self, id_: str) -> Person:
        """Return the person, who may have left: then somebody without roles who may do nothing."""
        nobody = Person(id_, order_limit=Decimal(0), approve_limit=Decimal(0), may_approve=False)
        return next((p for p in self.people if p.id == id_), nobody)


def evaluate(facts: Mapping[str, Any], requester_id: str, company: Company) -> Plan:
    """Return who must approve an order with ``facts``, and why."""
    requester = company.person(requester_id)
    fitting = [rule for rule in company.rules if rule.fits(facts, requester)]
    denied = next((rule.id for rule in fitting if rule.effect == "deny"), "")
    if denied:
        return Plan(rules=(denied,), denied_by=denied)
    lifted = _lifted(fitting, company.units)
    asking = [rule for rule in fitting if rule.effect == "require" and _depth(rule, company.units) > lifted]
    wanted = [_requirement(tier, rule.id, requester, company, facts.get("total")) for rule in asking for tier in rule.tiers]
    if company.policy.limits and lifted < 0 and _above(facts.get("total"), requester.order_limit):
        wanted.append(_by_limit(facts["total"], requester, company))
    kept = tuple(sorted({r for r in wanted if r is not None}, key=lambda r: (r.tier, r.rule)))
    return Plan(kept, tuple(rule.id for rule in asking))


def _depth(rule: Rule, units: Sequence[str]) -> int:
    return units.index(rule.unit) if rule.unit in units else 0


def _lifted(fitting: Iterable[Rule], units: Sequence[str]) -> int:
    """Return up to which unit, counted upward from the requester's, requirements are lifted; -1: none."""
    return max((_depth(rule, units) for rule in fitting if rule.effect == "bypass"), default=-1)


def _above(total: Decimal | None, limit: Decimal | None) -> bool:
    return total is not None and limit is not None and total > limit


def _requirement(tier: Tier, rule: str, requester: Person, company: Company, total: Decimal | None) -> Requirement | None:
    roles = frozenset(tier.roles)
    found = [p for p in company.people if p.may_approve and (p.id in tier.people or p.roles & roles)]
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
