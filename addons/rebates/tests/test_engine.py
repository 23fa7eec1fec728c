"""Rebates for totals, and periods: pure figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest

from addons.rebates import engine
from addons.rebates.engine import Period, Terms

STEPS = ((D(1000), D(2)), (D(5000), D(4)))


def terms(basis="net", kind="percent", mode="retroactive", steps=STEPS, currency="EUR"):
    return Terms(basis, kind, mode, currency, steps)


@pytest.mark.parametrize(
    ("given", "net", "quantity", "accrued"),
    [
        (terms(), "999.99", "0", "0"),
        (terms(), "1000", "0", "20"),
        (terms(), "4999.99", "0", "100"),  # 99.9998
        (terms(), "5000", "0", "200"),  # from the first unit
        (terms(mode="prospective"), "5000", "0", "80"),
        (terms(mode="prospective"), "6000", "0", "120"),
        (terms(mode="prospective"), "900", "0", "0"),
        (terms("quantity"), "300", "1000", "6"),
        (terms("quantity", "amount", steps=((D(100), D("0.05")), (D(200), D("0.10")))), "0", "150", "7.50"),
        (terms("quantity", "amount", steps=((D(100), D("0.05")), (D(200), D("0.10")))), "0", "200", "20"),
        (terms("quantity", "amount", "prospective", ((D(100), D("0.05")), (D(200), D("0.10")))), "0", "250", "10"),
        (terms("net", "amount", steps=((D(0), D("0.05")),)), "10", "40", "2"),
        (terms(steps=((D(0), D(1)),)), "-50", "0", "0"),  # more came back than was bought
        (terms(currency="JPY", steps=((D(0), D(1)),)), "149", "0", "1"),
    ],
)
def test_the_rebate_for_totals(given, net, quantity, accrued):
    assert given.accrued(D(net), D(quantity)) == D(accrued)


def test_what_is_missing_to_the_next_step():
    assert engine.missing(terms(), D(320), D(0)) == engine.Missing(D(1000), D(2), D(680))
    assert engine.missing(terms(), D(1000), D(0)).missing == D(4000)
    assert engine.missing(terms(), D(5000), D(0)) is None
    assert terms().reached(D(1000), D(0)) == STEPS[0]
    assert terms().reached(D(999), D(0)) is None


@pytest.mark.parametrize(
    ("kind", "starts", "ends", "day", "period"),
    [
        ("year", date(2026, 1, 1), None, date(2026, 12, 31), (date(2026, 1, 1), date(2027, 1, 1))),
        ("year", date(2025, 4, 1), None, date(2026, 3, 31), (date(2025, 4, 1), date(2026, 4, 1))),
        ("year", date(2025, 4, 1), None, date(2026, 4, 1), (date(2026, 4, 1), date(2027, 4, 1))),
        ("quarter", date(2025, 11, 30), None, date(2026, 2, 28), (date(2026, 2, 28), date(2026, 5, 30))),
        ("quarter", date(2025, 11, 30), None, date(2026, 2, 27), (date(2025, 11, 30), date(2026, 2, 28))),
        ("year", date(2026, 1, 1), date(2026, 7, 1), date(2026, 6, 30), (date(2026, 1, 1), date(2026, 7, 1))),
        ("year", date(2026, 1, 1), date(2026, 7, 1), date(2026, 7, 1), None),
        ("year", date(2026, 1, 1), None, date(2025, 12, 31), None),
    ],
)
def test_periods_are_anchored(kind, starts, ends, day, period):
    found = engine.period_of(kind, starts, ends, day)
    assert found == (None if period is None else Period(*period))
