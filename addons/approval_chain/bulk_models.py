"""Decisions on many orders at once, kept until each order has its outcome and been read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Json, Own, db


class Bulk(db.Model):
    """What one person decided on many orders: each by itself, bound to the digest that they saw."""

    __tablename__ = "approval_chain_bulk"
    __scope__ = Own()
    __table_args__ = (CheckConstraint("outcome in ('approved', 'rejected')", name="outcome"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    outcome: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str] = mapped_column(Text, default="")
    #: [number, digest], in the order in which they are decided on.
    orders: Mapped[list[list[str]]] = mapped_column(Json)
    #: [number, what became of it, "done" or "refused"] of those that were decided on, in the same order.
    results: Mapped[list[list[str]]] = mapped_column(Json, default=list)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
