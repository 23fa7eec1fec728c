"""Approvals of orders, what people decided on which version, who stands in for whom, and links of mails."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Json, Subtree, Tree, db

#: ``released``: by the seller's staff; ``withdrawn``: the order was cancelled meanwhile.
STATES = ("waiting", "returned", "approved", "rejected", "released", "withdrawn")
OUTCOMES = ("approved", "rejected", "returned")


class Approval(db.Model):
    """The approval of one order: bound to the digest of what was placed."""

    __tablename__ = "approval_chain_approval"
    __scope__ = Subtree()
    __table_args__ = (CheckConstraint(f"state in {STATES!r}", name="state"), UniqueConstraint("order_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    #: The plan as it was at submit: [{tier, people, need, rule, climbed}], kept for the record.
    plan: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10), default="waiting", index=True)
    #: Raised whenever the order went back and came again: everybody decides once a round.
    round: Mapped[int] = mapped_column(default=1)
    #: The tier whose turn it is, since when, and its clock; None: never.
    tier: Mapped[int | None]
    tier_since: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    escalate_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    reminded: Mapped[int] = mapped_column(default=0)
    escalated: Mapped[bool] = mapped_column(default=False)
    #: Whom who ordered asks to decide, of several of whom one is enough.
    assigned_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    #: Who looks at it now.
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    #: Who took the order over, because who ordered has left.
    taken_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    #: Whether who ordered asked for an approval that no rule requires (OrderRequest).
    wished: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class OrderRequest(db.Model):
    """Whom who orders asks for an approval that no rule requires, while it is a cart and after; None: anybody."""

    __tablename__ = "approval_chain_order_request"
    __scope__ = Subtree()

    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"), primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    message: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class Version(db.Model):
    """What an order said when it was placed or changed: decisions bind to its digest. Only ever added."""

    __tablename__ = "approval_chain_version"
    __scope__ = Subtree()
    __table_args__ = (UniqueConstraint("approval_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_approval.id", ondelete="CASCADE"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    #: What the rules asked of it, as "tier:rule": a decision stays valid only for what was asked then.
    asked: Mapped[list[str]] = mapped_column(Json)
    at: Mapped[datetime]


class Decision(db.Model):
    """What one person decided at one tier; only ever added."""

    __tablename__ = "approval_chain_decision"
    __scope__ = Subtree()
    __table_args__ = (
        CheckConstraint(f"outcome in {OUTCOMES!r}", name="outcome"),
        # a person decides once a turn for themselves, and once for each for whom they stand in
        UniqueConstraint("approval_id", "round", "tier", "user_id", "for_id"),
        Index(
            "uq_approval_chain_decision_own",
            "approval_id",
            "round",
            "tier",
            "user_id",
            unique=True,
            sqlite_where=text("for_id is null"),
            postgresql_where=text("for_id is null"),
        ),
        # what somebody decided, and whether they did of an order: without all three, SQLite reads all that they ever decided
        Index("ix_approval_chain_decision_user", "user_id", "approval_id", "round"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_approval.id", ondelete="CASCADE"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="RESTRICT"))
    user_name: Mapped[str] = mapped_column(String(200))
    #: For whom a substitute decided; None: for themselves.
    for_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"))
    for_name: Mapped[str] = mapped_column(String(200), default="")
    #: Whether it settles the tier whoever else was asked: the order was passed on to this person.
    senior: Mapped[bool] = mapped_column(default=False)
    round: Mapped[int] = mapped_column(default=1)
    tier: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str] = mapped_column(Text, default="")
    #: Quantities by position that were proposed with a return: {"2": "5", "3": "0"}; 0 drops the line.
    proposed: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    #: Digest of the order that the person saw.
    digest: Mapped[str] = mapped_column(String(64))
    #: page, mail: where it was decided.
    through: Mapped[str] = mapped_column(String(10), default="page")
    at: Mapped[datetime]


class Absence(db.Model):
    """A person is away: from and until which day, why, and who decides in their place (None: nobody by name)."""

    __tablename__ = "approval_chain_absence"
    __scope__ = Tree()
    __table_args__ = (CheckConstraint("until >= since", name="days"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    substitute_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    since: Mapped[date]
    until: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]


class Manager(db.Model):
    """Who leads whom in a company; never in a circle."""

    __tablename__ = "approval_chain_manager"
    __scope__ = Tree()
    __table_args__ = (UniqueConstraint("company_id", "user_id"), CheckConstraint("user_id <> manager_id", name="another"))

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    manager_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)


class Link(db.Model):
    """A link of a mail by which one person decides once on one version, without signing in. Only the hash is kept."""

    __tablename__ = "approval_chain_link"
    __scope__ = Subtree()

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_approval.id", ondelete="CASCADE"), index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    round: Mapped[int]
    tier: Mapped[int]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
