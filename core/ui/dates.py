"""Read dates that people type, in their locale, strictly: what could mean two things is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from babel.dates import get_date_format

from core.i18n import _
from core.i18n.days import bounded_day
from core.spec.errors import Invalid
from core.ui.formats import reader_locale

_WORDS = re.compile(r"(?:in\s+)?(\d{1,4})\s+(\w+)(?:\s+(?:päästä|kuluttua))?")
_UNITS: dict[str, Callable[[date, int], date]] = {
    **dict.fromkeys(("day", "days", "päivän", "päivä"), lambda day, n: day + timedelta(days=n)),
    **dict.fromkeys(("week", "weeks", "viikon", "viikko"), lambda day, n: day + timedelta(weeks=n)),
    **dict.fromkeys(("month", "months", "kuukauden", "kuukausi"), lambda day, n: add_months(day, n)),  # noqa: PLW0108  (defined below)
    **dict.fromkeys(("year", "years", "vuoden", "vuosi"), lambda day, n: add_months(day, 12 * n)),
}
_NAMED = {"today": 0, "tänään": 0, "tomorrow": 1, "huomenna": 1, "yesterday": -1, "eilen": -1}


def read_day(text: str, today: date, locale: str | None = None) -> date:
    """Return the date in `text`: ISO (2026-12-31), as the locale writes it (31.12.2026), or words ("in 2 weeks",
    "tomorrow", "2 viikon päästä"). Raises Invalid otherwise, with an example or the years that are taken.
    """
    value = " ".join(text.strip().lower().split())
    try:
        found = _iso(value) or _words(value, today) or _local(value, reader_locale(locale))
    except (ValueError, OverflowError):
        found = None
    if found is None:
        message = _(
            "“%(text)s” is not a date; write it as %(example)s, or in words such as “in 2 weeks”.",
            text=text.strip()[:40],
            example=today.isoformat(),
        )
        raise Invalid("BAD-DATE", message)
    return bounded_day(found)


def add_months(day: date, count: int) -> date:
    """Return `day` moved by whole months; the last day of a shorter month takes the place of a missing one."""
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    raise ValueError(f"{day} cannot be moved by {count} months")


def _iso(value: str) -> date | None:
    return date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII) else None


def _words(value: str, today: date) -> date | None:
    if value in _NAMED:
        return today + timedelta(days=_NAMED[value])
    match = _WORDS.fullmatch(value)
    return _UNITS[match[2]](today, int(match[1])) if match and match[2] in _UNITS else None


def _local(value: str, locale: str) -> date | None:
    """Read three numbers in the order in which the locale writes day, month and year."""
    parts = re.findall(r"\d+", value)
    if len(parts) != 3 or re.sub(r"[\d./\-\s]", "", value):
        return None
    order = "".join(dict.fromkeys(c for c in get_date_format("short", locale).pattern.lower() if c in "dmy"))
    found = {name: int(part) for name, part in zip(order, parts, strict=True)}
    year = found["y"] + 2000 if found["y"] < 100 else found["y"]
    return date(year, found["m"], found["d"])
