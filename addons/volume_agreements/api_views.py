"""Agreements for programs: read with their progress, and written by the same importer as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields
from sqlalchemy import select

from core.api.data import db
from core.api.i18n import translations
from core.api.pricing import may_see
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

from . import editing
from .imports import AGREEMENTS as IMPORT
from .listing import AGREEMENTS
from .models import Agreement
from .permissions import EDIT, OWN, VIEW
from .standing import named, standings

_, _l, ngettext, _p = translations(__name__)
bp = resource("volume_agreements_api", __name__, "Agreements on a quantity at a price, and how far they are.")
RESOURCE = replace(AGREEMENTS, key="api.volume_agreements")
_PLAIN = (
    "code", "name", "unit", "quantity", "kind", "value", "per", "currency", "valid_from", "valid_until", "status", "version",
)  # fmt: skip
_FIGURES = ("reserved", "committed", "left", "expected", "percent", "state")


class AgreementItem(Schema):
    """An agreement: quantities in base units, valid from and (not including) until; ``state`` says how it stands.

    The price (``value``) is null for a key that may not see prices.
    """

    code, name, company, unit = fields.String(), fields.String(), fields.String(), fields.String()
    sku, category = fields.String(allow_none=True), fields.String(allow_none=True)
    quantity, value, per = DecimalText(), DecimalText(allow_none=True), DecimalText()
    kind, currency, status, state = fields.String(), fields.String(), fields.String(), fields.String()
    valid_from, valid_until = fields.DateTime(), fields.DateTime()
    reserved, committed, left, expected = DecimalText(), DecimalText(), DecimalText(), DecimalText()
    percent, version = fields.Integer(), fields.Integer()


Query = query_schema(RESOURCE)
Page = page_schema(AgreementItem, "VolumeAgreementPage")
Rows = rows_schema(row_schema(IMPORT, "VolumeAgreementRow"), "VolumeAgreementRows")


@bp.route("", methods=["GET"])
@requires(VIEW, OWN)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def agreement_list(asked: dict[str, Any]) -> Any:
    """List agreements; a company's key reads those of its company and its parents that are no drafts."""
    return page(RESOURCE, asked, details)


@bp.route("/<code>", methods=["GET"])
@requires(VIEW, OWN)
@bp.response(200, AgreementItem)
def agreement_read(code: str) -> Any:
    """Read an agreement."""
    found = editing.by_code(code)
    return tagged(AgreementItem, dict(details([found.id])[found.id]), found.version)


@bp.route("/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(Rows)
@bp.response(200, Outcomes)
def agreement_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 agreements by code."""
    return upsert("volume_agreements", body["rows"])


def details(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return agreements by id with how they stand; statements do not grow with them."""
    found = list(db.session.scalars(select(Agreement).where(Agreement.id.in_(ids))))
    names = named(found)
    return {
        one.agreement.id: {
            **{name: getattr(one.agreement, name) for name in _PLAIN},
            **{name: getattr(one, name) for name in _FIGURES},
            "company": names.companies[one.agreement.company_id].code,
            "sku": names.skus.get(one.agreement.id),
            "category": names.categories.get(one.agreement.id),
            **({} if may_see() else {"value": None}),
        }
        for one in standings(found)
    }
