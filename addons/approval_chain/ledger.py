"""The ledger of budgets: it follows orders by adding what differs, so that doing it twice adds nothing.

For every order and budget there is an amount that should be reserved (placed, not confirmed) and one that should be
committed (confirmed, less what was cancelled or returned). ``post`` compares these with the sums of the entries and
adds the difference; ``differences`` only compares. What is left of a budget is computed from the same sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, insert, select

from core.api.companies import seller
from core.api.data import clock, current_actor, db, once
from core.api.jobs import emit
from core.api.orders import Order
from core.api.pricing import rate, round_money

from . import allocation, basis, kept, periods
from .centre_models import LineCentre
from .ledger_models import Budget, BudgetAmount, Entry
from .periods import Period

ZERO = Decimal(0)
CHANGED = "budget.changed"


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget in a period: ``amount`` and what was ``carried`` over, less what is reserved and committed."""

    amount: Decimal
    carried: Decimal
    reserved: Decimal
    committed: Decimal

    @property
    def available(self) -> Decimal:
        """What may be spent in the period altogether."""
        return self.amount + self.carried

    @property
    def left(self) -> Decimal:
        """What may still be spent; below 0 where more was."""
        return self.available - self.reserved - self.committed


class Book:
    """Amounts and sums of some budgets, read with as many statements for many as for two."""

    def __init__(self, budgets: Iterable[Budget]) -> None:
        self.budgets = {b.id: b for b in budgets}
        self.calendar = periods.calendars_of(b.company_id for b in self.budgets.values()).__getitem__
        amounts = select(BudgetAmount).where(BudgetAmount.budget_id.in_(self.budgets)).order_by(BudgetAmount.id)
        self._amounts = list(db.session.scalars(amounts)) if self.budgets else []
        sums = (
            select(Entry.budget_id, Entry.period, func.sum(Entry.reserved), func.sum(Entry.committed))
            .where(Entry.budget_id.in_(self.budgets))
            .group_by(Entry.budget_id, Entry.period)
        )
        self._sums = [tuple(row) for row in db.session.execute(sums)] if self.budgets else []

    def period(self, budget: Budget, day: date | None = None) -> Period:
        """Return the budget's period in which a day lies, by default today."""
        calendar = self.calendar(budget.company_id)
        return periods.period_of(budget.period, day or clock.today(calendar.zone), calendar)

    def standing(self, budget: Budget, period: Period) -> Standing:
        """Return how the budget stands in one of its periods."""
        reserved, committed = self._used(budget, period)
        return Standing(self._amount(budget, period), self._carried(budget, period), reserved, committed)

    def _amount(self, budget: Budget, period: Period) -> Decimal:
        said = [row for row in self._amounts if row.budget_id == budget.id and row.since <= period.first]
        return said[-1].amount if said else ZERO

    def _used(self, budget: Budget, period: Period) -> tuple[Decimal, Decimal]:
        mine = [row for row in self._sums if row[0] == budget.id and period.first <= row[1] < period.after]
        return sum((row[2] for row in mine), ZERO), sum((row[3] for row in mine), ZERO)

    def _carried(self, budget: Budget, period: Period) -> Decimal:
        carried = ZERO
        if budget.carry_over == "none" or budget.starts >= period.first:
            return carried
        last = period.first - timedelta(days=1)
        for earlier in periods.periods_since(budget.period, budget.starts, last, self.calendar(budget.company_id)):
            carried += self._amount(budget, earlier) - sum(self._used(budget, earlier), ZERO)
            carried = max(carried, ZERO) if budget.carry_over == "left" else carried
        return carried


def in_force(centre_ids: Iterable[int]) -> Book:
    """Return the budgets in force of cost centres; three statements."""
    ids = tuple(sorted(centre_ids))
    query = select(Budget).where(Budget.cost_centre_id.in_(ids), Budget.active)
    return once(("approval_chain.budgets", ids), lambda: Book(db.session.scalars(query)))


@dataclass(frozen=True, slots=True)
class Difference:
    """What the ledger should say of an order in a budget and says not, in the budget's currency."""

    order_id: int
    number: str
    company_id: int
    budget: Budget
    period: date
    step: int
    reserved: Decimal
    committed: Decimal
    rate: Decimal
    basis: str

    @property
    def kind(self) -> str:
        """What happened to the order."""
        if self.committed:
            return "commit" if self.committed > 0 else "restore"
        return "reserve" if self.reserved > 0 else "release"


def post(order_ids: Sequence[int]) -> None:
    """Add to the ledger what orders changed; inside ``write()`` with their company locked. Again, it adds nothing."""
    at, who, found = clock.now(), current_actor().name, differences(order_ids)
    rows = [
        {
            "budget_id": d.budget.id, "company_id": d.company_id, "order_id": d.order_id, "step": d.step, "period": d.period,
            "kind": d.kind, "reserved": d.reserved, "committed": d.committed, "rate": d.rate, "basis": d.basis,
            "at": at, "by_name": who,
        }
        for d in found
    ]  # fmt: skip
    if rows:
        db.session.execute(insert(Entry), rows)
        changed(d.budget.id for d in found if d.reserved + d.committed > 0)


def changed(budget_ids: Iterable[int]) -> None:
    """Have budgets looked at of which more is used, or which are another; inside ``write()``."""
    ids = sorted(set(budget_ids))
    if ids:
        emit(CHANGED, {"budgets": ids})


