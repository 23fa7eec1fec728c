"""Whether a company fulfils a rule, and what follows: pure, so that every case is a line of a test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from .figures import Bought


@dataclass(frozen=True, slots=True)
class Terms:
    """The conditions of a rule; None and () ask nothing. ``complete``: nothing that it names is missing."""

    min_spend: Decimal | None = None
    min_orders: int | None = None
    min_share: Decimal | None = None
    countries: tuple[str, ...] = ()
    grace: timedelta = timedelta()
    complete: bool = True

    def failed(self, bought: Bought, country: str) -> tuple[str, ...]:
        """Return the conditions that do not hold; reaching a figure exactly is enough."""
        found = []
        if self.min_spend is not None and bought.spend < self.min_spend:
            found.append("spend")
        if self.min_orders is not None and bought.orders < self.min_orders:
            found.append("orders")
        if self.min_share is not None and bought.share < self.min_share:
            found.append("share")
        if self.countries and country not in self.countries:
            found.append("country")
        return tuple(found)


class Step(Enum):
    """What becomes of a company."""

    JOIN = "join"
    STAY = "stay"
    WAIT = "wait"
    LEAVE = "leave"
    OUT = "out"


def step(fulfils: bool, inside: bool, grace_until: datetime | None, at: datetime, grace: timedelta) -> Step:
    """Return what becomes of a company: in at once, out when the grace is over."""
    if fulfils:
        return Step.STAY if inside else Step.JOIN
    if not inside:
        return Step.OUT
    until = grace_until or at + grace
    return Step.LEAVE if at >= until else Step.WAIT
