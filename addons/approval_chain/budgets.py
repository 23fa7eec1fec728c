"""Budgets as companies keep them: set, changed from the present period on, and switched off with their history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.companies import Company, lock_company
from core.api.data import audit, clock, current_actor, db, start_of_day, write
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.orders import Order

from . import kept, ledger, limits, periods
from .centre_models import CostCentre, LineCentre
from .ledger import Standing
from .ledger_models import CARRY, MODES, Budget, BudgetAmount
from .periods import Period

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"
ZERO = Decimal(0)
MODE_TITLES = dict(
    zip(MODES, (_l("The order is refused"), _l("The buyer is warned"), _l("The owner must approve")), strict=True)
)
CARRY_TITLES = dict(
    zip(CARRY, (_l("Nothing"), _l("What is left"), _l("What is left or overspent")), strict=True)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A budget with the present period and how it stands."""

    budget: Budget
    period: Period
    standing: Standing


def in_force(centre_ids: Iterable[int]) -> dict[int, Shown]:
    """Return the budgets in force of cost centres, by cost centre; three statements."""
    book = ledger.in_force(centre_ids)
    shown = {}
    for budget in book.budgets.values():
        period = book.period(budget)
        shown[budget.cost_centre_id] = Shown(budget, period, book.standing(budget, period))
    return shown


def used(shown: Shown) -> Decimal:
    """Return how much of a budget is reserved or used in the present period, 1 is all of it."""
    standing = shown.standing
    taken = standing.reserved + standing.committed
    return taken / standing.available if standing.available > 0 else Decimal(1 if taken else 0)


def history(budget: Budget, most: int = 12) -> list[tuple[Period, Standing]]:
    """Return the last periods of a budget and how it stood, the present one first."""
    book = ledger.Book([budget])
    calendar = periods.calendar_of(budget.company_id)
    today = max(clock.today(calendar.zone), budget.starts)
    every = periods.periods_since(budget.period, budget.starts, today, calendar)[-most:]
    return [(period, book.standing(budget, period)) for period in reversed(every)]


def save(centre: CostCentre, company: Company, values: Mapping[str, Any]) -> Budget:
    """Set the cost centre's budget: a new one, or from the present period on another amount and mode of the one in force.

    Another kind of period begins a new budget; the old one is switched off and keeps its ledger. Orders of the present
    period that were placed before the first budget was there count. Invalid for a currency that is not the company's.
    """
    currency = values.get("currency") or company.currency
    if currency != company.currency:
        text = _("The company orders in %(currency)s; give its budgets in the same currency.", currency=company.currency)
        raise Invalid("BUDGET-CURRENCY", text, details={"field": "currency"})
    amount = limits.checked(values["amount"], currency)
    if amount is None:
        raise Invalid("AMOUNT", _("Enter the amount of the budget."), details={"field": "amount"})
    with write() as session:
        lock_company(company.id)
        budget = session.scalar(select(Budget).where(Budget.cost_centre_id == centre.id, Budget.active))
        if budget is not None and (budget.period, budget.currency) != (values["period"], currency):
            budget.active = False
            session.flush()
            budget = None
        since = _since(company.id, values["period"], values.get("starts"))
        new = budget is None
        if budget is None:
            budget = Budget(
                company_id=company.id, cost_centre_id=centre.id, period=values["period"], currency=currency,
                starts=since, created_at=clock.now(),
            )  # fmt: skip
            session.add(budget)
        budget.mode, budget.carry_over = values["mode"], values["carry_over"]
        session.flush()
        _set_amount(budget, max(since, budget.starts), amount)
        if new:
            ledger.post(_placed_since(budget))
        ledger.changed([budget.id])
        _record(centre, "budget set", budget, amount)
    return budget


def _since(company_id: int, kind: str, starts: date | None) -> date:
    """Return the first day of the period of a day, by default today."""
    calendar = periods.calendar_of(company_id)
    return periods.period_of(kind, starts or clock.today(calendar.zone), calendar).first


def _set_amount(budget: Budget, since: date, amount: Decimal) -> None:
    query = select(BudgetAmount).where(BudgetAmount.budget_id == budget.id, BudgetAmount.since <= since)
    last = db.session.scalar(query.order_by(BudgetAmount.id.desc()).limit(1))
    if last is None or last.amount != amount:
        db.session.add(
            BudgetAmount(
                budget_id=budget.id, company_id=budget.company_id, since=since, amount=amount, at=clock.now(),
                by_name=current_actor().name,
            )
        )  # fmt: skip
        db.session.flush()


def _placed_since(budget: Budget) -> list[int]:
    """Return the orders with lines on the cost centre that were placed since the budget starts."""
    start = start_of_day(budget.starts, periods.calendar_of(budget.company_id).zone)
    query = select(Order.id).join(LineCentre, LineCentre.order_id == Order.id).distinct()
    counted = (Order.submitted_at >= start, Order.state.in_(kept.COUNTED))
    return list(db.session.scalars(query.where(LineCentre.cost_centre_id == budget.cost_centre_id, *counted)))


def switch_off(centre: CostCentre) -> None:
    """Take the budget in force out of use: orders count no more, those that are entered are followed to their end."""
    with write() as session:
        lock_company(centre.company_id)
        budget = session.scalar(select(Budget).where(Budget.cost_centre_id == centre.id, Budget.active))
        if budget is not None:
            budget.active = False
            session.flush()
            _record(centre, "budget switched off", budget, ZERO)


def amounts_of(budget_ids: Iterable[int]) -> list[BudgetAmount]:
    """Return how the amounts of budgets were set, the latest first."""
    query = select(BudgetAmount).where(BudgetAmount.budget_id.in_(list(budget_ids)))
    return list(db.session.scalars(query.order_by(BudgetAmount.id.desc())))


def _record(centre: CostCentre, action: str, budget: Budget, amount: Decimal) -> None:
    after = {
        "amount": f"{amount} {budget.currency}", "period": budget.period, "mode": budget.mode,
        "carry_over": budget.carry_over,
    }  # fmt: skip
    audit.record("cost centre", centre.code, action, company_id=centre.company_id, after=after, addon=OWNER)
