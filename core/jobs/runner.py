"""Run jobs in threads: inside `tukku serve`, or alone as `tukku worker`.

Each job runs in an app context of its own, as the system actor, on the app of the present generation.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any

from flask import Flask, g

from core.data.scope import set_actor, system
from core.jobs import queue, wakeup
from core.jobs.work import find
from core.registry.incidents import process_name
from core.registry.registry import registry

LOG = logging.getLogger("tukku.jobs")
IDLE = 1.0  # seconds between looks at the table; a commit in this process wakes at once
STOP_WITHIN = 20.0  # seconds for running jobs to end


class EmbeddedRunner:
    """Threads that run jobs. ``app_of()`` returns the app of the present generation, asked before each job."""

    def __init__(self, app_of: Callable[[], Flask], threads: int = 2) -> None:
        self._app_of = app_of
        self._condition = threading.Condition()
        self._stopping = threading.Event()
        self._running: dict[int, str] = {}
        self._prepared: Flask | None = None
        self._preparing = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(n,), name=f"jobs-{n}", daemon=True) for n in range(1, threads + 1)
        ]
        self._keeper = threading.Thread(target=self._keep, name="jobs-lease", daemon=True)
        wakeup.listen(self._condition)

    def start(self) -> None:
        """Begin to run jobs."""
        for thread in (*self._threads, self._keeper):
            thread.start()

    def stop(self) -> None:
        """Take no further job, and wait for the running ones; what does not end comes back after its lease."""
        self._stopping.set()
        wakeup.wake()
        for thread in (*self._threads, self._keeper):
            thread.join(STOP_WITHIN)

    def _work(self, number: int) -> None:
        worker = f"{process_name()}/{number}"[:80]
        while not self._stopping.is_set():
            try:
                busy = self._step(worker)
            except Exception:
                LOG.exception("the job runner could not take a job")
                busy = False
            if not busy:
                with self._condition:
                    self._condition.wait(IDLE)

    def _step(self, worker: str) -> bool:
        app = self._app_of()
        self._prepare(app)
        return run_next(app, worker, self._running)

    def _prepare(self, app: Flask) -> None:
        """Once for each app: store the periodic jobs it brings, and free those held for an addon that now runs."""
        with self._preparing:
            if self._prepared is app:
                return
            with app.app_context():
                set_actor(system("job runner"))
                queue.release_held()
                queue.schedule()
            self._prepared = app

    def _keep(self) -> None:
        every = queue.LEASE.total_seconds() / 3
        while not self._stopping.wait(every):
            try:
                self._extend()
            except Exception:
                LOG.exception("leases could not be extended")

    def _extend(self) -> None:
        workers: dict[str, list[int]] = {}
        for job_id, worker in list(self._running.items()):
            workers.setdefault(worker, []).append(job_id)
        with self._app_of().app_context():
            set_actor(system("job runner"))
            for worker, ids in workers.items():
                queue.extend(worker, ids)


def run_next(app: Flask, worker: str = "inline", running: dict[int, str] | None = None) -> bool:
    """Run one job that is due; False if there was none. ``running`` notes what this process is at."""
    noted = running if running is not None else {}
    with app.app_context():
        set_actor(system("job runner"))
        if not queue.due():
            return False
        claimed = queue.claim(worker, tuple(noted))
    if claimed is None:
        return False
    noted[claimed.id] = worker
    try:
        _run(app, claimed)
    finally:
        noted.pop(claimed.id, None)
    return True


def run_due(app: Flask, limit: int = 1000) -> int:
    """Run jobs until none is due, in this thread; returns how many ran. For tests and commands."""
    count = 0
    while count < limit and run_next(app):
        count += 1
    return count


def _run(app: Flask, claimed: queue.Claim) -> None:
    failure = ""
    work: Any = None
    with app.app_context():
        set_actor(system(f"job {claimed.name}"))
        g.request_id = claimed.request_id
        try:
            work = find(claimed.name)
            work.func(claimed.payload)
        except Exception as error:
            here = registry()
            here.incidents.record(claimed.owner, "job", claimed.name[:60], error, here.generation)
            failure = traceback.format_exc()
    with app.app_context():
        set_actor(system("job runner"))
        if failure:
            queue.give_up_or_retry(claimed, failure, work)
        else:
            queue.finish(claimed, work)
