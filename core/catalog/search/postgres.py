"""The index on PostgreSQL: a tsvector made of the folded words, so no text search configuration is involved."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Integer, MetaData, Table, bindparam, case, cast, delete, insert, select
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from core.catalog.search.index import GRADES, Document, Hits, Term
from core.data.db import db

_TABLE = Table("catalog_search", MetaData(), Column("rowid", Integer, primary_key=True), Column("document", TSVECTOR))
#: The weights as which the fields of a document are kept: name, terms, category, body.
_LETTERS = "ABCD"
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
        """Return the products that satisfy all terms, graded."""
        matches = _matching(terms)
        graded = [
            (_matching([part(term) for term in terms], _LETTERS[:fields]), grade)
            for grade, (fields, part) in enumerate(GRADES)
        ]
        rank = case(*graded, else_=len(GRADES)).label("rank")
        ranked = select(_TABLE.c.rowid.label("product_id"), rank).where(matches).subquery("hits")
        return Hits(select(_TABLE.c.rowid).where(matches), ranked)


def _matching(terms: Sequence[Term], letters: str = "") -> ColumnElement[bool]:
    return _TABLE.c.document.op("@@", is_comparison=True)(cast(query_text(terms, letters), TSQUERY))


def query_text(terms: Sequence[Term], letters: str = "") -> str:
    """Return the tsquery, in fields of these weights or in all; every lexeme is quoted, so nothing typed is an operator."""
    suffix = f":{letters}" if letters else ""
    groups = []
    for term in terms:
        options = [f"{_quoted(token)}{suffix}" for token in term.exact]
        if term.prefix:
            options.append(f"{_quoted(term.prefix)}:*{letters}")
        groups.append(f"({' | '.join(options)})")
    return " & ".join(groups)


def vector(document: Document) -> str:
    """Return the text form of the document's tsvector, with weights."""
    entries: list[str] = []
    fields = (document.name, document.terms, document.category, document.body)
    for letter, tokens in zip(_LETTERS, fields, strict=True):
        for token in tokens[:_LONGEST]:
            entries.append(f"{_quoted(token)}:{min(len(entries) + 1, _LAST_POSITION)}{letter}")
    return " ".join(entries)


def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"
