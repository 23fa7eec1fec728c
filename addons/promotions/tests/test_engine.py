"""Figures of promotions: thresholds, kinds, spreading to the cent, and which of several counts."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.promotions.engine import Item, Rule, Selector, missing, savings


def item(n, net, quantity=1, **more):
    return Item(str(n), n, D(quantity), D(net), **more)


def rule(kind="percent", value="10", **more):
    return Rule(more.pop("code", "P"), "P", kind, D(value), **more)


def taken(rules, items, charges="0"):
    return [({k: v for k, v in s.lines.items() if v}, s.charges) for s in savings(rules, items, D(charges), "EUR")]


def test_a_threshold_is_reached_exactly():
    by_value, by_quantity = rule(min_value=D(100)), rule(min_quantity=D(3))
    assert taken([by_value], [item(1, "99.99")]) == []
    assert taken([by_value], [item(1, "60"), item(2, "40")]) == [({"1": D(6), "2": D(4)}, D(0))]
    assert missing(by_value, [item(1, "80")]) == (D(20), D(0))
    assert taken([by_quantity], [item(1, "60", "2.5")]) == []
    assert taken([by_quantity], [item(1, "60", "3")]) == [({"1": D(6)}, D(0))]


@pytest.mark.parametrize(
    ("given_rule", "charges", "expected"),
    [
        (rule("amount", "5"), "0", ({"1": D("1.67"), "2": D("3.33")}, D(0))),
        (rule("amount", "500"), "0", ({"1": D(10), "2": D(20)}, D(0))),
        (rule("amount_each", "3"), "0", ({"1": D(10), "2": D(6)}, D(0))),
        (rule("cheapest_free", "0"), "0", ({"1": D("2.5")}, D(0))),
        (rule("amount", "12", with_charges=True), "10", ({"1": D(3), "2": D(6)}, D(3))),
        (rule("percent", "50", max_units=D(5)), "0", ({"1": D(5), "2": D(5)}, D(0))),
        (rule("percent", "50", reduced=Selector(2)), "0", ({"2": D(10)}, D(0))),
    ],
)
def test_kinds(given_rule, charges, expected):
    items = [item(1, "10", "4"), item(2, "20", "2")]
    assert taken([given_rule], items, charges) == [expected]


def test_free_articles_leave_the_charges():
    """An order of samples alone still pays its freight, of which a promotion on the whole takes its part."""
    samples, both = [item(1, "0")], rule("percent", "50", with_charges=True)
    assert taken([both], samples, "10") == [({}, D(5))]
    assert taken([rule("amount", "8", with_charges=True)], samples, "10") == [({}, D(8))]
    assert taken([rule("percent", "50")], samples, "10") == []


def test_categories_and_agreed_prices():
    items = [item(1, "10", path="/1/4/"), item(2, "20", path="/1/5/"), item(3, "30", path="/1/4/9/", agreed=True)]
    assert taken([rule(reduced=Selector(path="/1/4/"))], items) == [({"1": D(1)}, D(0))]
    assert taken([rule(reduced=Selector(path="/1/4/"), on_agreed=True)], items) == [({"1": D(1), "3": D(3)}, D(0))]
    assert taken([rule(counted=Selector(path="/7/"))], items) == []


def test_the_best_counts_and_a_voucher_comes_on_top():
    items = [item(1, "100")]
    best, worse, voucher = rule(value="10", code="B"), rule(value="5", code="A"), rule(value="10", code="V", voucher="X")
    found = savings([voucher, worse, best], items, D(0), "EUR")
    assert [(s.rule.code, s.total) for s in found] == [("B", D(10)), ("V", D(9))]
    assert [s.rule.code for s in savings([rule(code="B"), rule(code="A")], items, D(0), "EUR")] == ["A"]
    above = rule(value="10", code="V", voucher="X", min_value=D(100))  # what the first took does not count against it
    assert len(savings([above, best], items, D(0), "EUR")) == 2


amounts = st.decimals("0.01", "9999", places=2)


@given(
    st.lists(st.tuples(amounts, st.decimals("0.001", "99", places=3)), min_size=1, max_size=8),
    st.sampled_from(["percent", "amount", "amount_each"]),
    st.decimals("0.01", "100", places=2),
    st.decimals("0", "50", places=2),
)
def test_parts_are_the_sum_to_the_cent_and_never_more_than_there_is(rows, kind, value, charges):
    items = [item(n, net, quantity) for n, (net, quantity) in enumerate(rows)]
    given_rule = rule(kind, value, with_charges=kind != "amount_each")
    for saving in savings([given_rule], items, charges, "EUR"):
        assert all(D(0) <= saving.lines.get(x.key, D(0)) <= x.net for x in items)
        assert D(0) <= saving.charges <= charges
        assert saving.total == round(saving.total, 2)
