"""What always holds of the stored catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import aliased

from core.catalog.models import Category, Product, ProductUnit
from core.data.db import db
from core.spec.app import DataCheck


def paths() -> Iterator[str]:
    """Find categories whose path is not that of their parent and their own code."""
    parent = aliased(Category)
    wanted = func.coalesce(parent.path, "/") + Category.code + "/"
    query = select(Category.code).outerjoin(parent, parent.id == Category.parent_id).where(Category.path != wanted)
    yield from db.session.scalars(query.order_by(Category.code))


def units() -> Iterator[str]:
    """Find products without a row of their base unit, or whose base unit is not one of itself."""
    base = exists().where(ProductUnit.product_id == Product.id, ProductUnit.unit == Product.base_unit)
    odd = exists().where(
        ProductUnit.product_id == Product.id,
        ProductUnit.unit == Product.base_unit,
        ProductUnit.numerator != ProductUnit.denominator,
    )
    yield from db.session.scalars(select(Product.sku).where(or_(~base, odd)).order_by(Product.sku))


CHECKS = (
    DataCheck(
        "CATEGORY-PATH", "The path of a category is that of its parent and its code.", paths,
        "Move the category elsewhere and back: that writes the paths anew.",
    ),
    DataCheck(
        "BASE-UNIT", "Each product is sold in its base unit, which is one of itself.", units,
        "Import the product's units again, or add the base unit on its page.",
    ),
)  # fmt: skip
