"""The interface of a search index: documents in, a SELECT of hits out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Column, Integer, MetaData, SmallInteger, String, Table, delete, func, insert, or_, select

from core.data.db import db

#: Not of the models' metadata: made by the hand-written revision 0002.
metadata = MetaData()
WORDS = Table("catalog_search_word", metadata, Column("word", String(60), primary_key=True), Column("length", SmallInteger))
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Document:
    """What a product is found by: folded tokens by field, the weightier first, and its words for correcting typos."""

    product_id: int
    name: Sequence[str]
    terms: Sequence[str]
    category: Sequence[str]
    body: Sequence[str]
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query: any of the ``exact`` tokens, or a token beginning with ``prefix``, satisfies it."""

    exact: tuple[str, ...]
    prefix: str = ""

    @property
    def typed(self) -> Term:
        """The word as it was typed, whole."""
        return Term(self.exact[:1])

    @property
    def whole(self) -> Term:
        """The word and what it is derived from, whole."""
        return Term(self.exact)


#: How well a product is found, the best first: by all words as they were typed, by whole words, by beginnings of words;
#: in its name, then in its name and its terms. The databases rank by statistics of their own, each another order;
#: these grades are the same on both, and what is found alike stands in the order of its codes.
GRADES: tuple[tuple[int, Callable[[Term], Term]], ...] = (
    (1, lambda term: term.typed),
    (1, lambda term: term.whole),
    (1, lambda term: term),
    (2, lambda term: term.whole),
    (2, lambda term: term),
)


@dataclass(frozen=True, slots=True)
class Hits:
    """The products that satisfy a query: ``ids`` is a SELECT of their ids, ``ranked`` a subquery of ``product_id``

    and ``rank`` (the place in ``GRADES``). Ranking costs more than finding, so it is asked for only where it is used.
    """

    ids: Any
    ranked: Any


class SearchIndex(Protocol):
    """An index on one kind of database; documents are written in the caller's ``write()``."""

    def put(self, documents: Sequence[Document]) -> None:
        """Write the documents, replacing those of the same products."""

    def clear(self) -> None:
        """Remove every document."""

    def hits(self, terms: Sequence[Term]) -> Hits:
        """Return the products that satisfy all terms."""


def index() -> SearchIndex:
    """Return the index for the database in use."""
    if db.engine.dialect.name == "sqlite":
        from core.catalog.search.sqlite import SqliteIndex

        return SqliteIndex()
    from core.catalog.search.postgres import PostgresIndex

    return PostgresIndex()


def put_words(words: frozenset[str]) -> None:
    """Add words to the vocabulary; those known are left alone."""
    missing = sorted(words)
    for start in range(0, len(missing), _BATCH):
        chunk = missing[start : start + _BATCH]
        known = set(db.session.scalars(select(WORDS.c.word).where(WORDS.c.word.in_(chunk))))
        rows = [{"word": word, "length": len(word)} for word in chunk if word not in known]
        if rows:
            db.session.execute(insert(WORDS), rows)


def clear_words() -> None:
    """Forget the vocabulary."""
    db.session.execute(delete(WORDS))


def similar_words(tokens: Sequence[str]) -> list[str]:
    """Return the words of the vocabulary that contain a token, or whose length is near; one statement."""
    conditions = []
    for token in tokens:
        reach = distance_allowed(token)
        conditions.append(WORDS.c.word.contains(token, autoescape=True))
        if reach:
            conditions.append(WORDS.c.length.between(len(token) - reach, len(token) + reach))
    return list(db.session.scalars(select(WORDS.c.word).where(or_(*conditions)))) if conditions else []


def distance_allowed(token: str) -> int:
    """Return how many letters of ``token`` may be wrong; codes and numbers are never corrected."""
    if not token.isalpha() or len(token) < 4:
        return 0
    return 1 if len(token) < 6 else 2


def count_documents() -> int:
    """Return how many products are indexed."""
    return db.session.scalar(select(func.count()).select_from(ROWS)) or 0


ROWS = Table("catalog_search", metadata, Column("rowid", Integer, primary_key=True))
