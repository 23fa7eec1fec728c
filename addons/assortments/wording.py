"""How assortments are told: for whom, what they do, from when until when."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.api.companies import seller
from core.api.data import clock
from core.api.i18n import translations
from core.api.pricing import BEGINNING

from .models import Assortment

_, _l, ngettext, _p = translations(__name__)
AUDIENCES = (
    ("company", _l("One company and its subsidiaries")),
    ("segment", _l("A segment of companies")),
    ("location", _l("Companies of a country")),
    ("public", _l("Everybody, visitors too")),
)
SHORT_AUDIENCES = {"company": _l("Company"), "segment": _l("Segment"), "location": _l("Country"), "public": _l("Everybody")}
MODES = (
    ("only", _l("Only these goods")),
    ("without", _l("All but these goods")),
    ("also", _l("These goods too, whatever other assortments hide")),
)
SHORT_MODES = {"only": _l("Only these"), "without": _l("All but these"), "also": _l("These too")}
STATUSES = (("draft", _l("Draft")), ("active", _l("Active")), ("ended", _l("Ended")))


def first_day(start: datetime) -> date | None:
    """Return the first day of a validity, None where it has always held."""
    return None if start <= BEGINNING else start.astimezone(ZoneInfo(seller().zone)).date()


def last_day(end: datetime | None) -> date | None:
    """Return the last day of a validity, as people write it: the day before its end."""
    return None if end is None else end.astimezone(ZoneInfo(seller().zone)).date() - timedelta(days=1)


def state(one: Assortment) -> str:
    """Return draft, ended, upcoming or active: an active one whose days are over has ended."""
    now = clock.now()
    if one.status != "active":
        return one.status
    if one.valid_until is not None and one.valid_until <= now:
        return "ended"
    return "upcoming" if one.valid_from > now else "active"
