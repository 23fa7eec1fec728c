"""Saved views of lists: each person's own, and those that are shared with all staff.

A view holds what the list's address holds, so it can never show more than its reader may see: the list reads it as it
reads any address, and leaves out the fields that the reader lacks.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from core.data import audit, clock
from core.data.db import db
from core.data.scope import Actor, actor_or_none, current_actor
from core.data.write import locked, write
from core.i18n import _
from core.spec.errors import Forbidden, Invalid, NotFound
from core.ui.models import ListDefault, ListView

OWN = "accounts.profile.edit"
SHARE = "ui.view.share"
ALL = "all"
#: not part of a view: the place in the list, and which view it is
PASSING = frozenset({"after", "before", "export", "view"})
MOST, MOST_PAIRS, LONGEST_NAME, LONGEST_VALUE = 50, 100, 60, 500
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SavedView:
    """A saved view as its reader sees it; ``mine`` and ``shared`` say whose it is, ``first`` that the list opens with it."""

    code: str
    name: str
    params: Pairs
    mine: bool = True
    shared: bool = False
    first: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True)
class SavedViews:
    """The saved views of one list that the actor may use; ``may_save`` is False for visitors and while acting for others."""

    views: tuple[SavedView, ...] = ()
    may_save: bool = False
    may_share: bool = False
    first: SavedView | None = field(default=None)

    def find(self, code: str) -> SavedView | None:
        """Return the view with ``code``, None where there is none (any more)."""
        return next((view for view in self.views if view.code == code), None)


def kept(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return what a view keeps of an address: no empty values, no place in the list; in an order that can be compared."""
    return tuple(sorted((k, v) for k, v in pairs if v and k not in PASSING))


def saved_views(list_key: str) -> SavedViews:
    """Return the actor's own views of a list and, for staff, the shared ones, by name: one statement, none for visitors."""
    actor = actor_or_none()
    if actor is None or actor.user_id is None:
        return SavedViews()
    me = actor.user_id
    mine = and_(ListDefault.view_id == ListView.id, ListDefault.user_id == me)
    query = (
        select(ListView, ListDefault.view_id)
        .outerjoin(ListDefault, mine)
        .where(ListView.list_key == list_key, _readable(actor))
        .order_by(func.lower(ListView.name), ListView.id)
    )
    views = tuple(
        SavedView(row.code, row.name, _pairs(row), row.user_id == me, row.shared, first is not None, row.by)
        for row, first in db.session.execute(query)
    )
    first = next((view for view in views if view.first), None)
    return SavedViews(views, actor.may(OWN), actor.may(SHARE), first)


def _pairs(row: ListView) -> Pairs:
    return tuple((str(key), str(value)) for key, value in row.params)


def _readable(actor: Actor) -> object:
    own = ListView.user_id == actor.user_id
    return or_(own, ListView.shared.is_(True)) if _is_staff(actor) else own  # type: ignore[no-any-return]


def _is_staff(actor: Actor) -> bool:
    return actor.scope.kind in ("merchant", "portfolio")


def save(
    list_key: str, name: str, pairs: Iterable[tuple[str, str]], *, code: str = "", shared: bool = False, first: bool = False
) -> SavedView:
    """Save a view under a name, or with ``code`` change that one; ``first``: the list opens with it for the actor.

    Invalid for a name that is empty, too long or taken; Forbidden without the permission to share.
    """
    actor = current_actor()
    name = " ".join(name.split())
    params = [list(pair) for pair in kept(pairs)]
    if not name or len(name) > LONGEST_NAME:
        raise Invalid("VIEW-NAME", _("Give the view a name of at most %(count)s characters.", count=LONGEST_NAME))
    if len(params) > MOST_PAIRS or any(len(part) > LONGEST_VALUE for pair in params for part in pair):
        raise Invalid("VIEW-TOO-LONG", _("The view asks for too much. Take some filters away, then save it."))
    try:
        with write() as session:
            row = _changeable(actor, code) if code else _new(actor, list_key)
            _check_name(row.user_id, row.list_key, name, row.id)
            _share(actor, row, shared)
            before = {"name": row.name} if code else None
            row.name, row.params, row.changed_at = name, params, clock.now()
            session.add(row)
            session.flush()
            _open_with(actor, row, first)
            if row.shared:
                audit.record("list view", row.code, "changed" if code else "created", before=before, after={"name": name})
            return SavedView(row.code, name, _pairs(row), row.user_id == actor.user_id, row.shared, first, row.by)
    except IntegrityError as error:  # the same name from two pages at the same moment
        raise _taken(name) from error


def delete_view(code: str) -> str:
    """Delete one's own view, or with the permission to share a shared one; return its name."""
    actor = current_actor()
    with write() as session:
        row = _changeable(actor, code)
        name = row.name
        if row.shared:
            audit.record("list view", row.code, "deleted", before={"name": name, "list": row.list_key})
        session.delete(row)
    return name


def open_with(code: str, first: bool) -> None:
    """Let the list open with a view for the actor, or no longer."""
    actor = current_actor()
    with write():
        row = db.session.scalar(select(ListView).where(ListView.code == code, _readable(actor)))
        if row is None:
            raise _unknown()
        _open_with(actor, row, first)


def _new(actor: Actor, list_key: str) -> ListView:
    count = (
        select(func.count()).select_from(ListView).where(ListView.user_id == actor.user_id, ListView.list_key == list_key)
    )
    if (db.session.scalar(count) or 0) >= MOST:
        raise Invalid(
            "VIEW-TOO-MANY", _("You have %(count)s views of this list. Delete one, then save another.", count=MOST)
        )
    return ListView(code=secrets.token_hex(5), list_key=list_key, user_id=actor.user_id, by=actor.name, shared=False)


def _changeable(actor: Actor, code: str) -> ListView:
    query = select(ListView).where(ListView.code == code, _readable(actor))
    row = db.session.scalar(locked(query))
    if row is None:
        raise _unknown()
    if row.user_id != actor.user_id and not actor.may(SHARE):
        raise Forbidden("VIEW-OTHERS", _("This view is another's. Save it under a name of your own."))
    return row


def _check_name(user_id: int, list_key: str, name: str, own_id: int | None) -> None:
    same = select(ListView.id).where(ListView.user_id == user_id, ListView.list_key == list_key, ListView.name == name)
    if db.session.scalar(same) not in (None, own_id):
        raise _taken(name)


def _share(actor: Actor, row: ListView, shared: bool) -> None:
    if shared == row.shared:
        return
    if not actor.may(SHARE) or not _is_staff(actor):
        raise Forbidden("VIEW-SHARE", _("You may not share views. Save it for yourself, or ask an administrator."))
    row.shared = shared
    if not shared and row.id is not None:  # who opened the list with it has lost it
        others = (ListDefault.view_id == row.id, ListDefault.user_id != row.user_id)
        db.session.execute(delete(ListDefault).where(*others))


def _open_with(actor: Actor, row: ListView, first: bool) -> None:
    here = (ListDefault.user_id == actor.user_id, ListDefault.list_key == row.list_key)
    if first:
        db.session.merge(ListDefault(user_id=actor.user_id, list_key=row.list_key, view_id=row.id))
    else:
        db.session.execute(delete(ListDefault).where(*here, ListDefault.view_id == row.id))


def _taken(name: str) -> Invalid:
    said = _("There is a view named “%(name)s” already. Choose another name, or open that view and change it.", name=name)
    return Invalid("VIEW-NAME-TAKEN", said)


def _unknown() -> NotFound:
    return NotFound("VIEW-GONE", _("This view is not there any more. Save it again under a name."))
