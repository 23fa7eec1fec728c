"""Rebates for programs: how they stand, their settlements for the books, and rows by the same importer as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields
from sqlalchemy import select

from core.api.companies import Company
from core.api.data import current_actor, db
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

from . import editing, standing
from .imports import REBATES as IMPORT
from .listing import REBATES, SETTLEMENTS
from .models import Rebate, Settlement
from .permissions import EDIT, OWN, VIEW

_, _l, ngettext, _p = translations(__name__)
bp = resource("rebates_api", __name__, "Rebates by turnover or quantity, what accrued, and their settlements.")
_PLAIN = ("code", "name", "currency", "period", "basis", "unit", "kind", "mode", "status", "starts", "ends", "version")


class StepItem(Schema):
    """From ``threshold`` on, ``value`` comes back."""

    threshold, value = DecimalText(), DecimalText()


class RebateItem(Schema):
    """A rebate and how it stands in the present period (empty outside of one); ``missing`` is to ``next_threshold``."""

    code, name, company, currency = fields.String(), fields.String(), fields.String(), fields.String()
    period, basis, unit, kind = fields.String(), fields.String(), fields.String(), fields.String()
    mode, status, version = fields.String(), fields.String(), fields.Integer()
    starts, ends = fields.Date(), fields.Date(allow_none=True)
    steps = fields.List(fields.Nested(StepItem))
    period_from, period_until = fields.Date(allow_none=True), fields.Date(allow_none=True)
    net, quantity, accrued = DecimalText(allow_none=True), DecimalText(allow_none=True), DecimalText(allow_none=True)
    settled, reached = DecimalText(allow_none=True), DecimalText(allow_none=True)
    next_threshold, missing = DecimalText(allow_none=True), DecimalText(allow_none=True)


class SettlementItem(Schema):
    """What is to be credited for a period; ``until`` is the first day behind it."""

    code, rebate, company, currency, state = (fields.String() for _each in range(5))
    period_from, period_until = fields.Date(), fields.Date()
    net, accrued, amount = DecimalText(), DecimalText(), DecimalText()
    decided_at, decided_by, document = fields.DateTime(allow_none=True), fields.String(), fields.String()


LIST, SETTLED = replace(REBATES, key="api.rebates"), replace(
    SETTLEMENTS, key="api.settlements",
    where=lambda: () if current_actor().may(VIEW) else (Settlement.state == "accepted",),
)  # fmt: skip
Query, SettledQuery = query_schema(LIST), query_schema(SETTLED)
Page, SettledPage = page_schema(RebateItem, "RebatePage"), page_schema(SettlementItem, "SettlementPage")
Rows = rows_schema(row_schema(IMPORT, "RebateRow"), "RebateRows")


@bp.route("", methods=["GET"])
@requires(VIEW, OWN)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def rebate_list(asked: dict[str, Any]) -> Any:
    """List rebates; a company's key reads those of its company and its parents that are no drafts."""
    return page(LIST, asked, details)


@bp.route("/<code>", methods=["GET"])
@requires(VIEW, OWN)
@bp.response(200, RebateItem)
def rebate_read(code: str) -> Any:
    """Read a rebate."""
    found = editing.by_code(code)
    return tagged(RebateItem, dict(details([found.id])[found.id]), found.version)


@bp.route("/batch", methods=["POST"])
@requires(EDIT)
@bp.arguments(Rows)
@bp.response(200, Outcomes)
def rebate_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 rebates by code."""
    return upsert("rebates", body["rows"])


@bp.route("/settlements/list", methods=["GET"])
@requires(VIEW, OWN)
@bp.arguments(SettledQuery, location="query")
@bp.response(200, SettledPage)
def settlement_list(asked: dict[str, Any]) -> Any:
    """List settlements; a company's key reads what was accepted."""
    return page(SETTLED, asked, settlement_details)


def details(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return rebates by id with how they stand; statements do not grow with them."""
    rows = db.session.execute(
        select(Rebate, Company.code).join(Company, Company.id == Rebate.company_id).where(Rebate.id.in_(ids))
    ).all()
    now = {one.rebate.id: one for one in standing.current(rebate for rebate, _code in rows)}
    return {rebate.id: {**_head(rebate, company), **_standing(now.get(rebate.id))} for rebate, company in rows}


def _head(rebate: Rebate, company: str) -> dict[str, Any]:
    steps = [{"threshold": step.threshold, "value": step.value} for step in rebate.steps]
    return {**{name: getattr(rebate, name) for name in _PLAIN}, "company": company, "steps": steps}


def _standing(one: standing.Standing | None) -> dict[str, Any]:
    names = ("period_from", "period_until", "net", "quantity", "accrued", "settled", "reached", "next_threshold", "missing")
    if one is None:
        return dict.fromkeys(names)
    reached, coming = one.reached, one.next
    return {
        "period_from": one.period.first, "period_until": one.period.after, "net": one.net, "quantity": one.quantity,
        "accrued": one.accrued, "settled": one.settled, "reached": reached[0] if reached else None,
        "next_threshold": coming.threshold if coming else None, "missing": coming.missing if coming else None,
    }  # fmt: skip


def settlement_details(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """Return settlements by id, in one statement."""
    query = (
        select(Settlement, Rebate.code, Company.code)
        .join(Rebate, Rebate.id == Settlement.rebate_id)
        .join(Company, Company.id == Settlement.company_id)
        .where(Settlement.id.in_(ids))
    )
    names = ("code", "currency", "state", "net", "accrued", "amount", "decided_at", "decided_by", "document")
    return {
        one.id: {
            **{name: getattr(one, name) for name in names},
            "rebate": rebate, "company": company, "period_from": one.period, "period_until": one.after,
        }
        for one, rebate, company in db.session.execute(query)
    }  # fmt: skip
