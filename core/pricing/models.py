"""List prices, tax rates and currency rates."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.data.db import db
from core.data.types import Price, Quantity


class ListPrice(db.Model):
    """The merchant's own price, net, for ``per`` units, valid in [valid_from, valid_until)."""

    __tablename__ = "pricing_list_price"
    __stamp__ = "list_prices"
    __table_args__ = (
        UniqueConstraint("product_id", "unit", "currency", "valid_from"),
        CheckConstraint("per > 0", name="per"),
        CheckConstraint("price >= 0", name="price"),
        # all that pricing reads, so that a price is one descent of one tree
        Index(
            "ix_pricing_list_price_lookup",
            "product_id", "unit", "currency", "valid_from", "valid_until", "price", "per",
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"))
    unit: Mapped[str] = mapped_column(String(20))
    currency: Mapped[str] = mapped_column(String(3))
    price: Mapped[Decimal] = mapped_column(Price)
    per: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(1))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]


class TaxRate(db.Model):
    """VAT percent of a country and category (standard, reduced, zero), valid in [valid_from, valid_until)."""

    __tablename__ = "pricing_tax_rate"
    __stamp__ = "tax"
    __table_args__ = (UniqueConstraint("country", "category", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(2))
    category: Mapped[str] = mapped_column(String(20))
    rate: Mapped[Decimal] = mapped_column(Price)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]


class CurrencyRate(db.Model):
    """How many units of ``target`` one unit of ``source`` costs on ``day``; a missing rate is an error."""

    __tablename__ = "pricing_currency_rate"
    __table_args__ = (Index("ix_pricing_currency_rate_key", "source", "target", "day", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(3))
    target: Mapped[str] = mapped_column(String(3))
    day: Mapped[date]
    rate: Mapped[Decimal] = mapped_column(Price)
    origin: Mapped[str] = mapped_column(String(60), default="")
