"""Keep what was read in memory for exactly as long as the tables that it came from are unchanged.

A mapped class says ``__stamp__ = "catalogue"``; each transaction that changes a row of such a table writes a new
random word for that name, in the same transaction. Whoever reads the word first, and finds it to be that of a kept
value, knows the value to be what the tables hold. Words are random and not counted, so that a restored backup
cannot repeat one with other content. Inside ``write()`` nothing is kept: its own changes have no word yet.

Prices, rights and what belongs to companies are never kept.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from flask import current_app, g, has_app_context
from sqlalchemy import Connection, Engine, ScalarSelect, event, func, select, text

from core.data.db import Base, db
from core.data.models import Stamp
from core.data.write import writing

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
_TOUCHED = "tukku.stamps"
_READ = "tukku_stamps"
_CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_NEW_WORD = text(
    "INSERT INTO core_stamp (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_lock = threading.Lock()


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


def current(name: str) -> str | None:
    """Return the present word of a stamp; None where nothing may be kept. One statement in a request at most."""
    if not has_app_context() or writing():
        return None
    if _READ not in g:
        g.tukku_stamps = dict(cast(Any, db.session.execute(select(Stamp.name, Stamp.value)).all()))
    return str(g.tukku_stamps.get(name, ""))


def column() -> ScalarSelect[Any]:
    """Return a column with all words, for a statement that a request runs anyway; hand it to ``heard``."""
    return select(func.aggregate_strings(Stamp.name + "=" + Stamp.value, ",")).scalar_subquery()


def heard(words: str | None) -> None:
    """Take over the words that ``column`` brought."""
    pairs = (pair.partition("=") for pair in (words or "").split(",") if pair)
    g.tukku_stamps = {name: value for name, _equals, value in pairs}


@cache
def _names(_tables: int) -> Mapping[str, str]:
    """Return the stamp of each table that has one."""
    classes = [mapper.class_ for mapper in Base.registry.mappers]
    return {c.__table__.name: c.__stamp__ for c in classes if hasattr(c, "__stamp__")}


@event.listens_for(Engine, "before_cursor_execute")
def _note(connection: Connection, _cursor: Any, sql: str, _values: Any, context: Any, _many: bool) -> None:
    """Note which stamps a statement touches, however it came to the engine."""
    if context is not None and (context.isinsert or context.isupdate or context.isdelete):
        tables = {context.compiled.statement.table.name}
    elif sql.lstrip()[:8].upper().startswith(_CHANGES):
        tables = set(sql.replace('"', " ").replace("(", " ").split())
    else:
        return
    known = _names(len(Base.metadata.tables))
    for table in tables & known.keys():
        connection.info.setdefault(_TOUCHED, set()).add(known[table])


@event.listens_for(Engine, "commit")
def _renew(connection: Connection) -> None:
    """Write the new words of what the transaction touched."""
    for name in sorted(connection.info.pop(_TOUCHED, ())):
        connection.execute(_NEW_WORD, {"name": name, "value": secrets.token_hex(8)})
        if has_app_context():
            g.pop(_READ, None)


@event.listens_for(Engine, "rollback")
def _forget(connection: Connection) -> None:
    connection.info.pop(_TOUCHED, None)
