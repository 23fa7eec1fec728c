"""Jobs that a process has taken and not begun: its threads share them, so that a slow one delays none of the others."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

from flask import Flask

from core.jobs.queue import Claim


class Taken:
    """A queue in memory; each entry belongs to the app for which it was taken, and knows since when it waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[tuple[Claim, Flask, float]] = deque()

    def add(self, app: Flask, claims: Sequence[Claim]) -> Claim | None:
        """Keep ``claims`` but the first, which is returned; None where there are none."""
        if not claims:
            return None
        now = time.monotonic()
        with self._lock:
            self._entries.extend((claim, app, now) for claim in claims[1:])
        return claims[0]

    def next(self, app: Flask) -> Claim | None:
        """Return the one that waits longest; None where there is none, or it was taken for another app."""
        with self._lock:
            if self._entries and self._entries[0][1] is app:
                return self._entries.popleft()[0]
        return None

    def stale(self, app: Flask, seconds: float) -> list[Claim]:
        """Take out and return those that have waited for so long, or were taken for another app than ``app``."""
        before = time.monotonic() - seconds
        with self._lock:
            out = [entry for entry in self._entries if entry[1] is not app or entry[2] < before]
            self._entries = deque(entry for entry in self._entries if entry not in out)
        return [claim for claim, _app, _since in out]

    def all(self) -> list[Claim]:
        """Take out and return all."""
        with self._lock:
            out = [claim for claim, _app, _since in self._entries]
            self._entries.clear()
        return out
