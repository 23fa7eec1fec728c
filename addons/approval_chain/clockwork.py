"""What time does to approvals that wait: reminders, passing on, the end. A job, safe to run twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from core.api.companies import lock_company
from core.api.data import audit, clock, db, write
from core.api.hooks import JobSpec, TukkuError
from core.api.i18n import translations
from core.api.jobs import emit
from core.api.orders import Order, find, lock
from core.api.settings import get

from . import deciding, flow, links, services, timing
from .models import Approval
from .services import OWNER, Pending

_, _l, ngettext, _p = translations(__name__)
TIMED = "approval.timed"


def run(_payload: dict[str, Any]) -> None:
    """Look at every approval whose time has come, each in a transaction of its own."""
    links.prune()
    now = clock.now()
    due = or_(Approval.remind_at <= now, Approval.escalate_at <= now, Approval.expires_at <= now)
    numbers = db.session.scalars(
        select(Order.number).join(Approval, Approval.order_id == Order.id)
        .where(Approval.state == flow.WAITING, due).order_by(Approval.id)
    ).all()  # fmt: skip
    for number in numbers:
        try:
            tick(number or "")
        except TukkuError as error:  # one order that cannot be helped must not stop the others
            audit_failure(number or "", str(error.message))


def tick(number: str) -> None:
    """Do what is due for one order."""
    with write():
        lock_company(find(number).company_id)
        order = lock(number)
        one = services.pending_of(order)
        if one.approval.state != flow.WAITING:
            return
        if order.state != "submitted" or not services.held(order):
            one.approval.state = "withdrawn" if order.state in ("cancelled", "rejected") else "released"
            timing.stop(one.approval)
            return
        # approved: whoever was still missing has left, and all others have decided
        if one.flow.state == flow.APPROVED or services.free_if_nobody_is_asked(one):
            deciding.settle(one, "")
            return
        if one.flow.tier != one.approval.tier:  # whoever was missing in the turn before has left
            timing.start(one.approval, one.flow.tier or 1, clock.now())
        _due(one)


def _due(one: Pending) -> None:
    now, approval = clock.now(), one.approval
    if approval.expires_at is not None and approval.expires_at <= now:
        _expire(one)
    elif approval.escalate_at is not None and approval.escalate_at <= now:
        approval.escalated, approval.escalate_at = True, None
        _tell(one, "escalated", approval.tier or 1)
    elif approval.remind_at is not None and approval.remind_at <= now:
        approval.reminded += 1
        hours = int(get(OWNER, "remind_hours", company=approval.company_id))
        calendar = timing.calendar_of(approval.company_id)
        approval.remind_at = timing.later(now, hours, calendar) if hours else None
        _tell(one, "reminded", approval.reminded)


def _expire(one: Pending) -> None:
    approval = one.approval
    reason = _("Nobody decided in time")
    _tell(one, "expired", approval.round)
    ends = get(OWNER, "on_expiry", company=approval.company_id) == "reject"
    if ends or not services.orderer_is_there(one.order, approval):  # it must not wait for somebody who has left
        one.flow.decisions.append(flow.Decision("", flow.REJECTED, approval.tier or 1, reason))
        deciding.settle(one, reason)
        return
    timing.stop(approval)
    approval.state, approval.decided_at = flow.RETURNED, clock.now()


def _tell(one: Pending, what: str, count: int) -> None:
    number = one.order.number or ""
    audit.record("order", number, f"approval {what}", company_id=one.order.company_id, addon=OWNER)
    emit(TIMED, {"number": number, "what": what, "count": count})


def audit_failure(number: str, message: str) -> None:
    """Keep why an order's clock could not go on."""
    with write():
        audit.record("order", number, "approval clock failed", reason=message, addon=OWNER)


def close(payload: dict[str, Any]) -> None:
    """Close the approval of an order that was cancelled, or whose hold the seller released; for their events."""
    order = db.session.scalar(select(Order).where(Order.number == payload["number"]))
    waits = select(Approval).where(Approval.state.in_((flow.WAITING, flow.RETURNED)))
    approval = order and db.session.scalar(waits.where(Approval.order_id == order.id))
    if order is None or approval is None or (services.held(order) and order.state == "submitted"):
        return
    with write():
        approval = db.session.scalars(select(Approval).where(Approval.id == approval.id)).one()
        approval.state = "withdrawn" if order.state in ("cancelled", "rejected") else "released"
        timing.stop(approval)


JOB = JobSpec("approval_clock", run, every=timedelta(minutes=10), title=_l("Remind of approvals, pass them on, end them"))
