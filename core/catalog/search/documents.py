"""Make the documents of products from their rows, a constant number of statements for a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import select

from core.catalog.folding import fold_code, parts, tokens, words
from core.catalog.models import Attribute, Category, Product, ProductAttribute, ProductText, ProductUnit
from core.catalog.search.index import Document, clear_words, index, put_words
from core.catalog.search.stems import stem
from core.data.db import db
from core.i18n import LOCALES

BATCH = 1000
_SHORTEST_WORD = 3


@dataclass(slots=True)
class _Fields:
    """Tokens of a product while they are gathered; dicts because they keep order and drop repetitions."""

    name: dict[str, None] = field(default_factory=dict)
    terms: dict[str, None] = field(default_factory=dict)
    category: dict[str, None] = field(default_factory=dict)
    body: dict[str, None] = field(default_factory=dict)


def reindex(product_ids: Iterable[int]) -> int:
    """Write the documents of these products; call inside ``write()`` after they were flushed. Returns how many."""
    ids = sorted(set(product_ids))
    for start in range(0, len(ids), BATCH):
        documents = make(ids[start : start + BATCH])
        index().put(documents)
        put_words(frozenset().union(*(document.words for document in documents)))
    return len(ids)


def rebuild(progress: Callable[[int, int], None] | None = None) -> int:
    """Write the whole index anew; ``progress(done, total)`` is told after each batch. Returns how many products."""
    ids = list(db.session.scalars(select(Product.id).order_by(Product.id)))
    index().clear()
    clear_words()
    for start in range(0, len(ids), BATCH):
        reindex(ids[start : start + BATCH])
        if progress:
            progress(min(start + BATCH, len(ids)), len(ids))
    return len(ids)


def make(product_ids: Sequence[int]) -> list[Document]:
    """Return the documents of these products; six statements."""
    gathered = {product_id: _Fields() for product_id in product_ids}
    categories = _category_tokens()
    p = Product
    for row in db.session.execute(
        select(p.id, p.sku, p.gtin, p.manufacturer, p.manufacturer_code, p.category_id).where(p.id.in_(product_ids))
    ):
        fields = gathered[row.id]
        for code in (row.sku, row.gtin or "", row.manufacturer_code):
            _add_code(fields.terms, code)
        fields.terms.update(_found_by(row.manufacturer))
        fields.category.update(categories.get(row.category_id, {}))
    t = ProductText
    for product_id, locale, name, description in db.session.execute(
        select(t.product_id, t.locale, t.name, t.description)
        .where(t.product_id.in_(product_ids))
        .order_by(t.product_id, t.locale)
    ):
        gathered[product_id].name.update(_found_by(name, locale))
        gathered[product_id].body.update(_found_by(description, locale))
    _add_values(gathered, product_ids)
    u = ProductUnit
    for product_id, gtin in db.session.execute(
        select(u.product_id, u.gtin).where(u.product_id.in_(product_ids), u.gtin.is_not(None))
    ):
        _add_code(gathered[product_id].terms, gtin)
    return [_document(product_id, fields) for product_id, fields in gathered.items()]


def _add_values(gathered: Mapping[int, _Fields], product_ids: Sequence[int]) -> None:
    v, a = ProductAttribute, Attribute
    known = {row.id: row for row in db.session.execute(select(a.id, a.type, a.unit, a.labels).where(a.type != "boolean"))}
    for product_id, attribute_id, text in db.session.execute(
        select(v.product_id, v.attribute_id, v.text)
        .where(v.product_id.in_(product_ids), v.attribute_id.in_(list(known)))
        .order_by(v.product_id, v.attribute_id)
    ):
        terms, attribute = gathered[product_id].terms, known[attribute_id]
        terms.update(_found_by(f"{text}{attribute.unit}" if attribute.type == "number" else text))
        for locale, label in (attribute.labels or {}).get(text, {}).items():
            terms.update(_found_by(label, locale))


def _category_tokens() -> dict[int, dict[str, None]]:
    """Return the tokens of each category's name and those of its parents."""
    rows = db.session.execute(select(Category.id, Category.code, Category.path, Category.name)).all()
    names = {row.code: row.name for row in rows}
    found: dict[int, dict[str, None]] = {}
    for row in rows:
        bucket = found.setdefault(row.id, {})
        for code in row.path.strip("/").split("/"):
            for locale, text in (names.get(code) or {}).items():
                bucket.update(_found_by(text, locale))
    return found


@lru_cache(maxsize=50_000)
def _found_by(text: str, locale: str = "") -> dict[str, None]:
    """Return the tokens by which a text is found, in order: its words, their parts and their stems."""
    found: dict[str, None] = {}
    for token in tokens(text):
        found[token] = None
        found.update(dict.fromkeys(parts(token)))
    for word in words(text) if locale in LOCALES else ():
        if stemmed := stem(word, locale):
            found[stemmed] = None
    return found


def _add_code(bucket: dict[str, None], code: str) -> None:
    """Index a code as a whole and by its pieces."""
    if code:
        bucket[fold_code(code)] = None
        bucket.update(_found_by(code))


def _document(product_id: int, fields: _Fields) -> Document:
    vocabulary = frozenset(
        token
        for bucket in (fields.name, fields.terms, fields.category)
        for token in bucket
        if token.isalpha() and _SHORTEST_WORD <= len(token) <= 60
    )
    return Document(product_id, *(tuple(getattr(fields, n)) for n in ("name", "terms", "category", "body")), vocabulary)
