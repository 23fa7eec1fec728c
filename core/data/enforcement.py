"""Apply the scope to every statement and every flush of the session; nothing here is called by hand.

Importing core.data attaches it, so that there is no session without it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnClause, Table, TableClause, TextClause, event, inspect
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import AliasedReturnsRows

from core.data.db import Base, Session
from core.data.scope import ACTOR, UNSCOPED, Actor, Owned, Scope, owned_tables
from core.spec.errors import ScopeError


@event.listens_for(Session, "do_orm_execute")
def _apply_scope(state: ORMExecuteState) -> None:
    if state.is_column_load or UNSCOPED in state.execution_options:
        return
    statement = state.statement
    if isinstance(statement, TextClause):
        raise ScopeError("text SQL has no scope: use mapped classes, or unscoped(text(...), reason)")
    # the ORM's own loads (lazy, get) name their table bare, but say which class they load
    loading = {mapper.local_table.name for mapper in state.all_mappers if isinstance(mapper.local_table, Table)}
    touched = _touched(statement, loading)
    if not touched:
        return
    actor: Actor | None = state.session.info.get(ACTOR)
    if actor is None:
        raise ScopeError(f"a statement on {sorted(touched)} has no actor: nothing says whose rows it may see")
    if actor.scope.unlimited:
        return
    if state.is_insert:
        _check_inserted(state, actor)
        return
    if state.is_update:
        _check_updated(state, actor)
    near = _near(frozenset(touched | loading), len(Base.metadata.tables))
    limit = _writing if state.is_update or state.is_delete else _reading
    state.statement = statement.options(*limit(actor.scope, near))


def _check_inserted(state: ORMExecuteState, actor: Actor) -> None:
    """Refuse bulk inserts of rows that the actor may not write."""
    model, owned = _target(state)
    rows = _parameters(state)
    inline = [_plain(values) for values in _inline_rows(state.statement)]
    if state.statement.select is not None:  # type: ignore[attr-defined]
        raise ScopeError(f"INSERT … SELECT into {model.__name__} cannot be checked for {actor.name}")
    for row in inline or [{}]:
        for given in rows:
            if not owned.takes({**row, **given}.get(owned.attribute), actor.scope):
                raise ScopeError(f"rows of {model.__name__} of another company would be inserted by {actor.name}")


def _check_updated(state: ORMExecuteState, actor: Actor) -> None:
    """Refuse bulk updates that would hand rows to a company that the actor may not write."""
    model, owned = _target(state)
    for row in [*_inline_rows(state.statement), *_parameters(state)]:
        values = _plain(row)
        if owned.attribute in values and not owned.takes(values[owned.attribute], actor.scope):
            raise ScopeError(f"rows of {model.__name__} would be given to another company by {actor.name}")


def _parameters(state: ORMExecuteState) -> list[dict[str, Any]]:
    """Return the rows handed over beside the statement; one empty row if there are none."""
    given: Any = state.parameters or {}
    return list(given) if isinstance(given, list | tuple) else [given]


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


@lru_cache(maxsize=2048)
def _near(tables: frozenset[str], _known: int) -> tuple[Any, ...]:
    """Return the owned classes of these tables, and those that their relationships lead to: joins may not name them."""
    waiting = [mapper for mapper in Base.registry.mappers if getattr(mapper.local_table, "name", "") in tables]
    found = dict.fromkeys(waiting)
    while waiting:
        new = [related.mapper for related in waiting.pop().relationships if related.mapper not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return tuple(mapper.class_ for mapper in found if getattr(mapper.class_, "__scope__", None))


@lru_cache(maxsize=2048)
def _reading(scope: Scope, models: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the options that limit what is read; they follow from the scope and the classes alone, so they stay built."""
    return tuple(
        with_loader_criteria(model, model.__scope__.criterion(model, scope), include_aliases=True) for model in models
    )


@lru_cache(maxsize=512)
def _writing(scope: Scope, models: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        with_loader_criteria(
            model,
            getattr(model, model.__scope__.attribute).in_(model.__scope__.writable_ids(scope)),
            include_aliases=True,
        )
        for model in models
    )


@event.listens_for(Session, "after_flush")
def _refuse_foreign_rows(session: OrmSession, _context: Any) -> None:
    actor: Actor | None = session.info.get(ACTOR)
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
