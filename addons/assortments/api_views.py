"""Assortments for programs: read, written by the same importer as files, and what a company sees and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields
from sqlalchemy import select

from core.api.catalog import Category, Product
from core.api.companies import Company, Segment
from core.api.data import db
from core.api.i18n import translations
from core.api.restapi import (
    Outcomes,
    Schema,
    page,
    page_schema,
    query_schema,
    resource,
    row_schema,
    rows_schema,
    tagged,
    text,
    upsert,
)
from core.api.ui import requires

from . import editing, why
from .imports import ASSORTMENTS as IMPORT
from .imports import ROWS as ROW_IMPORT
from .listing import ASSORTMENTS, ROWS
from .models import Assortment, AssortmentRow
from .permissions import EDIT, VIEW

_, _l, ngettext, _p = translations(__name__)
bp = resource("assortments_api", __name__, "Assortments: which goods companies, segments and everybody see.")
LIST, ROW_LIST = replace(ASSORTMENTS, key="api.assortments"), replace(ROWS, key="api.assortment_rows")
_PLAIN = ("code", "name", "audience", "country", "mode", "valid_from", "valid_until", "status", "note", "version")


class AssortmentItem(Schema):
    """An assortment, valid from and (not including) until; ``mode`` is only, without or also."""

    code, name, audience, mode = fields.String(), fields.String(), fields.String(), fields.String()
    company, segment = fields.String(allow_none=True), fields.String(allow_none=True)
    country, valid_from, valid_until = fields.String(), fields.DateTime(), fields.DateTime(allow_none=True)
    status, note, version = fields.String(), fields.String(), fields.Integer()


class AssortmentRowItem(Schema):
    """A product, or a category with everything below it, that an assortment names."""

    assortment = fields.String()
    sku, category = fields.String(allow_none=True), fields.String(allow_none=True)


class SeenQuery(Schema):
    """A product and a company, or no company for a visitor."""

    sku = text(80, required=True)
    company = text(40, load_default="")


class WeighedItem(Schema):
    """An assortment that concerns the company: whether it names the product, and whether it decides."""

    code, mode = fields.String(), fields.String()
    names_it, decides = fields.Boolean(), fields.Boolean()


class SeenItem(Schema):
    """Whether a company sees a product, a sentence why, and the assortments that concern it."""

    visible, reason = fields.Boolean(), fields.String()
    assortments = fields.List(fields.Nested(WeighedItem))


Query, RowQuery = query_schema(LIST), query_schema(ROW_LIST)
Page, RowPage = page_schema(AssortmentItem, "AssortmentPage"), page_schema(AssortmentRowItem, "AssortmentRowPage")
Rows = rows_schema(row_schema(IMPORT, "AssortmentImportRow"), "AssortmentImportRows")
Goods = rows_schema(row_schema(ROW_IMPORT, "AssortmentGoodsRow"), "AssortmentGoodsRows")


@bp.route("", methods=["GET"])
@requires(VIEW)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def assortment_list(asked: dict[str, Any]) -> Any:
    """List assortments."""
    return page(LIST, asked, details)


@bp.route("/<code>", methods=["GET"])
@requires(VIEW)
@bp.response(200, AssortmentItem)
def assortment_read(code: str) -> Any:
    """Read an assortment."""
    found = editing.by_code(code)
    return tagged(AssortmentItem, dict(details([found.id])[found.id]), found.version)


@bp.route("/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(Rows)
@bp.response(200, Outcomes)
def assortment_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 assortments by code."""
    return upsert("assortments", body["rows"])


@bp.route("/rows/list", methods=["GET"])
@requires(VIEW)
@bp.arguments(RowQuery, location="query")
@bp.response(200, RowPage)
def row_list(asked: dict[str, Any]) -> Any:
    """List the goods of assortments."""
    return page(ROW_LIST, asked, row_details)


@bp.route("/rows/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(Goods)
@bp.response(200, Outcomes)
def row_batch(body: dict[str, Any]) -> Any:
    """Put up to 1,000 products and categories into assortments, or take them out with ``remove``."""
    return upsert("assortment_rows", body["rows"])


@bp.route("/check/visible", methods=["GET"])
@requires(VIEW)
@bp.arguments(SeenQuery, location="query")
@bp.response(200, SeenItem)
def seen(asked: dict[str, Any]) -> Any:
    """Say whether a company (or a visitor) sees a product, and why."""
    answer = why.explain(asked["company"], asked["sku"])
    weighed = [
        {"code": one.head.code, "mode": one.head.mode, "names_it": bool(one.by), "decides": one.decides}
        for one in answer.weighed
    ]
    return {"visible": answer.visible, "reason": answer.reason, "assortments": weighed}


def details(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return assortments by id, in one statement."""
    query = (
        select(Assortment, Company.code, Segment.code)
        .outerjoin(Company, Company.id == Assortment.company_id)
        .outerjoin(Segment, Segment.id == Assortment.segment_id)
        .where(Assortment.id.in_(ids))
    )
    return {
        one.id: {**{name: getattr(one, name) for name in _PLAIN}, "company": company, "segment": segment}
        for one, company, segment in db.session.execute(query)
    }


def row_details(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return rows by id, in one statement."""
    query = (
        select(AssortmentRow.id, Assortment.code, Product.sku, Category.code)
        .join(Assortment, Assortment.id == AssortmentRow.assortment_id)
        .outerjoin(Product, Product.id == AssortmentRow.product_id)
        .outerjoin(Category, Category.id == AssortmentRow.category_id)
        .where(AssortmentRow.id.in_(ids))
    )
    return {
        row_id: {"assortment": assortment, "sku": sku, "category": category}
        for row_id, assortment, sku, category in db.session.execute(query)
    }
