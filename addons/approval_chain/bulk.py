"""Decide on many orders at once: each by itself and bound to what was shown, with its own outcome; many run as a job."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from core.api.companies import User
from core.api.data import acting, clock, current_actor, db, write
from core.api.hooks import Forbidden, Invalid, JobSpec, NotFound, TukkuError
from core.api.i18n import translations
from core.api.jobs import enqueue, progress
from core.api.orders import Order

from . import deciding, flow, links
from .bulk_models import Bulk
from .deciding import Said

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"
#: More than so many are decided on by a job, while the person may leave.
AT_ONCE = 20
MOST = 4000
KEPT = timedelta(days=30)
#: Results are kept after so many orders; a job that died decides on these again, which changes nothing.
STEP = 20


def start(outcome: str, comment: str, orders: Sequence[tuple[str, str]]) -> Bulk:
    """Keep what the actor decides on orders as (number, digest) and carry it out, at once or by a job.

    Orders that the actor does not see are left out. Invalid without orders, with too many, and for a rejection that says
    no reason.
    """
    actor = current_actor()
    if outcome not in (flow.APPROVED, flow.REJECTED) or not orders:
        raise Invalid("BULK-NOTHING", _("Choose at least one order, and whether you approve or reject."))
    if len(orders) > MOST:
        raise Invalid("BULK-TOO-MANY", _("Decide on at most %(count)s orders at once.", count=MOST))
    if actor.on_behalf_of is not None or actor.user_id is None or actor.company_id is None:
        raise Forbidden("APPROVAL-BEHALF", _("Nobody decides in somebody's name while acting for them."))
    flow.check_comment(outcome, comment)
    seen = set(db.session.scalars(select(Order.number).where(Order.number.in_([number for number, _d in orders]))))
    with write() as session:
        old = (Bulk.user_id == actor.user_id, Bulk.created_at < clock.now() - KEPT, Bulk.finished_at.is_not(None))
        session.execute(delete(Bulk).where(*old))
        row = Bulk(
            code=secrets.token_urlsafe(18), company_id=actor.company_id, user_id=actor.user_id, outcome=outcome,
            comment=comment.strip(), orders=[[number, digest] for number, digest in orders if number in seen],
            results=[], created_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        code, many = row.code, len(row.orders) > AT_ONCE
        if many:
            enqueue(f"{OWNER}.{JOB.name}", {"code": code})
    if not many:
        work({"code": code})
    return find(code)


def find(code: str) -> Bulk:
    """Return what the actor decided on many orders; NotFound for anybody else's."""
    row = db.session.scalar(select(Bulk).where(Bulk.code == code, Bulk.user_id == current_actor().user_id))
    if row is None:
        raise NotFound("BULK-UNKNOWN", _("There is no such list of decisions any more."))
    return row


def work(payload: dict[str, Any]) -> None:
    """Decide on what is left of the orders, as the person who asked for it; a job, safe to run twice."""
    row = db.session.scalar(select(Bulk).where(Bulk.code == payload["code"]))
    user = db.session.get(User, row.user_id) if row is not None else None
    if row is None or user is None or row.finished_at is not None:
        return
    row_id, outcome, comment, orders = row.id, row.outcome, row.comment, [tuple(one) for one in row.orders]
    done = len(row.results)
    rows = db.session.execute(select(Order.number, Order.company_id).where(Order.number.in_([n for n, _d in orders])))
    companies: dict[str | None, int] = {row.number: row.company_id for row in rows}
    while done < len(orders):
        part = orders[done : done + STEP]
        results = [_one(user, companies.get(number, 0), number, Said(outcome, digest, comment)) for number, digest in part]
        done += len(part)
        with write() as session:
            kept = session.get_one(Bulk, row_id)
            kept.results = [*kept.results, *results]
            kept.finished_at = clock.now() if done == len(orders) else None
        progress(done, len(orders))


def _one(user: User, company_id: int, number: str, said: Said) -> list[str]:
    with acting(links.acting_as(user, company_id)):
        try:
            if not user.active:
                raise Forbidden("APPROVAL-NOT-YOURS", _("You are not among those who decide on this order now."))
            found = deciding.decide(number, said)
        except TukkuError as error:
            return [number, str(error.message), "refused"]
        return [number, deciding.outcome_text(found.state), "done"]


def counts(results: Iterable[Sequence[str]]) -> tuple[int, int]:
    """Return how many were decided on, and how many were refused."""
    said = [result[2] for result in results]
    return said.count("done"), said.count("refused")


JOB = JobSpec("decide_many", work, title=_l("Decide on many orders"))
