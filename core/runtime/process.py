"""The heartbeat of a serving process: what it serves, so that an operator sees who lags behind."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from sqlalchemy import delete, select

from core.data import clock
from core.data.db import db
from core.data.write import write
from core.registry.incidents import process_name
from core.registry.models import Process
from core.runtime.dispatcher import Dispatcher, Served

LOG = logging.getLogger("tukku.process")
EVERY = 10.0  # seconds
GONE_AFTER = timedelta(minutes=2)


class Heartbeat:
    """Writes the process's row every ten seconds and at each change of the app."""

    def __init__(self, dispatcher: Dispatcher, kind: str) -> None:
        self.dispatcher, self.kind = dispatcher, kind
        self.started = clock.now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        dispatcher.on_swap(self.beat)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and take the row away."""
        self._stop.set()
        self._thread.join(timeout=EVERY)
        with self.dispatcher.served.app.app_context(), write() as session:
            session.execute(delete(Process).where(Process.id == process_name()))

    def beat(self, served: Served) -> None:
        """Write the row; a failure is logged and tried again at the next beat."""
        try:
            with served.app.app_context():
                record(self.kind, served, self.started)
        except Exception:
            LOG.exception("the heartbeat could not be written")

    def _run(self) -> None:
        while True:
            self.beat(self.dispatcher.served)
            if self._stop.wait(EVERY):
                return


def record(kind: str, served: Served, started: object) -> None:
    """Insert or update this process's row, and forget processes that stopped long ago."""
    now = clock.now()
    with write() as session:
        row = session.get(Process, process_name())
        if row is None:
            row = Process(id=process_name(), kind=kind, generation=0, started_at=started, seen_at=now)
            session.add(row)
        row.kind, row.generation, row.seen_at = kind, served.generation, now
        row.addons = " ".join(served.registry.addons)
        session.execute(delete(Process).where(Process.seen_at < now - GONE_AFTER))


def alive() -> tuple[Process, ...]:
    """Return the processes that were seen lately."""
    since = clock.now() - 3 * timedelta(seconds=EVERY)
    return tuple(db.session.scalars(select(Process).where(Process.seen_at > since).order_by(Process.id)))
