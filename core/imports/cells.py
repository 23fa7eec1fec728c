"""Turn the text of a cell into the value of a field, or say what is wrong with it and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from core.i18n import _
from core.spec.imports import ImportField

LIMIT = Decimal(999_999_999)
_YES = {"yes", "y", "true", "1", "x", "kyllä", "tak", "evet"}
_NO = {"no", "n", "false", "0", "ei", "nie", "hayır"}
_SPACES = str.maketrans("", "", "  \u202f\u2009'’")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
_DATES = (
    (re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"), "ISO"),
    (re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})"), "dotted"),
    (re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"), "compact"),
)


class CellError(ValueError):
    """A cell that cannot be accepted; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file writes things: whether "1,234" can only be a decimal, and the zone of times without one."""

    decimal_comma: bool = False
    zone: str = "UTC"


def parse(field: ImportField, text: str, reading: Reading) -> Any:
    """Return the typed value of a cell that is not empty; CellError says what is wrong."""
    return _PARSERS[field.type](field, text, reading)


def _text(field: ImportField, text: str, reading: Reading) -> str:
    if "\x00" in text:
        raise CellError(_("It contains a character that cannot be stored (NUL). Type it again."))
    if field.max_length and len(text) > field.max_length:
        raise CellError(_("It has %(length)s characters, at most %(limit)s fit.", length=len(text), limit=field.max_length))
    return text


def _decimal(field: ImportField, text: str, reading: Reading) -> Decimal:
    value = number(text, reading)
    if abs(value) > LIMIT:
        raise CellError(_("It is too large: numbers go up to %(limit)s.", limit=f"{LIMIT:,}"))
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > field.scale:
        raise CellError(_("It has more decimals than the %(scale)s that are kept; round it in the file.", scale=field.scale))
    return value


def number(text: str, reading: Reading) -> Decimal:
    """Read a number as people write it: 1234.5, 1 234,5, 1.234,50 and 1,234.50."""
    compact = text.translate(_SPACES)
    if "," in compact and "." in compact:
        thousands, point = (".", ",") if compact.rfind(",") > compact.rfind(".") else (",", ".")
        compact = compact.replace(thousands, "").replace(point, ".")
    elif "," in compact:
        if _THOUSANDS.fullmatch(compact.lstrip("+-")) and not (reading.decimal_comma and compact.count(",") == 1):
            raise CellError(
                _(
                    "“%(text)s” can be read in two ways; write %(whole)s or %(decimal)s.",
                    text=text,
                    whole=compact.replace(",", ""),
                    decimal=compact.replace(",", "."),
                )
            )
        compact = compact.replace(",", ".")
    if not _PLAIN.fullmatch(compact):
        raise CellError(_("“%(text)s” is not a number. Write digits only, for example 12.50.", text=text))
    try:
        return Decimal(compact)
    except InvalidOperation as error:
        raise CellError(_("“%(text)s” is not a number. Write digits only, for example 12.50.", text=text)) from error


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
            if 1900 <= day.year <= 2199:
                return day
            raise CellError(_("The year %(year)s is outside 1900 to 2199.", year=day.year))
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
    parts = tuple(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))
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
}
