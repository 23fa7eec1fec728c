"""Import of products: texts, technical attributes, base unit and picture come with the row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stdnum import ean

from core.catalog.folding import fold, fold_code
from core.catalog.imports.pictures import Pictures
from core.catalog.models import Attribute, Category, Product, ProductAttribute, ProductText, ProductUnit
from core.catalog.search.documents import reindex
from core.data import clock
from core.i18n import LOCALES, _, _l
from core.imports.batch import Batch
from core.imports.cells import CellError, Reading, number
from core.imports.exporting import text_of
from core.imports.names import given
from core.imports.upsert import Upsert, codes, outcome_of
from core.spec.imports import ImportRow, Outcome, RowResult

STATUSES = ("active", "blocked", "discontinued")
TAX_CLASSES = ("standard", "reduced", "zero", "exempt", "reverse_charge")
OPEN = "attr:"
_PLAIN = ("gtin", "manufacturer", "manufacturer_code", "tax_class", "status", "weight_kg")


def load_products(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert a batch of products; the number of statements does not depend on the number of rows."""
    batch = Batch(rows, "sku")
    loader = _Loader(batch)
    loader.check()
    outcomes = loader.put_products()
    loader.put_parts(outcomes)
    for row in batch:
        batch.done(row, outcome_of(*outcomes[row.number]))
    changed = [row for row in batch if outcome_of(*outcomes[row.number]) != "unchanged"]
    reindex(loader.ids[row.values["sku"]] for row in changed)
    return batch.results()


