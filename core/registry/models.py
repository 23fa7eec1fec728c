"""What decides which addons run: intent, generation, incidents and processes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db


class AddonState(db.Model):
    """The operator's intent for an addon; health is computed at each build, never stored."""

    __tablename__ = "core_addon"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=False)
    version: Mapped[str] = mapped_column(String(30), default="")
    #: As the manifest said when it was enabled: known even when the files are gone.
    critical: Mapped[bool] = mapped_column(default=False)
    changed_by: Mapped[str] = mapped_column(String(200), default="")
    changed_at: Mapped[datetime]


class Operation(db.Model):
    """Something an operator started: enable, disable, upgrade; with its log, followed by the back-office."""

    __tablename__ = "core_operation"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    #: names of the addons, separated by spaces
    addons: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(200))
    #: running, done, refused, failed, interrupted
    state: Mapped[str] = mapped_column(String(12), default="running")
    log: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]


class Generation(db.Model):
    """One row (id 1): a counter that only operations raise, in the transaction that changes the set."""

    __tablename__ = "core_generation"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime]


class Incident(db.Model):
    """A failure of an addon, deduplicated by fingerprint."""

    __tablename__ = "core_incident"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    addon: Mapped[str] = mapped_column(String(40), index=True)
    #: discover, probe, build, request or job
    phase: Mapped[str] = mapped_column(String(20))
    hook: Mapped[str] = mapped_column(String(60), default="")
    generation: Mapped[int]
    message: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, default="")
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    count: Mapped[int] = mapped_column(default=1)
    process: Mapped[str] = mapped_column(String(80), default="")


class Process(db.Model):
    """Heartbeat of a serving process: the one row that a running process writes."""

    __tablename__ = "core_process"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    generation: Mapped[int]
    addons: Mapped[str] = mapped_column(Text, default="")
    #: of core.registry.code: what it runs, which may be older than what lies on disk
    code: Mapped[str] = mapped_column(String(12), default="", server_default="")
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class OwnedTable(db.Model):
    """Which addon a table belongs to, so that it can be removed when the addon's files are gone."""

    __tablename__ = "core_owned_table"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    owner: Mapped[str] = mapped_column(String(40), index=True)
