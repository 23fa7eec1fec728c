"""The life of a job row: claimed under a lease, finished, tried again later, failed, held while its addon is off.

PostgreSQL claims with SKIP LOCKED, SQLite in a transaction that began IMMEDIATE; a job whose worker died comes back
when its lease is over. So a job may run twice, and is written to bear it.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from core.data import clock
from core.data.db import db
from core.data.write import write
from core.jobs.models import Job
from core.jobs.services import enqueue
from core.jobs.work import Work, all_work
from core.registry.registry import registry

LEASE = timedelta(seconds=60)
KEEP_DONE = timedelta(days=14)
KEEP_FAILED = timedelta(days=90)
_FIRST_DELAY, _LONGEST_DELAY = 10.0, 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker may run until its lease ends."""

    id: int
    name: str
    owner: str
    payload: dict[str, Any]
    attempts: int
    request_id: str


def due() -> bool:
    """Tell, cheaply and without a lock, whether a job waits."""
    return db.session.scalar(select(Job.id).where(_due()).limit(1)) is not None


def claim(worker: str, running: Collection[int] = ()) -> Claim | None:
    """Take the job that is due longest, but none that this process is ``running``; None if there is none.

    Jobs of an addon that does not run are put on hold on the way.
    """
    statement = select(Job).where(_due(), Job.id.not_in(running)).order_by(Job.run_at, Job.id).limit(1)
    locking = statement.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    with write() as session:
        while (job := session.scalar(locking)) is not None:
            if registry().runs(job.addon):
                job.state, job.worker, job.lease_until = "running", worker, clock.now() + LEASE
                job.attempts += 1
                return Claim(job.id, job.name, job.addon, dict(job.payload), job.attempts, job.request_id)
            job.state, job.worker, job.lease_until = "held", "", None
            session.flush()
    return None


def extend(worker: str, ids: Collection[int]) -> None:
    """Lengthen the leases of jobs that still run here."""
    if ids:
        with write() as session:
            mine = update(Job).where(Job.id.in_(ids), Job.worker == worker, Job.state == "running")
            session.execute(mine.values(lease_until=clock.now() + LEASE))


def finish(claimed: Claim, work: Work) -> None:
    """Mark the job done; one that comes again gets its next row in the same transaction."""
    with write() as session:
        job = session.get_one(Job, claimed.id)
        job.state, job.finished_at, job.lease_until, job.error = "done", clock.now(), None, ""
        _release_key(job, work)


def give_up_or_retry(claimed: Claim, error: str, work: Work | None) -> None:
    """Let the job wait before its next attempt, or mark it failed when its attempts are used up."""
    with write() as session:
        job = session.get_one(Job, claimed.id)
        job.error, job.lease_until = error[-8000:], None
        if work is not None and job.attempts < job.max_attempts:
            job.state, job.run_at = "waiting", clock.now() + timedelta(seconds=delay(job.attempts))
            return
        job.state, job.finished_at = "failed", clock.now()
        _release_key(job, work)


def hand_back(claimed: Claim) -> None:
    """Let somebody else run the job at once: this worker is stopping, and the attempt does not count."""
    with write() as session:
        job = session.get_one(Job, claimed.id)
        job.state, job.lease_until, job.attempts = "waiting", None, max(job.attempts - 1, 0)


def release_held() -> None:
    """Let jobs wait again whose addon runs again."""
    held = select(Job.addon).where(Job.state == "held").distinct()
    owners = [owner for owner in db.session.scalars(held) if registry().runs(owner)]
    if owners:
        with write() as session:
            again = update(Job).where(Job.state == "held", Job.addon.in_(owners))
            session.execute(again.values(state="waiting", run_at=clock.now()))


def schedule() -> None:
    """Give every periodic job that has no row yet its first one; they run at once, daily ones at their time."""
    periodic = {work.unique_key: work for work in all_work() if work.periodic}
    known = set(db.session.scalars(select(Job.unique_key).where(Job.unique_key.in_(periodic))))
    for key, work in periodic.items():
        if key not in known:
            first = work.next_run() if work.at else clock.now()
            enqueue(work.name, {}, run_at=first, unique_key=key)


def prune() -> None:
    """Remove jobs that were done, or failed, long ago."""
    now = clock.now()
    with write() as session:
        old = or_(
            and_(Job.state == "done", Job.finished_at < now - KEEP_DONE),
            and_(Job.state == "failed", Job.finished_at < now - KEEP_FAILED),
        )
        session.execute(delete(Job).where(old))


def delay(attempts: int) -> float:
    """Return the seconds to wait after so many attempts: doubling, with up to a half more so that jobs spread out."""
    return min(_FIRST_DELAY * 2 ** (attempts - 1), _LONGEST_DELAY) * (1 + random.random() / 2)  # noqa: S311


def _due() -> ColumnElement[bool]:
    now = clock.now()
    return or_(
        and_(Job.state == "waiting", Job.run_at <= now),
        and_(Job.state == "running", Job.lease_until < now),
    )


def _release_key(job: Job, work: Work | None) -> None:
    """Free the job's key, and store the next run of a periodic one under it."""
    key, job.unique_key = job.unique_key, None
    db.session.flush()
    if work is not None and work.periodic and key == work.unique_key:
        enqueue(work.name, {}, run_at=work.next_run(), unique_key=key)
