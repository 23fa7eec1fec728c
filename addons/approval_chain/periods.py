"""Days, weeks, months, quarters and years in a company's time zone and calendar; pure but for the settings it reads.

A period is half-open in instants, so that a day on which the clocks change has 23 or 25 hours and none is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError

from core.api.companies import Company, seller
from core.api.data import db, once, start_of_day, today, unscoped
from core.api.hooks import SettingSpec
from core.api.i18n import translations
from core.api.settings import get, get_each

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"
KINDS = ("day", "week", "month", "quarter", "year")
TITLES = {"day": _l("day"), "week": _l("week"), "month": _l("month"), "quarter": _l("quarter"), "year": _l("year")}
#: As said after an amount: "320 of 1,000 left this month".
THIS = {
    "day": _l("today"), "week": _l("this week"), "month": _l("this month"), "quarter": _l("this quarter"),
    "year": _l("this year"),
}  # fmt: skip
_WEEK = {"monday": 0, "saturday": 5, "sunday": 6}
_SCOPES = ("deployment", "segment", "company")
_GROUP = _l("Approval of orders")
_REASON = "the country of a parent company, whose limits hold below it"
SETTINGS = (
    SettingSpec(
        "zone", ("", *sorted(available_timezones())), "", _l("Time zone of the company"),
        _l("For working hours, and for days, weeks, months and years of limits and budgets. Empty: that of the seller."),
        _SCOPES, group=_GROUP,
    ),
    SettingSpec(
        "week_starts", ("", *_WEEK), "", _l("The week begins on"),
        _l("For limits by the week. Empty: as is usual in the company's country."), _SCOPES, group=_GROUP,
        choices=(("", _l("as is usual in the country")), ("monday", _l("Monday")), ("saturday", _l("Saturday")),
                 ("sunday", _l("Sunday"))),
    ),
    SettingSpec(
        "year_starts", int, 1, _l("The year begins in month"),
        _l("For limits and budgets by the quarter and the year: 1 is January, 4 is April."), _SCOPES,
        minimum=1, maximum=12, group=_GROUP,
    ),
    SettingSpec(
        "cost_centre_required", bool, False, _l("Every line of an order needs a cost centre"),
        _l("Only for companies that have cost centres."), _SCOPES, group=_GROUP,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calendar:
    """Zone (IANA), first day of the week (0 is Monday) and first month of the year (1 is January)."""

    zone: str = "UTC"
    week_starts: int = 0
    year_starts: int = 1


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day up to, not including, ``after``; ``start`` and ``end`` are its instants in UTC."""

    kind: str
    first: date
    after: date
    start: datetime
    end: datetime

    @property
    def last(self) -> date:
        """The last day of the period."""
        return self.after - timedelta(days=1)

    def holds(self, at: datetime) -> bool:
        """Tell whether the instant lies in the period."""
        return self.start <= at < self.end


def period_at(kind: str, at: datetime, calendar: Calendar) -> Period:
    """Return the period of ``kind`` in which the instant lies."""
    return period_of(kind, at.astimezone(ZoneInfo(calendar.zone)).date(), calendar)


def period_of(kind: str, day: date, calendar: Calendar) -> Period:
    """Return the period of ``kind`` to which a day of the company belongs."""
    first = _first(kind, day, calendar)
    after = _after(kind, first)
    return Period(kind, first, after, start_of_day(first, calendar.zone), start_of_day(after, calendar.zone))


def periods_since(kind: str, begins: date, until: date, calendar: Calendar) -> list[Period]:
    """Return the periods of ``kind`` from that of ``begins`` to that of ``until``, both included."""
    found = [period_of(kind, begins, calendar)]
    while found[-1].after <= until:
        found.append(period_of(kind, found[-1].after, calendar))
    return found


def _first(kind: str, day: date, calendar: Calendar) -> date:
    match kind:
        case "day":
            return day
        case "week":
            return day - timedelta(days=(day.weekday() - calendar.week_starts) % 7)
        case "month":
            return day.replace(day=1)
    months = (day.month - calendar.year_starts) % (12 if kind == "year" else 3)
    return _months_on(day.replace(day=1), -months)


def _after(kind: str, first: date) -> date:
    days, months = {"day": (1, 0), "week": (7, 0), "month": (0, 1), "quarter": (0, 3), "year": (0, 12)}[kind]
    return first + timedelta(days=days) if days else _months_on(first, months)


def _months_on(first: date, months: int) -> date:
    """Return the first of a month that many months later."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def zone_of(company_id: int) -> str:
    """Return the time zone of a company: its own, else the seller's."""
    return str(get(OWNER, "zone", company=company_id) or seller().zone)


def today_of(company_id: int) -> date:
    """Return the day that it is in the time zone of a company."""
    return today(zone_of(company_id))


def calendar_of(company_id: int) -> Calendar:
    """Return the calendar of a company, as its settings say."""
    return once(("approval_chain.calendar", company_id), lambda: _calendar_of(company_id))


def _calendar_of(company_id: int) -> Calendar:
    starts = get(OWNER, "week_starts", company=company_id)
    week = _WEEK[starts] if starts else _week_of(company_id)
    return Calendar(zone_of(company_id), week, int(get(OWNER, "year_starts", company=company_id)))


def calendars_of(company_ids: Iterable[int]) -> Mapping[int, Calendar]:
    """Return the calendars of companies; statements do not grow with them."""
    ids = set(company_ids)
    if len(ids) < 2:
        return {company_id: calendar_of(company_id) for company_id in ids}
    zones, weeks, years = (get_each(OWNER, key, ids) for key in ("zone", "week_starts", "year_starts"))
    rows = db.session.execute(unscoped(db.select(Company.id, Company.country).where(Company.id.in_(ids)), _REASON))
    countries = {row.id: row.country for row in rows}
    return {
        i: Calendar(
            str(zones[i] or seller().zone),
            _WEEK[weeks[i]] if weeks[i] else _first_day(countries.get(i, "")),
            int(years[i]),
        )
        for i in ids
    }


def _week_of(company_id: int) -> int:
    query = unscoped(db.select(Company.country).where(Company.id == company_id), _REASON)
    return _first_day(db.session.scalar(query) or "")


def _first_day(country: str) -> int:
    """Return on which day of the week it begins in a country."""
    try:
        return int(Locale.parse(f"und_{country}").first_week_day)
    except (UnknownLocaleError, ValueError):
        return 0
