"""The same jobs on Celery: the ids of rows travel through a broker, the rows stay in the database.

A relay in each worker sends the ids of jobs that are due; whoever receives an id claims its row, and drops it where
somebody else did. So the broker may lose messages or deliver them twice: what was sent and not taken is sent again
after ``RESEND``, and a job whose worker died is sent again when its lease is over.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import and_, func, or_, select, update

from core.data import clock
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import locked, write
from core.jobs import queue
from core.jobs.models import Job
from core.jobs.runner import EmbeddedRunner, run_next
from core.registry.incidents import process_name

LOG = logging.getLogger("tukku.jobs")
TASK = "tukku.run_job"
QUEUE = "tukku"
RESEND = timedelta(seconds=60)
#: Jobs sent and not yet taken, at most: a long backlog waits in the database, not in the broker.
WINDOW = 200


class BrokerMissing(RuntimeError):
    """The extra is not installed."""

    def __init__(self) -> None:
        super().__init__("Celery is not installed: install Tukku with the extra, as in `pip install 'tukku[celery]'`.")


def make_celery(url: str) -> Any:
    """Return a Celery app for the broker at ``url`` (redis://… or amqp://…); results are not kept anywhere."""
    try:
        from celery import Celery
    except ImportError:
        raise BrokerMissing from None
    app = Celery("tukku", broker=url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_default_queue=QUEUE,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=5,
        worker_send_task_events=False,
    )
    return app


class BrokerRunner(EmbeddedRunner):
    """Sends the ids of due jobs to the broker, and runs those that Celery hands back."""

    def __init__(self, app_of: Callable[[], Flask], celery: Any) -> None:
        super().__init__(app_of, threads=1)
        self._celery = celery
        celery.task(self.run, name=TASK, shared=False)

    def run(self, job_id: int) -> None:
        """The task: run the job with this id, unless somebody else has taken it."""
        app = self._app_of()
        self._prepare(app)
        run_next(app, f"{process_name()}/{threading.get_native_id()}"[:80], self._running, only=job_id)
        self._prepare_again(app)

    def _step(self, worker: str) -> bool:
        app = self._app_of()
        self._prepare(app)
        return hand_over(app, self._celery) > 0


def hand_over(app: Flask, celery: Any) -> int:
    """Send the ids of jobs that are due and not under way; returns how many. Those that could not leave stay unsent."""
    with app.app_context():
        set_actor(system("job relay"))
        ids = _take()
        sent = 0
        try:
            while sent < len(ids):
                celery.send_task(TASK, [ids[sent]], queue=QUEUE, retry=False)
                sent += 1
        finally:
            if sent < len(ids):
                _forget(ids[sent:])
    return sent


def _take() -> list[int]:
    """Mark due jobs as sent, oldest first; two relays never take the same."""
    wanted = _unsent()
    if db.session.scalar(select(Job.id).where(wanted).limit(1)) is None:
        return []
    with write() as session:
        under_way = select(func.count(Job.id)).where(Job.state == "waiting", Job.sent_at > clock.now() - RESEND)
        room = WINDOW - (session.scalar(under_way) or 0)
        if room <= 0:
            return []
        first = select(Job.id).where(wanted).order_by(Job.run_at, Job.id).limit(room)
        ids = list(session.scalars(locked(first, skip_locked=True)))
        session.execute(update(Job).where(Job.id.in_(ids)).values(sent_at=clock.now()))
    return ids


def _forget(ids: list[int]) -> None:
    with write() as session:
        session.execute(update(Job).where(Job.id.in_(ids)).values(sent_at=None))


def _unsent() -> Any:
    return and_(queue.is_due(), or_(Job.sent_at.is_(None), Job.sent_at < clock.now() - RESEND))
