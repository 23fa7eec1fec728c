"""Products with texts, units, attributes and (for who looks after them) list prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields
from sqlalchemy import select

from core.catalog import visibility
from core.catalog.imports import PRODUCTS as IMPORT
from core.catalog.listings import PRODUCTS
from core.catalog.models import Attribute, Category, Product, ProductAttribute, ProductText, ProductUnit
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import locked, write
from core.i18n import _
from core.pricing.models import ListPrice
from core.restapi import batch, lists
from core.restapi.document import resource
from core.restapi.fields import DecimalText, Schema
from core.restapi.replies import not_modified_since, tagged
from core.spec.errors import NotFound
from core.ui.access import requires

bp = resource("restapi_products", __name__, "What is sold: texts, units, attributes, list prices.")
VIEW, EDIT, PRICES = "catalog.product.view", IMPORT.permission, "pricing.price.manage"
_PLAIN = (
    "sku", "gtin", "manufacturer", "manufacturer_code", "tax_class", "base_unit", "status", "weight_kg", "source",
    "external_id", "version",
)  # fmt: skip


def _visible() -> list[Any]:
    """Return what is listed: all for the merchant's keys, a company's assortment for its keys."""
    return [] if current_actor().scope.unlimited else [visibility.condition(discontinued=True)]


RESOURCE = replace(PRODUCTS, key="api.products", where=_visible)


class ProductTexts(Schema):
    """Name and description in one language."""

    name, description = fields.String(), fields.String()


class ProductUnitItem(Schema):
    """A unit: 1 of it is numerator / denominator base units; quantities count from minimum in steps."""

    unit, numerator, denominator = fields.String(), fields.Integer(), fields.Integer()
    precision, gtin = fields.Integer(), fields.String(allow_none=True)
    minimum, step, maximum = DecimalText(), DecimalText(), DecimalText(allow_none=True)


class ListPriceItem(Schema):
    """A list price, net for ``per`` units, valid from and (not including) until."""

    unit, currency, price, per = fields.String(), fields.String(), DecimalText(), DecimalText()
    valid_from, valid_until = fields.DateTime(), fields.DateTime(allow_none=True)


class ProductItem(Schema):
    """A product; ``list_prices`` only for keys that look after prices."""

    sku, gtin, category = fields.String(), fields.String(allow_none=True), fields.String(allow_none=True)
    manufacturer, manufacturer_code, tax_class = fields.String(), fields.String(), fields.String()
    base_unit, status, weight_kg = fields.String(), fields.String(), DecimalText(allow_none=True)
    source, external_id, version = fields.String(), fields.String(), fields.Integer()
    texts = fields.Dict(keys=fields.String(), values=fields.Nested(ProductTexts))
    units = fields.List(fields.Nested(ProductUnitItem))
    attributes = fields.Dict(keys=fields.String(), values=fields.String())
    list_prices = fields.List(fields.Nested(ListPriceItem))
    extensions = fields.Dict(keys=fields.String(), values=fields.Dict())


Query = lists.query_schema(RESOURCE)
Page = lists.page_schema(ProductItem, "ProductPage")
RowIn = batch.row_schema(IMPORT, "ProductRow", without=("image",))
Rows = batch.rows_schema(RowIn, "ProductRows")
Change = batch.row_schema(IMPORT, "ProductChange", without=("sku", "image"))


@bp.route("", methods=["GET"])
@requires(VIEW)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def product_list(asked: dict[str, Any]) -> Any:
    """List products that the key may see."""
    return lists.page(RESOURCE, asked, details)


@bp.route("/<path:sku>", methods=["GET"])
@requires(VIEW)
@bp.response(200, ProductItem)
def product_read(sku: str) -> Any:
    """Read a product."""
    product_id, version = _find(sku)
    return tagged(ProductItem, details([product_id])[product_id], version)


@bp.route("/<path:sku>", methods=["PATCH"])
@requires(EDIT)
@bp.arguments(Change)
@bp.response(200, ProductItem)
def product_change(changed: dict[str, Any], sku: str) -> Any:
    """Change a product; with If-Match only if nobody else changed it meanwhile."""
    with write():
        not_modified_since(_find(sku, lock=True)[1])
        batch.change_one("products", {**changed, "sku": sku})
    return product_read(sku)


@bp.route("/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(Rows)
@bp.response(200, batch.Outcomes)
def product_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 products, each named by sku, or by source and external_id."""
    return batch.upsert_known("products", body["rows"], Product, Product.sku)


def _find(sku: str, *, lock: bool = False) -> tuple[int, int]:
    statement = select(Product.id, Product.version).where(Product.sku == sku, *_visible())
    row = db.session.execute(locked(statement) if lock else statement).first()
    if row is None:
        raise NotFound("PRODUCT-UNKNOWN", _('There is no product with the code "%(sku)s".', sku=sku[:80]))
    return row.id, row.version


def details(ids: Sequence[int]) -> Any:
    """Return the products with what belongs to them; the number of statements does not depend on their number."""
    query = select(Product, Category.code).outerjoin(Category, Category.id == Product.category_id).where(Product.id.in_(ids))
    found: dict[int, dict[str, Any]] = {}
    for product, category in db.session.execute(query):
        plain = {name: getattr(product, name) for name in _PLAIN}
        found[product.id] = {**plain, "category": category, "texts": {}, "units": [], "attributes": {}}
    for text in db.session.scalars(select(ProductText).where(ProductText.product_id.in_(ids))):
        found[text.product_id]["texts"][text.locale] = {"name": text.name, "description": text.description}
    units = select(ProductUnit).where(ProductUnit.product_id.in_(ids)).order_by(ProductUnit.position, ProductUnit.id)
    for unit in db.session.scalars(units):
        found[unit.product_id]["units"].append(unit)
    values = select(ProductAttribute.product_id, Attribute.code, ProductAttribute.text)
    for product_id, code, value in db.session.execute(
        values.join(Attribute, Attribute.id == ProductAttribute.attribute_id).where(ProductAttribute.product_id.in_(ids))
    ):
        found[product_id]["attributes"][code] = value
    if current_actor().may(PRICES):
        _add_prices(found)
    return lists.extend("product", found)


def _add_prices(found: dict[int, dict[str, Any]]) -> None:
    for product in found.values():
        product["list_prices"] = []
    query = select(ListPrice).where(ListPrice.product_id.in_(found))
    for price in db.session.scalars(query.order_by(ListPrice.unit, ListPrice.currency, ListPrice.valid_from)):
        found[price.product_id]["list_prices"].append(price)
