"""Export of products, in pieces, so that a large catalogue needs no large memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.catalog.imports.products import OPEN
from core.catalog.models import Attribute, Category, Media, Product, ProductAttribute, ProductText
from core.data.db import db
from core.data.models import StoredFile

_PIECE = 1000


def export_products() -> Iterator[dict[str, Any]]:
    """Yield products by SKU with their texts, values and the name of the first picture."""
    replacement = aliased(Product)
    query = (
        select(Product, Category.code, replacement.sku)
        .outerjoin(Category, Category.id == Product.category_id)
        .outerjoin(replacement, replacement.id == Product.superseded_by_id)
        .order_by(Product.sku)
        .limit(_PIECE)
    )
    last = ""
    while rows := db.session.execute(query.where(Product.sku > last)).all():
        parts = _parts([product.id for product, _category, _sku in rows])
        for product, category, superseded_by in rows:
            yield {
                "sku": product.sku,
                "category": category,
                "gtin": product.gtin,
                "manufacturer": product.manufacturer,
                "manufacturer_code": product.manufacturer_code,
                "tax_class": product.tax_class,
                "base_unit": product.base_unit,
                "status": product.status,
                "superseded_by": superseded_by,
                "weight_kg": product.weight_kg,
                "source": product.source,
                "external_id": product.external_id,
                **parts[product.id],
            }
        last = rows[-1][0].sku


def _parts(ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return the columns of a piece's texts, attribute values and pictures by product."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for text in db.session.scalars(select(ProductText).where(ProductText.product_id.in_(ids))):
        found[text.product_id] |= {f"name_{text.locale}": text.name, f"description_{text.locale}": text.description}
    values = (
        select(ProductAttribute.product_id, Attribute.code, ProductAttribute.text)
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .where(ProductAttribute.product_id.in_(ids))
        .order_by(Attribute.position)
    )
    for product_id, code, value in db.session.execute(values):
        found[product_id][f"{OPEN}{code}"] = value
    pictures = (
        select(Media.product_id, StoredFile.name)
        .join(StoredFile, StoredFile.id == Media.file_id)
        .where(Media.product_id.in_(ids), Media.kind == "image")
        .order_by(Media.position.desc())
    )
    for product_id, name in db.session.execute(pictures):
        found[product_id]["image"] = name
    return found
