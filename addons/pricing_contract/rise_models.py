"""The price rises that buyers have been told of."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.api.catalog import Product
from core.api.data import Own, Price, Quantity, db


class PriceRise(db.Model):
    """A product that a company buys costs more from ``day`` on (in the seller's zone), at the quantity it ordered last.

    ``before`` and ``after`` are net for ``per`` of ``unit`` in ``currency``. A rise that is changed before its day is
    told again, as another row; ``withdrawn_at``: it was called off, or replaced by such a row.
    """

    __tablename__ = "pricing_contract_rise"
    __scope__ = Own(writable=False)
    __table_args__ = (UniqueConstraint("company_id", "product_id", "unit", "day", "after"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), index=True)
    unit: Mapped[str] = mapped_column(String(20))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    day: Mapped[date] = mapped_column(index=True)
    currency: Mapped[str] = mapped_column(String(3))
    before: Mapped[Decimal] = mapped_column(Price)
    after: Mapped[Decimal] = mapped_column(Price)
    per: Mapped[Decimal] = mapped_column(Quantity)
    told_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    product: Mapped[Product] = relationship()
