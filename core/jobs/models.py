"""The job table, which is also the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db
from core.data.types import Json


class Job(db.Model):
    """A unit of work: written in the business transaction, consumed by status, never by cursor.

    States: waiting, running (until ``lease_until``), done, failed (attempts used up), held (its addon is off).
    """

    __tablename__ = "core_job"
    __table_args__ = (Index("ix_core_job_due", "state", "run_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    addon: Mapped[str] = mapped_column(String(40), default="core")
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=8)
    #: When its id was sent to a broker, None where it was not, or a worker took it; see core.jobs.broker.
    sent_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str] = mapped_column(String(80), default="")
    unique_key: Mapped[str | None] = mapped_column(String(160), unique=True)
    error: Mapped[str] = mapped_column(Text, default="")
    progress: Mapped[int | None]
    total: Mapped[int | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    request_id: Mapped[str] = mapped_column(String(40), default="")
