"""Turn the text of a cell into the value of a field, or say what is wrong with it and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.i18n import _
from core.i18n.characters import one_line, problem_in
from core.i18n.countries import country_code
from core.i18n.days import bounded_day
from core.i18n.numbers import FILE, Marks, bounded, read_number
from core.imports.reading import Formula
from core.spec.errors import Invalid
from core.spec.imports import ImportField

LIMIT = Decimal(999_999_999)
_YES = {"yes", "y", "true", "1", "x", "kyllä", "tak", "evet"}
_NO = {"no", "n", "false", "0", "ei", "nie", "hayır"}
_DATES = (
    (re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"), "ISO"),
    (re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})"), "dotted"),
    (re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"), "compact"),
)


class CellError(ValueError):
    """A cell that cannot be accepted; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file writes things: the marks of its numbers, and the zone of times without one."""

    marks: Marks = FILE
    zone: str = "UTC"


def parse(field: ImportField, text: str, reading: Reading) -> Any:
    """Return the typed value of a cell that is not empty; CellError says what is wrong."""
    if problem := problem_in(text):
        raise CellError(problem)
    if isinstance(text, Formula):
        raise CellError(
            _("“%(text)s” is a formula without its value: write the value, or an apostrophe before a text that begins so.",
              text=text[:40])
        )  # fmt: skip
    return _PARSERS[field.type](field, text if field.lines else one_line(text), reading)


def _text(field: ImportField, text: str, reading: Reading) -> str:
    if field.max_length and len(text) > field.max_length:
        raise CellError(_("It has %(length)s characters, at most %(limit)s fit.", length=len(text), limit=field.max_length))
    return text


def _country(field: ImportField, text: str, reading: Reading) -> str:
    code = country_code(text)
    if len(code) > 2:
        raise CellError(_("“%(text)s” is not a country. Write its two letters, such as FI, or its name.", text=text[:40]))
    return code


def _decimal(field: ImportField, text: str, reading: Reading) -> Decimal:
    try:
        return bounded(read_number(text, reading.marks), places=field.scale, minimum=-LIMIT, maximum=LIMIT)
    except Invalid as error:
        raise CellError(str(error.message)) from error


def _integer(field: ImportField, text: str, reading: Reading) -> int:
    value = _decimal(field, text, reading)
    if value != value.to_integral_value():
        raise CellError(_("“%(text)s” is not a whole number.", text=text))
    return int(value)


def _date(field: ImportField, text: str, reading: Reading) -> date:
    start = re.split(r"[T ]", text, maxsplit=1)[0]
    for pattern, _name in _DATES:
        if found := pattern.fullmatch(start):
            try:
                day = date(int(found["y"]), int(found["m"]), int(found["d"]))
            except ValueError:
                break
            try:
                return bounded_day(day)
            except Invalid as error:
                raise CellError(str(error.message)) from error
    raise CellError(_("“%(text)s” is not a date. Write 2026-12-31 or 31.12.2026.", text=text))


def _instant(field: ImportField, text: str, reading: Reading) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        day = _date(field, text, reading)
        moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the zone follows below
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(reading.zone))
    return moment.astimezone(UTC)


def _boolean(field: ImportField, text: str, reading: Reading) -> bool:
    word = text.lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellError(_("“%(text)s” is neither yes nor no.", text=text))


def _choice(field: ImportField, text: str, reading: Reading) -> str:
    for choice in field.choices:
        if choice.lower() == text.lower():
            return choice
    raise CellError(_("“%(text)s” is not one of %(choices)s.", text=text, choices=", ".join(field.choices)))


def _list(field: ImportField, text: str, reading: Reading) -> tuple[str, ...]:
    named = [part.strip() for part in text.split(";") if part.strip()]
    parts = tuple(named if field.repeats else dict.fromkeys(named))
    for part in parts:
        if field.choices and part not in field.choices:
            raise CellError(_("“%(text)s” is not one of %(choices)s.", text=part, choices=", ".join(field.choices)))
        _text(field, part, reading)
    return parts


_PARSERS: dict[str, Callable[[ImportField, str, Reading], Any]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "instant": _instant,
    "boolean": _boolean,
    "choice": _choice,
    "list": _list,
    "country": _country,
}
