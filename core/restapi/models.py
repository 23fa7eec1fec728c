"""Keys of programs, how often each calls, and the answers kept for repeated requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db
from core.data.scope import Own
from core.data.types import Json


class ApiKey(db.Model):
    """A key of a program: only its hash is stored; without a company it is the merchant's own."""

    __tablename__ = "restapi_key"
    __scope__ = Own()

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Public: the part of the key that names it on pages and in the audit.
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    permissions: Mapped[list[str]] = mapped_column(Json)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    #: To the minute: written with the first call of each.
    last_used_at: Mapped[datetime | None]


class ApiUse(db.Model):
    """How many calls of a key's minute the processes have taken, to be used one by one."""

    __tablename__ = "restapi_use"

    key_id: Mapped[int] = mapped_column(ForeignKey("restapi_key.id", ondelete="CASCADE"), primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    calls: Mapped[int] = mapped_column(default=1)


class ApiAnswer(db.Model):
    """The answer to a request with an Idempotency-Key; ``status`` is None while the request is at work."""

    __tablename__ = "restapi_answer"
    __table_args__ = (UniqueConstraint("key_id", "reference"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("restapi_key.id", ondelete="CASCADE"))
    reference: Mapped[str] = mapped_column(String(255))
    #: SHA-256 of method, address and body: the same reference must mean the same request.
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    headers: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
