"""Import and export of promotions, for files and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.api.catalog import Category, Product
from core.api.companies import Company, Segment, seller
from core.api.data import clock, db, end_of_day, start_of_day
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, RowResult
from core.api.i18n import translations
from core.api.imports import Batch, Upsert, codes
from core.api.jobs import emit
from core.api.pricing import checked_currency

from .editing import check
from .models import KINDS, STATUSES, Promotion
from .permissions import EDIT
from .vouchers import normal

_, _l, ngettext, _p = translations(__name__)
ONE_DAY = timedelta(days=1)
_PLAIN = (
    "name", "kind", "value", "min_value", "min_quantity", "max_units", "free_quantity", "for_every", "with_charges",
    "on_agreed", "uses", "uses_per_company", "status",
)  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("min_value", "min_quantity", "max_units", "free_quantity", "for_every")),
    **dict.fromkeys(("uses", "uses_per_company", "valid_until")),
    **dict.fromkeys(("counted_product_id", "counted_category_id", "reduced_product_id", "reduced_category_id")),
    "company_id": None, "segment_id": None, "value": Decimal(0), "currency": "", "with_charges": False, "on_agreed": False,
    "voucher": "", "status": "draft",
}  # fmt: skip
#: column of the file -> (attribute, model, the model's code, what it is)
_CODES: dict[str, tuple[str, Any, Any, Any]] = {
    "counted_sku": ("counted_product_id", Product, Product.sku, _l("product")),
    "counted_category": ("counted_category_id", Category, Category.code, _l("category")),
    "reduced_sku": ("reduced_product_id", Product, Product.sku, _l("product")),
    "reduced_category": ("reduced_category_id", Category, Category.code, _l("category")),
    "company": ("company_id", Company, Company.code, _l("company")),
    "segment": ("segment_id", Segment, Segment.code, _l("segment")),
}
#: Of two the one that a row names takes the place of the other.
_PAIRS = (("counted_sku", "counted_category"), ("reduced_sku", "reduced_category"), ("company", "segment"))


def load(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert promotions by code; the last day is included."""
    batch, zone, now = Batch(rows, "code"), seller().zone, clock.now()
    found = {name: codes(code, model.id, batch.all(name)) for name, (_column, model, code, _thing) in _CODES.items()}
    table = Upsert(Promotion, ("code",)).read(Promotion.code.in_(batch.all("code")))
    vouchers = _taken({normal(text) for text in batch.all("voucher")})
    changed = []
    for row in batch:
        code = row.values["code"]
        known = table.get(code)
        values = _values(batch, row, known, found, zone)
        if values is None:
            continue
        whole = {**_DEFAULTS, "valid_from": now, **(known or {}), **values}
        if not _fits(batch, row, whole, vouchers):
            continue
        new = {**_DEFAULTS, "valid_from": now, "created_at": now, "updated_at": now}
        outcome = table.put((code,), values, new=new, touch={"updated_at": now})
        changed += [code] if outcome != "unchanged" else []
        batch.done(row, outcome)
    table.flush()
    if changed:
        emit("price.changed", {"source": "promotions", "promotions": changed})
    return batch.results()


def _values(
    batch: Batch, row: ImportRow, known: Mapping[str, Any] | None, found: Mapping[str, Mapping[str, int]], zone: str
) -> dict[str, Any] | None:
    """Return the columns that the row gives; None where one of them is refused."""
    given = row.values
    if known is None and not batch.require(row, "name", "kind"):
        return None
    for one, other in _PAIRS:
        if one in given and other in given:
            batch.fail(row, other, _("Name one of the two, not both."))
            return None
    values = {name: given[name] for name in _PLAIN if name in given}
    for name, (column, _model, _code, thing) in _CODES.items():
        if name not in given:
            continue
        if given[name] not in found[name]:
            batch.unknown(row, name, str(thing))
            return None
        values[column] = found[name][given[name]]
    for one, other in _PAIRS:
        for name, rival in ((one, other), (other, one)):
            if name in given:
                values[_CODES[rival][0]] = None
    if "voucher" in given:
        values["voucher"] = normal(given["voucher"])
    if "currency" in given:
        try:
            values["currency"] = checked_currency(given["currency"])
        except Invalid as refused:
            batch.fail(row, "currency", refused.message)
            return None
    first = given.get("valid_from")
    began = known["valid_from"].astimezone(ZoneInfo(zone)).date() if known else None
    if first is not None and first != began:  # one that began in the midst of that day did so
        values["valid_from"] = start_of_day(first, zone)
    if "valid_until" in given:
        values["valid_until"] = end_of_day(given["valid_until"], zone)
    return values


