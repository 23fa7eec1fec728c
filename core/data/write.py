"""``with write():`` is the only way to change the database.

It ends the session's read transaction, takes the process's write mutex on SQLite, begins IMMEDIATE there,
and commits when the outermost block ends without an exception. An inner block joins the outer one, so a
service never needs to know who calls it. Hashing, PDFs and network never happen inside.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Select, TextClause, event
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm import Session as OrmSession

from core.data.db import WRITING, Session, db
from core.spec.errors import WriteError

Statement = TypeVar("Statement", bound=Select[Any])
_log = logging.getLogger(__name__)
_AFTER = "tukku.after_commit"
_READS = re.compile(r"\s*(SELECT|WITH|VALUES|EXPLAIN|PRAGMA|SHOW)\b", re.IGNORECASE)
_mutexes: dict[str, threading.RLock] = {}
_registry_lock = threading.Lock()


@contextmanager
def write() -> Iterator[OrmSession]:
    """Open the transaction in which the block may change rows, and commit it at the end.

    Raises WriteError when the session holds changes made outside a block.
    """
    session = db.session()
    if session.info.get(WRITING):
        yield session
        return
    if session.new or session.dirty or session.deleted:
        raise WriteError("objects were changed before `with write():`; change them inside the block")
    session.rollback()
    with _mutex(db.engine.dialect.name, str(db.engine.url)):
        session.info[WRITING] = True
        callbacks: list[Callable[[], None]] = session.info.setdefault(_AFTER, [])
        try:
            session.connection(execution_options={"tukku_write": True})
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            callbacks.clear()
            raise
        finally:
            session.info.pop(WRITING, None)
            session.info.pop(_AFTER, None)
    _run(callbacks)


def locked(statement: Statement, **options: Any) -> Statement:
    """Return ``statement`` locking its rows until the caller's ``write()`` ends; ``options`` are those of with_for_update.

    What the session holds of them is read again: it would return the old values (sqlalchemy #4774). ``get`` and ``refresh``
    are no way to lock, for there a row with a version that changed while its lock was waited for is a StaleDataError.
    """
    return statement.with_for_update(**options).execution_options(populate_existing=True)


def writing() -> bool:
    """Tell whether the current session is inside ``write()``."""
    return bool(db.session().info.get(WRITING))


def unhurried() -> None:
    """Let the open transaction's statements take as long as they need: those over very many rows, of a job or a copy.

    PostgreSQL ends others after half a minute; SQLite knows no such bound.
    """
    session = db.session()
    if not session.info.get(WRITING):
        raise WriteError("unhurried belongs inside `with write():`")
    if db.engine.dialect.name == "postgresql":
        session.connection().exec_driver_sql("SET LOCAL statement_timeout = 0")


def after_commit(callback: Callable[[], None]) -> None:
    """Call ``callback`` once the outermost block has committed; forgotten if it rolls back."""
    session = db.session()
    if not session.info.get(WRITING):
        raise WriteError("after_commit belongs inside `with write():`")
    session.info[_AFTER].append(callback)


def _run(callbacks: list[Callable[[], None]]) -> None:
    """Call each; the deed is committed, so a failure is logged and does not look like one of the deed."""
    for callback in callbacks:
        try:
            callback()
        except Exception:
            _log.exception("a callback failed after the commit")


def _mutex(dialect: str, url: str) -> Any:
    """SQLite's busy handler polls and is unfair, so writers of one process queue here, by URL."""
    if dialect != "sqlite":
        return nullcontext()
    with _registry_lock:
        return _mutexes.setdefault(url, threading.RLock())


@event.listens_for(Session, "before_flush")
def _refuse_flush_outside_write(session: OrmSession, _context: Any, _instances: Any) -> None:
    if not session.info.get(WRITING):
        changed = [*session.new, *session.dirty, *session.deleted]
        raise WriteError(f"{changed[0]!r} would be written outside `with write():`")


@event.listens_for(Session, "do_orm_execute")
def _refuse_dml_outside_write(state: ORMExecuteState) -> None:
    """Refuse changes, and locks too: outside a block there is no transaction that would hold them."""
    if state.session.info.get(WRITING):
        return
    statement = state.statement
    changes = state.is_insert or state.is_update or state.is_delete
    if changes or (isinstance(statement, TextClause) and not _READS.match(statement.text)):
        raise WriteError("INSERT, UPDATE and DELETE belong inside `with write():`")
    if getattr(statement, "_for_update_arg", None) is not None:
        raise WriteError("SELECT … FOR UPDATE belongs inside `with write():`, which holds the lock")
