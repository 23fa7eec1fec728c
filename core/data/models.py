"""Tables of the framework itself: audit, files and what became of reference data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db
from core.data.scope import Audience, Trail
from core.data.types import Json
from core.spec.errors import WriteError


class AuditEntry(db.Model):
    """One thing that somebody did; written in the transaction of the thing itself, never changed."""

    __tablename__ = "core_audit"
    __scope__ = Trail()
    __table_args__ = (Index("ix_core_audit_entity", "entity", "entity_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None]
    actor: Mapped[str] = mapped_column(String(200))
    on_behalf_of: Mapped[int | None]
    company_id: Mapped[int | None] = mapped_column(index=True)
    entity: Mapped[str] = mapped_column(String(60))
    entity_id: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text, default="")
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)
    request_id: Mapped[str] = mapped_column(String(40), default="")
    addon: Mapped[str] = mapped_column(String(40), default="")


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _keep(_mapper: Any, _connection: Any, entry: AuditEntry) -> None:
    raise WriteError(f"audit entry {entry.id} would be changed: the trail is only added to")


class StoredFile(db.Model):
    """A file under the data directory; ``company_id`` None means it is not confidential to one company."""

    __tablename__ = "core_file"
    __scope__ = Audience()

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    company_id: Mapped[int | None] = mapped_column(
        Integer, ForeignKey("companies_company.id", ondelete="CASCADE"), index=True
    )
    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    created_at: Mapped[datetime]


class Stamp(db.Model):
    """What a group of tables held when it was last changed, as a random word (see core.data.stamps)."""

    __tablename__ = "core_stamp"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(32))


class SeededRow(db.Model):
    """A row of a seed and the record it became."""

    __tablename__ = "core_seed_row"

    owner: Mapped[str] = mapped_column(String(40), primary_key=True)
    seed: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    record_id: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
