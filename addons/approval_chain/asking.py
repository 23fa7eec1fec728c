"""Whom who ordered asks to decide, and who looks at an order before deciding."""

from __future__ import annotations

from core.api.companies import User, lock_company
from core.api.data import audit, current_actor, db, write
from core.api.hooks import Conflict, Forbidden, Invalid
from core.api.i18n import translations
from core.api.jobs import emit
from core.api.orders import find, lock

from . import deciding, engine, services
from .flow import WAITING, Flow
from .loading import names_of
from .models import OrderRequest
from .services import OWNER, Pending

_, _l, ngettext, _p = translations(__name__)


def choices(one: Pending) -> list[tuple[str, str]]:
    """Return code and name of those of whom who ordered may ask one: several may decide now, and one is enough."""
    plan = services.plan_now(one.order, one.approval)
    tier = one.flow.tier
    able = {p for r in plan.requirements if r.tier == tier and r.need == 1 and len(r.people) > 1 for p in r.people}
    ids = [int(p) for p in able if p != engine.SELLER]
    query = db.select(User.code, User.name).where(User.id.in_(ids)).order_by(User.name)
    return [(row.code, row.name) for row in db.session.execute(query)] if ids else []


def assign(number: str, code: str) -> Flow:
    """Ask only the person with ``code`` ('' for everybody again); Invalid for somebody who is not among those asked."""
    with write() as session:
        one = _waiting(number)
        if not services.may_change(one):
            raise Forbidden("APPROVAL-NOT-YOURS", _("Only the person who ordered may say who decides."))
        if code and code not in dict(choices(one)):
            text = _("Choose one of those who may decide on this order now.")
            raise Invalid("APPROVAL-NOT-ASKED", text, details={"field": "person"})
        one.approval.assigned_id = session.scalar(db.select(User.id).where(User.code == code)) if code else None
        session.flush()
        after = {"asked": code}
        audit.record("order", number, "approval asked of", company_id=one.order.company_id, after=after, addon=OWNER)
        return services.pending_of(one.order).flow


def may_withdraw(one: Pending) -> bool:
    """Tell whether who ordered asked for an approval that no rule requires, and nobody has decided on the order yet."""
    return db.session.get(OrderRequest, one.order.id) is not None and not one.flow.decisions


def withdraw(number: str) -> Flow:
    """Ask no more for the approval that no rule requires; where nothing else is asked, the order goes on.

    Only who ordered may, and Conflict once somebody has decided: what they said counts.
    """
    with write() as session:
        one = _waiting(number)
        if not services.may_change(one):
            raise Forbidden("APPROVAL-NOT-YOURS", _("Only the person who ordered may change the order now."))
        if not may_withdraw(one):
            raise Conflict("APPROVAL-SAID", _("Somebody has decided on this order already; it stays as it is."))
        session.delete(session.get_one(OrderRequest, one.order.id))
        session.flush()
        audit.record("order", number, "approval request withdrawn", company_id=one.order.company_id, addon=OWNER)
        one = services.pending_of(one.order)
        services.free_if_nobody_is_asked(one)
        deciding.settle(one, "")
        emit(deciding.SENT_AGAIN, {"number": number, "round": one.approval.round})  # another turn may be on now
        return one.flow


def review(number: str) -> None:
    """Say that the actor looks at the order; others see it, and may still decide."""
    with write():
        one = _waiting(number)
        if not services.may_decide(one.flow):
            raise Forbidden("APPROVAL-NOT-YOURS", _("You are not among those who decide on this order now."))
        one.approval.reviewer_id = current_actor().user_id
        audit.record("order", number, "approval under review", company_id=one.order.company_id, addon=OWNER)


def assigned_code(one: Pending) -> str:
    """Return the code of the one person who is asked, '' for none."""
    return db.session.scalar(db.select(User.code).where(User.id == one.approval.assigned_id)) or ""


def reviewer(one: Pending) -> str:
    """Return the name of who looks at the order while it waits, '' for nobody."""
    who = str(one.approval.reviewer_id or "")
    return names_of([who]).get(who, "") if who and one.approval.state == WAITING else ""


def _waiting(number: str) -> Pending:
    lock_company(find(number).company_id)
    one = services.pending_of(lock(number))
    if one.order.state != "submitted" or one.approval.state != WAITING or not services.held(one.order):
        raise Conflict("APPROVAL-DECIDED", _("This order does not wait for approval any more; reload the page."))
    return one
