"""The index on SQLite: an ordinary FTS5 table; the words arrive folded, so its tokenizer only splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    case,
    delete,
    insert,
    literal_column,
    select,
)

from core.catalog.search.index import GRADES, Document, Hits, Term
from core.data.db import db

_FIELDS = ("name", "terms", "category", "body")
_TABLE = Table(
    "catalog_search",
    MetaData(),
    Column("rowid", Integer, primary_key=True),
    *(Column(name, String) for name in _FIELDS),
)


class SqliteIndex:
    """Search with FTS5."""

    def put(self, documents: Sequence[Document]) -> None:
        """Write the documents, replacing those of the same products."""
        if not documents:
            return
        connection = db.session.connection()
        connection.execute(
            delete(_TABLE).where(_TABLE.c.rowid == bindparam("key")), [{"key": d.product_id} for d in documents]
        )
        connection.execute(insert(_TABLE), [_row(document) for document in documents])

    def clear(self) -> None:
        """Remove every document."""
        db.session.connection().execute(delete(_TABLE))

    def hits(self, terms: Sequence[Term]) -> Hits:
        """Return the products that satisfy all terms, graded."""
        found = _matching(match_expression(terms))
        graded = [
            (_TABLE.c.rowid.in_(_matching(match_expression([part(term) for term in terms], _FIELDS[:fields]))), grade)
            for grade, (fields, part) in enumerate(GRADES)
        ]
        rank = case(*graded, else_=len(GRADES)).label("rank")
        ranked = select(_TABLE.c.rowid.label("product_id"), rank).where(_TABLE.c.rowid.in_(found)).subquery("hits")
        return Hits(found, ranked)


def _matching(expression: str) -> Select[Any]:
    whole: Any = literal_column("catalog_search")
    return select(_TABLE.c.rowid).where(whole.op("MATCH")(expression))


def match_expression(terms: Sequence[Term], fields: Sequence[str] = ()) -> str:
    """Return the MATCH expression, in ``fields`` or in all; every token is quoted, so nothing typed is an operator."""
    groups = []
    for term in terms:
        options = [_quoted(token) for token in term.exact]
        if term.prefix:
            options.append(f"{_quoted(term.prefix)} *")
        groups.append(f"({' OR '.join(options)})")
    joined = " AND ".join(groups)
    return f"{{{' '.join(fields)}}} : ({joined})" if fields else joined


def _quoted(token: str) -> str:
    return '"' + token.replace('"', '""') + '"'


def _row(document: Document) -> dict[str, Any]:
    fields = {name: " ".join(getattr(document, name)) for name in ("name", "terms", "category", "body")}
    return {"rowid": document.product_id, **fields}
