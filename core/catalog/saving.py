"""Create and change products, units, categories, attributes and item codes: whole batches, set statements only.

Importers, the REST API and the back-office forms all come through here. Every function is called inside
``write()``, takes batches of up to some thousand rows, and changes (and indexes) nothing for equal rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, or_, select, tuple_, update
from stdnum import ean

from core.catalog.folding import fold, fold_code, sort_code
from core.catalog.models import Attribute, Category, ItemCode, Product, ProductAttribute, ProductText, ProductUnit
from core.catalog.search.documents import reindex
from core.data import clock
from core.data.db import db
from core.i18n import _
from core.i18n.numbers import FILE, bounded, read_number
from core.imports.upsert import Upsert, codes, outcome_of
from core.spec.errors import Invalid
from core.spec.imports import Outcome
from core.ui.formats import plain

#: The largest technical figure that is kept.
_LARGEST = Decimal(10**12)
STATUSES = ("active", "blocked", "discontinued")
_PLAIN = (
    "gtin", "manufacturer", "manufacturer_code", "tax_class", "status", "weight_kg", "position", "source",
    "external_id", "extra",
)  # fmt: skip
_YES = {"yes", "true", "1", "y", "x", "kyllä", "tak", "evet"}
_NO = {"no", "false", "0", "n", "ei", "nie", "hayır"}


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one row; for errors ``field`` and ``message`` say what is wrong and how to mend it."""

    key: str
    outcome: Outcome
    field: str = ""
    message: object = ""


class _Refused(Exception):
    """A row cannot be taken: the field and the sentence."""

    def __init__(self, field: str, message: object) -> None:
        super().__init__(field, message)
        self.field, self.message = field, message


def save_products(rows: Sequence[Mapping[str, Any]]) -> list[Saved]:
    """Create or change products by ``sku``; a result for each row, in their order.

    A row holds only what it sets: ``texts`` ({locale: {"name", "description"}}), ``category`` (code or None),
    ``base_unit`` (needed once, never changed), ``attributes`` ({code: value, None to remove}), ``superseded_by``
    (SKU or None, of the shop or of this batch), and the plain columns (gtin, manufacturer, manufacturer_code,
    tax_class, status, weight_kg, position, source, external_id, extra).
    """
    return _Products(rows).save()


def _no_heir(sku: str) -> _Refused:
    message = _(
        "There is no other product “%(sku)s” that could replace this one. Import it first, or correct the code.", sku=sku
    )
    return _Refused("superseded_by", message)


