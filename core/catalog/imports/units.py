"""Import and export of product units and of companies' own item codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from core.catalog.imports.products import note
from core.catalog.models import ItemCode, Product, ProductUnit
from core.catalog.saving import save_item_codes, save_units
from core.companies.models import Company
from core.data.db import db
from core.i18n import _, _l
from core.imports.batch import Batch
from core.imports.upsert import codes
from core.spec.imports import DataImport, ImportField, ImportRow, RowResult

_PLAIN = ("precision", "minimum", "step", "maximum", "gtin", "price_from_base")


def load_units(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert the units of products; the factor of a base unit stays one."""
    batch = Batch(rows, "sku", "unit")
    factors: dict[int, tuple[int, int] | None] = {}
    known = _known_units(batch.all("sku"))
    for row in batch:
        sku, unit = row.values["sku"], row.values["unit"]
        if "factor" not in row.values and known.get(sku) and unit not in known[sku]:
            batch.require(row, "factor")
        elif "factor" in row.values:
            factors[row.number] = _factor(row.values["factor"])
            if factors[row.number] is None:
                batch.fail(row, "factor", _("Write a whole number above zero, or two of them as 1/3."))
    taken = list(batch)
    note(batch, taken, save_units([_unit_row(row, factors.get(row.number)) for row in taken]), {})
    return batch.results()


def _known_units(skus: Iterable[str]) -> dict[str, set[str]]:
    """Return the units that each product has."""
    query = select(Product.sku, ProductUnit.unit).join(ProductUnit, ProductUnit.product_id == Product.id)
    found: dict[str, set[str]] = {}
    for sku, unit in db.session.execute(query.where(Product.sku.in_(skus))):
        found.setdefault(sku, set()).add(unit)
    return found


def _unit_row(row: ImportRow, factor: tuple[int, int] | None) -> dict[str, Any]:
    values = {name: row.values[name] for name in ("sku", "unit", *_PLAIN) if name in row.values}
    if factor:
        values["numerator"], values["denominator"] = factor
    return values


def _factor(text: str) -> tuple[int, int] | None:
    """Read "6" or "1/3"; None for anything else."""
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 2 or not all(part.isdecimal() and 0 < int(part) <= 10**9 for part in parts):
        return None
    return int(parts[0]), int(parts[1]) if len(parts) == 2 else 1


def export_units() -> Iterator[dict[str, Any]]:
    """Yield the units by SKU, the base unit first."""
    query = select(ProductUnit, Product.sku).join(Product, Product.id == ProductUnit.product_id)
    for unit, sku in db.session.execute(query.order_by(Product.sku, ProductUnit.position, ProductUnit.id)):
        factor = str(unit.numerator) if unit.denominator == 1 else f"{unit.numerator}/{unit.denominator}"
        yield {"sku": sku, "unit": unit.unit, "factor": factor, **{name: getattr(unit, name) for name in _PLAIN}}


def load_item_codes(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert what companies call the products."""
    batch = Batch(rows, "company", "code")
    companies = codes(Company.code, Company.id, batch.all("company"))
    for row in batch:
        if row.values["company"] not in companies:
            batch.unknown(row, "company", _("company"))
    taken = list(batch)
    own = [(companies[row.values["company"]], row.values["code"], row.values["sku"]) for row in taken]
    note(batch, taken, save_item_codes(own), {})
    return batch.results()


def export_item_codes() -> Iterator[dict[str, Any]]:
    """Yield the item codes by company."""
    query = (
        select(Company.code.label("company"), ItemCode.code, Product.sku)
        .join(Company, Company.id == ItemCode.company_id)
        .join(Product, Product.id == ItemCode.product_id)
        .order_by(Company.code, ItemCode.code)
    )
    for row in db.session.execute(query):
        yield dict(row._mapping)


UNITS = DataImport(
    kind="product_units",
    title=_l("Units and packages"),
    key=("sku", "unit"),
    fields=(
        ImportField("sku", required=True, max_length=80),
        ImportField("unit", required=True, max_length=20),
        ImportField("factor", max_length=21),
        ImportField("precision", "integer"),
        ImportField("minimum", "decimal"),
        ImportField("step", "decimal"),
        ImportField("maximum", "decimal"),
        ImportField("gtin", max_length=14),
        ImportField("price_from_base", "boolean"),
    ),
    load=load_units,
    permission="catalog.product.manage",
    export=export_units,
    order=40,
)
ITEM_CODES = DataImport(
    kind="item_codes",
    title=_l("Companies' own item codes"),
    key=("company", "code"),
    fields=(
        ImportField("company", required=True, max_length=40),
        ImportField("code", required=True, max_length=80),
        ImportField("sku", required=True, max_length=80),
    ),
    load=load_item_codes,
    permission="catalog.item_code.manage",
    export=export_item_codes,
    order=90,
)
