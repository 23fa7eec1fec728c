"""Reading the catalogue: codes to products, products as plain values; statements constant in the number asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, literal, select, union_all
from sqlalchemy.orm import aliased

from core.catalog import visibility
from core.catalog.folding import fold_code
from core.catalog.models import ItemCode, Media, Product, ProductAttribute, ProductText, ProductUnit
from core.catalog.units import UnitInfo, units_of
from core.data import stamps
from core.data.db import db
from core.data.models import StoredFile
from core.data.prepared import id_table, id_values, prepared
from core.data.scope import current_actor
from core.i18n import current_locale

CodeKind = Literal["sku", "item_code", "gtin", "manufacturer", "superseded"]
#: The order in which the kinds of code are believed.
KINDS: tuple[CodeKind, ...] = ("sku", "item_code", "gtin", "manufacturer", "superseded")
_MOST_CODES = 50
#: So many products stay in memory in each language, some 2 kB each.
_VIEWS_KEPT = 5000


@dataclass(frozen=True, slots=True)
class CodeMatch:
    """A product that a code stands for; ``kind`` says which of its codes it was, ``unit`` the unit that a GTIN names.

    ``superseded``: the code is of a discontinued article and the match is the article that replaces it.
    """

    product_id: int
    sku: str
    kind: CodeKind
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product as pages and documents show it; ``image`` is the key of its first picture."""

    id: int
    sku: str
    name: str
    description: str
    category_id: int | None
    status: str
    base_unit: str
    gtin: str
    manufacturer: str
    manufacturer_code: str
    tax_class: str
    weight_kg: Decimal | None
    superseded_by_sku: str
    extra: Mapping[str, Any]
    units: Mapping[str, UnitInfo]
    image: str = ""

    @property
    def sold(self) -> bool:
        """True where it may be put in a cart at all."""
        return self.status == "active"


def find_codes(codes: Iterable[str]) -> dict[str, list[CodeMatch]]:
    """Return for each typed code the products it stands for, of the best kind only; three statements.

    Tried in the order of `KINDS`, case and separators ignored. More than one match means the reader has to choose.
    Only what the current actor may see is found; own item codes are those of its company and its parents.
    """
    wanted = {code: fold_code(code) for code in codes}
    folded = {value for value in wanted.values() if value}
    if not folded:
        return {code: [] for code in wanted}
    found = _matches(folded)
    gone = {row.product_id: row for rows in found.values() for row in rows if row.status == "discontinued"}
    heirs = _successors(row.superseded_by_id for row in gone.values())
    return {code: _best(found.get(value, ()), heirs) for code, value in wanted.items()}


@dataclass(frozen=True, slots=True)
class _Row:
    """One product that a folded code was found on."""

    kind: int
    product_id: int
    sku: str
    status: str
    superseded_by_id: int | None
    unit: str


def _matches(folded: set[str]) -> dict[str, list[_Row]]:
    seen: dict[str, dict[tuple[int, int], _Row]] = {}
    statement = union_all(*(_on(kind, column, source, folded) for kind, column, source in _columns()))
    for code, *values in db.session.execute(statement):
        row = _Row(*values)
        seen.setdefault(code, {}).setdefault((row.kind, row.product_id), row)
    own = select(ItemCode.code_folded, literal(1), *_shown(literal(""))).join(Product, Product.id == ItemCode.product_id)
    for code, *values in db.session.execute(own.where(_visible(), ItemCode.code_folded.in_(folded))):
        row = _Row(*values)
        seen.setdefault(code, {}).setdefault((row.kind, row.product_id), row)
    return {code: list(rows.values()) for code, rows in seen.items()}


def _columns() -> list[tuple[int, Any, Any]]:
    """Return (kind, column of folded codes, unit named by it)."""
    return [
        (0, Product.sku_folded, literal("")),
        (2, Product.gtin, literal("")),
        (2, ProductUnit.gtin, ProductUnit.unit),
        (3, Product.manufacturer_code_folded, literal("")),
    ]


def _shown(unit: Any) -> tuple[Any, ...]:
    return Product.id, Product.sku, Product.status, Product.superseded_by_id, unit


