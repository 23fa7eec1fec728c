"""Who is acting, and which companies' rows they may see: applied by the session, not by views.

A model that belongs to a company declares ``__scope__ = Own("company_id")`` (or Subtree, Inherited, Tree,
Audience). Every ORM statement is then limited to what the session's actor may see. A statement without an
actor, on an owned *table* instead of its mapped class, or as text is refused; so is a flush of another
company's row. ``unscoped(statement, reason)`` is the one, greppable way around.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from sqlalchemy import false, or_
from sqlalchemy.orm import Session as OrmSession

from core.data.db import Base, db
from core.spec.errors import ScopeError

ScopeKind = Literal["companies", "portfolio", "merchant", "system"]
ACTOR = "tukku.actor"
UNSCOPED = "tukku_unscoped"
#: In the ``info`` of a session: what `core.data.once` found.
ONCE = "tukku.once"
S = TypeVar("S", bound=Any)


@dataclass(frozen=True, slots=True)
class Scope:
    """The company ids an actor may see.

    ``own``: rows of the active company; ``subtree``: with its subsidiaries, where the role allows it;
    ``inherited``: with its parent companies. ``merchant`` and ``system`` see every row.
    """

    kind: ScopeKind
    own: tuple[int, ...] = ()
    subtree: tuple[int, ...] = ()
    inherited: tuple[int, ...] = ()
    reason: str = ""

    @property
    def unlimited(self) -> bool:
        """True where every company's rows are visible."""
        return self.kind in ("merchant", "system")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: immutable for the life of a session.

    ``on_behalf_of`` is the id of the buyer for whom a member of staff acts; ``user_id`` is then the member
    of staff. ``company_id`` is the buying company that is active, None for staff and guests.
    """

    user_id: int | None
    name: str
    scope: Scope
    company_id: int | None = None
    on_behalf_of: int | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    locale: str = "en"

    def may(self, permission: str) -> bool:
        """Tell whether the actor holds ``permission``; system actors hold all."""
        return self.scope.kind == "system" or permission in self.permissions


def guest(permissions: Iterable[str] = (), locale: str = "en") -> Actor:
    """Return the actor of a visitor who has not signed in: sees only rows meant for everybody."""
    return Actor(None, "guest", Scope("companies"), permissions=frozenset(permissions), locale=locale)


def system(reason: str) -> Actor:
    """Return the actor of a job or command; ``reason`` names it in the audit."""
    if not reason:
        raise ValueError("a system actor needs a reason")
    return Actor(None, reason, Scope("system", reason=reason))


def set_actor(actor: Actor) -> None:
    """Make ``actor`` the session's; objects loaded under another actor are let go, its pending changes flushed first."""
    session = db.session()
    if session.info.get(ACTOR) not in (None, actor):
        _let_go(session)
    session.info[ACTOR] = actor


def current_actor() -> Actor:
    """Return the session's actor; ScopeError if none was set."""
    actor = db.session().info.get(ACTOR)
    if actor is None:
        raise ScopeError("no actor: call set_actor() or use `with acting(...)`")
    return actor  # type: ignore[no-any-return]


def actor_or_none() -> Actor | None:
    """Return the session's actor, or None."""
    return db.session().info.get(ACTOR)


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Run the block as ``actor``, then restore the previous one."""
    session = db.session()
    before = session.info.get(ACTOR)
    set_actor(actor)
    try:
        yield actor
    finally:
        if before is None:
            _let_go(session)
            session.info.pop(ACTOR, None)
        else:
            set_actor(before)


def _let_go(session: OrmSession) -> None:
    """Forget the session's objects, but none of its changes: they were made, and are checked, as the actor until now."""
    if session.new or session.dirty or session.deleted:
        session.flush()
    session.expunge_all()
    session.info.pop(ONCE, None)


def unscoped(statement: S, reason: str) -> S:
    """Return ``statement`` with the scope lifted; ``reason`` says why that is right."""
    if not reason:
        raise ValueError("unscoped needs a reason")
    return statement.execution_options(**{UNSCOPED: reason})  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Owned:
    """How a model's rows belong to companies; ``attribute`` holds the company id.

    Where ``writable`` is False, buyers only read: staff, jobs and commands write.
    """

    attribute: str = "company_id"
    writable: bool = True

    def ids(self, scope: Scope) -> tuple[int, ...]:
        """Return the company ids whose rows are visible."""
        return scope.own

    def writable_ids(self, scope: Scope) -> tuple[int, ...]:
        """Return the company ids whose rows may be written: never those of a parent."""
        return tuple(i for i in self.ids(scope) if i in scope.subtree or i in scope.own) if self.writable else ()

    def criterion(self, model: Any, scope: Scope) -> Any:
        """Return the SQL condition for ``model`` under ``scope``."""
        return getattr(model, self.attribute).in_(self.ids(scope))

    def shows(self, company_id: int | None, scope: Scope) -> bool:
        """Tell whether a row of ``company_id`` is visible under ``scope``."""
        return company_id in self.ids(scope)

    def takes(self, company_id: int | None, scope: Scope) -> bool:
        """Tell whether a row of ``company_id`` may be written under ``scope``."""
        return company_id in self.writable_ids(scope)


class Own(Owned):
    """Rows of the active company only."""


class Subtree(Owned):
    """Rows of the active company and, where the role allows it, of its subsidiaries."""

    def ids(self, scope: Scope) -> tuple[int, ...]:
        return scope.subtree


@dataclass(frozen=True, slots=True)
class Inherited(Owned):
    """Rows of the active company and of its parents (contracts are read upward); buyers never write them."""

    writable: bool = False

    def ids(self, scope: Scope) -> tuple[int, ...]:
        return scope.inherited


class Tree(Owned):
    """Rows of parents, the company itself and visible subsidiaries (the companies themselves)."""

    def ids(self, scope: Scope) -> tuple[int, ...]:
        return tuple(dict.fromkeys((*scope.inherited, *scope.subtree)))


class Audience(Owned):
    """Rows for everybody (no company) and those of the company and its parents."""

    def ids(self, scope: Scope) -> tuple[int, ...]:
        return scope.inherited

    def criterion(self, model: Any, scope: Scope) -> Any:
        column = getattr(model, self.attribute)
        return or_(column.is_(None), column.in_(self.ids(scope)))

    def shows(self, company_id: int | None, scope: Scope) -> bool:
        return company_id is None or company_id in self.ids(scope)


@dataclass(frozen=True, slots=True)
class Staff(Owned):
    """Rows of the merchant's own work: no buyer sees or writes them."""

    attribute: str = "id"
    writable: bool = False

    def ids(self, scope: Scope) -> tuple[int, ...]:
        return ()

    def criterion(self, model: Any, scope: Scope) -> Any:
        return false()


class Trail(Subtree):
    """Append-only rows that everybody adds, whatever they are about, and a company reads where they are its own."""

    def takes(self, company_id: int | None, scope: Scope) -> bool:
        return True


def owned_models() -> list[Any]:
    """Return every mapped class that declares ``__scope__``."""
    return [m.class_ for m in Base.registry.mappers if getattr(m.class_, "__scope__", None)]


def owned_tables() -> set[str]:
    """Return the names of the tables that belong to companies."""
    return {model.__table__.name for model in owned_models()}


def visible(instance: Any) -> bool:
    """Tell whether the session's actor may see ``instance``, however it came into the session."""
    owned: Owned | None = getattr(type(instance), "__scope__", None)
    if owned is None:
        return True
    actor = current_actor()
    return actor.scope.unlimited or owned.shows(getattr(instance, owned.attribute), actor.scope)
