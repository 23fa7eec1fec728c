"""Days as people write them: the first and the last day of a validity, which is stored as instants, half-open."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.api.pricing import BEGINNING

ONE_DAY = timedelta(days=1)


def first_day(start: datetime, zone: ZoneInfo) -> date | None:
    """Return the first day of a validity, None where it has always held."""
    return None if start <= BEGINNING else start.astimezone(zone).date()


def last_day(end: datetime | None, zone: ZoneInfo) -> date | None:
    """Return the last day of a validity, as people write it: the day before its end."""
    return None if end is None else end.astimezone(zone).date() - ONE_DAY
