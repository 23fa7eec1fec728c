"""Fold text so that "ŁOŻYSKO", "łożysko" and "lozysko" meet; used on both sides of every comparison.

Neither SQLite nor FTS5 folds ł and ı, and PostgreSQL does it by an extension that may be missing, so it is done here.
"""

from __future__ import annotations

import re
import unicodedata

#: Letters and signs that NFKD leaves whole.
_TABLE = str.maketrans(
    {
        "ł": "l", "ı": "i", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ŋ": "n", "ĸ": "k",
        "æ": "ae", "œ": "oe", "ß": "ss", "þ": "th",
        "×": "x", "⁄": "/", "−": "-", "–": "-", "—": "-", "‐": "-", "’": "'", "µ": "u", "μ": "u",
    }
)  # fmt: skip
_NOT_CODE = re.compile(r"[\W_]+")
_INSIDE_NUMBER = ((re.compile(r"(?<=\d)[.,](?=\d)"), "p"), (re.compile(r"(?<=\d)/(?=\d)"), "s"))
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+(?:[ps]\d+)*")
_TIMES = re.compile(r"(?<=\d)x(?=\d)")
_DIGITS = re.compile(r"\d+")
_WIDTH = 8
_PIECE = re.compile(r"\d+(?:[ps]\d+)*|[^\W\d_]+")


def fold(text: str) -> str:
    """Return ``text`` in lower case without diacritics: "Świeży ÄÖ İı Øß" gives "swiezy ao ii oss"."""
    if text.isascii():
        return text.lower()
    # lower() before NFKD gives "i" and a combining dot for İ; the dot goes with the other marks
    decomposed = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return bare.translate(_TABLE).lower()


def fold_code(code: str) -> str:
    """Return ``code`` folded, letters and digits only: "DIN 933-M8" and "din933m8" are the same code."""
    return _NOT_CODE.sub("", fold(code))


def sort_code(code: str) -> str:
    """Return a code as lists sort it: folded, every number padded, so that M8X20 stands before M8X100."""
    return _DIGITS.sub(lambda found: found[0].zfill(_WIDTH), fold(code))[:200]


def tokens(text: str) -> list[str]:
    """Return the folded words of ``text`` in order; 8.8 and 1/2 stay one word each ("8p8", "1s2")."""
    return _tokens(fold(text))


def words(text: str) -> list[str]:
    """Return the lower-case words of ``text`` unfolded, for stemmers, which know the language's own letters."""
    return _WORD.findall(unicodedata.normalize("NFC", text.lower().replace("i̇", "i")))


def parts(token: str) -> list[str]:
    """Return what else a token may be found by: "m8x40" by "m8" and "40", "din933" by "din" and "933"."""
    if token.isalpha() or _NUMBER.fullmatch(token):
        return []
    found = []
    for piece in _TIMES.split(token):
        found += [piece, *_PIECE.findall(piece)]
    return [p for p in dict.fromkeys(found) if p != token and len(p) > 1]


def _tokens(folded: str) -> list[str]:
    for pattern, letter in _INSIDE_NUMBER:
        folded = pattern.sub(letter, folded)
    return _WORD.findall(folded)
