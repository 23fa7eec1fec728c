"""Time has one source; business days begin in the zone of the business."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core.data import clock


def test_now_is_aware_and_in_utc():
    assert clock.now().tzinfo is UTC


def test_frozen_holds_the_clock_and_lets_go():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with clock.frozen(at):
        assert clock.now() == at
        with clock.frozen(at + timedelta(days=1)):
            assert clock.now() == at + timedelta(days=1)
        assert clock.now() == at
    assert clock.now() > at


def test_frozen_wants_an_aware_instant():
    with pytest.raises(ValueError, match="aware"), clock.frozen(datetime(2026, 1, 1)):
        pass


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        ("2026-03-28T22:30:00", "Europe/Helsinki", date(2026, 3, 29)),
        ("2026-03-28T21:30:00", "Europe/Helsinki", date(2026, 3, 28)),
        ("2026-12-31T23:30:00", "Europe/Istanbul", date(2027, 1, 1)),
    ],
)
def test_today_is_the_day_of_the_zone(at, zone, day):
    with clock.frozen(datetime.fromisoformat(at).replace(tzinfo=UTC)):
        assert clock.today(zone) == day


def test_days_are_as_long_as_the_zone_makes_them():
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    zone = "Europe/Helsinki"
    assert clock.end_of_day(spring, zone) - clock.start_of_day(spring, zone) == timedelta(hours=23)
    assert clock.end_of_day(autumn, zone) - clock.start_of_day(autumn, zone) == timedelta(hours=25)
    assert clock.end_of_day(spring, zone) == clock.start_of_day(spring + timedelta(days=1), zone)
