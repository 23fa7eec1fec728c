"""Tell people something: a row on their page, a mail at once, or a line in their digest, as each of them chose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from core.accounts.mails import absolute
from core.accounts.models import User
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.i18n import speaking
from core.jobs.mail import Attachment, send_mail
from core.notifications.footer import with_footer
from core.notifications.kinds import ways
from core.notifications.models import Notification

KEEP_READ = timedelta(days=90)
KEEP = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Message:
    """What a person reads: ``subject`` is one line and says it all, ``text`` what a mail adds.

    ``url`` is a path of this shop ("/orders/SO-1"). ``attachments`` go with a mail sent at once, not with a digest.
    """

    subject: str
    text: str = ""
    url: str = ""
    attachments: Sequence[Attachment] = ()


def notify(kind: str, user_ids: Collection[int], compose: Callable[[], Message], *, key: str) -> int:
    """Tell the people with ``user_ids`` something of ``kind`` (``<owner>.<name>``); returns how many were told just now.

    ``compose()`` is called once per language, in which gettext then speaks. ``key`` names what it is about
    ("SO-1017:confirmed"): the same person is told once per kind and key, so a subscriber may run twice.
    Those who may no longer sign in are left out. Joins an open ``write()``; a mail leaves after the commit.
    """
    people = _people(user_ids)
    how = ways(kind, [person.id for person in people])
    texts: dict[str, Message] = {}
    for locale in sorted({person.locale for person in people}):
        with speaking(locale):
            texts[locale] = compose()
    told = 0
    with write():
        for person in people:
            told += _tell(person, kind, key, how[person.id].mail, how[person.id].in_app, texts[person.locale])
    return told


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    email: str
    locale: str


def _people(user_ids: Collection[int]) -> list[_Person]:
    """Return those who may sign in, by id: in this order their rows are locked."""
    columns = select(User.id, User.email, User.locale).where(User.id.in_(set(user_ids)), User.active)
    return [_Person(*row) for row in db.session.execute(columns.order_by(User.id))]


def _tell(person: _Person, kind: str, key: str, mail: str, in_app: bool, message: Message) -> bool:
    now = clock.now()
    values = {
        "user_id": person.id, "kind": kind, "key": key[:160], "subject": " ".join(message.subject.split())[:255],
        "text": message.text, "url": message.url, "in_app": in_app, "mail": mail, "created_at": now,
        "mailed_at": now if mail == "now" else None,
    }  # fmt: skip
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    added = db.session.scalar(insert(Notification).values(**values).on_conflict_do_nothing().returning(Notification.id))
    if added is None:
        return False
    if in_app:
        _count([person.id])
    if mail == "now":
        with speaking(person.locale):
            text = with_footer(_mail_text(message))
        send_mail(person.email, message.subject, text, attachments=message.attachments, locale=person.locale)
    return True


def _mail_text(message: Message) -> str:
    """Return the text of a mail, with the address of the page it speaks of."""
    text = (message.text or message.subject).rstrip()
    address = absolute(message.url) if message.url else ""
    return text if not address or address in text else f"{text}\n\n{address}"


def unread_ids(user_id: int) -> list[int]:
    """Return the ids of what the person has not read, newest first."""
    wanted = select(Notification.id).where(_own(user_id), Notification.read_at.is_(None))
    return list(db.session.scalars(wanted.order_by(Notification.id.desc())))


def page_of(user_id: int, *, before: int | None = None, unread: bool = False, limit: int = 30) -> list[Notification]:
    """Return the person's notifications, newest first, those older than the id ``before``."""
    wanted = select(Notification).where(_own(user_id))
    if before is not None:
        wanted = wanted.where(Notification.id < before)
    if unread:
        wanted = wanted.where(Notification.read_at.is_(None))
    return list(db.session.scalars(wanted.order_by(Notification.id.desc()).limit(limit)))


def own(user_id: int, notification_id: int) -> Notification | None:
    """Return one of the person's notifications; None if it is not theirs."""
    return db.session.scalar(select(Notification).where(_own(user_id), Notification.id == notification_id))


def mark_read(user_id: int, ids: Collection[int] | None = None) -> int:
    """Mark the person's notifications as read, all of them without ``ids``; returns how many were not before."""
    mine = update(Notification).where(_own(user_id), Notification.read_at.is_(None))
    if ids is not None:
        mine = mine.where(Notification.id.in_(ids))
    with write() as session:
        marked = session.execute(mine.values(read_at=clock.now())).rowcount  # type: ignore[attr-defined]
        if marked:
            _count([user_id])
    return int(marked)


def prune() -> None:
    """Remove what was read long ago, and what nobody read for longer still; never what a digest still has to say."""
    now = clock.now()
    over = or_(Notification.mail.in_(("none", "now")), Notification.mailed_at.is_not(None))
    old = or_(
        and_(Notification.read_at < now - KEEP_READ),
        and_(Notification.in_app.is_(False), Notification.created_at < now - KEEP_READ),
        Notification.created_at < now - KEEP,
    )
    with write() as session:
        going = and_(over, old)
        people = list(
            session.scalars(
                select(Notification.user_id).where(going, Notification.in_app, Notification.read_at.is_(None)).distinct()
            )
        )
        session.execute(delete(Notification).where(going))
        _count(people)


def _own(user_id: int):  # type: ignore[no-untyped-def]  # a condition
    return and_(Notification.user_id == user_id, Notification.in_app)


def _count(user_ids: Collection[int]) -> None:
    """Keep the number of unread ones with the person, whose row every request reads anyway."""
    unread = (
        select(func.count(Notification.id))
        .where(Notification.user_id == User.id, Notification.in_app, Notification.read_at.is_(None))
        .scalar_subquery()
    )
    for user_id in sorted(set(user_ids)):
        people = update(User).where(User.id == user_id).values(unread=unread)
        db.session.execute(people.execution_options(synchronize_session=False))
