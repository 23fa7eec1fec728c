"""Formulas on other contracts: each of those is asked for its own price, whatever else is computed beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from addons.pricing_contract.models import ProductValue
from core.data.clock import start_of_day
from core.data.write import write
from core.pricing import services
from core.pricing.models import CurrencyRate
from core.spec.pricing import PriceRequest
from core.testing.factories import ZONE, Unit, make_company, make_product, make_segment

from .conftest import contract, priced, row

D = Decimal
DAY = datetime(2026, 11, 22, tzinfo=UTC)


def computed(code, *targets, base, **values):
    """Make a contract that takes over the prices of another for these products."""
    made = contract(code, **values)
    for target in targets:
        row(made, target, "0", kind="formula", terms={"base": f"contract:{base}"})


def prices(where, *asked):
    """Return what each (product, quantity) costs: explained, together, and alone."""
    requests = [PriceRequest(str(n), product.id, "pcs", D(quantity)) for n, (product, quantity) in enumerate(asked)]
    told = [line.price for line in services.price(where, requests, explain=True).lines]
    assert [line.price for line in services.price(where, requests).lines] == told
    assert [services.price(where, [one]).lines[0].price for one in requests] == told
    return told


def test_a_base_after_which_nothing_follows_hides_no_other_base(shop):
    company, nobody = make_company("C"), make_segment("nobody")
    first, second = make_product("A", price=None), make_product("B", price=None)
    row(contract("CLOSED", segment=nobody, closes=True, priority=1), first, "5")
    row(contract("OPEN", segment=nobody), second, "7")
    computed("K1", first, base="CLOSED", company=company)
    computed("K2", second, base="OPEN", company=company)
    assert prices(services.context("EUR", company_id=company.id), (first, "1"), (second, "1")) == [D(5), D(7)]


def test_a_base_may_give_less_than_its_first_break_that_breaks_price(shop):
    company, product = make_company("C"), make_product("A", price=None)
    base = contract("BASE", segment=make_segment("nobody"), below_first="any")
    row(base, product, "7", min_quantity="100")
    row(base, product, "6", min_quantity="500")
    computed("K", product, base="BASE", company=company)
    where = services.context("EUR", company_id=company.id)
    assert prices(where, (product, "1"), (product, "100"), (product, "500")) == [D(7), D(7), D(6)]


@pytest.mark.parametrize("rows", [True, False])
def test_a_base_by_the_wished_delivery_is_that_of_the_day(shop, rows):
    company, product = make_company("C"), make_product("A", price="10")
    day = date(2026, 11, 29)
    later = start_of_day(day, ZONE)
    base = contract("BASE", segment=make_segment("nobody"), date_basis="wished", **({} if rows else {"valid_from": later}))
    row(base, product, "7", start=later) if rows else row(base, product, "7")
    computed("K", product, base="BASE", company=company)
    for wished, expected in ((None, "10"), (day - timedelta(days=1), "10"), (day, "7")):
        where = services.context("EUR", DAY, company.id, wished)
        assert prices(where, (product, "1")) == [D(expected)], wished


def test_a_ladder_names_the_breaks_of_what_its_prices_are_computed_from(office):
    nobody = make_segment("nobody")
    company, product = make_company("C"), make_product("A", price=None, units=[Unit("pcs"), Unit("box", 12)])
    base = contract("BASE", segment=nobody)
    row(base, product, "7")
    row(base, product, "6", min_quantity="50")
    computed("BETWEEN", product, base="BASE", segment=nobody)
    computed("K", product, base="BETWEEN", company=company)
    where = services.context("EUR", company_id=company.id)
    rungs = services.ladders(where, [(product.id, "pcs"), (product.id, "box")])
    assert [(rung.min_quantity, rung.price) for rung in rungs[product.id, "pcs"]] == [(D(1), D(7)), (D(50), D(6))]
    assert [(rung.min_quantity, rung.price) for rung in rungs[product.id, "box"]] == [(D(1), D(84)), (D(5), D(72))]


def test_what_is_computed_keeps_the_decimals_and_the_units_of_what_it_is_computed_from(shop):
    company, nobody = make_company("C"), make_segment("nobody")
    screw, nail = make_product("SCREW", price="12.34", per="100"), make_product("NAIL", price=None)
    with write() as session:
        session.add(ProductValue(product_id=nail.id, kind="cost", currency="EUR", amount=D("0.0456")))
        session.add(ProductValue(product_id=nail.id, kind="msrp", currency="USD", amount=D("0.10")))
        session.add(CurrencyRate(source="EUR", target="USD", day=date(2020, 1, 1), rate=D("1.0837")))
    base = contract("BASE", segment=nobody)
    row(base, nail, "0.0311")
    row(base, nail, "3.11", per="100", min_quantity="100")
    for place, (target, terms, quantity, expected) in enumerate(
        [
            (screw, {"base": "list", "percent": ["10"]}, "1", ("11.11", "100")),
            (screw, {"base": "list", "surcharge": "0.01"}, "1", ("13.34", "100")),
            (nail, {"base": "cost", "percent": ["-20"]}, "1", ("0.0547", "1")),
            (nail, {"base": "msrp"}, "1", ("0.09", "1")),
            (nail, {"base": "contract:BASE", "percent": ["10"]}, "1", ("0.0280", "1")),
            (nail, {"base": "contract:BASE", "percent": ["10"]}, "100", ("2.80", "100")),
        ]
    ):
        row(contract(f"K{place}", company=company, priority=place), target, "0", kind="formula", terms=terms)
        line = priced(target, company, quantity)
        assert (line.price, line.per) == tuple(map(D, expected)), terms


@pytest.mark.parametrize(("kind", "terms"), [("percent", None), ("formula", {"base": "list"})])
@pytest.mark.parametrize(("currency", "expected"), [("JPY", "1624"), ("USD", "10.84")])
def test_what_is_computed_from_a_converted_list_price_has_the_currencys_decimals(shop, kind, terms, currency, expected):
    company, product = make_company("C"), make_product("A", price="10")
    with write() as session:
        for target, rate in (("JPY", "162.41"), ("USD", "1.0837")):
            session.add(CurrencyRate(source="EUR", target=target, day=date(2020, 1, 1), rate=D(rate)))
    row(contract("K", company=company, currency=""), product, "0", kind=kind, terms=terms)
    assert str(priced(product, company, currency=currency).price) == expected


def test_a_package_at_a_price_without_decimals_costs_no_parts(shop):
    company, product = make_company("C"), make_product("A", currency="JPY", per="3", units=[Unit("pcs"), Unit("box", 7)])
    row(contract("K", company=company, currency=""), product, "0", kind="percent")
    assert priced(product, company, unit="box", currency="JPY").price == D(23)


@pytest.mark.parametrize("base", ["list", "msrp", "contract:BASE"])
@pytest.mark.parametrize("mode", ["up", "down"])
def test_thirds_of_a_unit_are_not_rounded_to_another_multiple(shop, base, mode):
    company = make_company("C")
    product = make_product("A", price="50", units=[Unit("pcs"), Unit("pallet", 7, 3)])
    with write() as session:
        session.add(ProductValue(product_id=product.id, kind="msrp", currency="EUR", amount=D(50)))
    row(contract("BASE", segment=make_segment("nobody")), product, "50")
    terms = {"base": base, "percent": ["5"], "round_to": "0.25", "round_mode": mode}
    row(contract("K", company=company), product, "0", kind="formula", terms=terms)
    assert [priced(product, company, unit=unit).price for unit in ("pcs", "pallet")] == [D("47.50"), D("110.83")]
