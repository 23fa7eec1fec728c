"""Who is acting, and which companies' rows they may see: applied by the session, not by views.

A model that belongs to a company declares ``__scope__ = Own("company_id")`` (or Subtree, Inherited, Tree,
Audience). Every ORM statement is then limited to what the session's actor may see. A statement without an
actor, on an owned *table* instead of its mapped class, or as text is refused; so is a flush of another
company's row. ``unscoped(statement, reason)`` is the one, greppable way around.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from sqlalchemy import BindParameter, ColumnClause, Table, TableClause, TextClause, event, inspect, or_
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import AliasedReturnsRows

from core.data.db import Base, Session, db
from core.spec.errors import ScopeError

ScopeKind = Literal["companies", "portfolio", "merchant", "system"]
_ACTOR = "tukku.actor"
_OPTIONS = "tukku.scope_options"
_UNSCOPED = "tukku_unscoped"
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
    if session.info.get(_ACTOR) not in (None, actor):
        _let_go(session)
    session.info[_ACTOR] = actor
    session.info.pop(_OPTIONS, None)


def current_actor() -> Actor:
    """Return the session's actor; ScopeError if none was set."""
    actor = db.session().info.get(_ACTOR)
    if actor is None:
        raise ScopeError("no actor: call set_actor() or use `with acting(...)`")
    return actor  # type: ignore[no-any-return]


def actor_or_none() -> Actor | None:
    """Return the session's actor, or None."""
    return db.session().info.get(_ACTOR)


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Run the block as ``actor``, then restore the previous one."""
    session = db.session()
    before = session.info.get(_ACTOR)
    set_actor(actor)
    try:
        yield actor
    finally:
        if before is None:
            _let_go(session)
            session.info.pop(_ACTOR, None)
            session.info.pop(_OPTIONS, None)
        else:
            set_actor(before)


def _let_go(session: OrmSession) -> None:
    """Forget the session's objects, but none of its changes: they were made, and are checked, as the actor until now."""
    if session.new or session.dirty or session.deleted:
        session.flush()
    session.expunge_all()


def unscoped(statement: S, reason: str) -> S:
    """Return ``statement`` with the scope lifted; ``reason`` says why that is right."""
    if not reason:
        raise ValueError("unscoped needs a reason")
    return statement.execution_options(**{_UNSCOPED: reason})  # type: ignore[no-any-return]


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


@event.listens_for(Session, "do_orm_execute")
def _apply_scope(state: ORMExecuteState) -> None:
    if state.is_column_load or _UNSCOPED in state.execution_options:
        return
    statement = state.statement
    if isinstance(statement, TextClause):
        raise ScopeError("text SQL has no scope: use mapped classes, or unscoped(text(...), reason)")
    # the ORM's own loads (lazy, get) name their table bare, but say which class they load
    loading = {mapper.local_table.name for mapper in state.all_mappers if isinstance(mapper.local_table, Table)}
    touched = _touched(statement, loading)
    if not touched:
        return
    actor: Actor | None = state.session.info.get(_ACTOR)
    if actor is None:
        raise ScopeError(f"a statement on {sorted(touched)} has no actor: nothing says whose rows it may see")
    if actor.scope.unlimited:
        return
    if state.is_insert:
        _check_inserted(state, actor)
        return
    if state.is_update:
        _check_updated(state, actor)
    options = _criteria(state.session, actor.scope, writing=state.is_update or state.is_delete)
    state.statement = statement.options(*options)  # type: ignore[attr-defined]


def _check_inserted(state: ORMExecuteState, actor: Actor) -> None:
    """Refuse bulk inserts of rows that the actor may not write."""
    model, owned = _target(state)
    parameters = state.parameters or {}
    rows = parameters if isinstance(parameters, list | tuple) else [parameters]
    inline = [_plain(values) for values in _inline_rows(state.statement)]
    if state.statement.select is not None:  # type: ignore[attr-defined]
        raise ScopeError(f"INSERT … SELECT into {model.__name__} cannot be checked for {actor.name}")
    for row in inline or [{}]:
        for given in rows or [{}]:
            if not owned.takes({**row, **given}.get(owned.attribute), actor.scope):
                raise ScopeError(f"rows of {model.__name__} of another company would be inserted by {actor.name}")


def _check_updated(state: ORMExecuteState, actor: Actor) -> None:
    """Refuse bulk updates that would hand rows to a company that the actor may not write."""
    model, owned = _target(state)
    parameters = state.parameters or {}
    rows = parameters if isinstance(parameters, list | tuple) else [parameters]
    for row in [*_inline_rows(state.statement), *rows]:
        values = _plain(row)
        if owned.attribute in values and not owned.takes(values[owned.attribute], actor.scope):
            raise ScopeError(f"rows of {model.__name__} would be given to another company by {actor.name}")


def _target(state: ORMExecuteState) -> tuple[Any, Owned]:
    model = state.bind_mapper.class_ if state.bind_mapper else None
    owned = getattr(model, "__scope__", None)
    if model is None or owned is None:
        raise ScopeError("rows of companies are written through their mapped class")
    return model, owned