class _Products:
    """One batch of products on its way into the tables."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = rows
        self.skus = list(dict.fromkeys(str(row["sku"]) for row in rows))
        self.categories = codes(Category.code, Category.id, (row.get("category") for row in rows))
        self.attributes = {
            a.code: a
            for a in db.session.execute(
                select(Attribute.id, Attribute.code, Attribute.type).where(
                    Attribute.code.in_({code for row in rows for code in row.get("attributes", ())})
                )
            )
        }
        heirs = {row.get("superseded_by") for row in rows}
        self.heirs = codes(Product.sku, Product.id, heirs - set(self.skus)).keys() | set(self.skus)
        self.products = Upsert(Product, ("sku",)).read(Product.sku.in_(self.skus))
        self.results: dict[int, Saved] = {}
        self.outcomes: dict[int, list[Outcome]] = {}
        self.values: dict[int, dict[str, tuple[str, Decimal | None] | None]] = {}

    def save(self) -> list[Saved]:
        for number, row in enumerate(self.rows):
            try:
                self.values[number] = self._checked_values(row)
                self.outcomes[number] = [self._put_product(row)]
            except _Refused as refused:
                self.results[number] = Saved(str(row["sku"]), "error", refused.field, refused.message)
        self.products.flush()
        self.ids = {key[0]: i for key, i in self.products.ids(Product.sku.in_(self.skus)).items()}
        self._supersede()
        self._put_children()
        changed = {self.ids[self._sku(n)] for n in self.outcomes if outcome_of(*self.outcomes[n]) != "unchanged"}
        _touch(changed - {self.ids[self._sku(n)] for n, outcomes in self.outcomes.items() if outcomes[0] != "unchanged"})
        reindex(changed)
        for number, outcomes in self.outcomes.items():
            self.results.setdefault(number, Saved(self._sku(number), outcome_of(*outcomes)))
        return [self.results[number] for number in range(len(self.rows))]

    def _sku(self, number: int) -> str:
        return str(self.rows[number]["sku"])

    def _put_product(self, row: Mapping[str, Any]) -> Outcome:
        sku = str(row["sku"])
        found = self.products.get(sku)
        values = {name: row[name] for name in _PLAIN if name in row}
        _check_plain(values)
        if "manufacturer_code" in values:
            values["manufacturer_code_folded"] = fold_code(values["manufacturer_code"])
        if "category" in row:
            if row["category"] and row["category"] not in self.categories:
                raise _Refused(
                    "category",
                    _("There is no category “%(code)s”. Create it first, or correct the code.", code=row["category"]),
                )
            values["category_id"] = self.categories.get(row["category"])
        if row.get("superseded_by") and (row["superseded_by"] not in self.heirs or row["superseded_by"] == sku):
            raise _no_heir(row["superseded_by"])
        if found is None:
            self._check_new(row)
            values["base_unit"] = row["base_unit"]
        elif row.get("base_unit", found["base_unit"]) != found["base_unit"]:
            raise _Refused(
                "base_unit",
                _(
                    "The base unit of %(sku)s is %(unit)s and cannot change: prices and orders count in it.",
                    sku=sku,
                    unit=found["base_unit"],
                ),
            )
        now = clock.now()
        return self.products.put(
            (sku,),
            values,
            {**_NEW_PRODUCT, "sku_folded": fold_code(sku), "sku_sort": sort_code(sku), "created_at": now, "updated_at": now},
            {"updated_at": now},
        )

    @staticmethod
    def _check_new(row: Mapping[str, Any]) -> None:
        if not str(row["sku"]).strip():
            raise _Refused("sku", _("A product needs a code (SKU)."))
        if not row.get("base_unit"):
            raise _Refused("base_unit", _("A new product needs its base unit, such as pcs, m or kg."))
        if not any(text.get("name") for text in row.get("texts", {}).values()):
            raise _Refused("name", _("A new product needs a name in at least one language."))

    def _checked_values(self, row: Mapping[str, Any]) -> dict[str, tuple[str, Decimal | None] | None]:
        checked: dict[str, tuple[str, Decimal | None] | None] = {}
        for code, value in row.get("attributes", {}).items():
            attribute = self.attributes.get(code)
            if attribute is None:
                raise _Refused(
                    f"attr:{code}", _("There is no attribute “%(code)s”. Create it first, or correct the code.", code=code)
                )
            checked[code] = None if value is None or value == "" else attribute_value(attribute.type, value, f"attr:{code}")
        return checked

    def _supersede(self) -> None:
        """Point to successors once every product of the batch has its id."""
        wanted = {n: self.rows[n]["superseded_by"] for n in self.outcomes if "superseded_by" in self.rows[n]}
        if not wanted:
            return
        targets = codes(Product.sku, Product.id, wanted.values())
        pointers = Upsert(Product, ("sku",)).read(Product.sku.in_([self._sku(n) for n in wanted]))
        for number, target in wanted.items():
            if target and target not in targets:  # it stood in this batch and was refused
                refused = _no_heir(target)
                self.results[number] = Saved(self._sku(number), "error", refused.field, refused.message)
                continue
            self.outcomes[number].append(pointers.put((self._sku(number),), {"superseded_by_id": targets.get(target)}))
        pointers.flush()

    def _put_children(self) -> None:
        ids = list(self.ids.values())
        texts = Upsert(ProductText, ("product_id", "locale")).read(ProductText.product_id.in_(ids))
        values = Upsert(ProductAttribute, ("product_id", "attribute_id")).read(ProductAttribute.product_id.in_(ids))
        units = Upsert(ProductUnit, ("product_id", "unit")).read(ProductUnit.product_id.in_(ids))
        gone: list[tuple[int, int]] = []
        for number, outcomes in self.outcomes.items():
            row, product_id = self.rows[number], self.ids[self._sku(number)]
            if "base_unit" in row and units.get(product_id, row["base_unit"]) is None:
                units.put((product_id, row["base_unit"]), _NEW_UNIT)
            outcomes += [_put_text(texts, product_id, locale, text) for locale, text in row.get("texts", {}).items()]
            for code, value in self.values[number].items():
                key = (product_id, self.attributes[code].id)
                if value is not None:
                    outcomes.append(values.put(key, {"text": value[0], "number": value[1]}))
                elif values.get(*key) is not None:
                    gone.append(key)
                    outcomes.append("updated")
        for upsert in (texts, values, units):
            upsert.flush()
        if gone:
            db.session.execute(
                delete(ProductAttribute).where(tuple_(ProductAttribute.product_id, ProductAttribute.attribute_id).in_(gone))
            )


_NEW_PRODUCT: dict[str, Any] = {
    "gtin": None, "category_id": None, "manufacturer": "", "manufacturer_code": "", "manufacturer_code_folded": "",
    "tax_class": "standard", "status": "active", "superseded_by_id": None, "weight_kg": None, "position": 0,
    "source": "", "external_id": "", "extra": {}, "version": 1,
}  # fmt: skip
_NEW_UNIT: dict[str, Any] = {
    "numerator": 1, "denominator": 1, "precision": 0, "minimum": Decimal(1), "maximum": None, "step": Decimal(1),
    "gtin": None, "price_from_base": True, "position": 0,
}  # fmt: skip


def _check_plain(values: dict[str, Any]) -> None:
    for name in ("manufacturer", "manufacturer_code", "source", "external_id"):
        if name in values:
            values[name] = values[name] or ""
    if "status" in values and values["status"] not in STATUSES:
        raise _Refused(
            "status", _("“%(status)s” is no status. Use active, blocked or discontinued.", status=values["status"])
        )
    if "gtin" in values:
        values["gtin"] = checked_gtin(values["gtin"])
    if values.get("weight_kg") is not None and values["weight_kg"] < 0:
        raise _Refused("weight_kg", _("A weight cannot be negative."))


def checked_gtin(gtin: str | None) -> str | None:
    """Return a GTIN without spaces; refuses one whose length or check digit is wrong."""
    if not gtin:
        return None
    bare = ean.compact(gtin)
    if not ean.is_valid(bare):
        raise _Refused(
            "gtin",
            _("“%(gtin)s” is no valid GTIN: its length or check digit is wrong. Correct it, or leave it empty.", gtin=gtin),
        )
    return bare


def attribute_value(kind: str, value: Any, field: str) -> tuple[str, Decimal | None]:
    """Return (text, number) as they are stored for a value of an attribute's type."""
    text = plain(value) if isinstance(value, Decimal) else str(value).strip()
    if kind == "boolean":
        lowered = text.lower()
        if lowered not in _YES | _NO:
            raise _Refused(field, _("“%(value)s” is neither yes nor no.", value=text))
        return ("yes" if lowered in _YES else "no"), None
    if kind == "number":
        return _number(text, field)
    return text[:250], None


