"""Settlements: what is to be credited for a period that is over, proposed by a job, accepted or refused by finance.

What is proposed is what accrued less what was accepted before. Returns after a settlement are proposed as a correction;
an open proposal follows the ledger until somebody decides on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from core.api.companies import lock_company, seller
from core.api.data import audit, clock, current_actor, db, today, write
from core.api.hooks import Conflict, Invalid, NotFound, SettingSpec
from core.api.i18n import translations
from core.api.jobs import emit
from core.api.settings import get

from . import ledger, standing
from .engine import ZERO, period_of
from .models import Rebate, Settlement

_, _l, ngettext, _p = translations(__name__)
OWNER = "rebates"
SETTINGS = (
    SettingSpec(
        "settle_after_days", int, 14, _l("Days after the end of a period that its rebates are proposed for settlement"),
        _l("Time for returns of the period. What comes back later is proposed as a correction."),
        ("deployment", "segment", "company"), minimum=0, maximum=180,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """A period that is over, and what of it is not settled."""

    rebate: Rebate
    period: date
    after: date
    totals: standing.Totals
    amount: Decimal


def due(rebate: Rebate, day: date) -> list[Due]:
    """Return the periods of a rebate that were over long enough on a day, with what is not settled (or nothing)."""
    days = int(get(OWNER, "settle_after_days", company=rebate.company_id))
    settled, found = standing.accepted([rebate.id]), []
    for (_id, first), sums in sorted(ledger.totals([rebate.id]).items()):
        period = period_of(rebate.period, rebate.starts, rebate.ends, first)
        after = period.after if period is not None else first
        if after + timedelta(days=days) <= day:
            found.append(Due(rebate, first, after, sums, sums[2] - settled.get((rebate.id, first), ZERO)))
    return found


def propose() -> list[str]:
    """Propose what is due, bring open proposals up to date, and withdraw those of which nothing is left; returns codes.

    The job of every night; may run twice.
    """
    day, told = today(seller().zone), []
    for rebate_id in db.session.scalars(select(Rebate.id).where(Rebate.status != "draft").order_by(Rebate.id)).all():
        with write() as session:
            rebate = session.get(Rebate, rebate_id)
            if rebate is None:
                continue
            lock_company(rebate.company_id)
            for one in due(rebate, day):
                code = _propose(one)
                told += [code] if code else []
    return told


def _propose(one: Due) -> str | None:
    """Write the proposal of a period; returns its code where it is new."""
    place = Settlement.rebate_id == one.rebate.id, Settlement.period == one.period
    mine = select(Settlement).where(*place)
    opened = db.session.scalar(mine.where(Settlement.state == "proposed"))
    refused = db.session.scalar(mine.where(Settlement.state == "refused").order_by(Settlement.number.desc()).limit(1))
    net, quantity, accrued = one.totals
    if opened is not None:
        if not one.amount:
            db.session.delete(opened)
        elif (opened.amount, opened.accrued) != (one.amount, accrued):
            opened.net, opened.quantity, opened.accrued, opened.amount = net, quantity, accrued, one.amount
        return None
    if not one.amount or (refused is not None and refused.accrued == accrued):
        return None  # nothing, or what was refused already
    number = (db.session.scalar(select(func.max(Settlement.number)).where(*place)) or 0) + 1
    code = f"{one.rebate.code}-{one.period:%Y%m%d}-{number}"
    db.session.add(
        Settlement(
            code=code, rebate_id=one.rebate.id, company_id=one.rebate.company_id, period=one.period, after=one.after,
            number=number, net=net, quantity=quantity, accrued=accrued, amount=one.amount, currency=one.rebate.currency,
            proposed_at=clock.now(),
        )
    )  # fmt: skip
    emit("rebate.proposed", {"code": code})
    return code


def nightly(_payload: dict[str, Any]) -> None:
    """Propose what is due; the job."""
    propose()


def find(code: str) -> Settlement:
    """Return the settlement with ``code``; NotFound if there is none."""
    found = db.session.scalar(select(Settlement).where(Settlement.code == code))
    if found is None:
        raise NotFound("SETTLEMENT-UNKNOWN", _('There is no settlement with the code "%(code)s".', code=code[:70]))
    return found


def decide(code: str, *, accept: bool, seen: Decimal, reason: str = "", document: str = "") -> Settlement:
    """Accept or refuse a proposal as it was ``seen``; Conflict where it was decided on or has another amount by now."""
    if not accept and not reason.strip():
        raise Invalid("REASON-REQUIRED", _("Say why it is refused; it is kept."), details={"field": "reason"})
    refresh(code)
    with write():
        company_id = find(code).company_id
        lock_company(company_id)
        one = db.session.scalars(
            select(Settlement).where(Settlement.code == code).execution_options(populate_existing=True)
        ).one()
        if one.state != "proposed":
            raise Conflict("SETTLEMENT-DECIDED", _("Somebody has decided on this settlement already; reload the page."))
        if one.amount != seen:
            raise Conflict("SETTLEMENT-CHANGED", _("The amount has changed since you looked; reload the page."))
        one.state = "accepted" if accept else "refused"
        one.decided_at, one.decided_by = clock.now(), current_actor().name
        one.reason, one.document = reason.strip()[:2000], document.strip()[:80]
        after = {"amount": f"{one.amount} {one.currency}", "document": one.document}
        audit.record(
            "rebate", one.rebate.code, one.state, company_id=company_id, reason=one.reason, after=after, addon=OWNER
        )
        emit("rebate.decided", {"code": code})
    return one


def refresh(code: str) -> None:
    """Bring an open proposal up to date with the ledger, in a transaction of its own; one of nothing goes."""
    with write():
        one = find(code)
        lock_company(one.company_id)
        for now in due(one.rebate, today(seller().zone)):
            if one.state == "proposed" and now.period == one.period:
                _propose(now)


def open_count() -> int | None:
    """Return how many proposals wait for finance, None for none: the badge."""
    count = db.session.scalar(select(func.count(Settlement.id)).where(Settlement.state == "proposed"))
    return count or None


def of_rebate(rebate_ids: Sequence[int], *, accepted: bool = False) -> list[Settlement]:
    """Return settlements, the latest first; only ``accepted`` ones for buyers."""
    query = select(Settlement).where(Settlement.rebate_id.in_(rebate_ids))
    if accepted:
        query = query.where(Settlement.state == "accepted")
    return list(db.session.scalars(query.order_by(Settlement.period.desc(), Settlement.number.desc())))
