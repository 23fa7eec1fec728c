"""The kinds that domains and addons contribute, and how a person wants to be told of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from sqlalchemy import select

from core.data.db import db
from core.data.write import write
from core.notifications.models import NotificationChoice
from core.registry.registry import registry
from core.spec.errors import Invalid
from core.spec.notifications import NotificationKind

MAIL = ("none", "now", "daily", "weekly")


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody is told: by which mail, and whether on the page."""

    mail: str
    in_app: bool


def all_kinds() -> dict[str, NotificationKind]:
    """Return the kinds of what runs, by their stored names ``<owner>.<name>``, in order."""
    return {f"{c.owner}.{c.value.name}": c.value for c in registry().contributions("notification_kinds")}


def find(name: str) -> NotificationKind:
    """Return the kind stored as ``name``; LookupError with a suggestion if nobody contributes it."""
    known = all_kinds()
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]}?" if close else "contribute it in notification_kinds."
        raise LookupError(f"there is no kind of notification {name}; {hint}")
    return known[name]


def kinds_for(is_staff: bool) -> dict[str, NotificationKind]:
    """Return the kinds that concern staff, or buyers."""
    wanted = ("everybody", "staff" if is_staff else "buyer")
    return {name: kind for name, kind in all_kinds().items() if kind.audience in wanted}


def ways(kind: str, user_ids: Collection[int]) -> Mapping[int, Way]:
    """Return how each of the people is to be told of ``kind``, with one statement."""
    default = find(kind)
    rows = db.session.scalars(
        select(NotificationChoice).where(NotificationChoice.kind == kind, NotificationChoice.user_id.in_(user_ids))
    )
    chosen = {row.user_id: Way(row.mail, row.in_app) for row in rows}
    return {user_id: chosen.get(user_id, Way(default.mail, default.in_app)) for user_id in user_ids}


def choices_of(user_id: int, names: Collection[str]) -> dict[str, Way]:
    """Return how one person is to be told of each of the kinds."""
    known = all_kinds()
    rows = db.session.scalars(select(NotificationChoice).where(NotificationChoice.user_id == user_id))
    chosen = {row.kind: Way(row.mail, row.in_app) for row in rows}
    return {name: chosen.get(name, Way(known[name].mail, known[name].in_app)) for name in names}


def choose(user_id: int, wanted: Mapping[str, Way]) -> int:
    """Store what differs from what holds for the person; returns how many kinds changed."""
    before = choices_of(user_id, wanted)
    changed = {name: way for name, way in wanted.items() if way != before[name]}
    for name, way in changed.items():
        if way.mail not in MAIL:
            raise Invalid("MAIL-CHOICE-UNKNOWN", f"{name}: choose one of {', '.join(MAIL)}, not {way.mail}.")
    with write() as session:
        for name, way in changed.items():
            session.merge(NotificationChoice(user_id=user_id, kind=name, mail=way.mail, in_app=way.in_app))
    return len(changed)