def _number(text: str, field: str) -> tuple[str, Decimal | None]:
    """Read a technical figure of a form (written plainly by then), of the API or of a file."""
    try:
        number = bounded(read_number(text, FILE), places=15, minimum=-_LARGEST, maximum=_LARGEST)
    except Invalid as refused:
        raise _Refused(field, refused.message) from refused
    number = number.quantize(Decimal("0.000001"))
    return plain(number), number


def _put_text(texts: Upsert, product_id: int, locale: str, text: Mapping[str, Any]) -> Outcome:
    values: dict[str, Any] = {}
    if text.get("name"):
        values = {"name": str(text["name"])[:250], "name_folded": fold(str(text["name"]))[:250]}
    if text.get("description") is not None:
        values["description"] = str(text["description"])
    if not values or (texts.get(product_id, locale) is None and "name" not in values):
        return "unchanged"
    return texts.put((product_id, locale), values, {"description": ""})


def save_units(rows: Sequence[Mapping[str, Any]]) -> list[Saved]:
    """Create or change units by (``sku``, ``unit``); keys as the columns of ``ProductUnit``, and ``factor`` as a Decimal."""
    ids = codes(Product.sku, Product.id, (row["sku"] for row in rows))
    base = codes(Product.sku, Product.base_unit, ids)
    units = Upsert(ProductUnit, ("product_id", "unit")).read(ProductUnit.product_id.in_(list(ids.values())))
    results, changed = [], set()
    for row in rows:
        key = f"{row['sku']} / {row['unit']}"
        try:
            if row["sku"] not in ids:
                raise _Refused(
                    "sku", _("There is no product “%(sku)s”. Import it first, or correct the code.", sku=row["sku"])
                )
            values = _unit_values(row, row["unit"] == base[row["sku"]])
            outcome = units.put((ids[row["sku"]], row["unit"]), values, _NEW_UNIT)
        except _Refused as refused:
            results.append(Saved(key, "error", refused.field, refused.message))
            continue
        results.append(Saved(key, outcome))
        if outcome != "unchanged":
            changed.add(ids[row["sku"]])
    units.flush()
    _touch(changed)
    reindex(changed)
    return results


