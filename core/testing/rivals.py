"""Let somebody else do something at one exact moment of a deed, so that a race is lost in every run and not in some."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app
from sqlalchemy import Engine, event

from core.data.scope import current_actor, set_actor
from core.spec.errors import TukkuError

#: Seconds that the rival gets before the block goes on. Where a lock keeps it out, it ends after the block.
HEAD_START = 0.5


@contextmanager
def rival(statement: str, deed: Callable[[], Any]) -> Iterator[list[Any]]:
    """Do ``deed`` in another thread just after the block's first statement that matches the pattern ``statement``.

    It acts as the block's actor, in an app context of its own. What it returned, or the TukkuError that it raised, is the
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
            threads[0].join(HEAD_START)

    event.listen(Engine, "after_cursor_execute", look)
    try:
        yield ended
    finally:
        event.remove(Engine, "after_cursor_execute", look)
        for thread in threads:
            thread.join(30)
    assert threads, f"no statement matched {statement}"
