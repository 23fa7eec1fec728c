"""Tell both sides: when most of an agreement is used, when all is, some days before it ends, and when it ended short."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from core.api.companies import Company, Membership, User
from core.api.data import clock, db
from core.api.hooks import JobSpec, NotificationKind, SettingSpec, Subscriber
from core.api.i18n import translations
from core.api.notifications import Message, notify, path_of
from core.api.settings import get
from core.api.ui import day_text, quantity_text

from .models import Agreement, Entry
from .standing import Standing, standings

_, _l, ngettext, _p = translations(__name__)
OWNER = "volume_agreements"
PROGRESS, OURS = f"{OWNER}.progress", f"{OWNER}.ours"
#: Percents at which both sides hear of it, and how long after its end an agreement that ended short is told of.
MOST, ALL, LATE = 80, 100, timedelta(days=7)
BUYERS = ("orderer", "company_admin")
KINDS = (
    NotificationKind(
        "progress", _l("Our volume agreements"), _l("One is mostly or wholly used up, ends soon, or ended short."),
        "buyer", icon="box-seam", order=62,
    ),
    NotificationKind(
        "ours", _l("Volume agreements of customers"), _l("One is mostly or wholly used up, ends soon, or ended short."),
        "staff", icon="box-seam", order=62,
    ),
)  # fmt: skip
SETTINGS = (
    SettingSpec(
        "end_notice_days", int, 30, _l("Days before the end of a volume agreement that both sides are told"),
        _l("Where something is left of it. 0: nobody is told."), ("deployment", "segment", "company"),
        minimum=0, maximum=365,
    ),
)  # fmt: skip


def follow(payload: dict[str, Any]) -> None:
    """Tell what an order used up; for ``order.submitted`` and ``order.amended``. May run twice."""
    drawn = select(Entry.agreement_id).where(Entry.order_id == payload["order_id"])
    for one in standings(db.session.scalars(select(Agreement).where(Agreement.id.in_(drawn)))):
        if one.percent >= ALL:
            _tell(one, "100", _l("%(name)s is used up"))
        elif one.percent >= MOST:
            _tell(one, "80", _l("%(percent)s %% of %(name)s are used up"))


def nightly(_payload: dict[str, Any]) -> None:
    """Tell of agreements that end soon with something left, and of those that ended so; the job. May run twice."""
    now = clock.now()
    query = select(Agreement).where(
        Agreement.status == "active", Agreement.valid_from <= now, Agreement.valid_until > now - LATE
    )
    query = query.order_by(Agreement.valid_until, Agreement.code)
    for one in standings(db.session.scalars(query)):
        days = int(get(OWNER, "end_notice_days", company=one.agreement.company_id))
        if not days or not one.left:
            continue
        if one.agreement.valid_until <= now:
            _tell(one, "short", _l("%(name)s has ended with something left"))
        elif one.agreement.valid_until - now <= timedelta(days=days):
            _tell(one, f"end:{one.last_day}", _l("%(name)s ends on %(day)s"))


def _tell(one: Standing, what: str, subject: object) -> None:
    agreement, unit = one.agreement, one.agreement.unit

    def message(url: str) -> Message:
        text = _(
            "%(used)s of %(whole)s are ordered, %(left)s are left.",
            used=quantity_text(one.used, unit), whole=quantity_text(agreement.quantity, unit),
            left=quantity_text(one.left, unit),
        )  # fmt: skip
        said = {"name": agreement.name, "percent": one.percent, "day": day_text(one.last_day)}
        return Message(str(subject) % said, text, url)

    key = f"{agreement.code}:{what}"
    notify(PROGRESS, _buyers(agreement.company_id), lambda: message(path_of("volume_agreements.own")), key=key)
    ours = path_of("volume_agreements_admin.agreement", code=agreement.code)
    notify(OURS, _staff(agreement.company_id), lambda: message(ours), key=key)


def _buyers(company_id: int) -> list[int]:
    query = select(Membership.user_id).where(Membership.company_id == company_id, Membership.role.in_(BUYERS))
    return list(db.session.scalars(query.distinct()))


def _staff(company_id: int) -> list[int]:
    """Return who looks after the company, else everybody in sales."""
    rep = db.session.scalar(select(Company.sales_rep_id).where(Company.id == company_id))
    if rep is not None:
        return [rep]
    roles = User.staff_roles
    query = select(User.id).where(or_(roles.any(role="sales"), roles.any(role="admin")), User.active)
    return list(db.session.scalars(query))


SUBSCRIBERS = (
    Subscriber("order.submitted", "progress", follow, title=_l("Tell how far a volume agreement is used")),
    Subscriber("order.amended", "progress_again", follow, title=_l("Tell how far a volume agreement is used")),
)
JOB = JobSpec("ends", nightly, at="06:40", title=_l("Tell of volume agreements that end"))
