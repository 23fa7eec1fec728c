"""Import and export of assortments and their rows, for files and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from core.api.catalog import Category, Product
from core.api.companies import Company, Segment, checked_country, seller
from core.api.data import db, end_of_day, start_of_day
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, RowResult
from core.api.i18n import translations
from core.api.imports import Batch, codes
from core.api.pricing import BEGINNING

from . import editing
from .editing import Change
from .models import AUDIENCES, MODES, STATUSES, Assortment, AssortmentRow
from .permissions import EDIT
from .wording import first_day, last_day

_, _l, ngettext, _p = translations(__name__)
_PLAIN = ("name", "audience", "mode", "status", "note")
_DEFAULTS: dict[str, Any] = {
    "company_id": None, "segment_id": None, "country": "", "valid_from": BEGINNING, "valid_until": None, "status": "draft",
    "note": "",
}  # fmt: skip
_AUDIENCE = {"company": (Company, _l("company")), "segment": (Segment, _l("segment"))}
_TARGETS = {"sku": _l("product"), "category": _l("category")}


def load(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert assortments by code, each as on its page; the last day is included."""
    batch, zone = Batch(rows, "code"), seller().zone
    found = {name: codes(model.code, model.id, batch.all(name)) for name, (model, _thing) in _AUDIENCE.items()}
    query = select(Assortment).where(Assortment.code.in_(batch.all("code")))
    known = {one.code: one for one in db.session.scalars(query)}
    for row in batch:
        one = known.get(row.values["code"])
        if one is None and not batch.require(row, "name", "audience", "mode"):
            continue
        values = _values(batch, row, one, found, zone)
        if values is not None:
            saved = _put(batch, row, one, values)
            known[row.values["code"]] = saved or one  # type: ignore[assignment]
    return batch.results()


def _values(
    batch: Batch, row: ImportRow, one: Assortment | None, found: Mapping[str, Mapping[str, int]], zone: str
) -> dict[str, Any] | None:
    """Return all columns as they will be: those of the assortment, or the defaults, with what the row says."""
    given = row.values
    values = dict(_DEFAULTS)
    if one is not None:
        values = {name: getattr(one, name) for name in (*_DEFAULTS, "name", "audience", "mode")}
    values |= {name: given[name] for name in ("code", *_PLAIN) if name in given}
    for name, (_model, thing) in _AUDIENCE.items():
        if name in given and given[name] not in found[name]:
            batch.unknown(row, name, str(thing))
            return None
        if name in given:
            values[f"{name}_id"] = found[name][given[name]]
        elif values["audience"] != name:
            values[f"{name}_id"] = None
    if "country" in given:
        try:
            values["country"] = checked_country(given["country"])
        except Invalid as refused:
            batch.fail(row, "country", refused.message)
            return None
    elif values["audience"] != "location":
        values["country"] = ""
    if "valid_from" in given:
        values["valid_from"] = start_of_day(given["valid_from"], zone)
    if "valid_until" in given:
        values["valid_until"] = end_of_day(given["valid_until"], zone)
    return values


def _put(batch: Batch, row: ImportRow, one: Assortment | None, values: Mapping[str, Any]) -> Assortment | None:
    if one is not None and all(getattr(one, name) == value for name, value in values.items()):
        batch.done(row, "unchanged")
        return one
    try:
        saved = editing.save(one, values)
    except Invalid as error:
        batch.fail(row, str((error.details or {}).get("field", "code")), error.message)
        return None
    batch.done(row, "created" if one is None else "updated")
    return saved


def export() -> Iterator[dict[str, Any]]:
    """Yield the assortments by code, as the import takes them."""
    query = (
        select(Assortment, Company.code.label("company"), Segment.code.label("segment"))
        .outerjoin(Company, Company.id == Assortment.company_id)
        .outerjoin(Segment, Segment.id == Assortment.segment_id)
        .order_by(Assortment.code)
    )
    for one, company, segment in db.session.execute(query):
        yield {
            "code": one.code, **{name: getattr(one, name) for name in _PLAIN}, "company": company, "segment": segment,
            "country": one.country, "valid_from": first_day(one.valid_from), "valid_until": last_day(one.valid_until),
        }  # fmt: skip


def load_rows(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Put products and categories into assortments, or take out those that say ``remove``."""
    batch = Batch(rows, "assortment", "sku", "category")
    assortments = codes(Assortment.code, Assortment.id, batch.all("assortment"))
    found = {
        "sku": codes(Product.sku, Product.id, batch.all("sku")),
        "category": codes(Category.code, Category.id, batch.all("category")),
    }
    ready = [(row, change) for row in batch if (change := _change(batch, row, assortments, found)) is not None]
    outcomes = editing.put_rows([change for _row, change in ready])
    for (row, _change_made), outcome in zip(ready, outcomes, strict=True):
        batch.done(row, "updated" if outcome == "removed" else outcome)  # type: ignore[arg-type]
    return batch.results()


def _change(
    batch: Batch, row: ImportRow, assortments: Mapping[str, int], found: Mapping[str, Mapping[str, int]]
) -> Change | None:
    given = row.values
    if given["assortment"] not in assortments:
        batch.unknown(row, "assortment", _("assortment"))
        return None
    if ("sku" in given) == ("category" in given):
        batch.fail(row, "sku", _("Name a product or a category, and only one of them."))
        return None
    name = "sku" if "sku" in given else "category"
    if given[name] not in found[name]:
        batch.unknown(row, name, str(_TARGETS[name]))
        return None
    target = found[name][given[name]]
    text = given[name] if name == "sku" else f"*{given[name]}"
    pair = (target, None) if name == "sku" else (None, target)
    return Change(given["assortment"], text, pair, bool(given.get("remove")))


def export_rows() -> Iterator[dict[str, Any]]:
    """Yield the rows of all assortments, as the import takes them."""
    query = (
        select(Assortment.code, Product.sku, Category.code)
        .select_from(AssortmentRow)
        .join(Assortment, Assortment.id == AssortmentRow.assortment_id)
        .outerjoin(Product, Product.id == AssortmentRow.product_id)
        .outerjoin(Category, Category.id == AssortmentRow.category_id)
        .order_by(Assortment.code, Category.code, Product.sku)
        .execution_options(yield_per=1000)
    )
    for assortment, sku, category in db.session.execute(query):
        yield {"assortment": assortment, "sku": sku, "category": category}


ASSORTMENTS = DataImport(
    kind="assortments",
    title=_l("Assortments"),
    key=("code",),
    fields=(
        ImportField("code", required=True, max_length=40),
        ImportField("name", max_length=200),
        ImportField("audience", "choice", choices=AUDIENCES),
        ImportField("company", max_length=40),
        ImportField("segment", max_length=40),
        ImportField("country", "country"),
        ImportField("mode", "choice", choices=MODES),
        ImportField("valid_from", "date"),
        ImportField("valid_until", "date"),
        ImportField("status", "choice", choices=STATUSES),
        ImportField("note", lines=True),
    ),
    load=load,
    permission=EDIT,
    export=export,
    order=240,
)
ROWS = DataImport(
    kind="assortment_rows",
    title=_l("Goods of assortments"),
    key=("assortment", "sku", "category"),
    fields=(
        ImportField("assortment", required=True, max_length=40),
        ImportField("sku", max_length=80),
        ImportField("category", max_length=60, help=_l("With everything that lies below it")),
        ImportField("remove", "boolean", help=_l("Takes the row out of the assortment")),
    ),
    load=load_rows,
    permission=EDIT,
    export=export_rows,
    order=241,
)
IMPORTS = (ASSORTMENTS, ROWS)
