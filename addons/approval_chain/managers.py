"""Who leads whom: a rule may ask for the manager of whoever orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import select

from core.api.companies import Membership, User, lock_company
from core.api.data import audit, current_actor, db, once, unscoped, write
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.jobs import emit

from . import engine
from .absences import company_of_actor, decider
from .models import Manager
from .permissions import SETUP

_, _l, ngettext, _p = translations(__name__)
#: The role of the manager of whoever orders, as rules name it.
MANAGER = "manager"
_REASON = "the manager of whoever orders may belong to a parent company that the buyer does not see"


def leaders(company_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
    """Return who is led by whom, by company and person."""
    ids = tuple(sorted(company_ids))
    query = unscoped(select(Manager).where(Manager.company_id.in_(ids)), _REASON)

    def read() -> Mapping[tuple[int, int], int]:
        return {(row.company_id, row.user_id): row.manager_id for row in db.session.scalars(query)}

    return once(("approval_chain.leaders", ids), read)


def with_manager(company: engine.Company, requester: str, manager: str) -> engine.Company:
    """Return the company as it is for an order of ``requester``: their manager has the role MANAGER."""
    if not manager or manager == requester:
        return company
    people = tuple(replace(p, roles=p.roles | {MANAGER}) if p.id == manager else p for p in company.people)
    return replace(company, people=people)


def set_manager(user_code: str, manager_code: str) -> None:
    """Say who leads a person ('' for nobody); Invalid where that made a circle."""
    company_id = company_of_actor()
    with write() as session:
        lock_company(company_id)
        member = select(User.id).join(Membership, Membership.user_id == User.id)
        user_id = session.scalar(member.where(Membership.company_id == company_id, User.code == user_code).limit(1))
        if user_id is None:
            raise NotFound("PERSON-UNKNOWN", _("There is no such person in your company."))
        rows = session.scalars(select(Manager).where(Manager.company_id == company_id)).all()
        row = next((r for r in rows if r.user_id == user_id), None)
        if not manager_code:
            if row is not None:
                session.delete(row)
        else:
            manager_id = decider(manager_code)
            refuse_circle({r.user_id: r.manager_id for r in rows}, user_id, manager_id)
            if row is None:
                row = Manager(company_id=company_id, user_id=user_id, manager_id=manager_id)
                session.add(row)
            row.manager_id = manager_id
        after = {"manager": manager_code}
        audit.record("user", user_code, "manager set", company_id=company_id, after=after, addon="approval_chain")
        session.flush()
        emit(SETUP, {"company_id": company_id})


def refuse_circle(leads: Mapping[int, int], user_id: int, manager_id: int) -> None:
    """Raise Invalid if ``manager_id`` leading ``user_id`` closed a circle in ``leads`` (person to manager)."""
    seen, step = {user_id}, manager_id
    while step not in seen:
        seen.add(step)
        if step not in leads:
            return
        step = leads[step]
    raise Invalid(
        "MANAGER-CIRCLE", _("That would make a circle: the person leads this manager."), details={"field": "manager"}
    )


def managers() -> dict[int, int]:
    """Return who is led by whom in the actor's company."""
    rows = db.session.scalars(select(Manager).where(Manager.company_id == current_actor().company_id))
    return {row.user_id: row.manager_id for row in rows}
