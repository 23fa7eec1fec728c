"""Contracts and their rows from files: natural keys, rules, and twice the same."""

from __future__ import annotations

from decimal import Decimal

import pytest

from addons.pricing_contract.imports import CONTRACTS, export_contracts, export_prices, load_contracts, load_prices
from addons.pricing_contract.values import load_values
from core.data.write import write
from core.imports.cells import Reading, parse
from core.spec.imports import ImportRow
from core.testing.factories import Unit, make_category, make_company, make_list_price, make_product, make_segment

from .conftest import priced

D = Decimal


def loaded(load, *rows: dict) -> list[tuple[str, str]]:
    """Return outcome and message of each row."""
    with write():
        results = load([ImportRow(n, row) for n, row in enumerate(rows, 2)])
    return [(result.outcome, str(result.message)) for result in results]


@pytest.fixture
def world(office):
    company, product = make_company("ACME"), make_product("BOLT", price="2", units=[Unit("pcs"), Unit("box", 100)])
    make_segment("gold")
    make_category("bolts")
    rows = [
        {"code": "K1", "name": "Frame", "audience": "company", "company": "ACME", "currency": "eur"},
        {"code": "G1", "name": "Gold", "audience": "segment", "segment": "gold"},
    ]
    assert [o for o, _m in loaded(load_contracts, *rows)] == ["created", "created"]
    assert [o for o, _m in loaded(load_contracts, *rows)] == ["unchanged", "unchanged"]
    return company, product


def test_rows_go_in_once_and_come_out_again(world):
    company, product = world
    rows = [
        {"contract": "K1", "sku": "BOLT", "unit": "pcs", "currency": "EUR", "value": D("1.5")},
        {"contract": "K1", "sku": "BOLT", "unit": "box", "min_quantity": D(2), "value": D("140"), "per": D(1)},
        {"contract": "K1", "category": "bolts", "kind": "percent", "value": D(5)},
        {"contract": "G1", "kind": "percent", "value": D(3)},
    ]
    assert [o for o, _m in loaded(load_prices, *rows)] == ["created"] * 4
    assert [o for o, _m in loaded(load_prices, *rows)] == ["unchanged"] * 4
    assert [o for o, _m in loaded(load_prices, {**rows[0], "value": D("1.4")}, *rows[1:])] == ["updated", *["unchanged"] * 3]
    assert priced(product, company).price == D("1.4")
    assert priced(product, company, "2", "box").price == D(140)
    out = [{k: v for k, v in row.items() if v not in (None, "", D(0))} for row in export_prices()]
    assert [o for o, _m in loaded(load_prices, *out)] == ["unchanged"] * 4
    heads = [{k: v for k, v in row.items() if v not in (None, "")} for row in export_contracts()]
    assert [o for o, _m in loaded(load_contracts, *heads)] == ["unchanged"] * 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"contract": "NONE"}, "There is no contract"),
        ({"sku": "NONE"}, "There is no product"),
        ({"category": "bolts"}, "Name a product or a category, not both."),
        ({"currency": "USD"}, "The contract is in EUR"),
        ({"unit": "litre"}, "The product is not sold in “litre”"),
        ({"value": D(-1)}, "A price cannot be negative."),
        ({"kind": "percent", "value": D(101)}, "More than 100 percent off"),
        ({"value": D(10**12)}, "The value is too large"),
        ({"per": D(0)}, "The price must be for more than 0 units"),
        ({"kind": "formula", "percents": ["10", "1e1"]}, "“1e1” is not a number: write all its digits"),
        ({"contract": "G1"}, "The list holds in any currency, so it takes percents only."),
    ],
)
def test_bad_rows_are_refused_with_a_sentence(world, values, message):
    row = {"contract": "K1", "sku": "BOLT", "unit": "pcs", "value": D(1), **values}
    [(outcome, told)] = loaded(load_prices, row)
    assert outcome == "error"
    assert told.startswith(message)


