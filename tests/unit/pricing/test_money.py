"""Rounding, shares of a discount, totals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.money import computed_places, distribute, finer, from_micro, line_net, minor_digits, round_money
from core.pricing.tax import Treatment
from core.pricing.totals import TotalLine, discounted, totals

D = Decimal
STANDARD = Treatment("standard", "S", D("25.5"))
REDUCED = Treatment("reduced", "S", D("13.5"))
EXEMPT = Treatment("exempt", "E", D(0))


def test_no_price_is_finer_than_prices_are_stored():
    assert computed_places(Decimal("0.4") / 3, 2) == 6


def test_a_part_of_a_unit_is_priced_finer():
    assert [finer(factor) for factor in ((1, 1), (12, 1), (1, 2), (1, 12), (1, 1000), (3, 1000))] == [0, 0, 1, 2, 3, 3]


def test_minor_digits_come_from_cldr():
    assert [minor_digits(c) for c in ("EUR", "JPY", "KWD", "TRY")] == [2, 0, 3, 2]


@pytest.mark.parametrize(
    ("quantity", "price", "per", "currency", "net"),
    [
        ("3", "0.335", "1", "EUR", "1.01"),  # 1.005 half up
        ("7", "12.50", "100", "EUR", "0.88"),  # 0.875
        ("1", "0.5", "1", "JPY", "1"),
        ("0.5", "100.11", "1", "EUR", "50.06"),  # 50.055
        ("1000000", "0.000001", "1", "EUR", "1.00"),
    ],
)
def test_line_net(quantity, price, per, currency, net):
    assert line_net(D(quantity), D(price), D(per), currency) == D(net)


def test_computed_prices_keep_the_precision_of_their_base():
    assert [computed_places(D(v), 2) for v in ("10", "1.05", "0.0456", "0.100000")] == [2, 2, 4, 2]
    assert from_micro(2_100_000) == D("2.1")


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**8), min_size=1, max_size=30))
def test_parts_of_a_discount_sum_to_it(cents, weights):
    amount = D(cents) / 100
    parts = distribute(amount, [D(w) for w in weights], "EUR")
    assert sum(parts) == amount
    assert len(parts) == len(weights)
    total = sum(weights)
    if total:
        assert all(abs(part - amount * w / total) < D("0.01") for part, w in zip(parts, weights, strict=True))


def test_tax_is_computed_on_the_sum_of_a_category_and_rounded_once():
    lines = [TotalLine(D("0.10"), STANDARD)] * 3 + [TotalLine(D("10"), REDUCED), TotalLine(None, STANDARD)]
    found = totals(lines, "EUR")
    assert (found.net, found.tax, found.gross, found.unpriced) == (D("10.30"), D("1.43"), D("11.73"), 1)
    assert [(t.category, t.base, t.tax) for t in found.tax_lines] == [
        ("standard", D("0.30"), D("0.08")),  # 0.0765; three lines of 0.0255 would be 0.09
        ("reduced", D("10"), D("1.35")),
    ]


@given(st.lists(st.tuples(st.integers(0, 10**8), st.sampled_from([STANDARD, REDUCED, EXEMPT])), max_size=20))
def test_totals_add_up(lines):
    found = totals([TotalLine(D(cents) / 100, treatment) for cents, treatment in lines], "EUR")
    assert found.gross == found.net + found.tax
    assert found.net == sum((D(cents) / 100 for cents, _t in lines), D(0))
    assert found.tax == sum((line.tax for line in found.tax_lines), D(0))


def test_document_discount_reaches_the_lines():
    lines = [TotalLine(D(v), STANDARD) for v in ("0.33", "0.33", "0.34")]
    assert [line.net for line in discounted(lines, D(10), "EUR")] == [D("0.30"), D("0.30"), D("0.30")]
    assert round_money(D("1.005"), "EUR") == D("1.01")
