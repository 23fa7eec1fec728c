"""Word stems of the languages of the shop, folded; a help for inflected words, never relied upon alone."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import snowballstemmer

from core.catalog.folding import fold

_ALGORITHMS = {"en": "english", "fi": "finnish", "pl": "polish", "tr": "turkish", "sv": "swedish", "de": "german"}
_SHORTEST = 3
_local = threading.local()


@lru_cache(maxsize=50_000)
def stem(word: str, locale: str) -> str:
    """Return the folded stem of a lower-case, unfolded ``word``, or '' where there is none worth keeping."""
    algorithm = _ALGORITHMS.get(locale[:2])
    if algorithm is None or not word.isalpha() or algorithm not in snowballstemmer.algorithms():
        return ""
    found = fold(_stemmer(algorithm).stemWord(word))
    return found if len(found) >= _SHORTEST else ""


def _stemmer(algorithm: str) -> Any:
    """Return this thread's stemmer: it keeps state while it works."""
    made = _local.__dict__.setdefault("stemmers", {})
    if algorithm not in made:
        made[algorithm] = snowballstemmer.stemmer(algorithm)
    return made[algorithm]
