"""Contracts for programs: read, and written by the same importers as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields
from sqlalchemy import select

from core.api.companies import Company, Segment
from core.api.data import db
from core.api.hooks import NotFound
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
    upsert,
)
from core.api.ui import requires

from .imports import IMPORTS
from .listing import CONTRACTS
from .models import Contract
from .permissions import EDIT, VIEW

_, _l, ngettext, _p = translations(__name__)

bp = resource("pricing_contract_api", __name__, "Contracts and price lists.")
KINDS = {found.kind: found for found in IMPORTS}
RESOURCE = replace(CONTRACTS, key="api.contracts")
_PLAIN = (
    "code", "name", "audience", "country", "currency", "merge_policy", "priority", "status", "note", "version", "show_list",
    "allow_inverted", "below_first", "closes", "date_basis", "breaks", "counts", "period",
)  # fmt: skip


class ContractItem(Schema):
    """A contract: for a company, a segment, a country or everybody; valid from and (not including) until."""

    code, name, audience = fields.String(), fields.String(), fields.String()
    company, segment, country = fields.String(allow_none=True), fields.String(allow_none=True), fields.String()
    currency, merge_policy, status = fields.String(), fields.String(), fields.String()
    priority, version, note = fields.Integer(), fields.Integer(), fields.String()
    valid_from, valid_until = fields.DateTime(), fields.DateTime(allow_none=True)
    show_list, allow_inverted, closes = fields.Boolean(), fields.Boolean(), fields.Boolean()
    below_first, date_basis = fields.String(), fields.String()
    breaks, counts, period = fields.String(), fields.String(), fields.String()


Query = query_schema(RESOURCE)
Page = page_schema(ContractItem, "ContractPage")
ContractRows = rows_schema(row_schema(KINDS["contracts"], "ContractRow"), "ContractRows")
QuantityRows = rows_schema(row_schema(KINDS["contract_quantities"], "QuantityRow"), "QuantityRows")
PriceRows = rows_schema(row_schema(KINDS["contract_prices"], "PriceRow"), "PriceRows")


@bp.route("", methods=["GET"])
@requires(VIEW)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def contract_list(asked: dict[str, Any]) -> Any:
    """List contracts."""
    return page(RESOURCE, asked, _details)


@bp.route("/<code>", methods=["GET"])
@requires(VIEW)
@bp.response(200, ContractItem)
def contract_read(code: str) -> Any:
    """Read a contract."""
    row = db.session.execute(select(Contract.id, Contract.version).where(Contract.code == code)).first()
    if row is None:
        raise NotFound("CONTRACT-UNKNOWN", _("There is no contract %(code)s.", code=code[:40]))
    return tagged(ContractItem, dict(_details([row.id])[row.id]), row.version)


@bp.route("/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(ContractRows)
@bp.response(200, Outcomes)
def contract_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 contracts by code."""
    return upsert("contracts", body["rows"])


@bp.route("/prices/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(PriceRows)
@bp.response(200, Outcomes)
def price_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 rows of contracts."""
    return upsert("contract_prices", body["rows"])


@bp.route("/quantities/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(QuantityRows)
@bp.response(200, Outcomes)
def quantity_batch(body: dict[str, Any]) -> Any:
    """Set up to 1,000 minimums, steps and packages of contracts."""
    return upsert("contract_quantities", body["rows"])


def _details(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return contracts by id, in one statement."""
    query = (
        select(Contract, Company.code, Segment.code)
        .outerjoin(Company, Company.id == Contract.company_id)
        .outerjoin(Segment, Segment.id == Contract.segment_id)
        .where(Contract.id.in_(ids))
    )
    found = {}
    for contract, company, segment in db.session.execute(query):
        values = {name: getattr(contract, name) for name in (*_PLAIN, "valid_from", "valid_until")}
        found[contract.id] = {**values, "company": company, "segment": segment}
    return found
