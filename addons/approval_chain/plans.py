"""Plans of many orders: of those that differ in nothing that a company asks about, one is evaluated. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from . import engine
from .parts import TOTAL, Company, Plan
from .selection import ZERO


class Plans:
    """Says who must approve orders, as ``engine.evaluate`` does, which it asks once for all that stand alike.

    A total is only ever compared: two between the same amounts of rules, bands and limits are the same to a company.
    """

    def __init__(self) -> None:
        self._amounts: dict[int, tuple[Company, list[Decimal]]] = {}
        self._known: dict[tuple[Any, ...], Plan] = {}

    def of(self, figures: Mapping[str, Any], requester: str, company: Company) -> Plan:
        """Return who must approve an order with ``figures``, and why; ``company`` is the same object for orders alike."""
        total, amounts = figures[TOTAL], self._compared(company)
        others = tuple(value for name, value in figures.items() if name != TOTAL)
        key = (id(company), requester, bisect_left(amounts, total), bisect_right(amounts, total), others)
        if key not in self._known:
            self._known[key] = engine.evaluate(figures, requester, company)
        return self._known[key]

    def _compared(self, company: Company) -> list[Decimal]:
        found = self._amounts.get(id(company))
        if found is None:  # the company is kept with it, so that no other gets its id
            found = self._amounts[id(company)] = (company, _amounts(company))
        return found[1]


def _amounts(company: Company) -> list[Decimal]:
    """Return all amounts with which a total is compared, sorted; 0 is the limit of somebody who has left."""
    conditions = (c.value for rule in company.rules for c in rule.conditions if c.fact == TOTAL)
    tiers = (tier.above for rule in company.rules for tier in rule.tiers)
    limits = (x for p in company.people for x in (p.order_limit, p.approve_limit, p.left))
    asked = (tier.above for _why, tier in company.demands)
    pools = (pool.fallback.above for pool in company.pools)
    return sorted({ZERO, *(x for x in (*conditions, *tiers, *limits, *asked, *pools) if x is not None)})
