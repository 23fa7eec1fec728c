"""Products, categories, technical attributes, units and media."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.data.db import db
from core.data.scope import Inherited
from core.data.types import Json, Quantity, Translated, folded


class Category(db.Model):
    """A node of the category tree; ``path`` is ``/root/child/`` of codes, for subtree conditions."""

    __tablename__ = "catalog_category"
    __stamp__ = "catalogue"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="RESTRICT"), index=True)
    path: Mapped[str] = mapped_column(String(400), index=True)
    name: Mapped[dict[str, str]] = mapped_column(Translated)
    position: Mapped[int] = mapped_column(default=0)
    #: A hidden category and everything beneath it is not in the shop.
    hidden: Mapped[bool] = mapped_column(default=False)


class Attribute(db.Model):
    """A technical attribute: text, number (in ``unit``), choice or boolean; a facet where ``facet``."""

    __tablename__ = "catalog_attribute"
    __stamp__ = "catalogue"
    __table_args__ = (CheckConstraint("type in ('text', 'number', 'choice', 'boolean')", name="type"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[dict[str, str]] = mapped_column(Translated)
    type: Mapped[str] = mapped_column(String(10))
    unit: Mapped[str] = mapped_column(String(20), default="")
    facet: Mapped[bool] = mapped_column(default=False)
    #: Values of a choice in other languages: ``{"Zinc plated": {"fi": "Sinkitty"}}``.
    labels: Mapped[dict[str, dict[str, str]]] = mapped_column(Json, default=dict)
    position: Mapped[int] = mapped_column(default=0)


class Product(db.Model):
    """An article that is sold, by SKU; its texts are rows per language."""

    __tablename__ = "catalog_product"
    __stamp__ = "catalogue"
    __table_args__ = (
        CheckConstraint("status in ('active', 'blocked', 'discontinued')", name="status"),
        Index("ix_catalog_product_order", "position", "sku_sort"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(80), unique=True)
    #: SKU folded (case, diacritics, separators removed), so that "din 933 m8" finds "DIN933-M8".
    sku_folded: Mapped[str] = mapped_column(folded(80), index=True)
    #: SKU with its numbers padded, so that lists show M8X20 before M8X100.
    sku_sort: Mapped[str] = mapped_column(folded(200), default="")
    gtin: Mapped[str | None] = mapped_column(String(14), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="SET NULL"), index=True)
    manufacturer: Mapped[str] = mapped_column(String(120), default="")
    manufacturer_code: Mapped[str] = mapped_column(String(80), default="")
    manufacturer_code_folded: Mapped[str] = mapped_column(folded(80), default="", index=True)
    tax_class: Mapped[str] = mapped_column(String(20), default="standard")
    base_unit: Mapped[str] = mapped_column(String(20))
    #: active: sold; blocked: shown, not sold; discontinued: found only by code, with what replaces it.
    status: Mapped[str] = mapped_column(String(20), default="active", index=True)
    superseded_by_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="SET NULL"))
    weight_kg: Mapped[Decimal | None] = mapped_column(Quantity)
    position: Mapped[int] = mapped_column(default=0)
    source: Mapped[str] = mapped_column(String(40), default="")
    external_id: Mapped[str] = mapped_column(String(80), default="")
    extra: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    category: Mapped[Category | None] = relationship()
    superseded_by: Mapped[Product | None] = relationship(remote_side=[id])
    texts: Mapped[list[ProductText]] = relationship(cascade="all, delete-orphan")
    units: Mapped[list[ProductUnit]] = relationship(cascade="all, delete-orphan", order_by="ProductUnit.position")
    values: Mapped[list[ProductAttribute]] = relationship(cascade="all, delete-orphan")

    __mapper_args__ = {"version_id_col": version}


class ProductText(db.Model):
    """Name and description of a product in one language."""

    __tablename__ = "catalog_product_text"
    __stamp__ = "catalogue"

    product_id: Mapped[int] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(250))
    #: Folded name for sorting and prefix matches on both databases.
    name_folded: Mapped[str] = mapped_column(folded(250), index=True)
    description: Mapped[str] = mapped_column(Text, default="")


class ProductAttribute(db.Model):
    """A product's value of an attribute; ``number`` for numbers, ``text`` (as shown) for all.

    Booleans are the texts ``yes`` and ``no``. Both indexes cover what facets count.
    """

    __tablename__ = "catalog_product_attribute"
    __stamp__ = "catalogue"
    __table_args__ = (
        Index("ix_catalog_product_attribute_text", "attribute_id", "text", "product_id"),
        Index("ix_catalog_product_attribute_number", "attribute_id", "number", "product_id"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("catalog_attribute.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(String(250))
    number: Mapped[Decimal | None] = mapped_column(Quantity)


class ProductUnit(db.Model):
    """A unit in which a product is sold; 1 of it = ``numerator / denominator`` base units.

    ``precision`` is the number of decimals a quantity may have; ``step`` counts from ``minimum``.
    """

    __tablename__ = "catalog_product_unit"
    __stamp__ = "catalogue"
    __table_args__ = (
        UniqueConstraint("product_id", "unit"),
        CheckConstraint("numerator > 0 and denominator > 0", name="factor"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"))
    unit: Mapped[str] = mapped_column(String(20))
    numerator: Mapped[int] = mapped_column(default=1)
    denominator: Mapped[int] = mapped_column(default=1)
    precision: Mapped[int] = mapped_column(default=0)
    minimum: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(1))
    maximum: Mapped[Decimal | None] = mapped_column(Quantity)
    step: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(1))
    gtin: Mapped[str | None] = mapped_column(String(14), index=True)
    #: Whether a price may be derived from the base unit's price by the factor, if none is given in this unit.
    price_from_base: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)


class Media(db.Model):
    """An image or document of a product."""

    __tablename__ = "catalog_media"
    __stamp__ = "catalogue"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), index=True)
    #: image or document
    kind: Mapped[str] = mapped_column(String(10))
    file_id: Mapped[int] = mapped_column(ForeignKey("core_file.id", ondelete="CASCADE"))
    title: Mapped[dict[str, str]] = mapped_column(Translated, default=dict)
    locale: Mapped[str] = mapped_column(String(10), default="")
    position: Mapped[int] = mapped_column(default=0)


class ItemCode(db.Model):
    """A company's own code for a product; inherited down its tree."""

    __tablename__ = "catalog_item_code"
    __scope__ = Inherited()
    __table_args__ = (UniqueConstraint("company_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(80))
    code_folded: Mapped[str] = mapped_column(folded(80), index=True)
