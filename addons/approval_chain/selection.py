"""Which of the rules that fit count: all of them, or those that the policy of their company chooses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from .parts import TOTAL, Company, Condition, Person, Pool, Rule, Tier, depth

ZERO = Decimal(0)
#: Comparisons that let a rule begin at a total.
_BEGINS = (">", ">=")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A tier that asks, the rule that says why, and all rules whose approvers it names."""

    tier: Tier
    rule: str
    rules: tuple[str, ...]


def choose(rules: Sequence[Rule], facts: Mapping[str, Any], requester: Person, company: Company) -> list[Chosen]:
    """Return what the rules ask of an order with ``facts``; those of each pool are chosen from by its own policy."""
    pools: dict[Pool, list[Rule]] = {}
    for rule in rules:
        pools.setdefault(company.pool_of(rule), []).append(rule)
    found: list[Chosen] = []
    for pool, mine in pools.items():
        if pool.select == "highest":
            found += _highest(mine, facts, requester)
            continue
        fitting = [rule for rule in mine if rule.fits(facts, requester)]
        kept = {"first": _first, "most_specific": _most_specific}.get(pool.select, _all)(fitting, company.units)
        found += [Chosen(tier, rule.id, (rule.id,)) for rule in kept for tier in rule.tiers if tier.asks(facts.get(TOTAL))]
    return found


def _all(fitting: Sequence[Rule], units: Sequence[str]) -> Sequence[Rule]:
    return fitting


def _first(fitting: Sequence[Rule], units: Sequence[str]) -> Sequence[Rule]:
    """Return the one with the largest priority; of equal ones the nearest company's, then the oldest."""
    return sorted(fitting, key=lambda rule: (-rule.priority, depth(rule, units), _age(rule)))[:1]


def _age(rule: Rule) -> tuple[int, str]:
    return (len(rule.id), rule.id)


def _most_specific(fitting: Sequence[Rule], units: Sequence[str]) -> Sequence[Rule]:
    """Return those for the person before those for a role before those for all; then those of the nearest company."""

    def rank(rule: Rule) -> tuple[int, int]:
        return (0 if rule.for_people else 1 if rule.for_roles else 2, depth(rule, units))

    best = min(map(rank, fitting), default=None)
    return [rule for rule in fitting if rank(rule) == best]


def _highest(rules: Iterable[Rule], facts: Mapping[str, Any], requester: Person) -> list[Chosen]:
    """Merge the tiers with the highest threshold that the total reaches and all above: any one of their approvers decides.

    Who may approve more may approve less. What is not about the total must hold in any case.
    """
    total = facts.get(TOTAL)
    able = [rule for rule in rules if rule.concerns(requester) and all(c.holds(facts) for c in _others(rule))]
    steps = sorted(
        ((threshold(rule, tier), rule, tier) for rule in able for tier in rule.tiers),
        key=lambda step: (step[0], _age(step[1]), step[2].number),
    )
    reached = [step for step in steps if step[1].fits(facts, requester) and step[2].asks(total)]
    if not reached:
        return []
    at = max(step[0] for step in reached)
    counted = [step for step in steps if step[0] > at or (step[0] == at and step in reached)]
    merged = replace(
        reached[-1][2],
        people=tuple(dict.fromkeys(p for _at, _rule, tier in counted for p in tier.people)),
        roles=tuple(dict.fromkeys(r for _at, _rule, tier in counted for r in tier.roles)),
        need=1,
        limited=any(tier.limited for _at, _rule, tier in counted),
    )
    return [Chosen(merged, reached[-1][1].id, tuple(dict.fromkeys(rule.id for _at, rule, _tier in counted)))]


def threshold(rule: Rule, tier: Tier) -> Decimal:
    """Return the total from which a tier of a rule asks."""
    return max([tier.above or ZERO, *(c.value for c in rule.conditions if _begins(c))])


def _begins(condition: Condition) -> bool:
    return condition.fact == TOTAL and condition.op in _BEGINS


def _others(rule: Rule) -> list[Condition]:
    return [condition for condition in rule.conditions if not _begins(condition)]


def thresholds(total: Decimal, requester_id: str, company: Company) -> list[Decimal]:
    """Return the totals below ``total`` at which something begins to be asked, the largest first."""
    person = company.person(requester_id)
    begins = [c.value for rule in company.rules for c in rule.conditions if _begins(c)]
    bands = [tier.above for rule in company.rules for tier in rule.tiers]
    found = {x for x in (person.order_limit, person.left, *begins, *bands) if x is not None and 0 < x <= total}
    return sorted(found, reverse=True)
