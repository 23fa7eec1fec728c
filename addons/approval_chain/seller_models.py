"""The seller's own rules, by which its staff approve orders, and what they decided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Staff, db

from .rule_models import EFFECTS, RuleParts


class SellerRule(RuleParts, db.Model):
    """A rule of the seller; its steps ask roles and people of the staff."""

    __tablename__ = "approval_chain_seller_rule"
    __scope__ = Staff()
    __table_args__ = (CheckConstraint(f"effect in {EFFECTS!r}", name="effect"),)


class SellerDecision(db.Model):
    """What a member of staff decided on an order, as it was then; only ever added."""

    __tablename__ = "approval_chain_seller_decision"
    __scope__ = Staff()
    __table_args__ = (
        CheckConstraint("outcome in ('approved', 'rejected')", name="outcome"),
        UniqueConstraint("order_id", "digest", "tier", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="RESTRICT"), index=True)
    user_name: Mapped[str] = mapped_column(String(200))
    tier: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str] = mapped_column(Text, default="")
    #: Digest of the order that the person saw; a changed order is decided on anew.
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
