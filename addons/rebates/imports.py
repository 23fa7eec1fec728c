"""Import and export of rebates: steps as "10000=2", articles and categories as lists of codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.catalog import Category, Product
from core.api.companies import Company
from core.api.data import db
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, RowResult
from core.api.i18n import read_plain, translations
from core.api.imports import Batch
from core.api.pricing import checked_currency
from core.api.ui import plain

from . import editing
from .forms import codes_of, ids_of
from .models import BASES, KINDS, MODES, PERIODS, STATUSES, Rebate
from .permissions import EDIT

_, _l, ngettext, _p = translations(__name__)
ONE_DAY = timedelta(days=1)
_REQUIRED = ("name", "company", "starts", "steps")
_PLAIN = ("name", "period", "starts", "basis", "unit", "kind", "mode", "status", "note")
_DEFAULTS: dict[str, Any] = {
    "period": "year", "basis": "net", "unit": "", "kind": "percent", "mode": "retroactive", "status": "active", "note": "",
    "ends": None, "products": [], "categories": [],
}  # fmt: skip


def load(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert rebates by code, each as on its page; a row that says what holds already changes nothing."""
    batch = Batch(rows, "code")
    companies = {c.code: c for c in db.session.scalars(select(Company).where(Company.code.in_(batch.all("company"))))}
    query = select(Rebate).where(Rebate.code.in_(batch.all("code")))
    known = {one.code: one for one in db.session.scalars(query)}
    ready = []
    for row in batch:
        one = known.get(row.values["code"])
        if one is None and not batch.require(row, *_REQUIRED):
            continue
        if "company" in row.values and row.values["company"] not in companies:
            batch.unknown(row, "company", _("company"))
            continue
        try:
            ready.append((row, one, _values(row.values, one, companies)))
        except Invalid as error:
            batch.fail(row, str((error.details or {}).get("field", "currency")), error.message)
    for row, one, values in sorted(ready, key=lambda found: found[2]["company_id"]):  # companies are locked in one order
        _put(batch, row, one, values)
    return batch.results()


def _values(given: Mapping[str, Any], one: Rebate | None, companies: Mapping[str, Company]) -> dict[str, Any]:
    """Return what editing.save takes: what the rebate is, or the defaults, with what the row says."""
    values = dict(_DEFAULTS) if one is None else editing.as_values(one)
    values |= {name: given[name] for name in _PLAIN if name in given}
    values["code"] = given["code"]
    if "company" in given:
        company = companies[given["company"]]
        values |= {"company_id": company.id, "currency": values.get("currency") or company.currency}
    if "currency" in given:
        values["currency"] = checked_currency(given["currency"])
    if "ends" in given:
        values["ends"] = given["ends"] + ONE_DAY
    if "steps" in given:
        values["steps"] = [_step(text) for text in given["steps"]]
    if "skus" in given:
        values["products"] = ids_of(Product, Product.sku, given["skus"], "skus")
    if "categories" in given:
        values["categories"] = ids_of(Category, Category.code, given["categories"], "categories")
    return values


def _step(text: str) -> tuple[Decimal, Decimal]:
    threshold, _equals, value = text.partition("=")
    try:
        return read_plain(threshold.strip()), read_plain(value.strip())
    except Invalid:
        text = text[:60]
        raise editing.invalid("steps", _("“%(line)s” is no step: write a threshold and a value.", line=text)) from None


def _put(batch: Batch, row: ImportRow, one: Rebate | None, values: Mapping[str, Any]) -> None:
    if one is not None and _same(editing.as_values(one), values):
        batch.done(row, "unchanged")
        return
    try:
        editing.save(one, values)
    except Invalid as error:
        batch.fail(row, str((error.details or {}).get("field", "code")), error.message)
        return
    batch.done(row, "created" if one is None else "updated")


def _same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    several = ("steps", "products", "categories")
    return all(sorted(before[n]) == sorted(after[n]) if n in several else before[n] == after[n] for n in before)


def export() -> Iterator[dict[str, Any]]:
    """Yield the rebates by code."""
    query = select(Rebate, Company.code).join(Company, Company.id == Rebate.company_id).order_by(Rebate.code)
    for one, company in db.session.execute(query):
        yield {
            "code": one.code, "company": company, "currency": one.currency,
            "ends": None if one.ends is None else one.ends - ONE_DAY,
            **{name: getattr(one, name) for name in _PLAIN},
            "steps": [f"{plain(s.threshold)}={plain(s.value)}" for s in one.steps],
            "skus": codes_of(Product, Product.sku, (t.product_id for t in one.targets)),
            "categories": codes_of(Category, Category.code, (t.category_id for t in one.targets)),
        }  # fmt: skip


REBATES = DataImport(
    kind="rebates",
    title=_l("Rebates"),
    key=("code",),
    fields=(
        ImportField("code", required=True, max_length=30),
        ImportField("name", max_length=100),
        ImportField("company", max_length=40),
        ImportField("currency", max_length=3),
        ImportField("period", "choice", choices=PERIODS),
        ImportField("starts", "date"),
        ImportField("ends", "date", help=_l("The last day that counts")),
        ImportField("basis", "choice", choices=BASES),
        ImportField("unit", max_length=20),
        ImportField("kind", "choice", choices=KINDS),
        ImportField("mode", "choice", choices=MODES),
        ImportField("steps", "list", help=_l("Threshold and value, for example 10000=2")),
        ImportField("skus", "list"),
        ImportField("categories", "list"),
        ImportField("status", "choice", choices=STATUSES),
        ImportField("note", lines=True),
    ),
    load=load,
    permission=EDIT,
    export=export,
    order=240,
)
