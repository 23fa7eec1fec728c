"""Limits by the period, as a company's administrators and the seller's staff set them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.companies import ROLE_TITLES, Company, Membership, User, lock_company
from core.api.data import audit, db, write
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.jobs import emit
from core.api.pricing import minor_digits
from core.api.ui import money_text

from . import periods
from .budget_models import SpendLimit
from .permissions import SETUP
from .rule_models import Group

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"
ROLES = ("orderer", "approver", "company_admin")
BY = {
    "day": _l("by the day"), "week": _l("by the week"), "month": _l("by the month"), "quarter": _l("by the quarter"),
    "year": _l("by the year"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A limit as people read it."""

    id: int
    who: str
    by: str
    amount: str


def shown(company_id: int) -> list[Shown]:
    """Return the limits of a company: those of roles first, the short periods first."""
    query = select(SpendLimit, User.name).outerjoin(User, User.id == SpendLimit.user_id)
    rows = db.session.execute(query.where(SpendLimit.company_id == company_id)).all()
    titles = dict(roles_of(company_id))
    rows = sorted(rows, key=lambda r: (r.name or "", r.SpendLimit.role, periods.KINDS.index(r.SpendLimit.period)))
    return [Shown(row.id, name or str(titles[row.role]), str(BY[row.period]), _amount(row)) for row, name in rows]


def roles_of(company_id: int) -> list[tuple[str, object]]:
    """Return the roles for which a company may set limits: those of the shop, and its own."""
    own = db.session.scalars(select(Group).where(Group.company_id == company_id).order_by(Group.name, Group.id))
    return [*((role, ROLE_TITLES[role]) for role in ROLES), *((group.role, group.name) for group in own)]


def _amount(row: SpendLimit) -> str:
    return _("without limit") if row.amount is None else money_text(row.amount, row.currency)


def whose(company_id: int) -> list[tuple[str, object]]:
    """Return whom a limit may be for: roles, and active people by "@" and their code."""
    query = (
        select(User.code, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.company_id == company_id, Membership.role.in_(ROLES), User.active)
        .distinct()
        .order_by(User.name)
    )
    return [*roles_of(company_id), *((f"@{code}", name) for code, name in db.session.execute(query))]


def save(company: Company, values: Mapping[str, Any]) -> SpendLimit:
    """Set the limit of a role or a person ("@" and their code) for a kind of period, once whoever saves at once.

    ``amount`` None is unlimited. ``currency`` may be left out; Invalid where it is not that of the company, in which its
    orders are, and for an amount below 0 or with more decimals than the currency has.
    """
    currency = values.get("currency") or company.currency
    if currency != company.currency:
        text = _("The company orders in %(currency)s; give its limits in the same currency.", currency=company.currency)
        raise Invalid("LIMIT-CURRENCY", text, details={"field": "currency"})
    amount = checked(values["amount"], currency)
    with write() as session:
        lock_company(company.id)
        user_id, role = _who(company.id, values["whose"])
        mine = (SpendLimit.company_id == company.id, SpendLimit.user_id == user_id, SpendLimit.role == role)
        row = session.scalar(select(SpendLimit).where(*mine, SpendLimit.period == values["period"]))
        if row is None:
            row = SpendLimit(company_id=company.id, user_id=user_id, role=role, period=values["period"])
            session.add(row)
        row.currency, row.amount = currency, amount
        session.flush()
        _record(company.id, "limit set", {"whose": values["whose"], "period": row.period, "amount": _text(row)})
    return row


def checked(amount: Decimal | None, currency: str) -> Decimal | None:
    """Return the amount; Invalid below 0, and where the currency has no such coin."""
    if amount is None:
        return None
    if not amount.is_finite() or amount < 0 or amount != round(amount, minor_digits(currency)):
        text = _("Enter an amount of 0 or more in whole cents, or what %(currency)s has instead.", currency=currency)
        raise Invalid("AMOUNT", text, details={"field": "amount"})
    return amount


def remove(company_id: int, limit_id: int) -> None:
    """Take a limit of the company away; NotFound for any other."""
    with write() as session:
        row = session.scalar(select(SpendLimit).where(SpendLimit.id == limit_id, SpendLimit.company_id == company_id))
        if row is None:
            raise NotFound("LIMIT-NOT-FOUND", _("This limit is gone already; reload the page."))
        session.delete(row)
        session.flush()
        _record(company_id, "limit removed", {"period": row.period, "role": row.role, "amount": _text(row)})


def _text(row: SpendLimit) -> str:
    return "" if row.amount is None else f"{row.amount} {row.currency}"


def _who(company_id: int, value: str) -> tuple[int | None, str]:
    if not value.startswith("@"):
        if value not in dict(roles_of(company_id)):
            raise Invalid("ROLE-UNKNOWN", _("There is no such role."), details={"field": "whose"})
        return None, value
    member = select(User.id).join(Membership, Membership.user_id == User.id).where(Membership.company_id == company_id)
    user_id = db.session.scalar(member.where(User.code == value[1:]).limit(1))
    if user_id is None:
        raise NotFound("PERSON-UNKNOWN", _("There is no such person in the company."))
    return user_id, ""


def _record(company_id: int, action: str, after: Mapping[str, Any]) -> None:
    audit.record("spending limits", str(company_id), action, company_id=company_id, after=after, addon=OWNER)
    emit(SETUP, {"company_id": company_id})


def sentence(left: Sequence[Any]) -> str:
    """Return whose limit is the narrowest as a sentence; '' where nothing limits."""
    if not left:
        return ""
    least = min(left, key=lambda x: x.left)
    values = {
        "left": money_text(max(least.left, Decimal(0)), least.currency),
        "amount": money_text(least.amount, least.currency),
        "period": str(periods.THIS[least.period.kind]),
    }
    return _("%(left)s of %(amount)s left %(period)s", **values)
