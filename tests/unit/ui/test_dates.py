"""Dates as people type them: read exactly, or refused with a sentence."""

from __future__ import annotations

from datetime import date

import pytest

from core.spec.errors import Invalid
from core.ui.dates import add_months, read_day

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "locale", "day"),
    [
        ("2026-12-31", "en", date(2026, 12, 31)),
        ("31.12.2026", "fi", date(2026, 12, 31)),
        ("31/12/26", "en", date(2026, 12, 31)),
        ("in 2 weeks", "en", date(2026, 12, 6)),
        ("3 days", "en", date(2026, 11, 25)),
        ("tomorrow", "en", date(2026, 11, 23)),
        ("huomenna", "fi", date(2026, 11, 23)),
        ("2 viikon päästä", "fi", date(2026, 12, 6)),
        ("In 1 Month", "en", date(2026, 12, 22)),
    ],
)
def test_read_day(text, locale, day):
    assert read_day(text, TODAY, locale) == day


@pytest.mark.parametrize("text", ["31.2.2026", "soon", "", "2026-13-01", "99/99/9999", "in 5 moons", "1.2"])
def test_read_day_refuses_what_is_no_date(text):
    with pytest.raises(Invalid) as refused:
        read_day(text, TODAY, "fi")
    assert "is not a date" in str(refused.value.message)


@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "31.12.2200", "in 3000 years"])
def test_read_day_keeps_to_the_years_of_trade(text):
    with pytest.raises(Invalid) as refused:
        read_day(text, TODAY, "en" if "y" in text else "fi")
    assert "is outside 1900 to 2199" in str(refused.value.message)


@pytest.mark.parametrize(
    ("day", "count", "moved"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2028, 1, 30), 1, date(2028, 2, 29)),
    ],
)
def test_add_months_keeps_to_the_end_of_shorter_months(day, count, moved):
    assert add_months(day, count) == moved
