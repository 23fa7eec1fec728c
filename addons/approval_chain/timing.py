"""When an approval is reminded of, passed on, and ends: in working hours of the company that buys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.api.hooks import SettingSpec
from core.api.i18n import translations
from core.api.settings import get
from core.api.ui import instant_text

from . import periods
from .models import Approval

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"
_GROUP = _l("Approval of orders")
#: Days of the week on which nobody works, 0 is Monday.
WEEKENDS = {"sat_sun": frozenset({5, 6}), "fri_sat": frozenset({4, 5}), "sun": frozenset({6}), "none": frozenset[int]()}


def _hours(key: str, default: int, label: object, help_: object) -> SettingSpec:
    return SettingSpec(
        key, int, default, label, help_, ("deployment", "segment", "company"), minimum=0, maximum=2000, group=_GROUP
    )


def wrong_days(text: str) -> str:
    """Return what is wrong with a list of closed days, '' for nothing."""
    for day in text.replace(",", " ").split():
        try:
            date.fromisoformat(day if len(day) > 5 else f"2024-{day}")  # a leap year: 02-29 is a day
        except ValueError:
            return _("“%(day)s” is no day; write 12-25, or 2026-06-19.", day=day)
    return ""


SETTINGS = (
    _hours("remind_hours", 8, _l("Remind those who decide after"), _l("Working hours, and again as often. 0: never.")),
    _hours("escalate_hours", 16, _l("Pass an approval on after"),
           _l("Working hours; then the administrators above may decide too. 0: never.")),
    _hours("expire_hours", 80, _l("End an approval after"), _l("Working hours without a decision. 0: never.")),
    SettingSpec(
        "on_expiry", ("return", "reject"), "return", _l("An approval that nobody decided on"),
        scopes=("deployment", "segment", "company"), group=_GROUP,
        choices=(("return", _l("goes back to who ordered")), ("reject", _l("is rejected"))),
    ),
    SettingSpec("day_starts", int, 8, _l("Working hours begin at"), _l("Full hour, in the time zone of the company."),
                ("deployment", "segment", "company"), minimum=0, maximum=22, group=_GROUP),
    SettingSpec("day_ends", int, 16, _l("Working hours end at"), _l("Full hour, in the time zone of the company."),
                ("deployment", "segment", "company"), minimum=1, maximum=23, group=_GROUP),
    SettingSpec(
        "weekend", tuple(WEEKENDS), "sat_sun", _l("Days off in the week"), _l("No hour of them counts as working time."),
        ("deployment", "segment", "company"), group=_GROUP,
        choices=(("sat_sun", _l("Saturday and Sunday")), ("fri_sat", _l("Friday and Saturday")),
                 ("sun", _l("Only Sunday")), ("none", _l("None, every day is worked"))),
    ),
    SettingSpec("closed_days", str, "12-25 12-26 01-01", _l("Days on which nobody works"),
                _l("Besides the days off in the week: month-day for every year, or year-month-day; with spaces between."),
                ("deployment", "segment", "company"), group=_GROUP, problem=wrong_days),
    SettingSpec("tolerance", int, 1, _l("Approvals hold although prices rise by up to (percent)"),
                _l("A smaller order keeps its approvals where no price and not the total rose by more."),
                ("deployment", "segment", "company"), minimum=0, maximum=20, group=_GROUP),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working hours: ``starts`` until ``ends`` o'clock; not on ``closed`` days ("12-25", "2026-06-19"), at weekends."""

    zone: str = "UTC"
    closed: frozenset[str] = frozenset()
    starts: int = 8
    ends: int = 16
    weekend: frozenset[int] = WEEKENDS["sat_sun"]

    def works(self, day: date) -> bool:
        """Tell whether people work on ``day``."""
        return day.weekday() not in self.weekend and not self.closed & {f"{day:%m-%d}", day.isoformat()}

    def hours_of(self, day: date) -> tuple[datetime, datetime]:
        """Return when work begins and ends on ``day``; instants, so that a change of the clocks counts as it is."""
        zone = ZoneInfo(self.zone)
        ends = max(self.ends, self.starts + 1)
        return tuple(datetime.combine(day, time(h), zone).astimezone(UTC) for h in (self.starts, ends))  # type: ignore[return-value]


def later(start: datetime, hours: int, calendar: Calendar) -> datetime:
    """Return the instant at which ``hours`` of work have passed since ``start``."""
    left, day = timedelta(hours=hours), start.astimezone(ZoneInfo(calendar.zone)).date()
    while True:
        begins, ends = calendar.hours_of(day)
        begins = max(begins, start.astimezone(UTC))
        if calendar.works(day) and begins < ends:
            if ends - begins >= left:
                return begins + left
            left -= ends - begins
        day += timedelta(days=1)


def calendar_of(company_id: int) -> Calendar:
    """Return the calendar of the company that buys, in its time zone."""
    closed = frozenset(str(get(OWNER, "closed_days", company=company_id)).replace(",", " ").split())
    starts, ends = (int(get(OWNER, key, company=company_id)) for key in ("day_starts", "day_ends"))
    weekend = WEEKENDS[str(get(OWNER, "weekend", company=company_id))]
    return Calendar(periods.zone_of(company_id), closed, starts, ends, weekend)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When it is reminded of, passed on, and ends; None: never."""

    remind_at: datetime | None
    escalate_at: datetime | None
    expires_at: datetime | None


def deadlines(company_id: int, since: datetime) -> Deadlines:
    """Return the clock of a tier whose turn begins at ``since``."""
    calendar = calendar_of(company_id)

    def at(key: str) -> datetime | None:
        hours = int(get(OWNER, key, company=company_id))
        return later(since, hours, calendar) if hours else None

    return Deadlines(at("remind_hours"), at("escalate_hours"), at("expire_hours"))


def expected(at: Deadlines | Approval) -> str:
    """Say by when somebody decides and what happens then, '' where no time is set: one sentence for every page and mail."""
    if at.escalate_at is not None:
        return _("Expected by %(at)s; then it is passed on.", at=instant_text(at.escalate_at))
    return _("Expected by %(at)s; then the time for it is over.", at=instant_text(at.expires_at)) if at.expires_at else ""


def start(approval: Approval, tier: int, since: datetime) -> None:
    """Start the clock of a tier."""
    found = deadlines(approval.company_id, since)
    approval.tier, approval.tier_since, approval.reminded, approval.escalated = tier, since, 0, False
    approval.remind_at, approval.escalate_at, approval.expires_at = found.remind_at, found.escalate_at, found.expires_at


def stop(approval: Approval) -> None:
    """Stop the clock: nobody is waited for."""
    approval.remind_at = approval.escalate_at = approval.expires_at = None


def tolerance(company_id: int) -> int:
    """Return by how many percent prices may rise before an approval ends."""
    return int(get(OWNER, "tolerance", company=company_id))
