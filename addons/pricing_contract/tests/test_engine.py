"""Which contract decides, and which of its rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from addons.pricing_contract.models import ProductValue
from core.data import clock
from core.data.write import write
from core.pricing import services
from core.spec.pricing import PriceRequest
from core.testing.factories import Unit, make_category, make_company, make_list_price, make_product, make_segment

from .conftest import contract, priced, row

D = Decimal
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_list_price_without_contract(shop):
    product = make_product("A", price="10")
    line = priced(product, make_company("C"))
    assert (line.price, line.source, str(line.reason)) == (D(10), "list", "List price")


def test_contract_price_wins_even_if_higher(shop):
    company, product = make_company("C"), make_product("A", price="10")
    row(contract("K", company=company, name="Frame 2026"), product, "12")
    line = priced(product, company)
    assert (line.price, line.list_price, line.source) == (D(12), D(10), "contract:K")
    assert str(line.reason) == "Your contract price (Frame 2026)"
    assert priced(product, make_company("OTHER")).price == D(10)
    assert priced(product).price == D(10)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        (("override", "override"), "9"),
        (("best_of", "override"), "8"),
        (("best_of", "best_of"), "7"),
        (("fallback", "override"), "8"),
        (("fallback", "fallback"), "7"),
        (("override", "best_of"), "9"),
        (("fallback", "best_of"), "7"),
    ],
)
def test_merge_policies(shop, policies, expected):
    """The company's contract asks 9, the segment's list 8, the list price is 7."""
    company, product = make_company("C", segments=["gold"]), make_product("A", price="7")
    row(contract("OWN", company=company, merge_policy=policies[0]), product, "9")
    row(contract("GOLD", segment=make_segment("gold"), merge_policy=policies[1]), product, "8")
    assert priced(product, company).price == D(expected)


def test_fallback_fills_a_gap(shop):
    company, product = make_company("C"), make_product("A", price=None)
    row(contract("K", company=company, merge_policy="fallback"), product, "9")
    assert priced(product, company).price == D(9)


def test_audiences_come_nearest_first(shop):
    root = make_company("ROOT", segments=["gold"])
    middle = make_company("MIDDLE", parent=root)
    leaf = make_company("LEAF", parent=middle)
    product = make_product("A", price="100")
    row(contract("PUBLIC"), product, "50")
    assert priced(product, leaf).price == D(50)
    row(contract("LAND", audience="location", country="FI"), product, "45")
    assert priced(product, leaf).price == D(45)
    row(contract("GOLD", segment=make_segment("gold")), product, "40")
    assert priced(product, leaf).price == D(40)
    row(contract("R", company=root, priority=99), product, "30")
    assert priced(product, leaf).price == D(30)
    row(contract("M", company=middle), product, "35")
    assert priced(product, leaf).price == D(35)
    assert priced(product, root).price == D(30)
    assert priced(product).price == D(50)


def test_priority_then_policy_then_code_decide_within_an_audience(shop):
    company, product = make_company("C"), make_product("A", price="100")
    row(contract("B", company=company), product, "20")
    row(contract("A", company=company), product, "30")
    assert priced(product, company).price == D(30)
    row(contract("C", company=company, priority=1), product, "40")
    assert priced(product, company).price == D(40)


def test_specific_selectors_come_first(shop):
    company = make_company("C")
    goods = make_category("goods")
    bolts = make_category("bolts", parent=goods)
    product = make_product("A", price="100", category="bolts")
    frame = contract("K", company=company)
    row(frame, None, "10", kind="percent")
    assert priced(product, company).price == D(90)
    row(frame, goods, "20", kind="percent")
    assert priced(product, company).price == D(80)
    row(frame, bolts, "25", kind="percent")
    assert priced(product, company).price == D(75)
    row(frame, product, "30", kind="percent")
    assert priced(product, company).price == D(70)
    row(frame, product, "60")
    assert priced(product, company).price == D(60)
    other = make_product("B", price="10", category="goods")
    assert priced(other, company).price == D(8)


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("1", "10"), ("9", "10"), ("9.999999", "10"), ("10", "9"), ("99", "9"), ("100", "8"), ("5000", "8")],
)
def test_deepest_break_reached_holds(shop, quantity, expected):
    company, product = make_company("C"), make_product("A", price="20")
    frame = contract("K", company=company)
    for minimum, value in (("1", "10"), ("10", "9"), ("100", "8")):
        row(frame, product, value, min_quantity=minimum)
    assert priced(product, company, quantity).price == D(expected)


def test_break_not_reached_leaves_the_next_source(shop):
    company, product = make_company("C"), make_product("A", price="20")
    row(contract("K", company=company), product, "10", min_quantity="50")
    assert priced(product, company, "49").price == D(20)


def test_breaks_are_compared_at_the_asked_quantity_not_by_rung(shop):
    """List A sells at 6 from 1, list B at 7 from 10: at 10 the lower of the two is 6."""
    company, product = make_company("C"), make_product("A", price="20")
    row(contract("A", company=company, merge_policy="best_of"), product, "6", min_quantity="1")
    row(contract("B", company=company, merge_policy="best_of"), product, "7", min_quantity="10")
    assert priced(product, company, "10").price == D(6)


def test_validity_is_half_open_in_the_sellers_zone(shop):
    company, product = make_company("C"), make_product("A", price="20")
    start, end = (clock.start_of_day(datetime(2026, 12, day).date(), "Europe/Helsinki") for day in (1, 2))
    row(contract("K", company=company), product, "10", start=start, end=end)
    moments = [start - timedelta(seconds=1), start, end - timedelta(seconds=1), end]
    assert [priced(product, company, at=at).price for at in moments] == [D(20), D(10), D(10), D(20)]
    assert start == datetime(2026, 11, 30, 22, tzinfo=UTC)


def test_inner_window_holds_and_then_the_outer_returns(shop):
    company, product = make_company("C"), make_product("A", price="20")
    frame = contract("K", company=company)
    row(frame, product, "10")
    row(frame, product, "8", start=NOON, end=NOON + timedelta(days=7))
    at = [NOON - timedelta(1), NOON, NOON + timedelta(7)]
    assert [priced(product, company, at=moment).price for moment in at] == [D(10), D(8), D(10)]


@pytest.mark.parametrize(
    "values",
    [
        {"status": "draft"},
        {"status": "ended"},
        {"valid_from": NOON + timedelta(days=1)},
        {"valid_until": NOON},
        {"currency": "USD"},
    ],
)
def test_contract_out_of_force_does_not_count_and_says_why(shop, values):
    company, product = make_company("C"), make_product("A", price="20")
    row(contract("K", company=company, **values), product, "10")
    line = priced(product, company, at=NOON, explain=True)
    assert line.price == D(20)
    [lost] = [c for c in line.candidates if c.source == "contract:K"]
    assert str(lost.lost).startswith(("The contract", "The row"))


def test_units(shop):
    company = make_company("C")
    product = make_product(
        "A", price="0.12", units=[Unit("pcs"), Unit("box", 100), Unit("pallet", 10_000, price_from_base=False)]
    )
    assert priced(product, company, unit="box").price == D("12.00")
    assert priced(product, company, unit="pallet").price is None
    frame = contract("K", company=company)
    row(frame, product, "0.10")
    line = priced(product, company, unit="box")
    assert (line.price, line.derived) == (D("10.00"), True)
    row(frame, product, "9.50", unit="box")
    line = priced(product, company, unit="box")
    assert (line.price, line.derived) == (D("9.5"), False)
    assert priced(product, company, unit="barrel").price is None


def test_break_in_base_units_is_reached_by_a_larger_unit(shop):
    company = make_company("C")
    product = make_product("A", price="1", units=[Unit("pcs"), Unit("box", 12)])
    row(contract("K", company=company), None, "10", kind="percent", min_quantity="24")
    assert priced(product, company, "1", "box").price == D(12)
    assert priced(product, company, "2", "box").price == D("10.8")


def test_units_of_one_name_reach_a_categorys_break_each_by_its_own_size(shop):
    company, category = make_company("C"), make_category("bolts")
    sizes = {"SMALL": Unit("box", 10), "LARGE": Unit("box", 100), "OWN": Unit("box", 100, price_from_base=False)}
    products = [make_product(sku, price="1", units=[Unit("pcs"), unit], category="bolts") for sku, unit in sizes.items()]
    row(contract("K", company=company), category, "20", kind="percent", min_quantity="50", unit="pcs")
    with write():
        make_list_price(products[2], "60", unit="box")
    where = services.context("EUR", company_id=company.id)
    for some in (products, products[::-1]):
        asked = [PriceRequest(product.sku, product.id, "box") for product in some]
        found = {line.key: line.price for line in services.price(where, asked).lines}
        assert found == {"SMALL": D(10), "LARGE": D(80), "OWN": D(60)}
        assert found == {line.key: line.price for line in services.price(where, asked, explain=True).lines}


def test_price_base_quantity(shop):
    company, product = make_company("C"), make_product("A", price="0.20")
    row(contract("K", company=company), product, "12.50", per="100")
    line = priced(product, company)
    assert (line.price, line.per, line.list_price) == (D("12.5"), D(100), D(20))


def test_zero_is_a_price_and_none_is_not(shop):
    company = make_company("C")
    product, unpriced = make_product("A", price="5"), make_product("B", price=None)
    frame = contract("K", company=company)
    row(frame, product, "0")
    row(frame, unpriced, "10", kind="percent")
    assert priced(product, company).price == D(0)
    line = priced(unpriced, company, explain=True)
    assert line.price is None
    assert [str(c.lost) for c in line.candidates] == ["There is no list price to compute from."]


@pytest.mark.parametrize(
    ("base", "percent", "currency", "expected"),
    [
        ("1.05", "10", "EUR", "0.95"),  # 0.945 half up
        ("0.0456", "10", "EUR", "0.0410"),  # keeps the precision of its base
        ("1250", "3.3", "JPY", "1209"),  # 1208.75
        ("1.005", "0.1", "KWD", "1.004"),
    ],
)
def test_computed_prices_are_rounded_half_up(shop, base, percent, currency, expected):
    company = make_company("C")
    product = make_product("A", price=base, currency=currency)
    row(contract("K", company=company, currency=""), None, percent, kind="percent")
    assert priced(product, company, currency=currency).price == D(expected)


def test_amount_off_never_goes_below_zero(shop):
    company, product = make_company("C"), make_product("A", price="8")
    frame = contract("K", company=company)
    row(frame, product, "4", kind="amount_off")
    assert priced(product, company).price == D(4)
    row(frame, product, "9", kind="amount_off", min_quantity="2")
    assert priced(product, company, "2").price == D(0)


def test_blocking_is_scoped_to_the_currency(shop):
    company, product = make_company("C"), make_product("A", price="10")
    make_list_price(product, "11", currency="USD")
    row(contract("USD", company=company, currency="USD", priority=9), product, "9")
    row(contract("EUR", company=company), product, "8")
    assert priced(product, company, currency="EUR").price == D(8)
    assert priced(product, company, currency="USD").price == D(9)


def test_explanation_tells_every_candidate_and_step(shop):
    company, product = make_company("C", segments=["gold"]), make_product("A", price="10")
    frame = contract("OWN", company=company)
    row(frame, product, "9")
    row(frame, product, "8", min_quantity="100")
    row(contract("GOLD", segment=make_segment("gold")), None, "50", kind="percent")
    line = priced(product, company, explain=True)
    assert line.price == D(9)
    lost = {(c.source, str(c.lost)) for c in line.candidates}
    assert ("contract:OWN", "It holds from 100\u00a0pcs.") in lost
    assert ("contract:GOLD", "The contract OWN comes first and is final.") in lost
    assert ("contract:OWN", "") in lost
    assert [(e.step, e.before, e.after) for e in line.trace] == [("list_price", None, D(10)), ("agreement", D(10), D(9))]


def test_explained_price_is_the_price(shop):
    company, product = make_company("C", segments=["gold"]), make_product("A", price="10.05")
    row(contract("OWN", company=company, merge_policy="best_of"), product, "9", min_quantity="5")
    row(contract("GOLD", segment=make_segment("gold")), None, "7", kind="percent")
    for quantity in ("1", "5"):
        plain, told = priced(product, company, quantity), priced(product, company, quantity, explain=True)
        assert (plain.price, plain.per, plain.source) == (told.price, told.per, told.source)
        assert told.trace[-1].after == told.price


def test_ladder(office):
    company = make_company("C")
    product = make_product("A", price="10", units=[Unit("pcs"), Unit("box", 10)])
    frame = contract("K", company=company)
    for minimum, value in (("1", "9"), ("50", "9"), ("100", "8")):
        row(frame, product, value, min_quantity=minimum)
    where = services.context(company_id=company.id)
    found = services.ladders(where, [(product.id, "pcs"), (product.id, "box")])
    assert [(b.min_quantity, b.price) for b in found[product.id, "pcs"]] == [(D(1), D(9)), (D(100), D(8))]
    assert [(b.min_quantity, b.price) for b in found[product.id, "box"]] == [(D(1), D(90)), (D(10), D(80))]


def test_a_progressive_ladder_begins_at_its_first_break(office):
    company, product = make_company("C"), make_product("A", price="10")
    agreed = contract("K", company=company, breaks="progressive")
    row(agreed, product, "8", min_quantity="10")
    where = services.context(company_id=company.id)
    rungs = services.ladders(where, [(product.id, "pcs")])[product.id, "pcs"]
    assert [(rung.min_quantity, rung.price) for rung in rungs] == [(D(1), D(10)), (D(10), D(8))]
    assert [priced(product, company, quantity).price for quantity in ("9", "10")] == [D(10), D(8)]


def test_statements_do_not_grow(shop, count_statements):
    company = make_company("C", segments=["gold"])
    products = [make_product(f"P{n}", price="10") for n in range(12)]
    for n in range(5):
        row(contract(f"K{n}", company=company, priority=n), products[n], "9")
    where = services.context(company_id=company.id)
    requests = [PriceRequest(p.sku, p.id, "pcs") for p in products]
    counts = []
    for few in (requests[:1], requests):
        with count_statements() as counted:
            services.price(where, few)
        counts.append(counted.count)
    assert counts == [2, 2]


@pytest.mark.parametrize(
    ("kind", "value", "terms", "expected"),
    [
        ("percent", "10", None, "0.00441"),
        ("fixed", "4.49", None, "0.00449"),
        ("amount_off", "0.40", None, "0.0045"),
        ("formula", "0", {"base": "list", "percent": ["10"], "surcharge": "0.05"}, "0.00446"),
    ],
)
def test_a_part_of_the_unit_costs_its_part(shop, kind, value, terms, expected):
    company = make_company("C")
    product = make_product("SALT", price="4.90", units=[Unit("kg"), Unit("g", 1, 1000)])
    row(contract("K", company=company), product, value, kind=kind, unit="kg", terms=terms)
    assert priced(product, company, "10000", unit="g").price == D(expected)
    assert priced(product, company, "10000", unit="g", explain=True).price == D(expected)


@pytest.mark.parametrize(("kind", "terms"), [("amount_off", None), ("formula", {"base": "list", "surcharge": "-0.40"})])
def test_a_third_of_the_unit_has_a_price_that_can_be_stored(shop, kind, terms):
    company = make_company("C")
    product = make_product("ROPE", price="10", units=[Unit("coil"), Unit("third", 1, 3)])
    value = "0" if terms else "0.40"
    row(contract("K", company=company), product, value, kind=kind, unit="coil", terms=terms)
    assert priced(product, company, "3", unit="third").price == D("3.200")


def test_formulas(shop):
    company, product = make_company("C"), make_product("A", price="100", units=[Unit("pcs"), Unit("dozen", 12)])
    with write() as session:
        session.add(ProductValue(product_id=product.id, kind="cost", currency="EUR", amount=D("60")))
    frame = contract("K", company=company)
    cases = [
        ({"base": "list", "percent": ["10", "5"]}, "85.5"),
        ({"base": "list", "percent": ["10", "5"], "additive": True}, "85"),
        ({"base": "list", "percent": ["33"], "round_to": "10", "surcharge": "-0.01"}, "69.99"),
        ({"base": "list", "percent": ["33"], "round_to": "5", "round_mode": "up"}, "70"),
        ({"base": "cost", "percent": ["-20"]}, "72"),
        ({"base": "cost", "min_margin": "5"}, "65"),
        ({"base": "list", "max_margin": "-30"}, "70"),
        ({"base": "contract:BASE", "percent": ["50"]}, "20"),
        ({"base": "contract:NONE"}, "100"),  # no such list: the row offers nothing
    ]
    row(contract("BASE", segment=make_segment("none")), product, "40")
    for n, (terms, expected) in enumerate(cases, 1):
        row(frame, product, "0", kind="formula", min_quantity=str(n), terms=terms)
        assert priced(product, company, str(n)).price == D(expected), terms
        assert priced(product, company, str(n), explain=True).price == D(expected), terms
    plus = contract("PLUS", company=company, priority=1)
    row(plus, None, "50", kind="cost_plus")
    assert priced(product, company).price == D(90)
    assert priced(product, company, unit="dozen").price == D(1080)


def test_lists_in_a_circle_give_no_price_and_do_not_hang(shop):
    company, product = make_company("C"), make_product("A", price="100")
    for code, other in (("ONE", "TWO"), ("TWO", "ONE")):
        row(contract(code, company=company), product, "0", kind="formula", terms={"base": f"contract:{other}"})
    assert priced(product, company).price == D(100)


@pytest.mark.parametrize("base", ["ENDED", "OVER", "GONE"])
def test_a_row_computed_from_a_list_that_ended_or_is_gone_offers_nothing_and_says_so(shop, base):
    company, product = make_company("C"), make_product("A", price="100")
    row(contract("ENDED", status="ended"), product, "10")
    row(contract("OVER", valid_until=clock.now() - timedelta(days=1)), product, "10")
    row(contract("ONE", company=company), product, "0", kind="formula", terms={"base": f"contract:{base}"})
    line = priced(product, company, explain=True)
    assert (line.price, priced(product, company).price) == (D(100), D(100))
    assert f"There is nothing to compute from (contract:{base})." in [str(one.lost) for one in line.candidates]
