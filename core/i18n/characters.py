"""The characters that no text may hold, whatever way it comes: forms, addresses, cells of imports, the API.

Refused are control characters (NUL among them; tabs and ends of lines are not), halves of surrogate pairs, U+FFFE and
U+FFFF, which no spreadsheet file takes, and the characters that turn the direction of the text round them (U+202A to
U+202E, U+2066 to U+2069): with them a code or a price would read as something else than it is.

Where one line is wanted, tabs and ends of lines become a space: harmless, and what a pasted cell holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.i18n.texts import _
from core.spec.errors import Invalid

_TURNING = "\u202a-\u202e\u2066-\u2069"
_HALF = "\ud800-\udfff"
_BANNED = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_TURNING}{_HALF}\ufffe\uffff]")
_ENDS = re.compile("[\t\r\n\u2028\u2029]+")


def problem_in(text: str) -> str:
    """Return the sentence that says which character of ``text`` cannot be kept and how to mend it, '' where all can."""
    found = _BANNED.search(text)
    if found is None:
        return ""
    place, code = found.start() + 1, f"U+{ord(found[0]):04X}"
    if re.match(f"[{_TURNING}]", found[0]):
        return _(
            "Character %(place)s (%(code)s) turns the direction of the text, so it would read as something else than it is. "
            "Delete it, or type the text again.",
            place=place,
            code=code,
        )
    return _(
        "Character %(place)s (%(code)s) is invisible and cannot be kept. Delete it, or type the text again.",
        place=place,
        code=code,
    )


def checked_text(text: str, where: str = "") -> str:
    """Return ``text``; Invalid names the place ``where`` and the character that cannot be kept."""
    if problem := problem_in(text):
        message = f"{cleaned(where)[:40]}: {problem}" if where else problem
        raise Invalid("BAD-CHARACTER", message, details={"field": cleaned(where)} if where else {})
    return text


def cleaned(text: str) -> str:
    """Return ``text`` without the characters that cannot be kept."""
    return _BANNED.sub("", text)


def one_line(text: str) -> str:
    """Return ``text`` with a space for each run of tabs and ends of lines."""
    return _ENDS.sub(" ", text)


def problems_in_json(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield (path, sentence) for every text of a JSON value that cannot be kept, names of members included."""
    if isinstance(value, str):
        if problem := problem_in(value):
            yield path, problem
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if problem := problem_in(name):
                yield (*path, ascii(name)), problem
            else:
                yield from problems_in_json(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from problems_in_json(inner, (*path, index))
