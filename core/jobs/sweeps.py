"""What always holds of stored jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from core.data import clock
from core.data.db import db
from core.jobs.models import Job
from core.jobs.queue import LEASE
from core.jobs.work import all_work
from core.registry.owners import known_owners
from core.registry.registry import registry
from core.spec.app import DataCheck

#: How much longer than its lease a job of a dead worker waits for another, where one runs.
SLACK = timedelta(minutes=5)


def stuck() -> Iterator[str]:
    """Find jobs whose worker is gone and which nobody took up again."""
    query = select(Job.id, Job.name).where(Job.state == "running", Job.lease_until < clock.now() - SLACK)
    return (f"{row.name} ({row.id})" for row in db.session.execute(query.order_by(Job.id)))


def unleased() -> Iterator[str]:
    """Find jobs that run without an end of their lease: no worker would take them up again."""
    ages = Job.lease_until.is_(None) | (Job.lease_until > clock.now() + 2 * LEASE + SLACK)
    query = select(Job.id, Job.name).where(Job.state == "running", ages).order_by(Job.id)
    return (f"{row.name} ({row.id})" for row in db.session.execute(query))


def unknown() -> Iterator[str]:
    """Find jobs that wait for code that no domain or addon has."""
    known, here = {work.name for work in all_work()}, registry()
    names = db.session.execute(select(Job.name, Job.addon).where(Job.state == "waiting").distinct().order_by(Job.name))
    return (name for name, addon in names if here.runs(addon) and name not in known)


def ownerless() -> Iterator[str]:
    """Find jobs that are still to run and belong to an addon that is gone."""
    query = select(Job.addon, Job.name).where(Job.state.in_(("waiting", "held")), Job.addon.not_in(known_owners()))
    return (name for _addon, name in db.session.execute(query.distinct().order_by(Job.addon, Job.name)))


CHECKS = (
    DataCheck(
        "JOB-STUCK", "A job whose worker died is taken up by another.", stuck,
        "Start `tukku worker`, or `tukku serve` without --no-jobs.",
    ),
    DataCheck(
        "JOB-UNLEASED", "A job that runs is lent to its worker for a minute at a time.", unleased,
        "Look whether the clocks of the machines agree; `tukku jobs list --state running` shows the jobs.",
    ),
    DataCheck(
        "JOB-UNKNOWN", "Each job that waits has code that runs it.", unknown,
        "`tukku jobs list --state waiting` shows them; `tukku jobs discard` gives one up.", "warning",
    ),
    DataCheck(
        "JOB-GONE", "Each job that waits or is held belongs to core or to an addon that is installed.", ownerless,
        "Install the addon again, or give the job up: `tukku jobs list --state held`, `tukku jobs discard`.", "warning",
    ),
)  # fmt: skip
