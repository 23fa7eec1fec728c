"""The rows in which serving processes say what they serve."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from core.data import clock
from core.data.db import db
from core.data.write import write
from core.registry.incidents import process_name
from core.registry.models import Process

BEAT = 10.0  # seconds between two heartbeats
GONE_AFTER = timedelta(minutes=2)


def record(kind: str, generation: int, addons: tuple[str, ...], started: datetime, code: str = "") -> None:
    """Insert or update this process's row, and forget processes that stopped long ago."""
    now = clock.now()
    with write() as session:
        row = session.get(Process, process_name())
        if row is None:
            row = Process(id=process_name(), kind=kind, generation=0, started_at=started, seen_at=now)
            session.add(row)
        row.kind, row.generation, row.seen_at, row.addons = kind, generation, now, " ".join(addons)
        row.code = code
        session.execute(delete(Process).where(Process.seen_at < now - GONE_AFTER))


def forget() -> None:
    """Take this process's row away."""
    with write() as session:
        session.execute(delete(Process).where(Process.id == process_name()))


def alive() -> tuple[Process, ...]:
    """Return the processes that were seen within the last three beats."""
    since = clock.now() - 3 * timedelta(seconds=BEAT)
    return tuple(db.session.scalars(select(Process).where(Process.seen_at > since).order_by(Process.id)))
