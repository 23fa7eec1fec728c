"""Promotions for programs: read, and written by the same importer as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields
from sqlalchemy import select

from core.api.catalog import Category, Product
from core.api.companies import Company, Segment
from core.api.data import db
from core.api.hooks import NotFound
from core.api.i18n import translations
from core.api.restapi import (
    DecimalText,
    Outcomes,
    Schema,
    page,
    page_schema,
    query_schema,
    resource,
    row_schema,
    rows_schema,
    tagged,
    upsert,
)
from core.api.ui import requires

from .imports import PROMOTIONS
from .models import Promotion
from .permissions import EDIT, VIEW
from .views import PROMOTIONS as LIST

_, _l, ngettext, _p = translations(__name__)

bp = resource("promotions_api", __name__, "Promotions and vouchers.")
RESOURCE = replace(LIST, key="api.promotions")
_PLAIN = (
    "code", "name", "kind", "value", "currency", "min_value", "min_quantity", "max_units", "free_quantity", "for_every",
    "with_charges", "on_agreed", "voucher", "uses", "uses_per_company", "valid_from", "valid_until", "status", "version",
)  # fmt: skip
_CODES: tuple[tuple[str, str, Any, Any], ...] = (
    ("counted_sku", "counted_product_id", Product, Product.sku),
    ("counted_category", "counted_category_id", Category, Category.code),
    ("reduced_sku", "reduced_product_id", Product, Product.sku),
    ("reduced_category", "reduced_category_id", Category, Category.code),
    ("company", "company_id", Company, Company.code),
    ("segment", "segment_id", Segment, Segment.code),
)


class PromotionItem(Schema):
    """A promotion, valid from and (not including) until; see the addon's page for what each member means."""

    code, name, kind, status = fields.String(), fields.String(), fields.String(), fields.String()
    value, min_value = DecimalText(), DecimalText(allow_none=True)
    min_quantity, max_units = DecimalText(allow_none=True), DecimalText(allow_none=True)
    free_quantity, for_every = DecimalText(allow_none=True), DecimalText(allow_none=True)
    currency, voucher = fields.String(), fields.String()
    counted_sku, counted_category = fields.String(allow_none=True), fields.String(allow_none=True)
    reduced_sku, reduced_category = fields.String(allow_none=True), fields.String(allow_none=True)
    company, segment = fields.String(allow_none=True), fields.String(allow_none=True)
    with_charges, on_agreed = fields.Boolean(), fields.Boolean()
    uses, uses_per_company = fields.Integer(allow_none=True), fields.Integer(allow_none=True)
    valid_from, valid_until = fields.DateTime(), fields.DateTime(allow_none=True)
    version = fields.Integer()


Query = query_schema(RESOURCE)
Page = page_schema(PromotionItem, "PromotionPage")
Rows = rows_schema(row_schema(PROMOTIONS, "PromotionRow"), "PromotionRows")


@bp.route("", methods=["GET"])
@requires(VIEW)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def promotion_list(asked: dict[str, Any]) -> Any:
    """List promotions."""
    return page(RESOURCE, asked, _details)


@bp.route("/<code>", methods=["GET"])
@requires(VIEW)
@bp.response(200, PromotionItem)
def promotion_read(code: str) -> Any:
    """Read a promotion."""
    row = db.session.execute(select(Promotion.id, Promotion.version).where(Promotion.code == code)).first()
    if row is None:
        raise NotFound("PROMOTION-UNKNOWN", _('There is no promotion with the code "%(code)s".', code=code[:40]))
    return tagged(PromotionItem, dict(_details([row.id])[row.id]), row.version)


@bp.route("/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(Rows)
@bp.response(200, Outcomes)
def promotion_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 promotions by code."""
    return upsert("promotions", body["rows"])


def _details(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return promotions by id: one statement for them, one for each kind of code that they name."""
    rows = db.session.scalars(select(Promotion).where(Promotion.id.in_(ids))).all()
    named = {name: _named(model, code, {getattr(row, column) for row in rows}) for name, column, model, code in _CODES}
    return {
        row.id: {
            **{name: getattr(row, name) for name in _PLAIN},
            **{name: named[name].get(getattr(row, column)) for name, column, _model, _code in _CODES},
        }
        for row in rows
    }


def _named(model: Any, code: Any, ids: set[int | None]) -> dict[int | None, str]:
    wanted = [one for one in ids if one is not None]
    if not wanted:
        return {}
    query = select(model.id.label("id"), code.label("code")).where(model.id.in_(wanted))
    return {row.id: row.code for row in db.session.execute(query)}
