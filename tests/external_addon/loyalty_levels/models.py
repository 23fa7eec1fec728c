"""Levels, and where each company stands."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Amount, Own, Price, db


class Level(db.Model):
    """A level: what a company must have bought, and the percent it gets off. Higher ``rank`` is better."""

    __tablename__ = "loyalty_levels_level"
    __table_args__ = (UniqueConstraint("rank"), CheckConstraint("percent >= 0 and percent <= 90000000", name="percent"))

    id: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int]
    name: Mapped[str] = mapped_column(String(60))
    percent: Mapped[Decimal] = mapped_column(Price)
    min_spend: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    min_orders: Mapped[int] = mapped_column(default=0)
    #: Most percent of the spend that may have come back.
    max_returns: Mapped[Decimal] = mapped_column(Price, default=Decimal(100))


class Standing(db.Model):
    """What a company bought in the window, the level it has, and until when a lost one is kept."""

    __tablename__ = "loyalty_levels_standing"
    __scope__ = Own(writable=False)

    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), primary_key=True)
    level_id: Mapped[int | None] = mapped_column(ForeignKey("loyalty_levels_level.id", ondelete="SET NULL"), index=True)
    spend: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    orders: Mapped[int] = mapped_column(default=0)
    returns: Mapped[Decimal] = mapped_column(Price, default=Decimal(0))
    grace_until: Mapped[datetime | None]
    counted_at: Mapped[datetime]