def test_ladders_and_validities_are_judged_together(world):
    from datetime import date

    row = {"contract": "K1", "sku": "BOLT", "unit": "pcs"}
    found = loaded(
        load_prices,
        {**row, "min_quantity": D(1), "value": D(2)},
        {**row, "min_quantity": D(10), "value": D(3)},
        {**row, "min_quantity": D(100), "value": D("1.5")},
    )
    assert [o for o, _m in found] == ["created", "error", "created"]
    assert found[1][1].startswith("From 10 it would cost more than from 1.")
    window = {**row, "min_quantity": D(7), "value": D("1.9")}
    found = loaded(
        load_prices,
        {**window, "from": date(2026, 1, 1), "until": date(2026, 6, 30)},
        {**window, "from": date(2026, 3, 1), "until": date(2026, 4, 30)},
        {**window, "from": date(2026, 6, 1), "until": date(2026, 12, 31)},
        {**window, "from": date(2027, 2, 1), "until": date(2027, 1, 1)},
    )
    assert [o for o, _m in found] == ["created", "created", "error", "error"]
    assert found[2][1].startswith("The validity crosses another row's")
    assert found[3][1] == "The last day is before the first."


def test_formulas_go_in_and_out(world):
    company, product = world
    cost = {"sku": "BOLT", "kind": "cost", "currency": "EUR", "amount": D("1")}
    assert [loaded(load_values, cost)[0][0] for _twice in range(2)] == ["created", "unchanged"]
    row = {"contract": "K1", "sku": "BOLT", "kind": "formula", "value": D(0), "base": "cost", "percents": ["-50", "10"]}
    assert loaded(load_prices, row)[0] == ("created", "")
    assert priced(product, company).price == D("1.35")
    out = [{k: v for k, v in r.items() if v not in (None, "")} for r in export_prices()]
    assert [o for o, _m in loaded(load_prices, *out)] == ["unchanged"]
    assert loaded(load_prices, {**row, "base": "contract:K1"})[0][1] == "The contract would be computed from itself."
    assert loaded(load_prices, {**row, "base": "magic"})[0][1].startswith("Write list, cost, msrp")
    assert loaded(load_prices, {**row, "kind": "fixed"})[0][1].startswith("Only a row of the kind")


def test_several_currencies(world):
    company, product = world
    make_list_price(product, "3", currency="USD")
    row = {"code": "K2", "name": "Dollars", "audience": "company", "company": "ACME", "currency": "USD"}
    assert loaded(load_contracts, row)[0][0] == "created"
    assert loaded(load_prices, {"contract": "K2", "sku": "BOLT", "unit": "pcs", "value": D("2.5")})[0][0] == "created"
    assert priced(product, company, currency="USD").price == D("2.5")
    assert priced(product, company, currency="EUR").price == D(2)
    assert loaded(load_contracts, {**row, "code": "K3", "currency": "XQQ"})[0][1].startswith("“XQQ” is not a currency")


def test_contracts_are_not_computed_from_each_other_in_a_circle(world):
    assert loaded(load_contracts, {"code": "K2", "name": "Two", "audience": "segment", "segment": "gold", "currency": "EUR"})
    formula = {"sku": "BOLT", "unit": "pcs", "currency": "EUR", "kind": "formula"}
    rows = [
        {**formula, "contract": "K1", "base": "contract:K2", "value": D(5)},
        {**formula, "contract": "K2", "base": "contract:G1", "value": D(5)},
        {**formula, "contract": "G1", "base": "contract:K1", "value": D(5), "currency": ""},
    ]
    outcomes = loaded(load_prices, *rows)
    assert [outcome for outcome, _message in outcomes] == ["created", "created", "error"]
    assert outcomes[2][1] == "The contract would be computed from itself: G1 → K1 → K2 → G1. Take another base."
    back = {**formula, "contract": "K2", "base": "contract:K1", "value": D(5)}
    assert loaded(load_prices, back) == [
        ("error", "The contract would be computed from itself: K2 → K1 → K2. Take another base.")
    ]


@pytest.mark.parametrize("named", ["FI", "FIN", "Finland", "Suomi"])
def test_a_country_may_be_named_in_the_file(world, named):
    field = next(field for field in CONTRACTS.fields if field.name == "country")
    row = {"code": "F1", "name": "Finland", "audience": "location", "country": parse(field, named, Reading())}
    assert loaded(load_contracts, row) == [("created", "")]
    assert next(row["country"] for row in export_contracts() if row["code"] == "F1") == "FI"
