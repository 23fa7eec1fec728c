"""Put work into the job table in the transaction of the deed, so that neither happens without the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from core.data import clock
from core.data.db import db
from core.data.write import after_commit, write, writing
from core.jobs.models import Job
from core.jobs.wakeup import wake
from core.jobs.work import Work, find
from core.registry.registry import registry
from core.spec.errors import Conflict, NotFound, WriteError


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
    with write() as session:
        job = session.get(Job, job_id)
        if job is None:
            raise NotFound("JOB-UNKNOWN", f"There is no job {job_id}.")
        if job.state not in ("failed", "held"):
            raise Conflict("JOB-NOT-FAILED", f"Job {job_id} is {job.state}: only failed and held jobs are retried.")
        job.state, job.attempts, job.run_at, job.error, job.finished_at = "waiting", 0, clock.now(), "", None
        after_commit(wake)


def newest(state: str = "", limit: int = 50) -> list[Job]:
    """Return the newest jobs, of one state if given."""
    statement = select(Job).order_by(Job.id.desc()).limit(limit)
    return list(db.session.scalars(statement.where(Job.state == state) if state else statement))


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
