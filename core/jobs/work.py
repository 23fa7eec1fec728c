"""What can run: the jobs and subscribers that domains and addons contribute, under the names they are stored by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app

from core.data import clock
from core.registry.registry import Contribution, registry
from core.spec.app import JobSpec, Subscriber

_ZONE = "tukku.zone"


@dataclass(frozen=True, slots=True)
class Work:
    """Something that can run, by its stored name; ``every`` or ``at`` make it come again."""

    name: str
    owner: str
    func: Callable[[dict[str, Any]], None]
    max_attempts: int = 8
    every: timedelta | None = None
    at: str | None = None
    title: str = ""

    @staticmethod
    def of_job(contribution: Contribution[JobSpec]) -> Work:
        """Return a contributed job."""
        owner, job = contribution.owner, contribution.value
        return Work(f"{owner}.{job.name}", owner, job.func, job.max_attempts, job.every, job.at, str(job.title))

    @staticmethod
    def of_subscriber(contribution: Contribution[Subscriber]) -> Work:
        """Return a contributed subscriber."""
        owner, subscriber = contribution.owner, contribution.value
        return Work(f"{subscriber.event}/{owner}.{subscriber.name}", owner, subscriber.handler, title=str(subscriber.title))

    @property
    def periodic(self) -> bool:
        """Tell whether it comes again by itself."""
        return self.every is not None or self.at is not None

    @property
    def unique_key(self) -> str:
        """The key under which its next run is stored."""
        return f"periodic:{self.name}"

    def next_run(self) -> datetime:
        """Return when it runs next, from now on."""
        if self.every is not None:
            return clock.now() + self.every
        return _next_at(time.fromisoformat(self.at or "00:00"))


def all_work() -> Iterator[Work]:
    """Yield all jobs and subscribers of what runs."""
    here = registry()
    yield from (Work.of_job(c) for c in here.contributions("app_jobs"))
    yield from (Work.of_subscriber(c) for c in here.contributions("app_subscribers"))


def find(name: str) -> Work:
    """Return the work stored as ``name``; LookupError with a suggestion if nobody contributes it."""
    known = {work.name: work for work in all_work()}
    if name not in known:
        close = get_close_matches(name, known, 1)
        raise LookupError(f"there is no job {name}" + (f"; did you mean {close[0]}?" if close else ""))
    return known[name]


def titles() -> dict[str, str]:
    """Return what people read of all that can run, by the names it is stored by."""
    return {work.name: work.title or words_of(work.name) for work in all_work()}


def words_of(name: str) -> str:
    """Return a stored name as words, for work that has no title, or whose addon is off."""
    return name.partition("/")[2].replace(".", ": ", 1).replace("_", " ") or name.replace(".", ": ", 1).replace("_", " ")


def use_zone(app: Any, zone: Callable[[], str]) -> None:
    """Let ``zone`` give the seller's time zone, in which daily jobs run."""
    app.extensions[_ZONE] = zone


def _next_at(at: time) -> datetime:
    zone: Callable[[], str] | None = current_app.extensions.get(_ZONE)
    here = ZoneInfo(zone() if zone else "UTC")
    now = clock.now()
    day = now.astimezone(here).date()
    # compared in UTC: two times of one zone are compared by their clocks, which go back once a year
    today = datetime.combine(day, at, here).astimezone(UTC)
    return today if today > now else datetime.combine(day + timedelta(days=1), at, here).astimezone(UTC)
