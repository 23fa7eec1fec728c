"""Let somebody else do something at one exact moment of a deed, so that a race is lost in every run and not in some."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app
from sqlalchemy import Engine, event

from core.data.db import db
from core.data.scope import current_actor, set_actor
from core.data.write import writing
from core.spec.errors import TukkuError

#: Seconds that a rival gets at most before the block goes on; and on SQLite, where the block's own lock keeps it out.
AT_MOST, KEPT_OUT = 20.0, 0.3


@contextmanager
def rival(statement: str, deed: Callable[[], Any]) -> Iterator[list[Any]]:
    """Do ``deed`` in another thread just after the block's first statement that matches the pattern ``statement``.

    The block goes on when the deed is done, or waits for a lock that the block holds: then it ends after the block. It
    acts as the block's actor, in an app context of its own. What it returned, or the TukkuError that it raised, is the
    one entry of the yielded list after the block; AssertionError where no statement matched.
    """
    app, here = current_app._get_current_object(), threading.get_ident()  # type: ignore[attr-defined]
    actor, threads, ended = current_actor(), [], []

    def run() -> None:
        with app.app_context():
            set_actor(actor)
            try:
                ended.append(deed())
            except TukkuError as refused:
                ended.append(refused)

    def look(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if not threads and threading.get_ident() == here and re.search(statement, sql):
            threads.append(threading.Thread(target=run))
            threads[0].start()
            _wait(threads[0])

    event.listen(Engine, "after_cursor_execute", look)
    try:
        yield ended
    finally:
        event.remove(Engine, "after_cursor_execute", look)
        for thread in threads:
            thread.join(30)
    assert threads, f"no statement matched {statement}"


def _wait(thread: threading.Thread) -> None:
    """Wait until the thread has ended, or cannot go on before this one does."""
    until, kept_out = time.monotonic() + AT_MOST, _kept_out()
    while thread.is_alive() and time.monotonic() < until and not kept_out():
        thread.join(0.02)


def _kept_out() -> Callable[[], bool]:
    """Return what tells whether the rival waits for a lock."""
    engine = db.engine
    if engine.dialect.name == "sqlite":  # whose write transaction is the lock, and who waits for it is not told
        since, held = time.monotonic(), writing()
        return lambda: held and time.monotonic() - since > KEPT_OUT

    def waits() -> bool:
        with engine.connect() as connection:
            return connection.exec_driver_sql(_WAITING).scalar_one() > 0

    return waits


_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
