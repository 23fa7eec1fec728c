"""Import and export of product units and of companies' own item codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from stdnum import ean

from core.catalog.folding import fold_code
from core.catalog.models import ItemCode, Product, ProductUnit
from core.catalog.search.documents import reindex
from core.companies.models import Company
from core.data.db import db
from core.i18n import _, _l
from core.imports.batch import Batch
from core.imports.upsert import Upsert, codes
from core.spec.imports import DataImport, ImportField, ImportRow, RowResult

_PLAIN = ("precision", "minimum", "step", "maximum", "gtin", "price_from_base")


def load_units(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert the units of products; the factor of a base unit stays one."""
    batch = Batch(rows, "sku", "unit")
    products = codes(Product.sku, Product.id, batch.all("sku"))
    bases = codes(Product.sku, Product.base_unit, batch.all("sku"))
    table = Upsert(ProductUnit, ("product_id", "unit")).read(ProductUnit.product_id.in_(products.values()))
    places = dict.fromkeys(products.values(), 0)
    for product_id, unit in table.keys:
        places[product_id] = max(places[product_id], table.get(product_id, unit)["position"])  # type: ignore[index]
    changed = set()
    for row in batch:
        sku, unit = row.values["sku"], row.values["unit"]
        if sku not in products:
            batch.unknown(row, "sku", _("product"))
            continue
        key = (products[sku], unit)
        values = _unit_values(batch, row, is_base=unit == bases[sku], exists=table.get(*key) is not None)
        if values is not None:
            places[key[0]] += 1
            outcome = table.put(key, values, new={**_NEW_UNIT, "position": places[key[0]]})
            batch.done(row, outcome)
            changed |= {key[0]} if outcome != "unchanged" and "gtin" in values else set()
    table.flush()
    reindex(changed)
    return batch.results()


_NEW_UNIT = {
    "numerator": 1, "denominator": 1, "precision": 0, "minimum": Decimal(1), "step": Decimal(1), "maximum": None,
    "gtin": None, "price_from_base": True,
}  # fmt: skip


def _unit_values(batch: Batch, row: ImportRow, *, is_base: bool, exists: bool) -> dict[str, Any] | None:
    """Return the columns of a unit, or None where the row was refused."""
    values = {name: row.values[name] for name in _PLAIN if name in row.values}
    if not exists and not is_base and not batch.require(row, "factor"):
        return None
    if "factor" in row.values:
        factor = _factor(row.values["factor"])
        if factor is None:
            batch.fail(row, "factor", _("Write a whole number above zero, or two of them as 1/3."))
            return None
        if is_base and factor[0] != factor[1]:
            batch.fail(row, "factor", _("This is the base unit of the product: its factor is 1."))
            return None
        values["numerator"], values["denominator"] = factor
    if fault := _fault(values):
        batch.fail(row, *fault)
        return None
    return values


def _factor(text: str) -> tuple[int, int] | None:
    parts = text.split("/")
    if len(parts) > 2 or not all(part.strip().isdecimal() and 0 < int(part) <= 10**9 for part in parts):
        return None
    return int(parts[0]), int(parts[1]) if len(parts) == 2 else 1


def _fault(values: dict[str, Any]) -> tuple[str, str] | None:
    """Return the field and sentence of the first rule that the quantities break."""
    if not 0 <= values.get("precision", 0) <= 6:
        return "precision", _("A quantity has 0 to 6 decimals.")
    for name in ("minimum", "step", "maximum"):
        if name in values and values[name] <= 0:
            return name, _("It must be above zero.")
    if "precision" in values:
        quantum = Decimal(1).scaleb(-values["precision"])
        for name in ("minimum", "step"):
            if name in values and values[name] % quantum:
                return name, _("It has more decimals than the precision of the unit allows.")
    if "gtin" in values and not ean.is_valid(values["gtin"]):
        return "gtin", _("The GTIN has a wrong check digit or length.")
    return None


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
    products = codes(Product.sku, Product.id, batch.all("sku"))
    table = Upsert(ItemCode, ("company_id", "code")).read(
        ItemCode.company_id.in_(companies.values()), ItemCode.code.in_(batch.all("code"))
    )
    for row in batch:
        values = row.values
        if values["company"] not in companies:
            batch.unknown(row, "company", _("company"))
        elif values["sku"] not in products:
            batch.unknown(row, "sku", _("product"))
        else:
            own = {"product_id": products[values["sku"]], "code_folded": fold_code(values["code"])}
            batch.done(row, table.put((companies[values["company"]], values["code"]), own))
    table.flush()
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
