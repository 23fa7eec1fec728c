"""Cases of our own for words of the form of price cases that the published sample does not use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from addons.pricing_contract.tests.conftest import office
from core.settings.services import set_value

from .neutral import Unsupported
from .test_pricing import _end_contracts, run

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
MISSING = {
    "rules of the kind haggle": case(9, rule("haggle", 1), expected=costs(8)),
    "rules with weather": case(9, rule("percent", 1, weather="fine"), expected=costs(8)),
    "products with colour": case(9, product={"colour": "red"}, expected=costs(9)),
    "the figure karma": case(9, expected={"karma": 1}),
    "a cost that is missing": case(9, rule("factor", 2, base="cost"), expected=costs(0)),
    "prices that are shown with tax": case(30, product={"tax": "20% included"}, expected=costs(30)),
    "returns": case(9, query={"qty": -2}, expected=costs(9)),
    "only while it is in a segment": case(9, rule("fixed", 8, company="nord", segment="gold"), expected=costs(8), query={
        "company": "nord", "segments": ["gold"]}),
    "free goods": case(9, rule("free_goods", 1), expected={"free_qty": 1}),
    "two prices for the same": case(9, rule("percent", 1), rule("percent", 2), expected=costs(8)),
}  # fmt: skip


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
