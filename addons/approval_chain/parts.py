"""What an approval is made of, as plain values: people, rules, policies, what is asked, and of whom."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

ADMIN = "company_admin"
#: Stands for the seller's account manager, where no person of the company may decide.
SELLER = "seller"
#: Stands in the place of a rule where none fits and the policy says what holds then.
NO_RULE = "none"
#: Stands in the place of a rule where who ordered asks for an approval that none requires.
ASKED = "asked"
TOTAL = "total"
#: Rights that a company's own role gives, among a person's roles: to decide on all, to see all; and to ask nobody.
DECIDES, SEES, BARRED = "right:decide", "right:see", "right:barred"
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    "in": lambda found, value: bool(found & value),
    "not_in": lambda found, value: not found & value,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the company. Limits: None is unlimited, 0 is nothing; ``left`` is the rest of those by period."""

    id: str
    roles: frozenset[str] = frozenset()
    unit: str = ""
    order_limit: Decimal | None = None
    approve_limit: Decimal | None = None
    may_approve: bool = True
    left: Decimal | None = None


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
    """Who decides at one stage: named people and everybody in the roles; ``need`` of them, 0 for all.

    ``above`` makes it a band: it asks only for orders whose total is more; None for all. ``limited`` asks only those whose
    limit for approving covers the total.
    """

    number: int = 1
    people: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    need: int = 1
    above: Decimal | None = None
    limited: bool = False

    def asks(self, total: Decimal | None) -> bool:
        """Tell whether an order of this total is in the band."""
        return self.above is None or (total is not None and total > self.above)


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
    #: The larger is tried first, where only one rule counts.
    priority: int = 0

    def fits(self, facts: Mapping[str, Any], requester: Person) -> bool:
        """Tell whether the rule fits this order of this person."""
        return self.concerns(requester) and all(condition.holds(facts) for condition in self.conditions)

    def concerns(self, requester: Person) -> bool:
        """Tell whether it is about orders of this person: named, or in a named role; everybody where none is."""
        named = requester.id in self.for_people or bool(self.for_roles & requester.roles)
        return named or not (self.for_people or self.for_roles)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a company decides once: may people approve what they ordered, does one act count for all tiers."""

    allow_self: bool = False
    once: bool = False
    limits: bool = True
    own_unit: bool = True
    #: May references of an order change while it waits, without asking anybody again?
    references_free: bool = False
    #: May people ask for an approval that no rule requires?
    voluntary: bool = True


@dataclass(frozen=True, slots=True)
class Pool:
    """Units whose rules are chosen from together, because one policy holds for them; "" stands for all.

    ``select``: all, first, most_specific, highest. ``otherwise``, where no rule fits: nobody, ask (``fallback``), deny.
    """

    units: tuple[str, ...] = ()
    select: str = "all"
    otherwise: str = "nobody"
    fallback: Tier = Tier(roles=(ADMIN,))


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
    #: Nearest first; none: every rule that fits counts.
    pools: tuple[Pool, ...] = ()
    #: What an order asks for whatever the rules say, as (why, of whom): a budget that it exceeds, who ordered.
    demands: tuple[tuple[str, Tier], ...] = ()

    def pool_of(self, rule: Rule) -> Pool:
        """Return the pool from which a rule is chosen."""
        return next((pool for pool in self.pools if rule.unit in pool.units), Pool())

    def person(self, id_: str) -> Person:
        """Return the person, who may have left: then somebody without roles who may do nothing."""
        nobody = Person(id_, order_limit=Decimal(0), approve_limit=Decimal(0), may_approve=False)
        return next((p for p in self.people if p.id == id_), nobody)


def depth(rule: Rule, units: Sequence[str]) -> int:
    """Return how far above the requester's unit a rule stands."""
    return units.index(rule.unit) if rule.unit in units else 0
