"""Assortments, and the products and categories that they name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.api.changes import PreparedChange
from core.api.data import Json, Staff, db
from core.api.pricing import BEGINNING

AUDIENCES = ("company", "segment", "location", "public")
#: Only these goods; all but these; these too, whatever other assortments hide.
MODES = ("only", "without", "also")
STATUSES = ("draft", "active", "ended")
CHANGE_STATES = ("open", "scheduled", "published", "undone", "withdrawn")


class Assortment(db.Model):
    """What a company with its subsidiaries, a segment, a country's companies or everybody sees; valid in [from, until).

    Buyers do not read assortments: they read the catalogue through them (see seeing.py).
    """

    __tablename__ = "assortments_assortment"
    __stamp__ = "assortments"
    __scope__ = Staff()
    __table_args__ = (
        CheckConstraint(f"audience in {AUDIENCES!r}", name="audience"),
        CheckConstraint(f"mode in {MODES!r}", name="mode"),
        CheckConstraint(f"status in {STATUSES!r}", name="status"),
        CheckConstraint("(audience = 'company') = (company_id is not null)", name="company"),
        CheckConstraint("(audience = 'segment') = (segment_id is not null)", name="segment"),
        CheckConstraint("(audience = 'location') = (country <> '')", name="country"),
        CheckConstraint("valid_until is null or valid_until > valid_from", name="validity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    audience: Mapped[str] = mapped_column(String(10))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("companies_segment.id", ondelete="CASCADE"), index=True)
    #: ISO code of the country for whose companies it is, '' for any other audience.
    country: Mapped[str] = mapped_column(String(2), default="")
    mode: Mapped[str] = mapped_column(String(10))
    valid_from: Mapped[datetime] = mapped_column(default=BEGINNING)
    valid_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(10), default="draft")
    note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version}


class AssortmentRow(db.Model):
    """A product, or a category with everything below it, that an assortment names.

    It has no scope of its own: the condition on the catalogue reads it for buyers, by the assortments that concern them.
    """

    __tablename__ = "assortments_row"
    __stamp__ = "assortments"
    __table_args__ = (
        CheckConstraint("(product_id is null) != (category_id is null)", name="target"),
        UniqueConstraint("assortment_id", "product_id"),
        UniqueConstraint("assortment_id", "category_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assortment_id: Mapped[int] = mapped_column(ForeignKey("assortments_assortment.id", ondelete="CASCADE"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="CASCADE"), index=True)


class AssortmentChange(PreparedChange, db.Model):
    """Goods to be put in or taken out, and a state, prepared for an assortment; known by its number within it.

    ``rows`` are the goods: ``name``, ``target`` (product, category) and ``remove``. ``status`` is the state to set, '' for
    none. Once published, ``done`` are those of the rows that made a difference, and ``status_before`` is what it was.
    """

    __tablename__ = "assortments_change"
    __scope__ = Staff()
    __table_args__ = (
        CheckConstraint(f"state in {CHANGE_STATES!r}", name="state"),
        UniqueConstraint("assortment_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assortment_id: Mapped[int] = mapped_column(ForeignKey("assortments_assortment.id", ondelete="CASCADE"))
    rows: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(10), default="")
    done: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)
    status_before: Mapped[str] = mapped_column(String(10), default="")
    version: Mapped[int] = mapped_column(default=1)

    assortment: Mapped[Assortment] = relationship()

    __mapper_args__ = {"version_id_col": version}
