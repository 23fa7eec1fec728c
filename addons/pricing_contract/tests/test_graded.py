"""Progressive breaks: only the units above a break cost its price, and the sum is exact."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data import clock
from core.pricing.bands import bands_text, read, stored
from core.pricing.money import line_net
from core.spec.pricing import Band
from core.testing.factories import Unit, make_category, make_company, make_product

from .conftest import contract, priced, row
from .test_properties import FEW

D = Decimal


@pytest.fixture
def bolts(shop):
    """A product with a progressive ladder: 8.00, above 10 at 6.50, above 50 at 5."""
    company = make_company("C")
    product = make_product("A", price="10", units=[Unit("pcs"), Unit("box", 12)])
    agreed = contract("K", company=company, breaks="progressive")
    for value, minimum in (("8", "0"), ("6.50", "10"), ("5", "50")):
        row(agreed, product, value, min_quantity=minimum)
    return product, company


@pytest.mark.parametrize(
    ("quantity", "net", "bands"),
    [
        ("1", "8.00", []),
        ("10", "80.00", []),
        ("11", "86.50", [("10", "8"), ("1", "6.50")]),
        ("15", "112.50", [("10", "8"), ("5", "6.50")]),
        ("10.5", "83.25", [("10", "8"), ("0.5", "6.50")]),
        ("60", "390.00", [("10", "8"), ("40", "6.50"), ("10", "5")]),
    ],
)
def test_each_part_costs_its_own_price(bolts, quantity, net, bands):
    line = priced(*bolts, quantity)
    assert line_net(line.quantity, line.price, line.per, "EUR") == D(net)
    assert [(band.quantity, band.price) for band in line.bands] == [(D(q), D(p)) for q, p in bands]
    assert line.per == (line.quantity if bands else 1)
    assert line.list_price == D(10) * line.per


def test_the_explanation_says_how_the_price_is_made(bolts):
    line = priced(*bolts, "15", explain=True)
    assert line.price == priced(*bolts, "15").price
    made = [str(entry.reason).replace("\N{NO-BREAK SPACE}", " ") for entry in line.trace]
    assert "10 pcs at 8.00 €, 5 pcs at 6.50 €; on average 7.50 € / pcs" in made


def test_a_base_units_ladder_prices_packages_by_the_same_units(bolts):
    """Two boxes are 24 pieces, of which 10 cost 8.00 and 14 cost 6.50."""
    line = priced(*bolts, "2", "box")
    assert line_net(line.quantity, line.price, line.per, "EUR") == D("171.00")


def test_percent_rungs_are_rounded_before_they_are_summed(shop):
    company, category = make_company("C"), make_category("bolts")
    product = make_product("A", price="9.99", category="bolts")
    agreed = contract("K", company=company, breaks="progressive")
    row(agreed, category, "10", kind="percent")
    row(agreed, category, "20", kind="percent", min_quantity="10")
    line = priced(product, company, "15")
    assert [(band.quantity, band.price) for band in line.bands] == [(D(10), D("8.99")), (D(5), D("7.99"))]
    assert line_net(D(15), line.price, line.per, "EUR") == D("129.85")


def test_the_later_validity_of_a_rung_holds_in_the_parts_too(bolts):
    product, company = bolts
    agreed = contract("L", company=company, breaks="progressive", priority=5)
    row(agreed, product, "8")
    row(agreed, product, "7", start=clock.now())
    row(agreed, product, "6", min_quantity="10")
    line = priced(product, company, "12")
    assert line_net(D(12), line.price, line.per, "EUR") == D("82.00")


def test_bands_are_kept_as_text():
    bands = (Band(D("10"), D("8.00")), Band(D("5.5"), D("650"), D("100")))
    assert read(stored(bands)) == bands
    assert stored(()) is None
    assert bands_text((), "EUR", "pcs") == ""


def test_more_never_costs_more_for_each_unit(shop):
    company, product = make_company("C"), make_product("A", price="10")
    step = st.tuples(st.integers(1, 40), st.integers(0, 500))

    @FEW
    @given(st.lists(step, min_size=1, max_size=4), st.lists(st.integers(1, 2000), min_size=2, max_size=6))
    def check(steps, quantities):
        agreed = contract(f"P{check.n}", company=company, breaks="progressive", priority=check.n)
        check.n += 1
        minimum, value = 0, D(10)
        row(agreed, product, str(value))
        for wider, cheaper in steps:
            minimum, value = minimum + wider, max(D(0), value - D(cheaper) / 100)
            row(agreed, product, str(value), min_quantity=str(minimum))
        found = [priced(product, company, str(q)) for q in sorted(set(quantities))]
        each = [line.price / line.per for line in found]
        assert all(after <= before for before, after in pairwise(each))
        nets = [line_net(line.quantity, line.price, line.per, "EUR") for line in found]
        assert all(before <= after for before, after in pairwise(nets))
        assert all(
            sum(band.quantity for band in line.bands) == line.quantity
            and sum(band.quantity * band.price / band.per for band in line.bands) == line.price
            for line in found
            if line.bands
        )

    check.n = 1
    check()