def differences(order_ids: Sequence[int]) -> list[Difference]:
    """Return where the ledger says something else than the orders; statements do not grow with these."""
    columns = (Order.id, Order.number, Order.company_id, Order.state, Order.currency, Order.submitted_at)
    placed = Order.state.in_((*kept.COUNTED, "cancelled", "rejected"))
    on_centres = Order.id.in_(select(LineCentre.order_id).where(LineCentre.order_id.in_(order_ids)))
    query = select(*columns).where(Order.id.in_(order_ids), placed, on_centres | Order.id.in_(_entered(order_ids)))
    orders = db.session.execute(query.order_by(Order.id)).all()
    if not orders:
        return []
    ids = [order.id for order in orders]
    bases = basis.of_each(order.company_id for order in orders)
    known = select(Entry.order_id, Entry.basis).where(Entry.order_id.in_(ids)).distinct()
    counts_as = {order.id: bases[order.company_id] for order in orders}
    counts_as |= {row.order_id: row.basis for row in db.session.execute(known)}
    borne = allocation.borne_by(ids, counts_as, left=True)
    budgets = _Budgets(ids, {c.id for found in borne.values() for c in found})
    found = []
    for order in orders:
        counts = order.state in kept.COUNTED
        wanted: dict[int, tuple[Budget, Decimal]] = {}
        for centre, amount in borne.get(order.id, {}).items():
            budget = budgets.of(order, centre.id)
            if budget is not None:
                wanted[budget.id] = (budget, amount if counts else ZERO)
        for budget_id in budgets.bound(order.id) - set(wanted):
            wanted[budget_id] = (budgets.by_id[budget_id], ZERO)  # its lines were dropped
        found += [
            d for budget, amount in wanted.values() if (d := budgets.difference(order, counts_as[order.id], budget, amount))
        ]
    return found


def _entered(order_ids: Sequence[int]) -> Select[tuple[int]]:
    return select(Entry.order_id).where(Entry.order_id.in_(order_ids))


class _Budgets:
    """The budgets on which orders count: those on which they are entered, else those in force when they were placed."""

    def __init__(self, order_ids: Sequence[int], centre_ids: Iterable[int]) -> None:
        sums = (
            select(
                Entry.order_id, Entry.budget_id, Entry.period, Entry.rate, func.max(Entry.step).label("step"),
                func.sum(Entry.reserved).label("reserved"), func.sum(Entry.committed).label("committed"),
            )
            .where(Entry.order_id.in_(order_ids))
            .group_by(Entry.order_id, Entry.budget_id, Entry.period, Entry.rate)
        )  # fmt: skip
        self.entered = {(row.order_id, row.budget_id): row for row in db.session.execute(sums)}
        known = {budget_id for _order, budget_id in self.entered}
        query = select(Budget).where(Budget.id.in_(known) | (Budget.cost_centre_id.in_(list(centre_ids)) & Budget.active))
        self.by_id = {b.id: b for b in db.session.scalars(query.execution_options(populate_existing=True))}
        self.calendar = lru_cache(periods.calendar_of)

    def bound(self, order_id: int) -> set[int]:
        """Return the budgets on which the order is entered already."""
        return {budget_id for order, budget_id in self.entered if order == order_id}

    def of(self, order: Any, centre_id: int) -> Budget | None:
        """Return the budget on which the order's part of a cost centre counts, None where it has none."""
        mine = [self.by_id[i] for i in self.bound(order.id) if self.by_id[i].cost_centre_id == centre_id]
        if mine:
            return mine[0]
        in_force = (b for b in self.by_id.values() if b.active and b.cost_centre_id == centre_id)
        return next((b for b in in_force if b.starts <= self.day(order)), None)

    def day(self, order: Any) -> date:
        """Return the day on which the order was placed, in the company's zone."""
        return order.submitted_at.astimezone(ZoneInfo(self.calendar(order.company_id).zone)).date()

    def difference(self, order: Any, how: str, budget: Budget, amount: Decimal) -> Difference | None:
        """Return what is to be entered so that ``amount`` (the order's currency) stands in the budget."""
        row = self.entered.get((order.id, budget.id))
        factor = row.rate if row else _rate(order, budget)
        amount = round_money(amount * factor, budget.currency)
        reserved, committed = (amount, ZERO) if order.state == "submitted" else (ZERO, amount)
        reserved, committed = reserved - (row.reserved if row else 0), committed - (row.committed if row else 0)
        if not reserved and not committed:
            return None
        calendar = self.calendar(order.company_id)
        period = row.period if row else periods.period_of(budget.period, self.day(order), calendar).first
        step = row.step + 1 if row else 1
        return Difference(
            order.id, order.number or "", order.company_id, budget, period, step, reserved, committed, factor, how
        )  # fmt: skip


def _rate(order: Any, budget: Budget) -> Decimal:
    if order.currency == budget.currency:
        return Decimal(1)
    day = order.submitted_at.astimezone(ZoneInfo(seller().zone)).date()
    return round(rate(order.currency, budget.currency, day), 6)


@dataclass(frozen=True, slots=True)
class Taken:
    """What an order takes of a budget in the period in which it was placed; ``first`` is its first entry."""

    first: int
    order_id: int
    period: date
    amount: Decimal


def taken(budget_ids: Iterable[int], *conditions: ColumnElement[bool]) -> dict[int, list[Taken]]:
    """Return by budget what each order takes of it, in the order in which they came."""
    query = (
        select(
            Entry.budget_id, func.min(Entry.id).label("first"), Entry.order_id, Entry.period,
            func.sum(Entry.reserved).label("reserved"), func.sum(Entry.committed).label("committed"),
        )
        .where(Entry.budget_id.in_(list(budget_ids)), *conditions)
        .group_by(Entry.budget_id, Entry.order_id, Entry.period)
        .order_by(func.min(Entry.id))
    )  # fmt: skip
    found: dict[int, list[Taken]] = {}
    for row in db.session.execute(query):
        one = Taken(row.first, row.order_id, row.period, row.reserved + row.committed)
        found.setdefault(row.budget_id, []).append(one)
    return found
