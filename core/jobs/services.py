"""Put work into the job table in the transaction of the deed, so that neither happens without the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from core.data import audit, clock
from core.data.db import db
from core.data.write import after_commit, locked, write, writing
from core.i18n import _
from core.jobs.models import Job
from core.jobs.wakeup import wake
from core.jobs.work import Work, find
from core.registry.registry import registry
from core.spec.errors import Conflict, NotFound, WriteError

PROGRESS_EVERY = 1.0  # seconds


def emit(event: str, payload: Mapping[str, Any]) -> None:
    """Add a job for every subscriber of ``event``; call it inside ``write()``, with plain ids, codes and a version."""
    if not writing():
        raise WriteError(f"{event} belongs into the transaction of what happened: emit it inside `with write():`")
    for contribution in registry().contributions("app_subscribers"):
        if contribution.value.event == event:
            _add(Work.of_subscriber(contribution), payload)


def enqueue(
    name: str, payload: Mapping[str, Any], *, run_at: datetime | None = None, unique_key: str | None = None
) -> int | None:
    """Add the job ``<owner>.<name>`` and return its id; joins an open ``write()``.

    With ``unique_key`` nothing is added, and None returned, while a job with that key is waiting or running.
    """
    return _add(find(name), payload, run_at=run_at, unique_key=unique_key)


def retry(job_id: int) -> None:
    """Let a failed or held job run again from its first attempt."""
    with write():
        job = _locked(job_id)
        if job is None:
            raise NotFound("JOB-UNKNOWN", _("There is no job %(job)s.", job=job_id))
        if job.state not in ("failed", "held"):
            text = _("Job %(job)s is %(state)s: only failed and held jobs are retried.", job=job_id, state=job.state)
            raise Conflict("JOB-NOT-FAILED", text)
        job.state, job.attempts, job.run_at, job.error, job.finished_at = "waiting", 0, clock.now(), "", None
        job.sent_at = None
        after_commit(wake)


def discard(job_id: int) -> None:
    """Give up a job that waits, failed or is held; it stays on the list as discarded. A periodic one comes again."""
    with write():
        job = _locked(job_id)
        if job is None:
            raise NotFound("JOB-UNKNOWN", _("There is no job %(job)s.", job=job_id))
        if job.state not in ("waiting", "failed", "held"):
            text = _("Job %(job)s is %(state)s: it cannot be discarded.", job=job_id, state=job.state)
            raise Conflict("JOB-NOT-DISCARDABLE", text)
        audit.record("job", str(job_id), "discarded", before={"state": job.state}, after={"name": job.name})
        job.state, job.finished_at, job.unique_key = "discarded", clock.now(), None


def progress(done: int, total: int) -> None:
    """Say how far the running job has come; call it between transactions, as often as you like.

    It is written at most once a second. Outside a job, and inside ``write()``, it does nothing.
    """
    job_id, before, now = g.get("tukku_job_id"), g.get("tukku_job_progress_at"), time.monotonic()
    if job_id is None or writing() or (before is not None and now - before < PROGRESS_EVERY and done < total):
        return
    g.tukku_job_progress_at = now
    with write() as session:
        session.execute(update(Job).where(Job.id == job_id).values(progress=done, total=total))


def newest(state: str = "", limit: int = 50) -> list[Job]:
    """Return the newest jobs, of one state if given."""
    statement = select(Job).order_by(Job.id.desc()).limit(limit)
    return list(db.session.scalars(statement.where(Job.state == state) if state else statement))


def _locked(job_id: int) -> Job | None:
    return db.session.scalar(locked(select(Job).where(Job.id == job_id)))


def _add(
    work: Work, payload: Mapping[str, Any], *, run_at: datetime | None = None, unique_key: str | None = None
) -> int | None:
    now = clock.now()
    row = {
        "name": work.name, "addon": work.owner, "payload": dict(payload), "state": "waiting", "run_at": run_at or now,
        "max_attempts": work.max_attempts, "unique_key": unique_key, "created_at": now,
        "request_id": g.get("request_id", ""), "attempts": 0, "worker": "", "error": "",
    }  # fmt: skip
    with write() as session:
        insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
        statement = insert(Job).values(**row).on_conflict_do_nothing(index_elements=["unique_key"]).returning(Job.id)
        job_id: int | None = session.scalar(statement)
        after_commit(wake)
    return job_id
