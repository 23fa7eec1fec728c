"""What a typed text means: a code, words, the beginning of a word, a word with a typo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from core.catalog.folding import fold_code, parts, tokens, words
from core.catalog.search.index import Hits, Term, distance_allowed, index, similar_words
from core.catalog.search.stems import stem
from core.i18n import LOCALES

LONGEST_TEXT = 200
_MOST_TOKENS = 10
_MOST_CORRECTIONS = 25
_INFIX = 4


@dataclass(frozen=True, slots=True)
class Query:
    """A typed text taken apart; ``code`` is the whole of it as a code."""

    text: str
    code: str
    tokens: tuple[str, ...]
    stems: dict[str, tuple[str, ...]]

    @property
    def empty(self) -> bool:
        """True where nothing can be searched for."""
        return not self.tokens


def parse(text: str) -> Query:
    """Take ``text`` apart; any text is a query, signs mean nothing."""
    text = " ".join(text[:LONGEST_TEXT].split())
    found = tuple(dict.fromkeys(token[:60] for token in tokens(text)))[:_MOST_TOKENS]
    stems: dict[str, tuple[str, ...]] = {}
    for word in words(text):
        for token in tokens(word):
            stems[token] = tuple(s for s in dict.fromkeys(stem(word, locale) for locale in LOCALES) if s)
    return Query(text, fold_code(text)[:80], found, stems)


def terms(query: Query) -> list[Term]:
    """Return the terms of a query: words match from their beginning, numbers only as the last word typed."""
    last = query.tokens[-1]
    made = []
    for token in query.tokens:
        prefix = token if token.isalpha() or token == last else ""
        made.append(Term((token, *query.stems.get(token, ())), prefix))
    return made


def corrected(query: Query) -> list[Term] | None:
    """Return terms in which unknown words also stand for similar ones, or None if there are none; one statement."""
    candidates = similar_words(query.tokens)
    made = [_with_corrections(token, term, candidates) for token, term in zip(query.tokens, terms(query), strict=True)]
    split = [t for term in made for t in _with_parts(term)]
    return split if split != terms(query) else None


def _with_corrections(token: str, term: Term, candidates: Sequence[str]) -> Term:
    found = [word for word in candidates if len(token) >= _INFIX and token in word]
    reach = distance_allowed(token)
    if reach and not found:
        near = process.extract(token, candidates, scorer=OSA.distance, score_cutoff=reach, limit=_MOST_CORRECTIONS)
        found = [word for word, _distance, _place in near]
    return Term(tuple(dict.fromkeys((*term.exact, *found[:_MOST_CORRECTIONS]))), term.prefix)


def _with_parts(term: Term) -> list[Term]:
    """Let a compound that is nowhere be found by its parts: "m8x41" by "m8" and "41"."""
    pieces = [p for p in parts(term.exact[0]) if p.isdigit() or any(c.isdigit() for c in p)]
    if len(pieces) < 2 or len(term.exact) > 1:
        return [term]
    return [Term((piece,)) for piece in pieces]


def hits(found: Sequence[Term]) -> Hits:
    """Return the products that satisfy the terms."""
    return index().hits(found)
