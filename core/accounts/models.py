"""People, their sessions and sign-in attempts."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from flask_security import UserMixin
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.accounts.devices import device
from core.data.db import db
from core.data.types import Json


class User(db.Model, UserMixin):  # type: ignore[misc]
    """A person: a buyer of one or more companies, a member of staff, or both."""

    __tablename__ = "accounts_user"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Random and public: names the person in addresses of pages.
    code: Mapped[str] = mapped_column(String(20), unique=True, default=lambda: secrets.token_hex(6))
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(10), default="en")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    password_changed_at: Mapped[datetime | None]
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    totp_last_counter: Mapped[int | None]
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(Json)
    #: The company chosen last by a person who belongs to several: a hint, checked at use, hence no foreign key.
    last_company_id: Mapped[int | None]
    #: How many notifications the person has not read; kept by core.notifications, so that pages need not count.
    unread: Mapped[int] = mapped_column(default=0)

    staff_roles: Mapped[list[StaffRole]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    @property
    def roles(self) -> list[Any]:
        """Flask-Security's roles are not used: permissions come from staff roles and memberships."""
        return []

    @property
    def is_staff(self) -> bool:
        """True for a member of the merchant's staff."""
        return bool(self.staff_roles)


class StaffRole(db.Model):
    """One role of a member of staff: admin, sales, finance or warehouse."""

    __tablename__ = "accounts_staff_role"

    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(30), primary_key=True)


class LoginSession(db.Model):
    """A server-side session: revocable, with idle and absolute ends; only the hash of the cookie's token is stored."""

    __tablename__ = "accounts_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    #: Ends after so many seconds without a request, and at ``expires_at`` whatever happens.
    idle_seconds: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    address: Mapped[str] = mapped_column(String(64), default="")

    @property
    def reference(self) -> str:
        """Names the session on pages; says nothing about its token."""
        return self.token_hash[:16]

    @property
    def device(self) -> str:
        """Browser and system, for people."""
        return device(self.user_agent)


class Attempt(db.Model):
    """A failed or counted attempt (login, second factor, reset): limits live in the database, not in memory."""

    __tablename__ = "accounts_attempt"
    __table_args__ = (Index("ix_accounts_attempt_key", "kind", "key", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class UserToken(db.Model):
    """A link sent by mail (``reset`` or ``welcome``): stored hashed, works once, ends, dies with the old password."""

    __tablename__ = "accounts_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: Digest of the address and password for which it was made.
    bound_to: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
