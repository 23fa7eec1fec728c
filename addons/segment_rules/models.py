"""The rule of a segment, the companies that are in it by the rule, and the history of their moves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.api.catalog import Category
from core.api.companies import Company, Segment
from core.api.data import Amount, Json, Price, Staff, db


class Rule(db.Model):
    """What a company must fulfil to be in a segment; every condition that is set counts, at least one is.

    ``min_spend`` is net in the seller's currency, ``min_share`` the percent of the spend that fell into the category and
    those beneath it, ``countries`` ISO codes. The window ends now and is ``window_days`` long. Who no longer fulfils the
    rule stays ``grace_days`` longer.
    """

    __tablename__ = "segment_rules_rule"
    __scope__ = Staff()
    __table_args__ = (
        CheckConstraint("window_days between 1 and 3660", name="window_days"),
        CheckConstraint("grace_days between 0 and 3660", name="grace_days"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("companies_segment.id", ondelete="CASCADE"), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    window_days: Mapped[int] = mapped_column(default=365)
    grace_days: Mapped[int] = mapped_column(default=0)
    min_spend: Mapped[Decimal | None] = mapped_column(Amount)
    min_orders: Mapped[int | None]
    category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="SET NULL"), index=True)
    min_share: Mapped[Decimal | None] = mapped_column(Price)
    countries: Mapped[list[str]] = mapped_column(Json, default=list)
    evaluated_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    segment: Mapped[Segment] = relationship()
    category: Mapped[Category | None] = relationship()

    __mapper_args__ = {"version_id_col": version}


class Place(db.Model):
    """A company that is in a segment by its rule; who was put there by hand has none, and is never taken out."""

    __tablename__ = "segment_rules_place"
    __scope__ = Staff("company_id")

    rule_id: Mapped[int] = mapped_column(ForeignKey("segment_rules_rule.id", ondelete="CASCADE"), primary_key=True)
    company_id: Mapped[int] = mapped_column(
        ForeignKey("companies_company.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[datetime]
    #: Until when a company that no longer fulfils the rule stays.
    grace_until: Mapped[datetime | None]


class Move(db.Model):
    """A company joined or left a segment by its rule; ``figures`` say why, as they were then. Append-only.

    ``figures``: spend (a decimal as text, in ``currency``), orders, share (percent as text or None), country, and
    ``failed``, the conditions that did not hold. The segment's code stays although the segment may go.
    """

    __tablename__ = "segment_rules_move"
    __scope__ = Staff("company_id")
    __table_args__ = (Index("ix_segment_rules_move_segment", "segment_code", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    segment_code: Mapped[str] = mapped_column(String(40))
    joined: Mapped[bool]
    #: rule: the figures decided; ended: the rule was switched off or deleted
    cause: Mapped[str] = mapped_column(String(10), default="rule")
    figures: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    at: Mapped[datetime]

    company: Mapped[Company] = relationship()
