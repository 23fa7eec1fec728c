"""Keep what was read in memory for exactly as long as the tables that it came from are unchanged.

A mapped class says ``__stamp__ = "catalogue"``; each transaction that changes a row of such a table writes a new
random word for that name, in the same transaction. Whoever reads the word first, and finds it to be that of a kept
value, knows the value to be what the tables hold. Words are random and not counted, so that a restored backup
cannot repeat one with other content. Inside ``write()`` nothing is kept: its own changes have no word yet.

Rights and what belongs to a person are never kept. List prices and contracts are kept for the price pipeline alone
(docs/decisions/0006), which is asked for one buyer at a time.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from flask import current_app, has_app_context, has_request_context, request
from sqlalchemy import Connection, Engine, ScalarSelect, Select, event, func, select, text

from core.data.db import Base, db
from core.data.models import Stamp
from core.data.prepared import prepared
from core.data.write import writing

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
_TOUCHED = "tukku.stamps"
_CHANGED = "tukku.changed"
_READ = "tukku.stamps"
_CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_NEW_WORD = text(
    "INSERT INTO core_stamp (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_lock = threading.Lock()
#: Statements of this process that changed a table, or took a change of it back.
_changes: Counter[str] = Counter()


def kept(name: str, key: Hashable, make: Callable[[], T], *, most: int = 256) -> T:
    """Return ``make()``, or what it returned for ``key`` while the tables of stamp ``name`` were what they are now.

    At most ``most`` values of a stamp and kind (the first part of a key that is a tuple) stay. What is kept is shared
    by all threads: it must not be changed, hold rows of the session, or depend on anything that ``key`` does not say.
    """
    kind = key[0] if isinstance(key, tuple) else key
    return kept_each(name, kind, [key], lambda _missing: {key: make()}, most=most)[key]


def kept_each(
    name: str, kind: Hashable, keys: Iterable[K], make: Callable[[list[K]], Mapping[K, T]], *, most: int
) -> dict[K, T]:
    """Return what ``make`` gives for the keys, asking it only for those that are not kept; as ``kept`` for many."""
    wanted, word = list(keys), current(name)
    if word is None:
        return dict(make(wanted)) if wanted else {}
    values: OrderedDict[Any, Any] = current_app.extensions.setdefault("tukku.kept", {}).setdefault(
        (name, kind), OrderedDict()
    )
    found: dict[K, T] = {}
    with _lock:
        for key in wanted:
            if (word, key) in values:
                values.move_to_end((word, key))
                found[key] = values[word, key]
    missing = [key for key in wanted if key not in found]
    if missing:
        made = make(missing)
        found.update(made)
        with _lock:
            values.update({(word, key): value for key, value in made.items()})
            while len(values) > most:
                values.popitem(last=False)
    return found


def book(names: Sequence[str], kind: str, *, most: int) -> dict[Any, Any]:
    """Return the dict of ``kind`` that all requests share while the tables of all stamps ``names`` are unchanged.

    Whoever misses a key reads it from those tables and writes it in; what stands there must not be changed or depend on
    anything but its key. One with more than ``most`` keys is put aside for an empty one; who holds it may go on reading.
    Inside ``write()`` and outside of requests it is an empty dict of the caller's own.
    """
    read = _words() if has_request_context() else None
    if read is None:
        return {}
    words = [read.get(name, "") for name in names]
    shelf: dict[str, tuple[list[str], dict[Any, Any]]] = current_app.extensions.setdefault("tukku.books", {})
    found = shelf.get(kind)
    if found is None or found[0] != words or len(found[1]) > most:
        found = shelf[kind] = (words, {})
    return found[1]


def changes(*tables: str) -> tuple[int, ...]:
    """Return a mark that differs once this process has changed one of the tables, inside of ``write()`` at once.

    What a request reads once for itself lasts while the mark is the same. Changes of other processes do not count, nor
    rows that the database deletes together with those of another table.
    """
    return tuple(_changes[table] for table in tables)


def current(name: str) -> str | None:
    """Return the present word of a stamp; None where nothing may be kept."""
    words = _words()
    return None if words is None else words.get(name, "")


def _words() -> Mapping[str, str] | None:
    """Return all words, read once in a request; outside of requests they are read anew, for it may be long between."""
    if not has_app_context() or writing():
        return None
    if not has_request_context():
        return _read()
    words: dict[str, str] | None = request.environ.get(_READ)
    if words is None:
        words = request.environ[_READ] = _read()
    return words


def _read() -> dict[str, str]:
    return dict(cast(Any, prepared(_statement, db.engine.dialect.name).rows()))


def _statement(_dialect: str) -> Select[str, str]:
    return select(Stamp.name, Stamp.value)


def column() -> ScalarSelect[Any]:
    """Return a column with all words, for a statement that a request runs anyway; hand it to ``heard``."""
    return select(func.aggregate_strings(Stamp.name + "=" + Stamp.value, ",")).scalar_subquery()


def heard(words: str | None) -> None:
    """Take over the words that ``column`` brought."""
    pairs = (pair.partition("=") for pair in (words or "").split(",") if pair)
    request.environ[_READ] = {name: value for name, _equals, value in pairs}


@cache
def _names(_tables: int) -> Mapping[str, str]:
    """Return the stamp of each table that has one."""
    classes = [mapper.class_ for mapper in Base.registry.mappers]
    return {c.__table__.name: c.__stamp__ for c in classes if hasattr(c, "__stamp__")}


@cache
def _reached(_tables: int) -> Mapping[str, set[str]]:
    """Return the stamps of the tables whose rows the database itself changes when a row of each table is deleted."""
    own, found = _names(_tables), {}
    referring: dict[str, set[str]] = {}
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            if key.ondelete in ("CASCADE", "SET NULL"):
                referring.setdefault(key.target_fullname.rpartition(".")[0], set()).add(table.name)
    for table_name in referring:
        tables, waiting = {table_name}, [table_name]
        while waiting:
            new = referring.get(waiting.pop(), set()) - tables
            tables |= new
            waiting += new
        found[table_name] = {own[name] for name in tables & own.keys()}
    return found


@event.listens_for(Engine, "before_cursor_execute")
def _note(connection: Connection, _cursor: Any, sql: str, _values: Any, context: Any, _many: bool) -> None:
    """Note which stamps a statement touches, however it came to the engine."""
    verb = sql.lstrip()[:8].upper()
    if context is not None and (context.isinsert or context.isupdate or context.isdelete):
        tables = {context.compiled.statement.table.name}
    elif verb.startswith(_CHANGES):
        tables = set(sql.replace('"', " ").replace("(", " ").split())
    else:
        return
    count = len(Base.metadata.tables)
    tables &= Base.metadata.tables.keys()
    _changes.update(tables)
    connection.info.setdefault(_CHANGED, set()).update(tables)
    known = _names(count)
    touched = {known[table] for table in tables & known.keys()}
    if verb.startswith(("DELETE", "REPLACE")):
        reached = _reached(count)
        touched.update(*(reached[table] for table in tables & reached.keys()))
    if touched:
        connection.info.setdefault(_TOUCHED, set()).update(touched)


@event.listens_for(Engine, "commit")
def _renew(connection: Connection) -> None:
    """Write the new words of what the transaction touched."""
    connection.info.pop(_CHANGED, None)
    for name in sorted(connection.info.pop(_TOUCHED, ())):
        connection.execute(_NEW_WORD, {"name": name, "value": secrets.token_hex(8)})
        if has_request_context():
            request.environ.pop(_READ, None)


@event.listens_for(Engine, "rollback")
def _forget(connection: Connection) -> None:
    connection.info.pop(_TOUCHED, None)
    _changes.update(connection.info.pop(_CHANGED, ()))


@event.listens_for(Engine, "rollback_savepoint")
def _take_back(connection: Connection, _name: str, _context: Any) -> None:
    _changes.update(connection.info.get(_CHANGED, ()))
