"""How a line is shared out: pure figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from addons.volume_agreements import engine, pricing
from addons.volume_agreements.engine import Part, Terms
from core.spec.pricing import PriceBatch, PriceContext, PriceLine

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST = Terms(
    1, "A", "First", 7, 70, "", "pcs", D(1000), "fixed", D(2), D(1), "EUR", NOW, NOW + timedelta(days=100), "active"
)
SECOND = replace(FIRST, id=2, code="B", value=D("2.20"), valid_until=NOW + timedelta(days=200))


def line(quantity, price="2.50", unit="pcs", factor=(1, 1), per="1"):
    made = PriceLine("1", 70, unit, D(quantity))
    made.base_unit, made.factor, made.known = "pcs", factor, True
    made.price = made.list_price = None if price is None else D(price)
    made.per = D(per)
    return made


@pytest.mark.parametrize(
    ("quantity", "free", "own", "takes"),
    [
        (100, {1: D(1000)}, {}, {"A": D(100)}),
        (500, {1: D(320)}, {}, {"A": D(320)}),
        (500, {1: D(0)}, {}, {}),
        (500, {1: D(-3)}, {}, {}),
        (500, {1: D(0)}, {1: D(200)}, {"A": D(200)}),  # what the line holds already is its own
        (150, {1: D(10)}, {1: D(200)}, {"A": D(150)}),
        (500, {1: D(320), 2: D(1000)}, {}, {"A": D(320), "B": D(180)}),
    ],
)
def test_what_agreements_take(quantity, free, own, takes):
    before = dict(free)
    agreements = [FIRST, SECOND] if 2 in free else [FIRST]
    parts = engine.share_out(D(quantity), agreements, free, own)
    assert {part.terms.code: part.quantity for part in parts} == takes
    for part in parts:
        beyond = max(part.quantity - own.get(part.terms.id, D(0)), D(0))
        assert free[part.terms.id] == before[part.terms.id] - beyond


def test_a_line_draws_from_two_at_most_for_their_names_stand_in_its_source():
    third = replace(FIRST, id=3, code="C")
    parts = engine.share_out(D(9), [FIRST, SECOND, third], {1: D(3), 2: D(3), 3: D(3)}, {})
    assert [part.terms.code for part in parts] == ["A", "B"]
    longest = [Part(replace(FIRST, code="X" * 30), D("123456789012.123456"))] * engine.MOST
    assert len(engine.source_of(longest, D(1))) <= 120


@pytest.mark.parametrize(
    ("source", "whole", "draws"),
    [
        ("volume:A", D(50), {"A": D(50)}),
        ("volume:A=320", D(500), {"A": D(320)}),
        ("volume:A=320+B=180", D(500), {"A": D(320), "B": D(180)}),
        ("contract:A", D(50), {}),
        ("", D(50), {}),
    ],
)
def test_the_source_says_what_a_line_draws(source, whole, draws):
    assert engine.drawn(source, whole) == draws
    parts = [Part(FIRST if code == "A" else SECOND, quantity) for code, quantity in draws.items()]
    if parts:
        assert engine.source_of(parts, whole) == source


def test_order_of_agreements():
    category = replace(FIRST, id=3, code="C", product_id=None, path="/small/")
    deeper = replace(category, id=4, code="D", path="/small/nuts/")
    parent = replace(FIRST, id=5, code="E", company_id=8, valid_until=NOW + timedelta(days=1))
    found = engine.ordered([parent, category, SECOND, deeper, FIRST], (7, 8))
    assert [one.code for one in found] == ["A", "B", "D", "C", "E"]


@pytest.mark.parametrize(
    ("quantity", "parts", "price", "per"),
    [
        ("500", [(FIRST, "500")], "2", "1"),
        ("500", [(FIRST, "320")], "2.18", "1"),  # 320 at 2.00 and 180 at 2.50
        ("7", [(FIRST, "3")], "16", "7"),  # 3 at 2.00 and 4 at 2.50 is 2.285714… each: for the whole quantity it is exact
        ("500", [(FIRST, "320"), (SECOND, "180")], "2.072", "1"),
    ],
)
def test_a_line_of_several_prices_has_one_that_is_exact(quantity, parts, price, per):
    found = engine.priced(line(quantity), [Part(terms, D(taken)) for terms, taken in parts], "EUR")
    assert (found.price, found.per) == (D(price), D(per))


def test_a_rest_without_a_price_leaves_the_line_without_one():
    assert engine.priced(line("500", price=None), [Part(FIRST, D(320))], "EUR").price is None
    assert engine.priced(line("300", price=None), [Part(FIRST, D(300))], "EUR").price == D(2)


def test_boxes_cost_what_their_pieces_cost():
    boxes = line("3", "480", "box", (200, 1))
    assert engine.priced(boxes, [Part(FIRST, D(600))], "EUR").price == D(400)
    mixed = engine.priced(boxes, [Part(FIRST, D(400))], "EUR")  # two boxes at 400, one at 480
    assert mixed.price * 3 / mixed.per == D(1280)


def test_a_percent_comes_off_the_list_price():
    off = replace(FIRST, kind="percent", value=D(10))
    found = engine.priced(line("100", "250", per="100"), [Part(off, D(100))], "EUR")
    assert (found.price, found.per, found.places) == (D(225), D(100), 2)
    assert engine.priced(line("100", price=None), [Part(off, D(100))], "EUR").price is None


def test_what_an_agreement_is_about():
    assert FIRST.fits(line("1"))
    assert not replace(FIRST, unit="box").fits(line("1"))
    category = replace(FIRST, product_id=None, path="/small/")
    inside, outside = line("1"), line("1")
    inside.category_path, outside.category_path = "/small/nuts/", "/smaller/"
    assert category.fits(inside)
    assert not category.fits(outside)
    assert not category.fits(line("1"))


@pytest.mark.parametrize(("others", "expected"), [((), (D(5), "contract:K")), ((SECOND,), (D("2.20"), "volume:B"))])
def test_a_percent_off_a_list_price_that_there_is_not_takes_no_other_price_away(others, expected):
    off = replace(FIRST, kind="percent", value=D(10))
    one = line(100, price=None)
    one.set_price(D(5), source="contract:K")
    for explain in (False, True):
        found = one.at(one.quantity)
        batch = PriceBatch(PriceContext("EUR", NOW, 7, (7,)), (found,), explain=explain)
        pricing.apply(batch, pricing.Facts((off, *others), {1: D(1000), 2: D(1000)}))
        assert (found.price, found.source) == expected
    assert next(str(c.lost) for c in found.candidates) == "There is no list price to compute from."
