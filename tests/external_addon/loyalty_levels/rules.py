"""Which level a company has: pure, so that every case is a line of a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Bought:
    """What a company bought in the window: spend without tax, how many orders, percent of the spend that came back."""

    spend: Decimal = Decimal(0)
    orders: int = 0
    returns: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Target:
    """What a level asks for."""

    id: int
    rank: int
    min_spend: Decimal
    min_orders: int
    max_returns: Decimal

    def reached(self, bought: Bought) -> bool:
        """Tell whether all of it is fulfilled; equal is enough."""
        enough = bought.spend >= self.min_spend and bought.orders >= self.min_orders
        return enough and bought.returns <= self.max_returns


@dataclass(frozen=True, slots=True)
class Place:
    """The level a company has, and until when it keeps one that it lost."""

    level: Target | None = None
    grace_until: datetime | None = None


def decide(targets: Sequence[Target], bought: Bought, place: Place, now: datetime, grace: timedelta) -> Place:
    """Return the new place: up at once, down only when the grace is over."""
    best = max((t for t in targets if t.reached(bought)), key=lambda t: t.rank, default=None)
    if place.level is None or (best is not None and best.rank >= place.level.rank):
        return Place(best)
    until = place.grace_until or now + grace
    return Place(best) if now >= until else Place(place.level, until)
