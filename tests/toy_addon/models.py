"""Notes on companies."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import db


class Note(db.Model):
    """A note, which goes with its company."""

    __tablename__ = "toy_addon_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(String(200))
