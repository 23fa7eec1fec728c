"""Rules and limits of companies, approvals of orders, and what people decided."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Amount, Json, Subtree, Tree, db

EFFECTS = ("require", "bypass", "deny")
STATES = ("waiting", "approved", "rejected")
OUTCOMES = ("approved", "rejected")


class Rule(db.Model):
    """A rule of a company, which its subsidiaries inherit: what happens with an order above ``above``.

    ``approver_role`` and ``approver_id`` say who decides; ``for_role`` '' is every requester. Tiers decide in their order.
    """

    __tablename__ = "approval_chain_rule"
    __scope__ = Tree()
    __table_args__ = (
        CheckConstraint(f"effect in {EFFECTS!r}", name="effect"),
        CheckConstraint("above >= 0", name="above"),
        CheckConstraint("need >= 0", name="need"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    effect: Mapped[str] = mapped_column(String(10), default="require")
    fact: Mapped[str] = mapped_column(String(20), default="total")
    above: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    #: Currency of ``above`` where the fact is money; '' else.
    currency: Mapped[str] = mapped_column(String(3), default="")
    for_role: Mapped[str] = mapped_column(String(30), default="")
    approver_role: Mapped[str] = mapped_column(String(30), default="")
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    #: How many of them must approve; 0 is all.
    need: Mapped[int] = mapped_column(default=1)
    tier: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class Limit(db.Model):
    """What a person (or, without one, a role) may order alone and may approve. None is unlimited, 0 is nothing."""

    __tablename__ = "approval_chain_limit"
    __scope__ = Tree()
    __table_args__ = (
        CheckConstraint("(user_id is null) <> (role = '')", name="whose"),
        UniqueConstraint("company_id", "user_id", "role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(30), default="")
    currency: Mapped[str] = mapped_column(String(3))
    order_limit: Mapped[Decimal | None] = mapped_column(Amount)
    approve_limit: Mapped[Decimal | None] = mapped_column(Amount)


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
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Decision(db.Model):
    """What one person decided at one tier; only ever added."""

    __tablename__ = "approval_chain_decision"
    __scope__ = Subtree()
    __table_args__ = (
        CheckConstraint(f"outcome in {OUTCOMES!r}", name="outcome"),
        UniqueConstraint("approval_id", "tier", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_approval.id", ondelete="CASCADE"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="RESTRICT"), index=True)
    user_name: Mapped[str] = mapped_column(String(200))
    tier: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str] = mapped_column(Text, default="")
    #: Digest of the order that the person saw.
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