def _visible() -> ColumnElement[bool]:
    return visibility.condition(discontinued=True)


def _on(kind: int, column: Any, unit: Any, folded: set[str]) -> Select[Any]:
    statement = select(column, literal(kind), *_shown(unit))
    if column.class_ is ProductUnit:
        statement = statement.join(Product, Product.id == ProductUnit.product_id)
    return statement.where(column.in_(folded), _visible())


def _successors(ids: Iterable[int | None]) -> dict[int, str]:
    """Return the SKUs of those of the products that the actor may buy."""
    wanted = {i for i in ids if i is not None}
    statement = select(Product.id, Product.sku).where(Product.id.in_(wanted), visibility.condition())
    return {row.id: row.sku for row in db.session.execute(statement)} if wanted else {}


def sold(skus: Iterable[str]) -> set[str]:
    """Return those of the SKUs that the actor may buy; one statement, none for no SKU."""
    wanted = {sku for sku in skus if sku}
    found = select(Product.sku).where(Product.sku.in_(wanted), visibility.condition())
    return set(db.session.scalars(found)) if wanted else set()


def _best(rows: Sequence[_Row], heirs: Mapping[int, str]) -> list[CodeMatch]:
    """Return the matches of the first kind that has any; an article on sale goes before one that is not."""
    for on_sale in (True, False):
        usable = [row for row in rows if (row.status != "discontinued") is on_sale]
        if usable:
            best = min(row.kind for row in usable)
            return [_match(row, heirs) for row in usable if row.kind == best][:_MOST_CODES]
    return []


def _match(row: _Row, heirs: Mapping[int, str]) -> CodeMatch:
    heir = heirs.get(row.superseded_by_id or 0) if row.status == "discontinued" else None
    if heir:
        return CodeMatch(row.superseded_by_id or 0, heir, "superseded")
    return CodeMatch(row.product_id, row.sku, KINDS[row.kind], row.unit)


def product_views(product_ids: Iterable[int], locale: str | None = None) -> dict[int, ProductView]:
    """Return the products by id in the order asked, in ``locale``; four statements at most, for those not in memory.

    Visibility is the caller's matter.
    """
    ids = list(dict.fromkeys(product_ids))
    wanted = locale or current_locale()
    found = stamps.kept_each("catalogue", ("view", wanted), ids, lambda new: _views(new, wanted), most=_VIEWS_KEPT)
    return {i: found[i] for i in ids if i in found}


def _views(ids: Sequence[int], locale: str) -> dict[int, ProductView]:
    texts, units, images = texts_of(ids, locale), units_of(ids), _first_images(ids)
    p, heir = Product, aliased(Product)
    rows = {
        row.id: row
        for row in db.session.execute(
            select(
                p.id, p.sku, p.category_id, p.status, p.base_unit, p.gtin, p.manufacturer, p.manufacturer_code,
                p.tax_class, p.weight_kg, heir.sku.label("heir"), p.extra,
            )
            .outerjoin(heir, heir.id == p.superseded_by_id)
            .where(p.id.in_(ids))
        )
    }  # fmt: skip
    return {i: _view(rows[i], texts.get(i), units.get(i, {}), images.get(i, "")) for i in ids if i in rows}


def _view(row: Any, text: tuple[str, str] | None, units: Mapping[str, UnitInfo], image: str) -> ProductView:
    name, description = text or (row.sku, "")
    return ProductView(
        row.id, row.sku, name, description, row.category_id, row.status, row.base_unit, row.gtin or "",
        row.manufacturer, row.manufacturer_code, row.tax_class, row.weight_kg, row.heir or "", row.extra or {}, units, image,
    )  # fmt: skip


def texts_of(product_ids: Sequence[int], locale: str | None = None) -> dict[int, tuple[str, str]]:
    """Return (name, description) in ``locale``, else in English, else in any language; one statement."""
    wanted, t = locale or current_locale(), ProductText
    rank = {wanted: 0, "en": 1}
    best: dict[int, tuple[int, str, str]] = {}
    for product_id, found, name, description in db.session.execute(
        select(t.product_id, t.locale, t.name, t.description).where(t.product_id.in_(product_ids)).order_by(t.locale)
    ):
        entry = (rank.get(found, 2), name, description)
        if product_id not in best or entry[0] < best[product_id][0]:
            best[product_id] = entry
    return {product_id: (name, description) for product_id, (_rank, name, description) in best.items()}


