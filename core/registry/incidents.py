"""Failures of addons: gathered in memory while serving, stored apart from the transaction that failed."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.dialects import postgresql, sqlite

from core.data import clock
from core.data.db import db
from core.data.write import write
from core.registry.models import Incident

LOG = logging.getLogger("tukku.addons")


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure as it happened; the same kind in the same place has an equal ``fingerprint``."""

    addon: str
    phase: str
    hook: str
    generation: int
    message: str
    detail: str
    at: datetime
    fingerprint: str


class IncidentLog:
    """A buffer of failures; the app empties it into the database after the request or the build."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Failure] = []

    def record(self, addon: str, phase: str, hook: str, error: BaseException, generation: int = 0) -> Failure:
        """Note a failure and log it; stored by the next `flush`."""
        failure = failure_of(addon, phase, hook, error, generation)
        LOG.error("%s failed (%s %s): %s", addon, phase, hook, failure.message, exc_info=error)
        with self._lock:
            self._waiting.append(failure)
        return failure

    def take(self) -> tuple[Failure, ...]:
        """Return what waits, and forget it."""
        with self._lock:
            waiting, self._waiting = tuple(self._waiting), []
        return waiting

    def flush(self) -> None:
        """Store what waits, in a transaction of its own; call it inside an app context, outside `write()`."""
        failures = self.take()
        if failures:
            store(failures)


def failure_of(addon: str, phase: str, hook: str, error: BaseException, generation: int = 0) -> Failure:
    """Describe an exception: its message, its traceback, and the fingerprint of where it was raised."""
    message = str(error) or type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else ""
    parts = "\n".join((addon, phase, hook, type(error).__name__, place if frames else message))
    detail = "".join(traceback.format_exception(error))
    fingerprint = hashlib.sha256(parts.encode()).hexdigest()
    return Failure(addon, phase, hook, generation, message, detail, clock.now(), fingerprint)


def store(failures: Sequence[Failure]) -> None:
    """Write failures, adding to the count of those that are known, also where another process meets the same at once."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    with write() as session:
        for failure in sorted(failures, key=lambda one: one.fingerprint):  # nobody waits for each other
            names = ("phase", "hook", "generation", "message", "detail")
            last = {name: getattr(failure, name) for name in names} | {"last_seen": failure.at, "process": process_name()}
            first = {"fingerprint": failure.fingerprint, "addon": failure.addon, "first_seen": failure.at, "count": 1}
            statement = insert(Incident).values(**first, **last)
            again = {**last, "count": Incident.__table__.c["count"] + 1}
            session.execute(statement.on_conflict_do_update(index_elements=["fingerprint"], set_=again))


def process_name() -> str:
    """Return the host and process id, as incidents and heartbeats name a process."""
    return f"{socket.gethostname()}:{os.getpid()}"[:80]


def report(incident: Incident) -> str:
    """Return an incident as text to paste into a bug report."""
    seen = f"{incident.first_seen:%Y-%m-%d %H:%M} to {incident.last_seen:%Y-%m-%d %H:%M} UTC"
    return (
        f"{incident.addon} failed in {incident.phase} {incident.hook}".rstrip() + "\n"
        f"{incident.count} times, {seen}, generation {incident.generation}, {incident.process}\n\n"
        f"{incident.message}\n\n{incident.detail}"
    )
