"""Who is away, who decides in their place, and to whom an approval is passed on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from core.api.companies import Membership, User, lock_company
from core.api.data import audit, clock, current_actor, db, unscoped, write
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.jobs import emit

from . import engine
from .flow import Flow
from .models import Absence
from .periods import today_of
from .permissions import DECIDING, SETUP

_, _l, ngettext, _p = translations(__name__)
DAY = timedelta(days=1)
_REASON = "who decides on an order, or stands in, may belong to a parent company that its buyer does not see"


def away_now(user_ids: Collection[int]) -> Mapping[str, str]:
    """Return who is away today, in the time zone of their company, with their substitute's id ('' for nobody by name)."""
    if not user_ids:
        return {}
    noon = clock.now().date()  # any zone: where it is another day, it is the one before or after
    query = select(Absence).where(
        Absence.user_id.in_(sorted(user_ids)), Absence.since <= noon + DAY, Absence.until >= noon - DAY
    )
    rows = list(db.session.scalars(unscoped(query.order_by(Absence.id), _REASON)))
    days = {company_id: today_of(company_id) for company_id in {row.company_id for row in rows}}
    return {str(row.user_id): str(row.substitute_id or "") for row in rows if row.since <= days[row.company_id] <= row.until}


def substitutes(
    plan: engine.Plan, away: Mapping[str, str], company: engine.Company, total: Decimal
) -> dict[str, tuple[str, ...]]:
    """Return who decides for those of ``plan`` who are away: never further than one step, never above either's limit."""
    found = {}
    for person in {p for r in plan.requirements for p in r.people if away.get(p)}:
        other = company.person(away[person])
        limits = [x.approve_limit for x in (other, company.person(person)) if x.approve_limit is not None]
        if other.may_approve and away.get(other.id) is None and all(total <= limit for limit in limits):
            found[person] = (other.id,)
    return found


def nobody_there(flow: Flow, away: Mapping[str, str]) -> bool:
    """Tell whether all who may decide now are away."""
    able = flow.eligible() if away else []
    return bool(able) and all(person in away for person in able)


def seniors(flow: Flow, company: engine.Company, total: Decimal) -> tuple[str, ...]:
    """Return to whom the present tier is passed on: the nearest administrators who are not asked yet, else the seller."""
    asked = set(flow.eligible()) | {flow.requester}
    for unit in company.units:
        found = tuple(
            p.id
            for p in company.people
            if p.unit == unit and engine.ADMIN in p.roles and p.may_approve and p.id not in asked
            if p.approve_limit is None or total <= p.approve_limit
        )
        if found:
            return found
    return (engine.SELLER,)


def of_company() -> list[tuple[Absence, str, str]]:
    """Return absences of the actor's company that are not over, with both names; a person without RULES asks for own."""
    company_id = company_of_actor()
    query = select(Absence).where(Absence.company_id == company_id, Absence.until >= today_of(company_id))
    rows = list(db.session.scalars(query.order_by(Absence.since, Absence.id)))
    ids = {i for row in rows for i in (row.user_id, row.substitute_id) if i}
    people = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    names = {person.id: person.name for person in people}
    return [(row, names.get(row.user_id, ""), names.get(row.substitute_id or 0, "")) for row in rows]


def add(user_code: str, substitute_code: str, since: date, until: date, reason: str) -> Absence:
    """Keep that a person is away; Invalid where days or substitute cannot be."""
    company_id = company_of_actor()
    with write() as session:
        lock_company(company_id)
        user_id = decider(user_code)
        substitute_id = decider(substitute_code) if substitute_code else None
        if until < since:
            raise Invalid("ABSENCE-DAYS", _("The last day is before the first."), details={"field": "until"})
        _refuse_circle(company_id, user_id, substitute_id, since, until)
        row = Absence(
            company_id=company_id, user_id=user_id, substitute_id=substitute_id, since=since, until=until,
            reason=reason.strip(), created_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        after = {"since": str(since), "until": str(until), "substitute": substitute_code}
        audit.record(
            "user", user_code, "absence added", company_id=company_id, reason=row.reason, after=after, addon="approval_chain"
        )
        session.flush()
        emit(SETUP, {"company_id": company_id})
    return row


def _refuse_circle(company_id: int, user_id: int, substitute_id: int | None, since: date, until: date) -> None:
    if substitute_id == user_id:
        text = _("Nobody stands in for themselves; choose somebody else.")
        raise Invalid("ABSENCE-SELF", text, details={"field": "substitute"})
    overlap = select(Absence).where(Absence.company_id == company_id, Absence.since <= until, Absence.until >= since)
    rows = list(db.session.scalars(overlap))
    if any(row.user_id == user_id for row in rows):
        text = _("There is an absence in these days already; remove it first.")
        raise Invalid("ABSENCE-TWICE", text, details={"field": "since"})
    if substitute_id is None:
        return
    if any(row.user_id == substitute_id for row in rows):
        text = _("The substitute is away in these days too; choose somebody else.")
        raise Invalid("ABSENCE-CIRCLE", text, details={"field": "substitute"})
    if any(row.substitute_id == user_id for row in rows):
        text = _("This person stands in for somebody in these days; change that first.")
        raise Invalid("ABSENCE-CIRCLE", text, details={"field": "since"})


def remove(absence_id: int, own: bool) -> None:
    """Take an absence away; with ``own`` only the actor's."""
    query = select(Absence).where(Absence.id == absence_id, Absence.company_id == company_of_actor())
    with write() as session:
        row = session.scalar(query)
        if row is None or (own and row.user_id != current_actor().user_id):
            raise NotFound("ABSENCE-GONE", _("This absence is gone already; reload the page."))
        session.delete(row)
        who = db.session.scalar(select(User.code).where(User.id == row.user_id)) or ""
        audit.record("user", who, "absence removed", company_id=row.company_id, addon="approval_chain")
        emit(SETUP, {"company_id": row.company_id})


def decider(code: str) -> int:
    """Return the id of an active person of the actor's company who may approve; Invalid for anybody else."""
    query = (
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.company_id == company_of_actor(), Membership.role.in_(DECIDING), User.active, User.code == code)
    )
    found = db.session.scalar(query.limit(1))
    if found is None:
        raise Invalid("DECIDER-UNKNOWN", _("Choose somebody of your company who may approve."))
    return found


def company_of_actor() -> int:
    company_id = current_actor().company_id
    if company_id is None:
        raise NotFound("NO-COMPANY", _("Choose the company first."))
    return company_id
