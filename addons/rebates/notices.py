"""Tell people: when a step is reached, when finance has something to decide, and when it has decided."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import or_, select

from core.api.companies import Company, Membership, User, holders
from core.api.data import db
from core.api.hooks import NotificationKind, Subscriber
from core.api.i18n import translations
from core.api.notifications import Message, notify, path_of
from core.api.ui import money_text

from . import ledger, settling, standing, wording
from .permissions import OWN

_, _l, ngettext, _p = translations(__name__)
STEP, OURS, WAITS, SETTLED = (f"rebates.{name}" for name in ("step", "ours", "waits", "settled"))
BUYERS = ("company_admin",)
KINDS = (
    NotificationKind(
        "step", _l("A step of our rebate is reached"), _l("What your company gets back has risen."),
        "buyer", icon="percent", order=64,
    ),
    NotificationKind(
        "settled", _l("Our rebate is settled"), _l("A credit note for your rebate is being made."), "buyer",
        icon="receipt", order=65,
    ),
    NotificationKind(
        "ours", _l("A customer reaches a step of its rebate"), _l("You look after the company."),
        "staff", mail="none", icon="percent", order=64,
    ),
    NotificationKind(
        "waits", _l("Rebate waits for settlement"), _l("A period is over, and finance decides what is credited."),
        "staff", icon="receipt", order=65,
    ),
)  # fmt: skip


def step_reached(payload: dict[str, Any]) -> None:
    """Tell both sides of a step that an order reached; for ``order.confirmed``. May run twice."""
    for one in standing.current(ledger.concerning([payload["company_id"]])):
        reached, rebate = one.reached, one.rebate
        if reached is None or not reached[0]:  # the first step of a rebate may begin at nothing
            continue
        key = f"{rebate.code}:{one.period.first}:{reached[0].normalize():f}"
        notify(STEP, buyers(rebate.company_id), partial(_reached, one, reached[1], "rebates.own"), key=key)
        ours = partial(_reached, one, reached[1], "rebates_admin.rebate", code=rebate.code)
        notify(OURS, rep(rebate.company_id), ours, key=key)


def _reached(one: standing.Standing, value: Decimal, endpoint: str, **where: str) -> Message:
    subject = _("%(name)s: %(value)s is reached", name=one.rebate.name, value=wording.value(one.rebate, value))
    accrued = money_text(one.accrued, one.rebate.currency)
    return Message(
        subject, _("So far %(accrued)s have accrued in this period.", accrued=accrued), path_of(endpoint, **where)
    )


def proposed(payload: dict[str, Any]) -> None:
    """Tell finance of a proposal; for ``rebate.proposed``."""
    one = settling.find(payload["code"])
    company = db.session.get(Company, one.company_id)

    def message() -> Message:
        amount = money_text(one.amount, one.currency)
        subject = _("%(amount)s are to be credited to %(company)s", amount=amount, company=company.name if company else "")
        return Message(subject, one.rebate.name, path_of("rebates_admin.settlement", code=one.code))

    notify(WAITS, finance(), message, key=one.code)


def decided(payload: dict[str, Any]) -> None:
    """Tell the buyer what is credited; for ``rebate.decided``. What was refused is between the staff."""
    one = settling.find(payload["code"])
    if one.state != "accepted":
        return

    def message() -> Message:
        subject = _("%(name)s: %(amount)s are credited", name=one.rebate.name, amount=money_text(one.amount, one.currency))
        return Message(subject, "", path_of("rebates.own"))

    notify(SETTLED, buyers(one.company_id), message, key=one.code)


def buyers(company_id: int) -> list[int]:
    """Return who manages the company that agreed on the rebate."""
    query = select(Membership.user_id).where(Membership.company_id == company_id, Membership.role.in_(BUYERS))
    return holders(OWN, company_id, db.session.scalars(query.distinct()).all())


def rep(company_id: int) -> list[int]:
    """Return who looks after the company, if anybody does."""
    found = db.session.scalar(select(Company.sales_rep_id).where(Company.id == company_id))
    return [] if found is None else [found]


def finance() -> list[int]:
    """Return the people of finance, and administrators."""
    roles = User.staff_roles
    query = select(User.id).where(or_(roles.any(role="finance"), roles.any(role="admin")), User.active)
    return list(db.session.scalars(query))


SUBSCRIBERS = (
    Subscriber("order.confirmed", "step", step_reached, title=_l("Tell that a step of a rebate is reached")),
    Subscriber("rebate.proposed", "tell_finance", proposed, title=_l("Tell finance of a rebate to be settled")),
    Subscriber("rebate.decided", "tell_buyer", decided, title=_l("Tell the buyer that a rebate was settled")),
)
