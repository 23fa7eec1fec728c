"""Promotions, and the voucher code that was entered for an order."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Amount, Price, Quantity, Staff, Subtree, db

KINDS = ("percent", "amount", "amount_each", "cheapest_free", "free_goods")
STATUSES = ("draft", "active", "ended")


class Promotion(db.Model):
    """A discount on orders, or goods that come with them, valid in [valid_from, valid_until).

    ``value``: percent, or an amount in ``currency`` ('' for percents and free units, which hold in any). ``min_value`` and
    ``min_quantity`` are what the counted lines reach; ``max_units`` how many units are reduced or given at most, the
    cheapest first. ``free_quantity`` units are free, once or ``for_every`` so many that count; of free goods all of these
    are in base units, and the reduced product is what is given (none: what was bought).
    """

    __tablename__ = "promotions_promotion"
    __scope__ = Staff()
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS!r}", name="kind"),
        CheckConstraint(f"status in {STATUSES!r}", name="status"),
        CheckConstraint("value >= 0", name="value"),
        CheckConstraint("company_id is null or segment_id is null", name="audience"),
        Index("ix_promotions_promotion_voucher", "status", "voucher"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[Decimal] = mapped_column(Price, default=Decimal(0))
    currency: Mapped[str] = mapped_column(String(3), default="")
    min_value: Mapped[Decimal | None] = mapped_column(Amount)
    min_quantity: Mapped[Decimal | None] = mapped_column(Quantity)
    max_units: Mapped[Decimal | None] = mapped_column(Quantity)
    free_quantity: Mapped[Decimal | None] = mapped_column(Quantity)
    for_every: Mapped[Decimal | None] = mapped_column(Quantity)
    #: Which lines count, and which are reduced; all where neither a product nor a category is named.
    counted_product_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"))
    counted_category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="CASCADE"))
    reduced_product_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"))
    reduced_category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="CASCADE"))
    with_charges: Mapped[bool] = mapped_column(default=False)
    on_agreed: Mapped[bool] = mapped_column(default=False)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("companies_segment.id", ondelete="CASCADE"), index=True)
    #: What the buyer enters, in capitals; '' where it counts by itself.
    voucher: Mapped[str] = mapped_column(String(40), default="")
    uses: Mapped[int | None]
    uses_per_company: Mapped[int | None]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(10), default="active")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version}


class Voucher(db.Model):
    """The code that was entered for a cart; it stays with the order."""

    __tablename__ = "promotions_voucher"
    __scope__ = Subtree()

    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"), primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(40), index=True)
