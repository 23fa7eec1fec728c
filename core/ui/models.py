"""Saved views of lists. They belong to a person, whatever company is active."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db
from core.data.types import Json


class ListView(db.Model):
    """A selection of a list under a name: filters, search, sort and columns, as the list's address carries them.

    ``shared``: all staff see it. ``by`` is the owner's name when it was saved, so that a page need not ask for people.
    """

    __tablename__ = "core_list_view"
    __table_args__ = (
        UniqueConstraint("user_id", "list_key", "name"),
        Index("ix_core_list_view_shared", "list_key", "shared"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    list_key: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"))
    by: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(60))
    #: pairs of the address's query: [["state", "submitted"], ["col", "net"]]
    params: Mapped[list[list[str]]] = mapped_column(Json)
    shared: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]


class ListDefault(db.Model):
    """The view that a person sees first when opening a list; it may be another's that is shared."""

    __tablename__ = "core_list_default"

    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), primary_key=True)
    list_key: Mapped[str] = mapped_column(String(80), primary_key=True)
    view_id: Mapped[int] = mapped_column(ForeignKey("core_list_view.id", ondelete="CASCADE"), index=True)
