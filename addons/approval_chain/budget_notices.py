"""Tell who answers for a budget, and the company's administrators, once a period and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select

from core.api.companies import Membership, User, holders, lock_company
from core.api.data import clock, db, write
from core.api.hooks import NotificationKind, SettingSpec
from core.api.i18n import translations
from core.api.notifications import Message, notify, path_of
from core.api.pricing import SEE_PRICES
from core.api.settings import get
from core.api.ui import money_text, percent_text

from . import budgets, periods
from .centre_models import CostCentre
from .ledger_models import Budget, BudgetNotice

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"
KIND = NotificationKind(
    "budget", _l("Budget is nearly or wholly used"),
    _l("You answer for the cost centre, or you are an administrator of the company."),
    "buyer", icon="wallet2", order=43,
)  # fmt: skip


def wrong_thresholds(text: str) -> str:
    """Return what is wrong with a list of percents, '' for nothing."""
    for word in text.replace(",", " ").split():
        if not (word.isdecimal() and 1 <= int(word) <= 1000):
            return _("“%(word)s” is no percent; write whole numbers, such as 80 100.", word=word)
    return ""


SETTING = SettingSpec(
    "budget_thresholds", str, "80 100", _l("Tell of a budget when so much of it is used (percent)"),
    _l("Reserved and used together: who answers for the cost centre and the administrators are told once a period."
       " Several with spaces between; empty: nobody is told."),
    ("deployment", "segment", "company"), group=_l("Approval of orders"), problem=wrong_thresholds,
)  # fmt: skip


def tell(payload: dict[str, Any]) -> None:
    """Tell of each budget the largest threshold that it has reached in the present period; for ``budget.changed``."""
    rows = db.session.execute(
        select(CostCentre, Budget.id)
        .join(Budget, Budget.cost_centre_id == CostCentre.id)
        .where(Budget.id.in_(payload["budgets"]), Budget.active)
        .order_by(Budget.id)
    ).all()
    standing = budgets.in_force(centre.id for centre, _budget in rows)
    for centre, _budget_id in rows:
        _tell(centre, standing[centre.id])


def _tell(centre: CostCentre, shown: budgets.Shown) -> None:
    reached = _reached(shown)
    if not reached or not _first(shown, reached):
        return
    people = _people(centre)

    def compose() -> Message:
        standing, currency = shown.standing, shown.budget.currency
        taken = standing.reserved + standing.committed
        values = {
            "centre": f"{centre.code} · {centre.name}",
            "taken": money_text(taken, currency),
            "amount": money_text(standing.available, currency),
            "percent": percent_text(budgets.used(shown) * 100),
            "period": str(periods.THIS[shown.budget.period]),
        }
        subject = (
            _("Budget of %(centre)s: used up %(period)s, %(taken)s of %(amount)s", **values)
            if reached >= 100
            else _("Budget of %(centre)s: %(percent)s used %(period)s, %(taken)s of %(amount)s", **values)
        )
        text = {
            "block": _("Orders that exceed it are refused."),
            "warn": _("Buyers of orders that exceed it are warned."),
            "require": _("Orders that exceed it wait for the approval of who answers for the cost centre."),
        }[shown.budget.mode]
        return Message(subject, text, path_of("approval_chain.centre", code=centre.code))

    notify(f"{OWNER}.{KIND.name}", people, compose, key=f"budget:{shown.budget.id}:{shown.period.first}:{reached}")


def _reached(shown: budgets.Shown) -> int:
    """Return the largest threshold that is reached, 0 for none."""
    said = str(get(OWNER, "budget_thresholds", company=shown.budget.company_id))
    used = budgets.used(shown) * 100
    return max((int(word) for word in said.replace(",", " ").split() if int(word) <= used), default=0)


def _first(shown: budgets.Shown, reached: int) -> bool:
    """Keep that the threshold was told of in the period; whether neither it nor a larger one was before."""
    mine = (BudgetNotice.budget_id == shown.budget.id, BudgetNotice.period == shown.period.first)
    with write() as session:
        lock_company(shown.budget.company_id)
        known: Sequence[int] = session.scalars(select(BudgetNotice.threshold).where(*mine)).all()
        if reached <= max(known, default=0):
            return reached in known  # a job that runs again tells whom it did not reach: each person once
        values = {"budget_id": shown.budget.id, "company_id": shown.budget.company_id, "period": shown.period.first}
        session.execute(insert(BudgetNotice).values(**values, threshold=reached, at=clock.now()))
    return True


def _people(centre: CostCentre) -> list[int]:
    """Return who answers for the cost centre, and the company's administrators, of those who may see prices."""
    query = select(Membership.user_id).join(User, User.id == Membership.user_id)
    admins = query.where(Membership.company_id == centre.company_id, Membership.role == "company_admin", User.active)
    people = sorted({*db.session.scalars(admins), *([centre.owner_id] if centre.owner_id else [])})
    return holders(SEE_PRICES, centre.company_id, people)
