"""The history of a contract's rows for programs: each save, and what happened to rows, from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import fields
from sqlalchemy import select

from core.api.catalog import Category, Product
from core.api.companies import seller
from core.api.data import db
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.restapi import DecimalText, Schema, page, page_schema, query_schema, text
from core.api.ui import Field, Resource, requires

from . import past
from .api_views import bp
from .days import first_day, last_day
from .editing import contract_by_code
from .formula_columns import formula_columns
from .history_models import Deed
from .history_views import deed_by_number, target_of
from .past import Event, Terms
from .permissions import VIEW

_, _l, ngettext, _p = translations(__name__)
DEEDS = Resource(
    key="api.contract_history",
    title=_l("History"),
    id=Deed.id,
    code="number",
    fields=(
        Field("number", _l("Number"), Deed.id, "number"),
        Field("at", _l("When"), Deed.at, "instant"),
        Field("actor", _l("Who"), Deed.actor, search=True),
        Field("means", _l("By which means"), Deed.means, choices=lambda: tuple(past.MEANS.items())),
        Field("note", _l("Note"), Deed.note, search=True),
    ),
    order="-number",
)


class SaveItem(Schema):
    """A save of rows: who, when, by which means, and how many rows it added, changed and took out."""

    number, at, actor, means = fields.Integer(), fields.DateTime(), fields.String(), fields.String()
    note = fields.String(
        metadata={"description": "A file, the number of a prepared change, a percentage, or the contract that was copied."}
    )
    added, changed, removed = fields.Integer(), fields.Integer(), fields.Integer()


class RowTerms(Schema):
    """What a row said; ``until`` is its last day, ``formula`` has the columns of a formula, as the import takes them."""

    kind, value, per = fields.String(), DecimalText(), DecimalText()
    until, formula = fields.Date(allow_none=True), fields.Dict(keys=fields.String())


class EventItem(Schema):
    """What happened to a row (added, changed, removed); ``save`` is null for what was there before the history."""

    save, at = fields.Integer(allow_none=True), fields.DateTime(allow_none=True)
    actor, means, what = fields.String(), fields.String(), fields.String()
    row = fields.String(metadata={"description": "A SKU, * and a category's code, or * for all products."})
    unit, min_quantity, valid_from = fields.String(), DecimalText(), fields.Date(allow_none=True)
    before, after = fields.Nested(RowTerms, allow_none=True), fields.Nested(RowTerms, allow_none=True)


class EventsAsked(Schema):
    """Of which row, or of which save: one of the two."""

    row = text(80, metadata={"description": "A SKU, * and a category's code, or * for all products."})
    save = fields.Integer(load_default=None, metadata={"description": "The number of a save."})


class Events(Schema):
    """What happened, the newest first; ``left`` is how many more rows the save concerned than are told."""

    items, left = fields.List(fields.Nested(EventItem)), fields.Integer()


Query, Page = query_schema(DEEDS), page_schema(SaveItem, "ContractHistoryPage")


@bp.route("/<code>/history", methods=["GET"])
@requires(VIEW)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def contract_history(asked: dict[str, Any], code: str) -> Any:
    """List the saves of a contract's rows, the newest first."""
    contract = contract_by_code(code)
    return page(replace(DEEDS, where=lambda: (Deed.contract_id == contract.id,)), asked, _saves)


@bp.route("/<code>/history/rows", methods=["GET"])
@requires(VIEW)
@bp.arguments(EventsAsked, location="query")
@bp.response(200, Events)
def contract_history_rows(asked: dict[str, Any], code: str) -> Any:
    """Tell what happened to the rows of a product, a category or everything, or what one save did: at most 200 rows."""
    contract, number = contract_by_code(code), asked["save"]
    if bool(asked["row"]) == (number is not None):
        raise Invalid("HISTORY-OF", _("Name a row or a save: one of the two."))
    if number is None:
        return {"items": _told(past.of_product(contract, target_of(asked["row"]))), "left": 0}
    deed = deed_by_number(contract, number)
    events = past.by_deed(deed)
    return {"items": _told(events), "left": max(0, deed.added + deed.changed + deed.removed - len(events))}


def _saves(ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    names = ("at", "actor", "means", "note", "added", "changed", "removed")
    found = db.session.scalars(select(Deed).where(Deed.id.in_(ids)))
    return {one.id: {"number": one.id, **{name: getattr(one, name) for name in names}} for one in found}


def _told(events: Sequence[Event]) -> list[dict[str, Any]]:
    zone, rows = ZoneInfo(seller().zone), _rows(one.target for one in events)
    return [
        {
            "save": one.deed.id if one.deed else None, "at": one.deed.at if one.deed else None,
            "actor": one.deed.actor if one.deed else "", "means": one.deed.means if one.deed else "", "what": one.what,
            "row": rows.get(one.target, ""), "unit": one.unit, "min_quantity": one.min_quantity,
            "valid_from": first_day(one.valid_from, zone),
            "before": _terms(one.before, zone), "after": _terms(one.after, zone),
        }
        for one in events
    ]  # fmt: skip


def _terms(terms: Terms | None, zone: ZoneInfo) -> dict[str, Any] | None:
    if terms is None:
        return None
    until = last_day(terms.valid_until, zone)
    formula = formula_columns(terms.formula) if terms.kind == "formula" else {}
    return {"kind": terms.kind, "value": terms.value, "per": terms.per, "until": until, "formula": formula}


def _rows(targets: Any) -> dict[int, str]:
    """Return how the grid writes what rows are for, by the number by which they are found; two statements."""
    wanted = set(targets)
    products = select(Product.id, Product.sku).where(Product.id.in_({one for one in wanted if one > 0}))
    categories = select(Category.id, Category.code).where(Category.id.in_({-one for one in wanted if one < 0}))
    found = {row.id: row.sku for row in db.session.execute(products)}
    return {0: "*", **found, **{-row.id: f"*{row.code}" for row in db.session.execute(categories)}}