class _Loader:
    """What one batch needs to know of the catalogue, and the tables it writes."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.ids: dict[str, int] = {}
        self._skus = batch.all("sku") | batch.all("superseded_by")
        self._products = self._read_products()
        self._categories = codes(Category.code, Category.id, batch.all("category"))
        names = {name.removeprefix(OPEN) for row in batch.rows for name in row.values if name.startswith(OPEN)}
        self._attributes = codes(Attribute.code, Attribute.id, names)
        self._types = codes(Attribute.code, Attribute.type, names)
        self._values: dict[int, list[tuple[int, str, Any]]] = {}

    def _read_products(self) -> Upsert:
        return Upsert(Product, ("sku",)).read(Product.sku.in_(self._skus))

    def check(self) -> None:
        """Refuse rows that refer to what is not there or break a rule."""
        pictures = Pictures()
        known = {sku for (sku,) in self._products.keys} | self.batch.all("sku")
        for row in self.batch:
            values = row.values
            if "category" in values and values["category"] not in self._categories:
                self.batch.unknown(row, "category", _("category"))
            elif values.get("superseded_by", values["sku"]) not in known:
                self.batch.unknown(row, "superseded_by", _("product"))
            elif values.get("superseded_by") == values["sku"]:
                self.batch.fail(row, "superseded_by", _("A product cannot replace itself."))
            elif "gtin" in values and not ean.is_valid(values["gtin"]):
                self.batch.fail(row, "gtin", _("The GTIN has a wrong check digit or length."))
            elif fault := pictures.fault(values.get("image", "")):
                self.batch.fail(row, "image", fault)
            elif self._base_unit_differs(row) or not self._named(row):
                continue
            else:
                self._read_values(row)

    def _base_unit_differs(self, row: ImportRow) -> bool:
        found = self._products.get(row.values["sku"])
        if found is None or row.values.get("base_unit", found["base_unit"]) == found["base_unit"]:
            return False
        message = _("The base unit of the product is %(unit)s and cannot change.", unit=found["base_unit"])
        self.batch.fail(row, "base_unit", message)
        return True

    def _named(self, row: ImportRow) -> bool:
        if self._products.get(row.values["sku"]) is None and not given(row.values, "name"):
            self.batch.fail(row, "name_en", _("A new product needs a name in one language at least."))
            return False
        return True

    def _read_values(self, row: ImportRow) -> None:
        found = []
        for column in (name for name in row.values if name.startswith(OPEN)):
            code = column.removeprefix(OPEN)
            if code not in self._attributes:
                message = _("There is no attribute “%(code)s”. Import the attributes first.", code=code)
                self.batch.fail(row, column, message)
                return
            try:
                found.append((self._attributes[code], *_value(self._types[code], row.values[column])))
            except CellError as error:
                self.batch.fail(row, column, str(error))
                return
        self._values[row.number] = found

    def put_products(self) -> dict[int, list[Outcome]]:
        """Write the products themselves; what replaces a product may stand below it in the file."""
        now = clock.now()
        outcomes: dict[int, list[Outcome]] = {}
        for row in self.batch:
            new: dict[str, Any] = {**_NEW, "version": 1, "created_at": now, "updated_at": now, "extra": {}}
            values = self._own_values(row)
            outcomes[row.number] = [self._products.put((row.values["sku"],), values, new, {"updated_at": now})]
        self._products.flush()
        again = self._products = self._read_products()
        self.ids = {sku: again.get(sku)["id"] for (sku,) in again.keys}  # type: ignore[index]
        for row in self.batch:
            if "superseded_by" in row.values:
                replaced = {"superseded_by_id": self.ids.get(row.values["superseded_by"])}
                outcomes[row.number].append(again.put((row.values["sku"],), replaced, touch={"updated_at": now}))
        again.flush()
        return outcomes

    def _own_values(self, row: ImportRow) -> dict[str, Any]:
        values = {name: row.values[name] for name in _PLAIN if name in row.values}
        values["sku_folded"] = fold_code(row.values["sku"])
        if "manufacturer_code" in values:
            values["manufacturer_code_folded"] = fold_code(values["manufacturer_code"])
        if "category" in row.values:
            values["category_id"] = self._categories[row.values["category"]]
        if self._products.get(row.values["sku"]) is None:
            values["base_unit"] = row.values.get("base_unit", "pcs")
        return values

    def put_parts(self, outcomes: dict[int, list[Outcome]]) -> None:
        """Write texts, base units, attribute values and pictures of the batch's products."""
        ids = list(self.ids.values())
        texts = Upsert(ProductText, ("product_id", "locale")).read(ProductText.product_id.in_(ids))
        values = Upsert(ProductAttribute, ("product_id", "attribute_id")).read(ProductAttribute.product_id.in_(ids))
        units = Upsert(ProductUnit, ("product_id", "unit")).read(ProductUnit.product_id.in_(ids))
        pictures = Pictures(ids)
        for row in self.batch:
            product_id = self.ids[row.values["sku"]]
            results = outcomes[row.number]
            results.extend(_put_texts(texts, product_id, row))
            for attribute_id, text, exact in self._values.get(row.number, ()):
                results.append(values.put((product_id, attribute_id), {"text": text, "number": exact}))
            if results[0] == "created":
                units.put((product_id, row.values.get("base_unit", "pcs")), {})
            if "image" in row.values:
                results.append(pictures.put(product_id, row.values["image"]))
        for table in (texts, values, units, pictures):
            table.flush()


_NEW = {
    "gtin": None, "category_id": None, "manufacturer": "", "manufacturer_code": "", "manufacturer_code_folded": "",
    "tax_class": "standard", "status": "active", "weight_kg": None,
}  # fmt: skip


def _put_texts(texts: Upsert, product_id: int, row: ImportRow) -> list[Outcome]:
    names, descriptions = given(row.values, "name"), given(row.values, "description")
    results = []
    for locale in LOCALES:
        key = (product_id, locale)
        wanted: dict[str, Any] = {}
        if locale in names:
            wanted |= {"name": names[locale], "name_folded": fold(names[locale])}
        if locale in descriptions and (locale in names or texts.get(*key)):
            wanted["description"] = descriptions[locale]
        if wanted:
            results.append(texts.put(key, wanted, new={"description": ""}))
    return results


def _value(kind: str, text: str) -> tuple[str, Any]:
    """Return the text and the number of an attribute's value."""
    if kind == "number":
        exact = number(text, Reading(decimal_comma=True))
        return text_of(exact), exact
    if kind == "boolean":
        word = text.lower()
        if word not in ("yes", "no", "true", "false", "1", "0"):
            raise CellError(_("“%(text)s” is neither yes nor no.", text=text))
        return ("yes" if word in ("yes", "true", "1") else "no"), None
    return text, None


TITLE = _l("Products")
