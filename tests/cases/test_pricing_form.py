"""Cases of our own for words of the form of price cases that the published sample does not use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core.settings.services import set_value

from .neutral import Unsupported
from .test_pricing import _end_contracts, office, run

assert office  # a fixture


def case(price: Any, *rules: Mapping[str, Any], expected: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """Return a case about one article: its list price, rules, what is asked besides it, and what is expected."""
    product = {"id": "bolt", "base_price": price, **values.pop("product", {})}
    query = {"product": "bolt", "qty": 1, **values.pop("query", {})}
    return {
        "id": "own", "source": {"system": values.pop("system", "")}, "products": [product], "rules": list(rules),
        "query": query, "expected": dict(expected), "portability": "universal", **values,
    }  # fmt: skip


def rule(kind: str, value: Any, **values: Any) -> dict[str, Any]:
    """Return a rule for everything."""
    return {"id": f"{kind}{value}", "kind": kind, "scope": "all", "value": value, **values}


def costs(price: Any) -> dict[str, Any]:
    """Return what is expected of most cases."""
    return {"unit_price": price}


def basket(*lines: Mapping[str, Any], rules: list[Mapping[str, Any]], off: Any) -> dict[str, Any]:
    """Return a case about what comes off an order."""
    return {"products": [], "rules": rules, "query": {"basket": list(lines)}, "expected": {"order_discount": off}}


def free(quantity: Any, *rules: Mapping[str, Any], **query: Any) -> dict[str, Any]:
    """Return a case about what comes free of charge with bolts at 3 and nuts at 2, which are of steel."""
    products = [{"id": "bolt", "base_price": 3, "category": "steel"}, {"id": "nut", "base_price": 2, "category": "steel"}]
    expected = {"free_qty": quantity} | {name: query.pop(name) for name in ("free_item", "line_net") if name in query}
    return {
        "id": "own", "source": {"system": ""}, "products": products, "rules": list(rules), "portability": "free-goods",
        "query": {"product": "bolt", **query} if not {"lines", "basket"} & set(query) else query, "expected": expected,
    }  # fmt: skip


def gives(**values: Any) -> dict[str, Any]:
    """Return a rule that gives a bolt for every ten bolts."""
    return {"id": "g", "kind": "free_goods", "scope": "product", "target": "bolt", "free_qty": 1, "for_every": 10, **values}


def quantity(asked: Any, expected: Mapping[str, Any], **product: Any) -> dict[str, Any]:
    """Return a case about a quantity."""
    return case(9, product=product, query={"qty": asked}, expected=expected) | {"portability": "quantity-rules"}


BOX = {"box": {"pcs": 6}}
BOUNDED = rule("percent", 12, min_qty=6, max_qty=11)
STACK = [rule("percent", 30, stackable=True, priority=1), rule("percent", 10, stackable=True, priority=2)]
SALE = rule("fixed", 31, price_list="Autumn", segment=["gold", "silver"], region=["SE", "NO"], currency="SEK")
OWN = rule("fixed", 44, company="nord", currency="SEK")
NORD = {"company": "nord", "segments": ["silver"], "region": "NO", "currency": "SEK"}
CUT = rule("fixed", 30, min_qty=8)
CASES: Mapping[str, dict[str, Any]] = {
    "an upper bound reached by a larger unit": case(
        5, BOUNDED, expected=costs("26.4"), query={"uom": "box"}, units=BOX, product={"uom": "pcs"}
    ),
    "an upper bound passed by a larger unit": case(
        5, BOUNDED, expected=costs(30), query={"uom": "box", "qty": 2}, units=BOX, product={"uom": "pcs"}
    ),
    "an upper bound where another rule goes on": case(
        5, BOUNDED, rule("percent", 20, min_qty=12, max_qty=20), expected=costs(4), query={"qty": 12}
    ),
    "an upper bound of an amount off": case(
        40, rule("amount_off", 4, max_qty=5), expected=costs(40), query={"qty": 6}, product={"uom": "pcs"}
    ),
    "part of one above an upper bound": case(40, rule("percent", 10, max_qty=2), expected=costs(40), query={"qty": 2.5}),
    "an amount off up to its bound": case(40, rule("amount_off", 4, max_qty=5), expected=costs(36), query={"qty": 5}),
    "percents that add up": case(80, *STACK, expected=costs(48)),
    "percents on what is left": case(80, STACK[0], {**STACK[1], "on_discounted_price": True}, expected=costs("50.4")),
    "a percent and an amount": case(80, STACK[0], rule("amount_off", 6, stackable=True), expected=costs(50)),
    "a margin before a percent": case(80, rule("percent", 25, margin_percent=50), expected=costs(90)),
    "a sale for several segments and countries": case(
        None, SALE, OWN, query=NORD, expected={"unit_price": 31, "was_price": 44}
    ),
    "a sale for somebody else": case(None, SALE, OWN, query={**NORD, "region": "FI"}, expected=costs(44)),
    "a sale that is over": case(None, {**SALE, "valid_to": "T-1d"}, OWN, query=NORD, expected=costs(44)),
    "a narrower sale": case(None, SALE, {**SALE, "value": 28, "region": "NO"}, query=NORD, expected=costs(28)),
    "what follows another list": case(
        70, rule("fixed", 40, valid_to="T-1d"), rule("fixed", 50, price_list="Parent"), expected=costs(50)
    ),
    "figures as texts": case("12.50", rule("percent", "8", min_qty="3"), query={"qty": "3"}, expected=costs("11.50")),
    "several targets": case(50, rule("percent", 6, scope="product", target=["nut", "bolt"]), expected=costs(47)),
    "for whom, as a scope": case(
        50, rule("percent", 6, scope="segment", target="gold"), query={"segments": ["gold"]}, expected=costs(47)
    ),
    "several categories": case(
        50, rule("percent", 6, scope="category", target="steel"), product={"category": ["new", "steel"]}, expected=costs(47)
    ),
    "weeks, and a time with its zone": case(
        50, rule("percent", 6, valid_from="T+2w"), rule("percent", 1, valid_to="2026-12-01T00:00:00+02:00"),
        query={"date": "T+3w"}, expected=costs(47)
    ),
    "part of one, below the first break": case(
        None, CUT, query={"qty": 0.5}, product={"qty_decimals": 2}, settings="fractions below 1", expected=costs(30)
    ),
    "a fraction, below the first break": case(
        None, CUT, query={"qty": 2.5}, product={"qty_decimals": 2}, settings={"fractions below the first tier": True},
        expected=costs(30),
    ),
    "a fraction that cannot be ordered": case(
        None, CUT, query={"qty": 2.5}, product={"qty_decimals": 0}, settings="fractions below the first tier",
        expected=costs(None),
    ),
    "a gram of a kilogram": case(
        4.9, rule("factor", 0.9), query={"qty": 700, "uom": "g"}, product={"uom": "kg"}, units={"kg": {"g": 1000}},
        expected={"unit_price": 0.00441, "line_net": 3.09},
    ),
    "an order with its tax": case(
        40, product={"tax": "24% on top"}, query={"discount_amount_per_unit": 4, "qty": 3},
        expected={"line_net": 108, "undiscounted": 120, "tax": 25.92, "order_total": 133.92},
    ),
    "the net of a price with tax": case(
        30, product={"tax": "20% included"}, query={"line_discount_percent": 10, "qty": 2},
        expected={"line_net": 45, "undiscounted": 50, "tax": 9, "order_total": 54},
    ),
    "one discount after the other on an order": case(
        30, query={"lines": [["bolt", 4]], "order_discounts_percent": [10, 20], "tax": "10%"},
        expected={"order_untaxed": 86.4, "order_discount": 33.6, "tax": 8.64, "order_total": 95.04},
    ),
    "a surcharge is no discount": case(
        40, rule("percent", -5), expected={"unit_price": 42, "unit_price_shown": 42, "discount_percent_shown": 0}
    ),
    "a voucher of an amount on a price by hand": case(
        40, {"id": "v", "kind": "amount_off", "scope": "order voucher on the line", "value": 7},
        query={"manual_price": 52, "qty": 2}, expected=costs(45),
    ),
    "what takes no discount": basket(
        {"price": 6, "qty": 2, "discountable": False}, {"price": 4, "qty": 1}, rules=[rule("percent", 25, scope="order")],
        off=1,
    ),
    "an empty order": basket(rules=[rule("amount_off", 3, scope="order")], off=0),
    "packages are filled up": quantity(31, {"suggested_qty": 36}, pack_size=12, sold_only_in_packs=True),
    "a part of a package": quantity(31, {"refused": True}, pack_size=12, sold_only_in_packs=True),
    "a negative price is not saved": case(9, rule("fixed", -4), query={"action": "save"}, expected={"refused": True}),
    "a list of itself is not saved": case(
        9, {"id": "a", "kind": "formula", "scope": "all", "base": "price list A", "price_list": "A"},
        query={"action": "save"}, expected={"refused": True},
    ),
}  # fmt: skip
#: What comes free of charge, and which units of a basket are.
FREE: Mapping[str, dict[str, Any]] = {
    "not yet": free(0, gives(), qty=9),
    "nothing yet, as no figure": free(None, gives(), qty=9),
    "the first": free(1, gives(), qty=10, free_item="bolt", line_net=30),
    "rounded down": free(2, gives(round_down=True), qty=29),
    "several at once, for whole times": free(20, gives(free_qty=10, for_every=100, round_down=True), qty=250),
    "from a least quantity": free(0, gives(min_qty=30), qty=29),
    "once": free(2, {**gives(free_qty=2, min_qty=5), "for_every": None}, qty=500),
    "one where nothing is said": free(1, {"id": "g", "kind": "free_goods", "scope": "product", "target": "bolt"}, qty=1),
    "up to a most": free(3, gives(max_free_qty=3), qty=500),
    "in other words": free(2, {**gives(), "for_every": None, "recurse_for": 2, "free_qty": None, "free_quantity": 1}, qty=5),
    "another article": free(1, gives(free_item="nut"), qty=10, free_item="nut", line_net=30),
    "an article that nothing is said of": free(1, gives(free_item="washer"), qty=10, free_item="washer"),
    "for lines together": free(1, gives(), lines=[["bolt", 6], ["bolt", 4]]),
    "each by itself": free(1, gives(scope="category", target="steel"), lines=[["bolt", 10], ["nut", 9]], free_item="bolt"),
    "a category together": free(
        1, gives(scope="category", target="steel", free_item="nut"), lines=[["bolt", 6], ["nut", 5]], free_item="nut"
    ),
    "another category": free(0, gives(scope="category", target="brass"), qty=50),
    "all": free(5, {**gives(scope="all"), "target": None}, qty=50),
    "an order's value": free(
        1, {**gives(scope="order", min_value=40, free_item="nut"), "target": None, "for_every": None},
        basket=[{"product": "bolt", "qty": 10, "price": 3}, {"price": 5, "qty": 2}], free_item="nut", line_net=40,
    ),
    "below an order's value": free(
        0, {**gives(scope="order", min_value=41, free_item="nut"), "target": None, "for_every": None},
        basket=[{"product": "bolt", "qty": 10, "price": 3}, {"price": 5, "qty": 2}],
    ),
    "of another article only": free(0, gives(target="nut"), qty=50),
    "of an article nobody asks about": free(0, gives(target="anvil"), qty=50),
    "the most of several": free(3, gives(), gives(id="h", free_qty=3, for_every=25), qty=25),
    "two articles": free(2, gives(), gives(id="h", free_item="nut"), qty=10, free_item=["bolt", "nut"]),
    "over": free(0, gives(valid_to="T-1d"), qty=10),
    "not begun": free(0, gives(valid_from="T+1d"), qty=10),
    "begun": free(1, gives(valid_from="2026-11-01", valid_to="2026-11-30"), qty=10),
    "then": free(1, gives(valid_from="T+1d"), qty=10, date="T+2d"),
    "for the buyer": free(1, gives(customer="nord"), qty=10, customer="nord"),
    "for somebody else": free(0, gives(company="nord"), qty=10, company="sued"),
    "for a segment": free(1, gives(segment=["gold", "silver"]), qty=10, segments=["silver"]),
    "for another segment": free(0, gives(segment="gold"), qty=10, segments=["silver"]),
    "for a segment, as a scope": free(1, {**gives(), "scope": "segment", "target": "gold"}, qty=10, segments=["gold"]),
    "in another currency": free(0, gives(currency="SEK"), qty=10),
    "at a price of its own": free(1, gives(), rule("percent", 50), qty=10, line_net=15),
    "that are not active": free(0, gives(active=False), rule("percent", 0), qty=10) | {"portability": "universal"},
    "a box counts as what it holds": free(1, gives(), qty=1, uom="box") | {"units": {"box": {"pcs": 12}}},
}  # fmt: skip
CHEAPEST: Mapping[str, dict[str, Any]] = {
    "the cheapest": basket(
        {"price": 7, "qty": 2}, {"price": 4, "qty": 3}, rules=[{"id": "c", "kind": "cheapest_free", "scope": "order"}], off=4
    ),
    "of too few": basket(
        {"price": 7, "qty": 2}, rules=[{"id": "c", "kind": "cheapest_free", "scope": "order", "min_items": 3}], off=0
    ),
    "of a value": basket(
        {"price": 7, "qty": 2}, rules=[{"id": "c", "kind": "cheapest_free", "scope": "order", "min_value": 14}], off=7
    ),
    "for every three": basket(
        {"price": 7, "qty": 2}, {"price": 4, "qty": 5},
        rules=[{"id": "c", "kind": "cheapest_free", "scope": "order", "for_every": 3, "round_down": True}], off=8,
    ),
    "two for every five": basket(
        {"price": 7, "qty": 4}, {"price": 4, "qty": 1},
        rules=[{"id": "c", "kind": "cheapest_free", "scope": "order", "for_every": 5, "free_qty": 2}], off=11,
    ),
    "of one article": basket(
        {"price": 7, "qty": 1, "product": "a"}, {"price": 4, "qty": 5, "product": "b"},
        rules=[{"id": "c", "kind": "cheapest_free", "scope": "product", "target": "a"}], off=7,
    ),
    "not what takes no discount": basket(
        {"price": 7, "qty": 1}, {"price": 4, "qty": 5, "discountable": False},
        rules=[{"id": "c", "kind": "cheapest_free", "scope": "order"}], off=7,
    ),
    "an amount off each of few": basket(
        {"price": 7, "qty": 2}, {"price": 4, "qty": 3},
        rules=[rule("amount_off_each_unit", 2, scope="order", max_discounted_items=4)], off=8,
    ),
    "a percent of the cheapest": basket(
        {"price": 10, "qty": 1}, {"price": 4, "qty": 3},
        rules=[rule("percent", 25, scope="order", max_discounted_items=2)], off=2,
    ),
    "once": basket({"price": 10, "qty": 3}, rules=[rule("percent", 30, scope="order", once_per_order=True)], off=3),
}  # fmt: skip
MISSING = {
    "rules of the kind haggle": case(9, rule("haggle", 1), expected=costs(8)),
    "rules with weather": case(9, rule("percent", 1, weather="fine"), expected=costs(8)),
    "products with colour": case(9, product={"colour": "red"}, expected=costs(9)),
    "the figure karma": case(9, expected={"karma": 1}),
    "a cost that is missing": case(9, rule("factor", 2, base="cost"), expected=costs(0)),
    "prices that are shown with tax": case(30, product={"tax": "20% included"}, expected=costs(30)),
    "free goods with priority": free(1, gives(priority=2), qty=10),
    "free goods with stackable": free(1, gives(stackable=True), qty=10),
    "free goods with a value": free(1, gives(value=3), qty=10),
    "free goods up to a quantity": free(0, gives(max_qty=7), qty=10),
    "free goods of which nobody says what": free(1, {**gives(scope="order"), "target": None}, qty=10),
    "free goods in parts of one": free(2.5, gives(for_every=2), qty=5),
    "free goods for the scope colour": free(1, gives(scope="colour", target="red"), qty=10),
    "free goods for a company only while it is in a segment": free(1, gives(company="nord", segment="gold"), qty=10),
    "carts with free goods and manual_price": free(1, gives(), qty=10, manual_price=2),
    "rules of the kind cheapest_free": free(1, gives(), rule("cheapest_free", 0), qty=10),
    "the figure luck": free(1, gives(), qty=10) | {"expected": {"luck": 1}},
    "lines of a basket with colour": free(1, gives(), basket=[{"product": "bolt", "qty": 10, "price": 3, "colour": "red"}]),
    "at several prices": free(1, gives(), basket=[{"product": "bolt", "qty": 10, "price": 4}]),
    "a product of which the case says nothing": free(1, gives(), product="anvil", qty=10),
    "returns": case(9, query={"qty": -2}, expected=costs(9)),
    "only while it is in a segment": case(9, rule("fixed", 8, company="nord", segment="gold"), expected=costs(8), query={
        "company": "nord", "segments": ["gold"]}),
    "a customer of a company": case(9, rule("fixed", 8, company="nord", customer="bob"), expected=costs(8), query={
        "company": "nord", "customer": "bob"}),
    "two prices for the same": case(9, rule("percent", 1), rule("percent", 2), expected=costs(8)),
}  # fmt: skip


def test_what_comes_free_of_charge(office: Any) -> None:
    """Run what gives something through carts, and what makes units of a basket free through the promotions."""
    wrong = {}
    for name, one in {**FREE, **CHEAPEST}.items():
        _end_contracts()
        wrong[name] = run(one)
    assert {name: problem for name, problem in wrong.items() if problem} == {}


@pytest.mark.parametrize("quantity", [0, 2, 99])
def test_what_the_product_gives_otherwise_is_a_failure(office: Any, quantity: int) -> None:
    """See that a case is compared at all."""
    assert "is expected" in run(free(quantity, gives(), qty=10))


def test_words_that_the_sample_does_not_use(office: Any) -> None:
    """Run every case, and say which fails; what is missing is said by its name."""
    set_value("pricing", "convert_list_prices", True)
    wrong = {}
    for name, one in CASES.items():
        _end_contracts()
        wrong[name] = run(one)
    assert {name: problem for name, problem in wrong.items() if problem} == {}
    for feature, one in MISSING.items():
        with pytest.raises(Unsupported, match=feature):
            run(one)
