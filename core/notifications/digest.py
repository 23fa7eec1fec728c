"""Digests: what people chose to hear once a day or once a week, in one mail each.

The mail is put into the outbox in the transaction that marks its lines as mailed: a killed job says nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update

from core.accounts.mails import address_of
from core.accounts.models import User
from core.data import clock
from core.data.db import db
from core.data.write import locked, write
from core.i18n import _, ngettext, speaking
from core.jobs.mail import send_mail
from core.notifications.footer import with_footer
from core.notifications.models import Notification
from core.ui.formats import display_zone, instant

MONDAY = 0
MOST = 200  # lines of one mail; the rest is on the page


def send(_payload: dict[str, Any]) -> None:
    """The daily job: daily digests every morning, weekly ones on Mondays, or later where a Monday was missed."""
    now = clock.now()
    due = [Notification.mail == "daily"]
    if clock.today(display_zone()).weekday() == MONDAY:
        due.append(Notification.mail == "weekly")
    else:
        due.append(and_(Notification.mail == "weekly", Notification.created_at < now - timedelta(days=7)))
    waiting = and_(or_(*due), Notification.mailed_at.is_(None), Notification.created_at <= now)
    for user_id in db.session.scalars(select(Notification.user_id).where(waiting).distinct()).all():
        _send_to(user_id, waiting)


def _send_to(user_id: int, waiting: Any) -> None:
    with write() as session:
        mine = and_(waiting, Notification.user_id == user_id)
        rows = session.scalars(locked(select(Notification).where(mine).order_by(Notification.id))).all()
        person = session.get(User, user_id)
        if not rows or person is None:
            return
        ids = [row.id for row in rows]
        session.execute(update(Notification).where(Notification.id.in_(ids)).values(mailed_at=clock.now()))
        if person.active:
            with speaking(person.locale):
                subject = ngettext("%(count)s thing to know", "%(count)s things to know", len(rows))
                text = with_footer(_text(rows))
            send_mail(person.email, subject, text, locale=person.locale)


def _text(rows: Sequence[Notification]) -> str:
    lines = [f"• {instant(row.created_at)}  {row.subject}" for row in rows[:MOST]]
    if len(rows) > MOST:
        lines.append(_("And %(count)s more.", count=len(rows) - MOST))
    where = _("All of them: %(link)s", link=address_of("notifications.inbox"))
    return "\n".join((*lines, "", where))
