"""The life of a job row: claimed under a lease, finished, tried again later, failed, held while its addon is off.

PostgreSQL claims with SKIP LOCKED, SQLite in a transaction that began IMMEDIATE; a job whose worker died comes back
when its lease is over. So a job may run twice, and is written to bear it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, tuple_, update

from core.data import clock
from core.data.db import db
from core.data.write import locked, write
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
    unique_key: str | None = None


def due() -> bool:
    """Tell, cheaply and without a lock, whether a job waits."""
    return db.session.scalar(select(Job.id).where(is_due()).limit(1)) is not None


def claim(worker: str, running: Collection[int] = (), *, only: int | None = None) -> Claim | None:
    """Take the job that is due longest, or ``only`` the one with this id if it is due; None if there is none."""
    return next(iter(claim_some(worker, 1, running, only=only)), None)


def claim_some(worker: str, most: int, running: Collection[int] = (), *, only: int | None = None) -> list[Claim]:
    """Take up to ``most`` jobs that are due, longest first, but none that this process is ``running``.

    Jobs of an addon that does not run are put on hold on the way.
    """
    wanted = and_(is_due(), Job.id.not_in(running))
    if only is not None:
        wanted = and_(wanted, Job.id == only)
    columns = (Job.id, Job.name, Job.addon, Job.payload, Job.attempts, Job.request_id, Job.unique_key)
    first = locked(select(*columns).where(wanted).order_by(Job.run_at, Job.id).limit(most), skip_locked=True)
    with write() as session:
        while rows := session.execute(first).all():
            off = [row.id for row in rows if not registry().runs(row.addon)]
            mine = [row for row in rows if row.id not in off]
            if off:
                _set(off, state="held", worker="", lease_until=None)
            if mine:
                lease = clock.now() + LEASE
                ids = [row.id for row in mine]
                _set(ids, state="running", worker=worker, lease_until=lease, sent_at=None, attempts=Job.attempts + 1)
                return [
                    Claim(row.id, row.name, row.addon, dict(row.payload), row.attempts + 1, row.request_id, row.unique_key)
                    for row in mine
                ]
    return []


def extend(worker: str, ids: Collection[int]) -> None:
    """Lengthen the leases of jobs that still run here."""
    if ids:
        with write() as session:
            mine = update(Job).where(Job.id.in_(ids), Job.worker == worker, Job.state == "running")
            session.execute(mine.values(lease_until=clock.now() + LEASE))


def finish(ended: Sequence[tuple[Claim, Work]]) -> None:
    """Mark jobs as done in one transaction; one that comes again gets its next row in the same."""
    if not ended:
        return
    with write() as session:
        done = {"state": "done", "finished_at": clock.now(), "lease_until": None, "error": ""}
        _set_mine([claimed for claimed, _work in ended], **done)
        for claimed, work in ended:
            if claimed.unique_key is not None:
                job = session.get_one(Job, claimed.id, populate_existing=True)
                if job.state == "done" and job.attempts == claimed.attempts:
                    _release_key(job, work)


def give_up_or_retry(claimed: Claim, error: str, work: Work | None) -> None:
    """Let the job wait before its next attempt, or mark it failed when its attempts are used up."""
    with write() as session:
        job = session.scalar(locked(select(Job).where(_mine([claimed]))))
        if job is None:
            return
        job.error, job.lease_until = error[-8000:], None
        if work is not None and job.attempts < job.max_attempts:
            job.state, job.run_at = "waiting", clock.now() + timedelta(seconds=delay(job.attempts))
            return
        job.state, job.finished_at = "failed", clock.now()
        _release_key(job, work)


def hand_back(claimed: Sequence[Claim]) -> None:
    """Let others run the jobs at once, which were taken and not begun: the attempt does not count."""
    if claimed:
        with write():
            _set_mine(claimed, state="waiting", lease_until=None, sent_at=None, attempts=Job.attempts - 1)


def release_held() -> None:
    """Let jobs wait again whose addon runs again."""
    held = select(Job.addon).where(Job.state == "held").distinct()
    owners = [owner for owner in db.session.scalars(held) if registry().runs(owner)]
    if owners:
        with write() as session:
            again = update(Job).where(Job.state == "held", Job.addon.in_(owners))
            session.execute(again.values(state="waiting", run_at=clock.now(), sent_at=None))


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
            and_(Job.state.in_(("failed", "discarded")), Job.finished_at < now - KEEP_FAILED),
        )
        session.execute(delete(Job).where(old))


def delay(attempts: int) -> float:
    """Return the seconds to wait after so many attempts: doubling, with up to a half more so that jobs spread out."""
    return min(_FIRST_DELAY * 2 ** (attempts - 1), _LONGEST_DELAY) * (1 + random.random() / 2)  # noqa: S311


def is_due() -> ColumnElement[bool]:
    """Return the condition: it waits and its time has come, or its worker died."""
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


def _mine(claimed: Sequence[Claim]) -> ColumnElement[bool]:
    """Return the condition of jobs that nobody took over: a worker may come to after its leases, and find others at them."""
    return and_(tuple_(Job.id, Job.attempts).in_([(c.id, c.attempts) for c in claimed]), Job.state == "running")


def _set_mine(claimed: Sequence[Claim], **values: Any) -> None:
    statement = update(Job).where(_mine(claimed)).values(**values)
    db.session.execute(statement.execution_options(synchronize_session=False))


def _set(ids: Sequence[int], **values: Any) -> None:
    """Change rows of which this transaction keeps everybody else away."""
    db.session.execute(update(Job).where(Job.id.in_(ids)).values(**values).execution_options(synchronize_session=False))
