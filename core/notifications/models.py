"""Notifications and each person's choices about them. Both belong to a person, whatever company is active."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db


class Notification(db.Model):
    """One thing that one person was told, in that person's language.

    ``mail`` is how it reaches the mailbox: none, now, daily or weekly; ``mailed_at`` is set when the mail was
    put into the outbox, in the same transaction. ``in_app`` tells whether it stands on the person's page.
    """

    __tablename__ = "notifications_notification"
    __table_args__ = (
        Index("ix_notifications_person", "user_id", "in_app", "id"),
        Index("ix_notifications_due", "mail", "mailed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(90))
    #: What it is about, so that a job that runs twice tells nobody twice.
    key: Mapped[str] = mapped_column(String(160))
    subject: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(String(500), default="")
    in_app: Mapped[bool] = mapped_column(default=True)
    mail: Mapped[str] = mapped_column(String(10), default="none")
    mailed_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(index=True)


Index("ix_notifications_once", Notification.user_id, Notification.kind, Notification.key, unique=True)


class NotificationChoice(db.Model):
    """How a person wants to be told of one kind; without a row the kind's own values hold."""

    __tablename__ = "notifications_choice"

    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(90), primary_key=True)
    mail: Mapped[str] = mapped_column(String(10))
    in_app: Mapped[bool]
