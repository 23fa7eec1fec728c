"""The merchant's own legal entity, and the companies that buy from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.data.db import db
from core.data.scope import Own, Subtree, Tree
from core.data.types import Json, Translated


class Seller(db.Model):
    """The merchant's legal entity; one row for now, but documents already carry its id."""

    __tablename__ = "companies_seller"
    __stamp__ = "seller"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(30), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    business_id: Mapped[str] = mapped_column(String(40), default="")
    vat_id: Mapped[str] = mapped_column(String(40), default="")
    street: Mapped[str] = mapped_column(String(200), default="")
    postal_code: Mapped[str] = mapped_column(String(20), default="")
    city: Mapped[str] = mapped_column(String(100), default="")
    country: Mapped[str] = mapped_column(String(2))
    email: Mapped[str] = mapped_column(String(255), default="")
    phone: Mapped[str] = mapped_column(String(50), default="")
    iban: Mapped[str] = mapped_column(String(40), default="")
    bic: Mapped[str] = mapped_column(String(20), default="")
    zone: Mapped[str] = mapped_column(String(60))
    currency: Mapped[str] = mapped_column(String(3))
    locale: Mapped[str] = mapped_column(String(10), default="en")


class Company(db.Model):
    """A company that buys; ``parent`` makes a tree along which contracts are inherited."""

    __tablename__ = "companies_company"
    __scope__ = Tree("id")

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("companies_company.id", ondelete="RESTRICT"), index=True)
    country: Mapped[str] = mapped_column(String(2))
    business_id: Mapped[str] = mapped_column(String(40), default="")
    vat_id: Mapped[str] = mapped_column(String(40), default="")
    locale: Mapped[str] = mapped_column(String(10), default="en")
    currency: Mapped[str] = mapped_column(String(3))
    email: Mapped[str] = mapped_column(String(255), default="")
    phone: Mapped[str] = mapped_column(String(50), default="")
    #: active: may order; blocked: may look but not order; closed: nobody signs in for it.
    status: Mapped[str] = mapped_column(String(20), default="active")
    sales_rep_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    source: Mapped[str] = mapped_column(String(40), default="")
    external_id: Mapped[str] = mapped_column(String(80), default="")
    extra: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    addresses: Mapped[list[Address]] = relationship(
        back_populates="company", cascade="all, delete-orphan", order_by="Address.code"
    )

    __table_args__ = (CheckConstraint("status in ('active', 'blocked', 'closed')", name="status"),)
    __mapper_args__ = {"version_id_col": version}


class Address(db.Model):
    """A bill-to or ship-to address; orders keep a snapshot, never a reference alone."""

    __tablename__ = "companies_address"
    __scope__ = Subtree()
    __table_args__ = (UniqueConstraint("company_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    #: bill_to, ship_to or both
    use: Mapped[str] = mapped_column(String(10), default="both")
    name: Mapped[str] = mapped_column(String(200))
    street: Mapped[str] = mapped_column(String(200))
    street2: Mapped[str] = mapped_column(String(200), default="")
    postal_code: Mapped[str] = mapped_column(String(20), default="")
    city: Mapped[str] = mapped_column(String(100))
    region: Mapped[str] = mapped_column(String(100), default="")
    country: Mapped[str] = mapped_column(String(2))
    contact: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(50), default="")
    instructions: Mapped[str] = mapped_column(Text, default="")
    zone: Mapped[str] = mapped_column(String(60), default="")
    is_default: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    extra: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    company: Mapped[Company] = relationship(back_populates="addresses")


class Segment(db.Model):
    """A group of companies (gold, construction); price lists and assortments may name it."""

    __tablename__ = "companies_segment"
    __stamp__ = "segments"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[dict[str, str]] = mapped_column(Translated)


class CompanySegment(db.Model):
    """Membership of a company in a segment."""

    __tablename__ = "companies_company_segment"
    __scope__ = Tree(writable=False)

    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), primary_key=True)
    segment_id: Mapped[int] = mapped_column(
        ForeignKey("companies_segment.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Membership(db.Model):
    """A person's role in a company: orderer, approver, company_admin or viewer (several rows for several)."""

    __tablename__ = "companies_membership"
    __scope__ = Subtree()
    __table_args__ = (UniqueConstraint("user_id", "company_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(30))
    created_at: Mapped[datetime]


class Invitation(db.Model):
    """An invitation by link: the token is stored hashed, works once and ends."""

    __tablename__ = "companies_invitation"
    __scope__ = Own()
    __table_args__ = (Index("ix_companies_invitation_email", "email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(200), default="")
    roles: Mapped[list[str]] = mapped_column(Json)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @property
    def reference(self) -> str:
        """Names the invitation on pages; says nothing about its token."""
        return self.token_hash[:16]