def _inline_rows(statement: Any) -> list[dict[Any, Any]]:
    """Return what ``.values(…)`` of an INSERT or UPDATE holds, as rows."""
    rows = [dict(statement._values)] if statement._values else []
    for several in statement._multi_values or ():
        rows.extend(several)
    if getattr(statement, "_ordered_values", None):
        rows.append(dict(statement._ordered_values))
    return rows


def _plain(row: Any) -> dict[str, Any]:
    """Return ``row`` by attribute name, with the values of bound parameters."""
    return {getattr(k, "key", k): getattr(v, "value", v) if isinstance(v, BindParameter) else v for k, v in row.items()}


def _touched(statement: Any, loading: set[str]) -> set[str]:
    """Return the owned tables named in ``statement``; ScopeError for one used without its mapped class."""
    owned = _owned_names()
    mapped: set[str] = set()
    bare: set[str] = set()
    for element in visitors.iterate(statement):
        if isinstance(element, TextClause):
            _check_text(element.text, owned)
            continue
        if isinstance(element, TableClause):
            source: Any = element
        elif isinstance(element, ColumnClause):
            if element.is_literal:
                _check_text(element.name, owned)
            source = element.table
        else:
            continue
        name = getattr(_base_table(source), "name", "")
        if name not in owned:
            continue
        if "parententity" in element._annotations or (name in loading and isinstance(source, TableClause)):
            mapped.add(name)
        elif "parentmapper" in element._annotations:
            continue  # the condition of a relationship: its two ends are named elsewhere
        elif source is not element:
            raise ScopeError(_BARE % name)
        else:
            bare.add(name)  # a condition on a mapped column brings its bare table along: that is fine
    for name in bare - mapped:
        raise ScopeError(_BARE % name)
    return mapped


_BARE = "table %s belongs to companies: select its mapped class, not the table"
_WORD = re.compile(r"\w+")


def _check_text(sql: str, owned: frozenset[str]) -> None:
    """Refuse a fragment of text SQL that names an owned table."""
    for word in _WORD.findall(sql):
        if word in owned:
            raise ScopeError(_BARE % word)


def _base_table(table: Any) -> Any:
    """Return the table beneath aliases."""
    while isinstance(table, AliasedReturnsRows):
        table = table.element
    return table


_names_cache: tuple[int, frozenset[str]] = (0, frozenset())


def _owned_names() -> frozenset[str]:
    """Owned table names, computed again only when a class was mapped since."""
    global _names_cache  # noqa: PLW0603  (a cache of what the mappers say)
    count = len(Base.metadata.tables)
    if _names_cache[0] != count:
        _names_cache = (count, frozenset(owned_tables()))
    return _names_cache[1]


def _criteria(session: OrmSession, scope: Scope, *, writing: bool) -> tuple[Any, ...]:
    """Return the options that limit every owned model, built once for a session and actor."""
    key = len(Base.metadata.tables)
    cached = session.info.get(_OPTIONS)
    if cached is None or cached[0] != key:
        cached = session.info[_OPTIONS] = (key, _reading(scope), _writing(scope))
    return cached[2 if writing else 1]  # type: ignore[no-any-return]


def _reading(scope: Scope) -> tuple[Any, ...]:
    return tuple(
        with_loader_criteria(model, model.__scope__.criterion(model, scope), include_aliases=True)
        for model in owned_models()
    )


def _writing(scope: Scope) -> tuple[Any, ...]:
    return tuple(
        with_loader_criteria(
            model,
            getattr(model, model.__scope__.attribute).in_(model.__scope__.writable_ids(scope)),
            include_aliases=True,
        )
        for model in owned_models()
    )


def visible(instance: Any) -> bool:
    """Tell whether the session's actor may see ``instance``, however it came into the session."""
    owned: Owned | None = getattr(type(instance), "__scope__", None)
    if owned is None:
        return True
    actor = current_actor()
    return actor.scope.unlimited or owned.shows(getattr(instance, owned.attribute), actor.scope)


@event.listens_for(Session, "after_flush")
def _refuse_foreign_rows(session: OrmSession, _context: Any) -> None:
    actor: Actor | None = session.info.get(_ACTOR)
    if actor is not None and actor.scope.unlimited:
        return
    for instance in (*session.new, *session.dirty, *session.deleted):
        owned: Owned | None = getattr(type(instance), "__scope__", None)
        if owned is None or not _changed(session, instance):
            continue
        if actor is None:
            raise ScopeError(f"{type(instance).__name__} would be written without an actor")
        for company_id in _company_ids(instance, owned.attribute):
            if not owned.takes(company_id, actor.scope):
                raise ScopeError(f"{type(instance).__name__} of another company would be written by {actor.name}")


def _changed(session: OrmSession, instance: Any) -> bool:
    return instance in session.new or instance in session.deleted or session.is_modified(instance)


def _company_ids(instance: Any, attribute: str) -> set[int | None]:
    """Return the company that the row belongs to, and the one it is taken from if that changed."""
    history = inspect(instance).attrs[attribute].history
    return {getattr(instance, attribute), *history.deleted}
