"""What a rebate is for totals of a period, and which period a day belongs to: pure figures.

The sum is computed from the totals and rounded once, so that the ledger, whose entries add up to it, is exact.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from core.api.pricing import round_money

ZERO, HUNDRED = Decimal(0), Decimal(100)
MONTHS = {"quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Terms:
    """A rebate as the engine sees it; see models.Rebate. ``steps`` are (threshold, value), by threshold."""

    basis: str
    kind: str
    mode: str
    currency: str
    steps: Sequence[tuple[Decimal, Decimal]]

    def reached(self, net: Decimal, quantity: Decimal) -> tuple[Decimal, Decimal] | None:
        """Return the highest step that is reached; reaching a threshold exactly is enough."""
        at = self.basis_of(net, quantity)
        return next((step for step in reversed(self.steps) if step[0] <= at), None)

    def basis_of(self, net: Decimal, quantity: Decimal) -> Decimal:
        """Return what thresholds compare."""
        return net if self.basis == "net" else quantity

    def accrued(self, net: Decimal, quantity: Decimal) -> Decimal:
        """Return the rebate for the totals of a period, never below zero."""
        step = self.reached(net, quantity)
        if step is None:
            return ZERO
        base = net if self.kind == "percent" else quantity
        if self.mode == "retroactive":
            amount = base * step[1]
        else:
            ends = [*(threshold for threshold, _value in self.steps[1:]), None]
            amount = ZERO
            for (threshold, value), end in zip(self.steps, ends, strict=True):
                upper = base if end is None else min(base, end)
                amount += max(upper - threshold, ZERO) * value
        return max(round_money(amount / HUNDRED if self.kind == "percent" else amount, self.currency), ZERO)

    def share(self, net: Decimal, quantity: Decimal, value: Decimal) -> Decimal:
        """Return what a line accrues at the value of a step."""
        return round_money(net * value / HUNDRED if self.kind == "percent" else quantity * value, self.currency)


@dataclass(frozen=True, slots=True)
class Missing:
    """The next step: how much of the basis is missing for it, and what comes back when it is reached."""

    threshold: Decimal
    value: Decimal
    missing: Decimal


def missing(terms: Terms, net: Decimal, quantity: Decimal) -> Missing | None:
    """Return what is missing to the next step, None where the last is reached."""
    at = terms.basis_of(net, quantity)
    found = next((step for step in terms.steps if step[0] > at), None)
    return None if found is None else Missing(found[0], found[1], found[0] - at)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day up to, not including, ``after``."""

    first: date
    after: date

    @property
    def last(self) -> date:
        """The last day of the period."""
        return self.after - timedelta(days=1)


def period_of(kind: str, starts: date, ends: date | None, day: date) -> Period | None:
    """Return the period in which a day lies; None before the first and after the end, which cuts the last."""
    if day < starts or (ends is not None and day >= ends):
        return None
    months = (day.year - starts.year) * 12 + day.month - starts.month
    number = months // MONTHS[kind]
    if _later(starts, number * MONTHS[kind]) > day:
        number -= 1
    first, after = _later(starts, number * MONTHS[kind]), _later(starts, (number + 1) * MONTHS[kind])
    return Period(first, after if ends is None else min(after, ends))


def _later(day: date, months: int) -> date:
    """Return the same day so many months later, the month's last where it has no such day."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
