"""When people, roles or rules change: orders that nobody is missing for any more go on, and who decides now hears of it.

Handlers of events, each may run twice; and a job for what changes with the day, such as absences and the end of rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from core.api.companies import Membership, descendants
from core.api.data import db, unscoped
from core.api.hooks import JobSpec, TukkuError
from core.api.i18n import translations
from core.api.orders import Order

from . import clockwork, flow, notices, seller, services
from .models import Approval
from .services import Pending

_, _l, ngettext, _p = translations(__name__)
BATCH = 200
_REASON = "people and rules of a company decide on orders of all companies beneath it"


def of_member(payload: dict[str, Any]) -> None:
    """Look at the orders of a company and those beneath it; for events that name a company."""
    _look(descendants(payload["company_id"]))


def of_person(payload: dict[str, Any]) -> None:
    """Look at the orders of every company of a person, and at what staff decide; for ``user.changed``."""
    query = select(Membership.company_id).where(Membership.user_id == payload["user_id"]).distinct()
    companies = db.session.scalars(unscoped(query, _REASON)).all()
    _look({below for company_id in companies for below in descendants(company_id)})
    of_seller(payload)


def of_seller(_payload: dict[str, Any]) -> None:
    """Let orders go for which nobody of the staff is missing any more, and tell who decides now."""
    for one in seller.waiting():
        number = one.order.number or ""
        if one.flow.state == flow.APPROVED:
            seller.let_go(number)
        else:
            notices.tell_sellers(number)


def run(_payload: dict[str, Any]) -> None:
    """Look at everything that waits; people are told where it was passed on because all who were asked are away."""
    for one in _waiting():
        if services.moved(one) or one.flow.seniors:
            _go_on(one)


def _look(company_ids: Iterable[int]) -> None:
    ids = sorted(company_ids)
    for one in _waiting(Order.company_id.in_(ids)):
        _go_on(one)
    query = select(Order, Approval).join(Approval, Approval.order_id == Order.id)
    back = query.where(Order.company_id.in_(ids), Order.state == "submitted", Approval.state == flow.RETURNED)
    for order, approval in db.session.execute(unscoped(back, _REASON)).all():
        if not services.orderer_is_there(order, approval):
            notices.tell_of_orphan(services.pending_of(order))


def _waiting(*conditions: Any) -> Iterable[Pending]:
    query = select(Approval.id).join(Order, Order.id == Approval.order_id)
    ids: Sequence[int] = db.session.scalars(
        unscoped(query.where(Approval.state == flow.WAITING, *conditions).order_by(Approval.id), _REASON)
    ).all()
    for start in range(0, len(ids), BATCH):
        yield from services.waiting(Approval.id.in_(ids[start : start + BATCH]))


def _go_on(one: Pending) -> None:
    number = one.order.number or ""
    if services.moved(one):
        try:
            clockwork.tick(number)
        except TukkuError as error:  # one order that cannot be helped must not stop the others
            clockwork.audit_failure(number, str(error.message))
            return
    notices.tell(number)


JOB = JobSpec("approval_recheck", run, every=timedelta(hours=1), title=_l("Look again at who decides on what waits"))
