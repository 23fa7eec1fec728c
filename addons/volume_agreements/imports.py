"""Import and export of agreements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.catalog import Category, Product
from core.api.companies import Company, seller
from core.api.data import clock, db, end_of_day, start_of_day
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, RowResult
from core.api.i18n import translations
from core.api.imports import Batch, codes
from core.api.pricing import checked_currency

from . import editing
from .models import KINDS, STATUSES, Agreement
from .permissions import EDIT
from .standing import first_day, last_day

_, _l, ngettext, _p = translations(__name__)
_REQUIRED = ("name", "company", "quantity", "value", "valid_until")
_PLAIN = ("name", "unit", "quantity", "kind", "value", "per", "status", "note")
_DEFAULTS = {
    "product_id": None, "category_id": None, "unit": "", "kind": "fixed", "per": Decimal(1), "status": "active", "note": "",
}  # fmt: skip


def load(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert agreements by code, each as on its page; a row that says what holds already changes nothing."""
    batch, zone = Batch(rows, "code"), seller().zone
    companies = {c.code: c for c in db.session.scalars(select(Company).where(Company.code.in_(batch.all("company"))))}
    targets = {
        "sku": codes(Product.sku, Product.id, batch.all("sku")),
        "category": codes(Category.code, Category.id, batch.all("category")),
    }
    query = select(Agreement).where(Agreement.code.in_(batch.all("code")))
    known = {one.code: one for one in db.session.scalars(query)}
    ready = []
    for row in batch:
        one = known.get(row.values["code"])
        if (one is None and not batch.require(row, *_REQUIRED)) or not _references(batch, row, companies, targets):
            continue
        try:
            ready.append((row, one, _values(row.values, one, companies, targets, zone)))
        except Invalid as error:
            batch.fail(row, "currency", error.message)
    for row, one, values in sorted(ready, key=lambda found: found[2]["company_id"]):  # companies are locked in one order
        _put(batch, row, one, values)
    return batch.results()


def _references(
    batch: Batch, row: ImportRow, companies: Mapping[str, Company], targets: Mapping[str, Mapping[str, int]]
) -> bool:
    things = {"company": (companies, _("company")), "sku": (targets["sku"], _("product"))}
    for name, (found, thing) in {**things, "category": (targets["category"], _("category"))}.items():
        if name in row.values and row.values[name] not in found:
            batch.unknown(row, name, thing)
            return False
    return True


def _values(
    given: Mapping[str, Any],
    one: Agreement | None,
    companies: Mapping[str, Company],
    targets: Mapping[str, Mapping[str, int]],
    zone: str,
) -> dict[str, Any]:
    """Return all columns as they will be: those of the agreement, or the defaults, with what the row says."""
    names = [column.name for column in Agreement.__table__.columns]
    values = {**_DEFAULTS, "valid_from": start_of_day(clock.today(zone), zone)}
    if one is not None:
        values = {n: getattr(one, n) for n in names if n not in ("id", "version", "created_at", "updated_at")}
    values |= {name: given[name] for name in _PLAIN if name in given}
    values["code"] = given["code"]
    if "company" in given:
        company = companies[given["company"]]
        values |= {"company_id": company.id, "currency": values.get("currency") or company.currency}
    if "sku" in given or "category" in given:
        values["product_id"] = targets["sku"].get(given.get("sku", ""))
        values["category_id"] = targets["category"].get(given.get("category", ""))
    if "currency" in given:
        values["currency"] = checked_currency(given["currency"])
    if "valid_from" in given:
        values["valid_from"] = start_of_day(given["valid_from"], zone)
    if "valid_until" in given:
        values["valid_until"] = end_of_day(given["valid_until"], zone)
    return values


def _put(batch: Batch, row: ImportRow, one: Agreement | None, values: Mapping[str, Any]) -> None:
    if one is not None and all(getattr(one, name) == value for name, value in values.items()):
        batch.done(row, "unchanged")
        return
    try:
        editing.save(one, values)
    except Invalid as error:
        batch.fail(row, str((error.details or {}).get("field", "code")), error.message)
        return
    batch.done(row, "created" if one is None else "updated")


def export() -> Iterator[dict[str, Any]]:
    """Yield the agreements by code."""
    query = (
        select(Agreement, Company.code.label("company"), Product.sku, Category.code.label("category"))
        .join(Company, Company.id == Agreement.company_id)
        .outerjoin(Product, Product.id == Agreement.product_id)
        .outerjoin(Category, Category.id == Agreement.category_id)
        .order_by(Agreement.code)
    )
    for one, company, sku, category in db.session.execute(query):
        yield {
            "code": one.code, "company": company, "sku": sku, "category": category, "currency": one.currency,
            "valid_from": first_day(one.valid_from), "valid_until": last_day(one.valid_until),
            **{name: getattr(one, name) for name in _PLAIN},
        }  # fmt: skip


AGREEMENTS = DataImport(
    kind="volume_agreements",
    title=_l("Volume agreements"),
    key=("code",),
    fields=(
        ImportField("code", required=True, max_length=30),
        ImportField("name", max_length=100),
        ImportField("company", max_length=40),
        ImportField("sku", max_length=80),
        ImportField("category", max_length=60),
        ImportField("unit", max_length=20, help=_l("For a category: the base unit of its products")),
        ImportField("quantity", "decimal"),
        ImportField("kind", "choice", choices=KINDS),
        ImportField("value", "decimal"),
        ImportField("per", "decimal"),
        ImportField("currency", max_length=3),
        ImportField("valid_from", "date"),
        ImportField("valid_until", "date"),
        ImportField("status", "choice", choices=STATUSES),
        ImportField("note", lines=True),
    ),
    load=load,
    permission=EDIT,
    export=export,
    order=230,
)
