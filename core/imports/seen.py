"""Which keys a file has shown already, whatever its length: kept in a scratch database on disk, not in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

#: Kilobytes of the scratch database that stay in memory.
_CACHE = 4096


class SeenKeys:
    """Remembers the first row of each key; the scratch file goes with the object."""

    def __init__(self) -> None:
        self._scratch = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._scratch.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._scratch.execute("PRAGMA journal_mode = OFF")
        self._scratch.execute("PRAGMA synchronous = OFF")
        self._scratch.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID")
        self._scratch.execute("BEGIN")

    def first(self, key: Sequence[Any], row: int) -> int:
        """Return the row that had the key first: ``row`` itself if none had it before."""
        text = repr(tuple(key))
        if self._scratch.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (text, row)).rowcount:
            return row
        return int(self._scratch.execute("SELECT row FROM seen WHERE key = ?", (text,)).fetchone()[0])
