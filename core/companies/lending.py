"""Staff act for a buyer: chosen person and company, a reason, at most an hour, both names on what is done."""

from __future__ import annotations

from sqlalchemy import select

from core.accounts import acting
from core.accounts.models import User
from core.companies.models import Company, Membership
from core.data import audit
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import write
from core.i18n import _
from core.spec.errors import Forbidden, Invalid, NotFound


def start(company: Company, user: User, reason: str) -> None:
    """Begin to act for ``user`` in ``company``; the caller holds ``companies.buyer.act_for``."""
    actor = current_actor()
    if actor.on_behalf_of is not None:
        raise Forbidden("ALREADY-ACTING", _("You are already acting for somebody. Stop that first."))
    if company.status == "closed":
        raise Forbidden("COMPANY-CLOSED", _("%(company)s is closed: nobody can buy for it.", company=company.name))
    text = " ".join(reason.split())
    if len(text) < 5:
        raise Invalid("REASON", _("Say why, in a few words: it is kept with what you do."), details={"field": "reason"})
    _require_member(company, user)
    company_id, company_code, user_id, user_code, name = company.id, company.code, user.id, user.code, user.name
    with write():
        after = {"buyer": user_code, "company": company_code}
        audit.record("user", user_code, "acting_started", company_id=company_id, reason=text[:500], after=after)
    acting.begin(user_id=user_id, user_code=user_code, name=name, company_id=company_id, reason=text[:500])


def _require_member(company: Company, user: User) -> None:
    member = select(Membership.id).where(Membership.user_id == user.id, Membership.company_id == company.id)
    if not user.active or db.session.scalar(member.limit(1)) is None:
        raise NotFound("NOT-A-MEMBER", _("%(name)s does not buy for %(company)s.", name=user.name, company=company.name))
    if user.is_staff:
        raise Forbidden("STAFF", _("%(name)s is a member of staff; nobody acts for staff.", name=user.name))
