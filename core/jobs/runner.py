"""Run jobs in threads: inside `tukku serve`, or alone as `tukku worker`.

Each job runs in an app context of its own, as the system actor, on the app of the present generation. A process takes
a few jobs at once for all its threads, and marks quick ones as done together, so that a second holds more of them.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence

from flask import Flask, g

from core.data.scope import set_actor, system
from core.jobs import queue, wakeup
from core.jobs.taken import Taken
from core.jobs.work import Work, find
from core.registry.incidents import process_name
from core.registry.registry import registry

LOG = logging.getLogger("tukku.jobs")
IDLE = 1.0  # seconds between looks at the table; a commit in this process wakes at once
STOP_WITHIN = 20.0  # seconds for running jobs to end
BATCH = 8  # jobs that a process takes at once
TOGETHER = 0.05  # seconds for which jobs that are done wait to be marked together
BEGIN_WITHIN = 1.0  # seconds after which a job that was taken and not begun is given back


class EmbeddedRunner:
    """Threads that run jobs. ``app_of()`` returns the app of the present generation, asked before each batch."""

    def __init__(self, app_of: Callable[[], Flask], threads: int = 2) -> None:
        self._app_of = app_of
        self._condition = threading.Condition()
        self._stopping = threading.Event()
        self._running: dict[int, str] = {}
        self._taken = Taken()
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
        self._give_back(self._taken.all())

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
        """Run what can be run within ``TOGETHER``, at least one job, and mark it; False where none was due."""
        app = self._app_of()
        self._prepare(app)
        began, claimed = time.monotonic(), self._taken.next(app) or self._take(app, worker)
        ended: list[Ended] = []
        try:
            while claimed is not None:
                ended.append(_run(app, claimed))
                late = ended[-1].failure or self._stopping.is_set() or time.monotonic() - began > TOGETHER
                claimed = None if late else self._taken.next(app)
            _settle(app, ended)
        finally:
            self._let_go([one.claim for one in ended])
        return bool(ended)

    def _take(self, app: Flask, worker: str) -> queue.Claim | None:
        """Take some jobs that are due for all threads of this process, and return the first."""
        with app.app_context():
            set_actor(system("job runner"))
            if not queue.due():
                return None
            claims = queue.claim_some(worker, BATCH, tuple(self._running))
        self._prepare_again(app)
        self._running.update((claim.id, worker) for claim in claims)
        first = self._taken.add(app, claims)
        if len(claims) > 1:
            wakeup.wake()  # the others of this process
        return first

    def _let_go(self, claims: Sequence[queue.Claim]) -> None:
        for claim in claims:
            self._running.pop(claim.id, None)

    def _give_back(self, claims: Sequence[queue.Claim]) -> None:
        """Let others run what this process took and has not begun."""
        if claims:
            with self._app_of().app_context():
                set_actor(system("job runner"))
                queue.hand_back(claims)
            self._let_go(claims)

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

    def _prepare_again(self, app: Flask) -> None:
        """Jobs were taken as of ``app``: if another was prepared meanwhile, what was held on the way is freed once more."""
        with self._preparing:
            if self._prepared is not app:
                self._prepared = None

    def _keep(self) -> None:
        """Give back what no thread begins soon, or was taken for an earlier app, and lengthen the leases of the rest."""
        every = queue.LEASE.total_seconds() / 3
        extended = time.monotonic()
        while not self._stopping.wait(BEGIN_WITHIN / 2):
            try:
                self._give_back(self._taken.stale(self._app_of(), BEGIN_WITHIN))
                if time.monotonic() - extended > every:
                    extended = time.monotonic()
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


class Ended:
    """A job that ran: what it was (None where nobody contributes it any more), and why it failed, '' if it did not."""

    __slots__ = ("claim", "failure", "work")

    def __init__(self, claim: queue.Claim) -> None:
        self.claim = claim
        self.work: Work | None = None
        self.failure = ""


def run_next(app: Flask, worker: str = "inline", running: dict[int, str] | None = None, *, only: int | None = None) -> bool:
    """Run one job that is due (``only`` the one with this id); False if there was none.

    ``running`` notes what this process is at.
    """
    noted = running if running is not None else {}
    with app.app_context():
        set_actor(system("job runner"))
        if only is None and not queue.due():
            return False
        claimed = queue.claim(worker, tuple(noted), only=only)
    if claimed is None:
        return False
    noted[claimed.id] = worker
    try:
        _settle(app, [_run(app, claimed)])
    finally:
        noted.pop(claimed.id, None)
    return True


def run_due(app: Flask, limit: int = 1000) -> int:
    """Run jobs until none is due, in this thread; returns how many ran. For tests and commands."""
    count = 0
    while count < limit and run_next(app):
        count += 1
    return count


def _run(app: Flask, claimed: queue.Claim) -> Ended:
    ended = Ended(claimed)
    with app.app_context():
        set_actor(system(f"job {claimed.name}"))
        g.request_id, g.tukku_job_id = claimed.request_id, claimed.id
        try:
            ended.work = find(claimed.name)
            ended.work.func(claimed.payload)
        except (Exception, SystemExit) as error:  # one that asks to leave fails; its thread goes on
            here = registry()
            owner = here.at_fault(claimed.owner, error)
            here.incidents.record(owner, "job", claimed.name[:60], error, here.generation)
            ended.failure = traceback.format_exc()
    return ended


def _settle(app: Flask, ended: list[Ended]) -> None:
    """Mark those that are done in one transaction, then let each that failed wait or end."""
    if not ended:
        return
    with app.app_context():
        set_actor(system("job runner"))
        queue.finish([(one.claim, one.work) for one in ended if one.work is not None and not one.failure])
        for one in ended:
            if one.failure:
                queue.give_up_or_retry(one.claim, one.failure, one.work)