def _fits(batch: Batch, row: ImportRow, whole: Mapping[str, Any], vouchers: dict[str, str]) -> bool:
    """Tell whether the promotion can be meant, and its voucher is no other's; ``vouchers`` learns of it."""
    code, voucher = row.values["code"], whole["voucher"]
    try:
        check(whole)
    except Invalid as refused:
        batch.fail(row, str(refused.details.get("field", "code")), refused.message)
        return False
    if voucher and whole["status"] != "ended" and vouchers.setdefault(voucher, code) != code:
        batch.fail(row, "voucher", _("The promotion %(code)s has this voucher already.", code=vouchers[voucher]))
        return False
    return True


def _taken(wanted: set[str]) -> dict[str, str]:
    """Return the promotions that have these vouchers, by voucher."""
    query = select(Promotion.voucher, Promotion.code).where(
        Promotion.voucher.in_(wanted - {""}), Promotion.status != "ended"
    )
    return {row.voucher: row.code for row in db.session.execute(query)}


def export() -> Iterator[dict[str, Any]]:
    """Yield the promotions by code, as the import takes them."""
    zone = ZoneInfo(seller().zone)
    joined = {name: aliased(model) for name, (_column, model, _code, _thing) in _CODES.items()}
    query = select(Promotion, *(getattr(joined[name], code.key).label(name) for name, (_c, _m, code, _t) in _CODES.items()))
    for name, (column, _model, _code, _thing) in _CODES.items():
        query = query.outerjoin(joined[name], joined[name].id == getattr(Promotion, column))
    for row in db.session.execute(query.order_by(Promotion.code)):
        one = row[0]
        yield {
            "code": one.code, **{name: getattr(one, name) for name in _PLAIN}, "currency": one.currency,
            **{name: getattr(row, name) for name in _CODES}, "voucher": one.voucher,
            "valid_from": one.valid_from.astimezone(zone).date(),
            "valid_until": one.valid_until.astimezone(zone).date() - ONE_DAY if one.valid_until else None,
        }  # fmt: skip


PROMOTIONS = DataImport(
    kind="promotions",
    title=_l("Promotions"),
    key=("code",),
    fields=(
        ImportField("code", required=True, max_length=40),
        ImportField("name", max_length=100),
        ImportField("kind", "choice", choices=KINDS),
        ImportField("value", "decimal"),
        ImportField("currency", max_length=3),
        ImportField("min_value", "decimal"),
        ImportField("min_quantity", "decimal"),
        ImportField("counted_sku", max_length=80),
        ImportField("counted_category", max_length=60),
        ImportField("reduced_sku", max_length=80),
        ImportField("reduced_category", max_length=60),
        ImportField("max_units", "decimal"),
        ImportField("free_quantity", "decimal"),
        ImportField("for_every", "decimal"),
        ImportField("with_charges", "boolean"),
        ImportField("on_agreed", "boolean"),
        ImportField("company", max_length=40),
        ImportField("segment", max_length=40),
        ImportField("voucher", max_length=40),
        ImportField("uses", "integer"),
        ImportField("uses_per_company", "integer"),
        ImportField("valid_from", "date"),
        ImportField("valid_until", "date"),
        ImportField("status", "choice", choices=STATUSES),
    ),
    load=load,
    permission=EDIT,
    export=export,
    order=230,
)
