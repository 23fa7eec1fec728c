"""The index on SQLite: an ordinary FTS5 table; the words arrive folded, so its tokenizer only splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, delete, func, insert, literal_column, select

from core.catalog.search.index import Document, Hits, Term
from core.data.db import db

_TABLE = Table(
    "catalog_search",
    MetaData(),
    Column("rowid", Integer, primary_key=True),
    *(Column(name, String) for name in ("name", "terms", "category", "body")),
)
_WEIGHTS = (10.0, 5.0, 2.0, 1.0)


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
        """Return the products that satisfy all terms, ranked by bm25."""
        whole: Any = literal_column("catalog_search")
        matches = whole.op("MATCH")(match_expression(terms))
        rank = func.bm25(whole, *_WEIGHTS).label("rank")
        ranked = select(_TABLE.c.rowid.label("product_id"), rank).where(matches).subquery("hits")
        return Hits(select(_TABLE.c.rowid).where(matches), ranked)


def match_expression(terms: Sequence[Term]) -> str:
    """Return the MATCH expression; every token is quoted, so nothing that was typed is read as an operator."""
    groups = []
    for term in terms:
        options = [_quoted(token) for token in term.exact]
        if term.prefix:
            options.append(f"{_quoted(term.prefix)} *")
        groups.append(f"({' OR '.join(options)})")
    return " AND ".join(groups)


def _quoted(token: str) -> str:
    return '"' + token.replace('"', '""') + '"'


def _row(document: Document) -> dict[str, Any]:
    fields = {name: " ".join(getattr(document, name)) for name in ("name", "terms", "category", "body")}
    return {"rowid": document.product_id, **fields}
