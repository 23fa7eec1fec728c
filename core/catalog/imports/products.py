"""Import of products: a row becomes what the catalogue's own saving takes, and the picture that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.catalog.imports.pictures import Pictures
from core.catalog.models import Product
from core.catalog.saving import STATUSES, Saved, save_products
from core.i18n import LOCALES
from core.imports.batch import Batch
from core.imports.names import given
from core.imports.upsert import codes, outcome_of
from core.spec.imports import ImportRow, RowResult

TAX_CLASSES = ("standard", "reduced", "zero", "exempt", "reverse_charge")
OPEN = "attr:"
BASE_UNIT = "pcs"
_PLAIN = (
    "category", "gtin", "manufacturer", "manufacturer_code", "tax_class", "base_unit", "status", "superseded_by",
    "weight_kg", "source", "external_id",
)  # fmt: skip
__all__ = ["OPEN", "STATUSES", "TAX_CLASSES", "load_products"]


def load_products(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert a batch of products; the number of statements does not depend on the number of rows."""
    batch = Batch(rows, "sku")
    known = codes(Product.sku, Product.id, batch.all("sku"))
    pictures = Pictures(list(known.values()))
    for row in batch:
        if fault := pictures.fault(known.get(row.values["sku"]), row.values.get("image", "")):
            batch.fail(row, "image", fault)
    taken = list(batch)
    saved = save_products([_row(row.values, is_new=row.values["sku"] not in known) for row in taken])
    note(batch, taken, saved, {"name": "name_en"})
    _show_pictures(batch, taken, saved)
    return batch.results()


def _row(values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """Return what the catalogue saves, by its names; a new product is counted in pieces unless the row says otherwise."""
    names, descriptions = given(values, "name"), given(values, "description")
    texts = {
        locale: {"name": names.get(locale), "description": descriptions.get(locale)}
        for locale in LOCALES
        if locale in names or locale in descriptions
    }
    attributes = {name.removeprefix(OPEN): value for name, value in values.items() if name.startswith(OPEN)}
    row = {name: values[name] for name in ("sku", *_PLAIN) if name in values}
    if is_new:
        row.setdefault("base_unit", BASE_UNIT)
    return {**row, "texts": texts, "attributes": attributes}


def note(batch: Batch, rows: Sequence[ImportRow], saved: Sequence[Saved], columns: Mapping[str, str]) -> None:
    """Put the catalogue's results into the batch; ``columns`` names what the file calls a field otherwise."""
    for row, result in zip(rows, saved, strict=True):
        if result.outcome == "error":
            batch.fail(row, columns.get(result.field, result.field), result.message)
        else:
            batch.done(row, result.outcome)


def _show_pictures(batch: Batch, rows: Sequence[ImportRow], saved: Sequence[Saved]) -> None:
    """Give products the pictures that their rows name."""
    named = [
        (row, result) for row, result in zip(rows, saved, strict=True) if "image" in row.values and result.outcome != "error"
    ]
    ids = codes(Product.sku, Product.id, (row.values["sku"] for row, _result in named))
    pictures = Pictures(list(ids.values()))
    for row, result in named:
        outcome = pictures.put(ids[row.values["sku"]], row.values["image"])
        batch.done(row, outcome_of(result.outcome, outcome))
    pictures.flush()
