"""Days that people, files and programs write, within the years that a calendar of trade has."""

from __future__ import annotations

from datetime import date

from core.i18n.texts import _
from core.spec.errors import Invalid

EARLIEST, LATEST = 1900, 2199


def bounded_day(day: date) -> date:
    """Return ``day`` if its year is one of 1900 to 2199; Invalid otherwise."""
    if not EARLIEST <= day.year <= LATEST:
        raise Invalid("BAD-DATE", _("The year %(year)s is outside 1900 to 2199.", year=day.year))
    return day
