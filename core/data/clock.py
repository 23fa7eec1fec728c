"""The only source of time, so that tests can hold it still.

Instants are aware datetimes in UTC; business dates belong to a zone (the seller's, or a site's).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_frozen: ContextVar[datetime | None] = ContextVar("frozen_clock", default=None)


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC)


def today(zone: str = "UTC") -> date:
    """Return the business date in ``zone`` (an IANA name)."""
    return now().astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """Return the instant (UTC) at which ``day`` begins in ``zone``; half-open validities start here."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """Return the instant at which ``day`` is over in ``zone``: the start of the next day."""
    return start_of_day(day + timedelta(days=1), zone)


@contextmanager
def frozen(at: datetime) -> Iterator[datetime]:
    """Hold the clock at ``at`` (aware) within the block."""
    if at.tzinfo is None:
        raise ValueError("the clock is frozen at an aware datetime")
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield at
    finally:
        _frozen.reset(token)