def _first_images(product_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for product_id, key in db.session.execute(
        select(Media.product_id, StoredFile.key)
        .join(StoredFile, StoredFile.id == Media.file_id)
        .where(Media.product_id.in_(product_ids), Media.kind == "image", StoredFile.company_id.is_(None))
        .order_by(Media.position, Media.id)
    ):
        found.setdefault(product_id, key)
    return found


def values_of(product_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """Return the stored attribute values of products by attribute id; one statement."""
    v = ProductAttribute
    found: dict[int, dict[int, str]] = {}
    for product_id, attribute_id, text in db.session.execute(
        select(v.product_id, v.attribute_id, v.text).where(v.product_id.in_(list(product_ids)))
    ):
        found.setdefault(product_id, {})[attribute_id] = text
    return found


def own_codes(product_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the codes that the current company (or a parent of it) has for products; one statement."""
    ids, scope = list(product_ids), current_actor().scope
    rows: Iterable[Any]
    if scope.unlimited:
        everybody = select(ItemCode.product_id, ItemCode.code).where(ItemCode.product_id.in_(ids))
        rows = db.session.execute(everybody.order_by(ItemCode.code))
    else:
        dialect = db.engine.dialect.name
        companies = id_values(dialect, "companies", ItemCode.__scope__.ids(scope))
        rows = prepared(_own_codes, dialect).rows(**companies, **id_values(dialect, "products", ids))
    found: dict[int, list[str]] = {}
    for product_id, code in rows:
        found.setdefault(product_id, []).append(code)
    return found


def _own_codes(dialect: str) -> Select[Any]:
    c = ItemCode.__table__.c
    return (
        select(c.product_id, c.code)
        .where(c.company_id.in_(select(id_table(dialect, "companies").c.id)))
        .where(c.product_id.in_(select(id_table(dialect, "products").c.id)))
        .order_by(c.code)
    )


def product_id_of(sku: str) -> int | None:
    """Return the id of a product that the actor may see, discontinued ones included."""
    return db.session.scalar(select(Product.id).where(Product.sku == sku, visibility.condition(discontinued=True)))


def code_hits(code: str, limit: int = 100) -> list[tuple[int, bool]]:
    """Return (product id, exact) of visible products with a code that is, or begins with, the folded ``code``.

    Two statements; exact ones first. GTINs count only whole.
    """
    if not code:
        return []
    rows: dict[int, bool] = {}
    for statement in (_own_beginning(code).limit(limit), _beginning(code, limit)):
        for product_id, found in db.session.execute(statement):
            rows[product_id] = rows.get(product_id, False) or found == code
    return sorted(rows.items(), key=lambda item: not item[1])[:limit]


def _own_beginning(code: str) -> Any:
    return (
        select(ItemCode.product_id, ItemCode.code_folded)
        .join(Product, Product.id == ItemCode.product_id)
        .where(_starts(ItemCode.code_folded, code), _visible())
        .order_by(ItemCode.code_folded, Product.id)
    )


def _beginning(code: str, limit: int) -> Any:
    parts = [
        select(Product.id.label("id"), column.label("code"))
        .where(_starts(column, code), _visible())
        .order_by(column, Product.id)
        .limit(limit)
        for column in (Product.sku_folded, Product.manufacturer_code_folded)
    ]
    gtins = [
        select(Product.id.label("id"), Product.gtin.label("code")).where(Product.gtin == code, _visible()),
        select(ProductUnit.product_id.label("id"), ProductUnit.gtin.label("code"))
        .join(Product, Product.id == ProductUnit.product_id)
        .where(ProductUnit.gtin == code, _visible()),
    ]
    return union_all(*(select(part.subquery()) for part in parts), *gtins)


def _starts(column: Any, code: str) -> ColumnElement[bool]:
    """Codes are folded to letters and digits, and compared by code point: a range is answered from the index."""
    return column.between(code, code + "\U0010ffff")
