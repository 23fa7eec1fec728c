"""Numbers and dates as people type them: read exactly, or refused with a sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.spec.errors import Invalid
from core.ui.numbers import add_months, read_day, read_decimal

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("1234.50", "en", "1234.50"),
        ("1,234.50", "en", "1234.50"),
        ("1 234,50", "fi", "1234.50"),
        ("1\u00a0234,50", "fi", "1234.50"),
        ("1.5", "fi", "1.5"),
        ("-3", "fi", "-3"),
        ("−3,25", "fi", "-3.25"),
        ("1.234,5", "tr", "1234.5"),
        (" 7 ", "pl", "7"),
    ],
)
def test_read_decimal_understands_the_locale(text, locale, value):
    assert read_decimal(text, locale) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("NaN", "en"), ("Infinity", "en"), ("-Infinity", "fi"), ("1e5", "en"), ("1,5", "en"), ("12,34,567", "en"),
        ("1.2.3", "fi"), ("abc", "en"), ("٣", "en"), ("1_000", "en"), ("--1", "en"), ("9" * 60, "en"), ("0x10", "en"),
    ],
)  # fmt: skip
def test_read_decimal_refuses_the_rest(text, locale):
    with pytest.raises(Invalid) as refused:
        read_decimal(text, locale)
    assert "is not a number" in str(refused.value.message)


def test_a_point_that_groups_thousands_is_not_taken_for_decimals():
    assert read_decimal("1.500", "tr") == 1500


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
