"""Decide from a mail in two taps: a link that shows, a button that decides. Looking changes nothing, scanners may.

A link is for one person, one version and one round of an order, ends with the tier, and serves once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import delete, select, update

from core.api.companies import User, ancestors, lock_company
from core.api.data import Actor, Scope, acting, clock, db, unscoped, write
from core.api.hooks import NotFound
from core.api.i18n import translations
from core.api.orders import Order
from core.api.pricing import SEE_PRICES

from . import deciding, services
from .flow import Flow
from .models import Approval, Link
from .permissions import DECIDE

_, _l, ngettext, _p = translations(__name__)
LONGEST = timedelta(days=14)
_REASON = "whoever holds the secret of a mail may see, and decide on, the one order that it is about"


def issue(one: services.Pending, user_id: int) -> str:
    """Return the secret of a new link; call inside ``write()``."""
    secret, now = secrets.token_urlsafe(32), clock.now()
    ends = one.approval.expires_at
    db.session.add(
        Link(
            token_hash=_hash(secret),
            approval_id=one.approval.id,
            company_id=one.approval.company_id,
            user_id=user_id,
            digest=one.order.digest,
            round=one.approval.round,
            tier=one.flow.tier or 1,
            expires_at=min(ends, now + LONGEST) if ends else now + LONGEST,
        )
    )
    return secret


@contextmanager
def opened(secret: str) -> Iterator[tuple[Link, str]]:
    """Yield the link and its order's number, acting as its person with no right but to decide; NotFound where it ended."""
    link = db.session.scalar(unscoped(select(Link).where(Link.token_hash == _hash(secret)), _REASON))
    if link is None or link.used_at is not None or link.expires_at <= clock.now():
        raise NotFound("LINK-ENDED", _("This link has been used or is too old. Sign in to see what waits for you."))
    query = select(Order.number).join(Approval, Approval.order_id == Order.id).where(Approval.id == link.approval_id)
    number = db.session.scalar(unscoped(query, _REASON))
    user = db.session.get(User, link.user_id)
    if user is None or not user.active or number is None:
        raise NotFound("LINK-ENDED", _("This link has been used or is too old. Sign in to see what waits for you."))
    link_id = link.id
    with acting(acting_as(user, link.company_id)):
        yield db.session.get_one(Link, link_id), number


def acting_as(user: User, company_id: int) -> Actor:
    """Return a person with no right but to decide on orders of one company; whether it is their turn is asked there.

    Who decides reads what the order costs.
    """
    own = (company_id,)
    scope = Scope("companies", own, own, tuple(ancestors(company_id)))
    return Actor(
        user.id, user.name, scope, company_id, None, frozenset({DECIDE, SEE_PRICES, "orders.order.view"}), user.locale
    )


def decide(link: Link, number: str, outcome: str, comment: str) -> Flow:
    """Take the decision of an open link's person on what the link showed, once."""
    with write() as session:
        lock_company(link.company_id)  # before the link, as whoever changes the order's references does
        session.refresh(link)
        used = update(Link).where(Link.id == link.id, Link.used_at.is_(None)).values(used_at=clock.now())
        digest = link.digest
        if session.execute(used).rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound("LINK-ENDED", _("This link has been used or is too old. Sign in to see what waits for you."))
        return deciding.decide(number, deciding.Said(outcome, digest, comment, through="mail"))


def prune() -> None:
    """Remove links that ended long ago."""
    with write() as session:
        session.execute(delete(Link).where(Link.expires_at < clock.now() - LONGEST))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
