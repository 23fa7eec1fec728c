"""The index on PostgreSQL: a tsvector made of the folded words, so no text search configuration is involved."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Integer, MetaData, Table, bindparam, cast, delete, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TSQUERY, TSVECTOR

from core.catalog.search.index import Document, Hits, Term
from core.data.db import db

_TABLE = Table("catalog_search", MetaData(), Column("rowid", Integer, primary_key=True), Column("document", TSVECTOR))
#: Weights of D (body), C (category), B (terms), A (name), in the order that ts_rank takes them.
_WEIGHTS = (0.05, 0.2, 0.5, 1.0)
_LAST_POSITION = 16383
_LONGEST = 2000


class PostgresIndex:
    """Search with tsvector and a GIN index."""

    def put(self, documents: Sequence[Document]) -> None:
        """Write the documents, replacing those of the same products."""
        if not documents:
            return
        connection = db.session.connection()
        ids = [document.product_id for document in documents]
        connection.execute(delete(_TABLE).where(_TABLE.c.rowid.in_(ids)))
        rows = [{"rowid": d.product_id, "text": vector(d)} for d in documents]
        connection.execute(insert(_TABLE).values(rowid=bindparam("rowid"), document=cast(bindparam("text"), TSVECTOR)), rows)

    def clear(self) -> None:
        """Remove every document."""
        db.session.connection().execute(delete(_TABLE))

    def hits(self, terms: Sequence[Term]) -> Hits:
        """Return the products that satisfy all terms, ranked by ts_rank."""
        query = cast(query_text(terms), TSQUERY)
        matches = _TABLE.c.document.op("@@")(query)
        weights = cast(list(_WEIGHTS), ARRAY(REAL))
        whole_words = cast(" | ".join(_quoted(term.exact[0]) for term in terms), TSQUERY)  # M8 before M80
        score = func.ts_rank(weights, _TABLE.c.document, query) + func.ts_rank(weights, _TABLE.c.document, whole_words)
        rank = (-score).label("rank")
        ranked = select(_TABLE.c.rowid.label("product_id"), rank).where(matches).subquery("hits")
        return Hits(select(_TABLE.c.rowid).where(matches), ranked)


def query_text(terms: Sequence[Term]) -> str:
    """Return the tsquery; every lexeme is quoted, so nothing that was typed is read as an operator."""
    groups = []
    for term in terms:
        options = [_quoted(token) for token in term.exact]
        if term.prefix:
            options.append(f"{_quoted(term.prefix)}:*")
        groups.append(f"({' | '.join(options)})")
    return " & ".join(groups)


def vector(document: Document) -> str:
    """Return the text form of the document's tsvector, with weights."""
    entries: list[str] = []
    for letter, tokens in (("A", document.name), ("B", document.terms), ("C", document.category), ("D", document.body)):
        for token in tokens[:_LONGEST]:
            entries.append(f"{_quoted(token)}:{min(len(entries) + 1, _LAST_POSITION)}{letter}")
    return " ".join(entries)


def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"