def _unit_values(row: Mapping[str, Any], is_base: bool) -> dict[str, Any]:
    values = {name: row[name] for name in _NEW_UNIT if name in row}
    if "factor" in row:
        numerator, denominator = Decimal(row["factor"]).as_integer_ratio()
        values |= {"numerator": numerator, "denominator": denominator}
    if "gtin" in values:
        values["gtin"] = checked_gtin(values["gtin"])
    numerator, denominator = values.get("numerator", 1), values.get("denominator", 1)
    if not (0 < numerator <= 10**9 and 0 < denominator <= 10**9):
        raise _Refused("factor", _("The factor must be more than zero and at most a thousand million."))
    if is_base and numerator != denominator:
        raise _Refused("factor", _("This is the base unit: its factor is 1."))
    if not 0 <= values.get("precision", 0) <= 6:
        raise _Refused("precision", _("A quantity has between 0 and 6 decimals."))
    for name in ("minimum", "step"):
        if name in values and values[name] <= 0:
            raise _Refused(name, _("Minimum and step must be more than zero."))
    if values.get("maximum") is not None and values["maximum"] < values.get("minimum", Decimal(1)):
        raise _Refused("maximum", _("The maximum is below the minimum."))
    return values


def _touch(product_ids: set[int]) -> None:
    """Give products a new version, whose texts, values or units changed while their own row did not."""
    if product_ids:
        db.session.execute(
            update(Product)
            .where(Product.id.in_(product_ids))
            .values(version=Product.version + 1, updated_at=clock.now())
            .execution_options(synchronize_session=False)
        )


def save_item_codes(rows: Sequence[tuple[int, str, str]]) -> list[Saved]:
    """Set companies' own codes from (company id, own code, SKU); the code is the key within the company."""
    ids = codes(Product.sku, Product.id, (sku for _company, _code, sku in rows))
    own = Upsert(ItemCode, ("company_id", "code")).read(ItemCode.company_id.in_({company for company, *_ in rows}))
    results = []
    for company_id, code, sku in rows:
        if sku not in ids:
            message = _("There is no product “%(sku)s”. Import it first, or correct the code.", sku=sku)
            results.append(Saved(code, "error", "sku", message))
            continue
        results.append(Saved(code, own.put((company_id, code), {"product_id": ids[sku]}, {"code_folded": fold_code(code)})))
    own.flush()
    return results


def remove_item_codes(company_id: int, own_codes: Iterable[str]) -> None:
    """Forget codes of a company."""
    db.session.execute(delete(ItemCode).where(ItemCode.company_id == company_id, ItemCode.code.in_(list(own_codes))))


def reindex_category(path: str) -> int:
    """Write the documents of every product beneath a category anew, after its name or place changed."""
    beneath = select(Category.id).where(or_(Category.path == path, Category.path.startswith(path, autoescape=True)))
    return reindex(db.session.scalars(select(Product.id).where(Product.category_id.in_(beneath))))
