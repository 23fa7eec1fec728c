"""Rouse the runners of this process when a job was committed, so that none waits for the next look."""

from __future__ import annotations

import threading
import weakref

_waiting: weakref.WeakSet[threading.Condition] = weakref.WeakSet()
_lock = threading.Lock()


def listen(condition: threading.Condition) -> None:
    """Notify ``condition`` from now on."""
    with _lock:
        _waiting.add(condition)


def wake() -> None:
    """Notify every runner of this process."""
    with _lock:
        conditions = list(_waiting)
    for condition in conditions:
        with condition:
            condition.notify_all()
