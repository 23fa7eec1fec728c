"""Import and export of limits: what people and roles may order alone, approve, and order by the period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from core.api.companies import Company, Membership, User
from core.api.data import db
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, RowResult
from core.api.i18n import read_plain, translations
from core.api.imports import Batch

from . import limits, periods
from .budget_models import SpendLimit
from .models import Group, Limit
from .permissions import LIMITS

_, _l, ngettext, _p = translations(__name__)
UNLIMITED = "unlimited"
AMOUNTS = ("order_limit", "approve_limit")


@dataclass(frozen=True, slots=True)
class Whose:
    """Of which company's person or role a row speaks."""

    company: Company
    user_id: int | None
    role: str


class Known:
    """Companies, their people by e-mail address, and their own roles by name, as the rows of a batch name them."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.companies = {c.code: c for c in db.session.scalars(select(Company).where(Company.code.in_(codes)))}
        ids = [c.id for c in self.companies.values()]
        members = select(Membership.company_id, func.lower(User.email), User.id).join(User, User.id == Membership.user_id)
        rows = db.session.execute(members.where(Membership.company_id.in_(ids)))
        self.people = {(company_id, email): user_id for company_id, email, user_id in rows}
        groups = db.session.scalars(select(Group).where(Group.company_id.in_(ids)))
        self.groups = {(group.company_id, group.name): group.role for group in groups}

    def whose(self, batch: Batch, row: ImportRow) -> Whose | None:
        """Return whose limit a row is, or None where it says nobody or nobody known; the row has failed then."""
        given = row.values
        company = self.companies.get(given["company"])
        person, role = given.get("person") or "", given.get("role") or ""
        if company is None:
            batch.unknown(row, "company", _("company"))
        elif bool(person) == bool(role):
            batch.fail(row, "person", _("Name either a person or a role."))
        elif person and (company.id, person.lower()) not in self.people:
            batch.fail(row, "person", _("%(email)s is nobody of the company.", email=person))
        elif person:
            return Whose(company, self.people[company.id, person.lower()], "")
        elif role in limits.ROLES or (company.id, role) in self.groups:
            return Whose(company, None, self.groups.get((company.id, role), role))
        else:
            batch.fail(row, "role", _("There is no such role."))
        return None


def amount_of(text: str, currency: str) -> Decimal | None:
    """Return an amount as a file gives it: "unlimited" is None; Invalid for what is none."""
    return None if text.strip().lower() == UNLIMITED else limits.checked(read_plain(text), currency)


def load_limits(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert what may be ordered alone and approved, by company and person or role; a new row is unlimited else."""
    batch = Batch(rows, "company", "person", "role")
    known = Known(batch.all("company"))
    ids = [c.id for c in known.companies.values()]
    found = db.session.scalars(select(Limit).where(Limit.company_id.in_(ids)))
    table = {(x.company_id, x.user_id, x.role): x for x in found}
    for row in batch:
        who = known.whose(batch, row)
        values = _amounts(batch, row, who, AMOUNTS) if who else None
        if who is None or values is None:
            continue
        key = (who.company.id, who.user_id, who.role)
        limit = table.get(key)
        if limit is None:
            limit = table[key] = Limit(company_id=key[0], user_id=key[1], role=key[2], currency=who.company.currency)
            db.session.add(limit)
            batch.done(row, _put(limit, {**dict.fromkeys(AMOUNTS), **values}, "created"))
        else:
            batch.done(row, _put(limit, values, "updated"))
    db.session.flush()
    return batch.results()


def _amounts(batch: Batch, row: ImportRow, who: Whose, names: Sequence[str]) -> dict[str, Decimal | None] | None:
    values: dict[str, Decimal | None] = {}
    for name in names:
        if row.values.get(name):
            try:
                values[name] = amount_of(row.values[name], who.company.currency)
            except Invalid as error:
                batch.fail(row, name, error.message)
                return None
    return values


def _put(row: Any, values: Mapping[str, Any], outcome: str) -> str:
    """Set what is another; "unchanged" where nothing of a known row is."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return outcome if changed or outcome == "created" else "unchanged"


def load_spending(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert what may be ordered by the period, by company, person or role, and kind of period."""
    batch = Batch(rows, "company", "person", "role", "period")
    known = Known(batch.all("company"))
    ids = [c.id for c in known.companies.values()]
    found = db.session.scalars(select(SpendLimit).where(SpendLimit.company_id.in_(ids)))
    table = {(x.company_id, x.user_id, x.role, x.period): x for x in found}
    for row in batch:
        who = known.whose(batch, row)
        values = _amounts(batch, row, who, ("amount",)) if who else None
        if who is None or values is None:
            continue
        key = (who.company.id, who.user_id, who.role, row.values["period"])
        limit, outcome = table.get(key), "updated"
        if limit is None:
            if not batch.require(row, "amount"):
                continue
            names = ("company_id", "user_id", "role", "period")
            limit = table[key] = SpendLimit(**dict(zip(names, key, strict=True)), currency=who.company.currency)
            db.session.add(limit)
            outcome = "created"
        batch.done(row, _put(limit, values, outcome))
    db.session.flush()
    return batch.results()


def _named(model: Any) -> Iterator[tuple[str, str, str, Any]]:
    """Yield company, person and role as a file names them, and the limit."""
    groups = {group.role: group.name for group in db.session.scalars(select(Group))}
    query = (
        select(Company.code, User.email, model)
        .join(Company, Company.id == model.company_id)
        .outerjoin(User, User.id == model.user_id)
        .order_by(Company.code, model.id)
    )
    for code, email, row in db.session.execute(query):
        yield code, email or "", groups.get(row.role, row.role), row


def _text(amount: Decimal | None) -> str:
    return UNLIMITED if amount is None else f"{amount.normalize():f}"


def export_limits() -> Iterator[dict[str, Any]]:
    """Yield what people and roles may order alone and approve."""
    for company, person, role, row in _named(Limit):
        amounts = {name: _text(getattr(row, name)) for name in AMOUNTS}
        yield {"company": company, "person": person, "role": role, **amounts}


def export_spending() -> Iterator[dict[str, Any]]:
    """Yield what people and roles may order by the period."""
    for company, person, role, row in _named(SpendLimit):
        yield {"company": company, "person": person, "role": role, "period": row.period, "amount": _text(row.amount)}


_WHOSE = (
    ImportField("company", required=True, max_length=40, help=_l("Code of the company")),
    ImportField("person", max_length=255, help=_l("E-mail address of a person, or else a role")),
    ImportField("role", max_length=120, help=_l("orderer, approver, company_admin, or the name of a role of the company")),
)
_AMOUNT = _l("Without tax, in the company's currency; 0 is nothing, “unlimited” is without limit")
APPROVAL_LIMITS = DataImport(
    kind="approval_limits",
    title=_l("What people may order alone and approve"),
    key=("company", "person", "role"),
    fields=(
        *_WHOSE,
        ImportField("order_limit", max_length=40, help=_AMOUNT),
        ImportField("approve_limit", max_length=40, help=_AMOUNT),
    ),
    load=load_limits,
    permission=LIMITS,
    export=export_limits,
)
SPENDING_LIMITS = DataImport(
    kind="spending_limits",
    title=_l("Spending limits"),
    key=("company", "person", "role", "period"),
    fields=(
        *_WHOSE,
        ImportField("period", "choice", required=True, choices=periods.KINDS),
        ImportField("amount", max_length=40, help=_AMOUNT),
    ),
    load=load_spending,
    permission=LIMITS,
    export=export_spending,
)
