"""Two switches of a contract: quantities below its first price, and nothing that follows it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from core.data import clock
from core.pricing import services
from core.spec.pricing import PriceRequest
from core.testing import factories

from .conftest import contract, row


def both(company, product, quantity, unit="pcs"):
    """Return the line, priced the fast way twice (unknown and kept contracts) and explained: all agree."""
    where = services.context("EUR", company_id=company.id if company else None)
    request = [PriceRequest("1", product.id, unit, D(quantity))]
    fast, kept = (services.price(where, request).lines[0] for _time in range(2))
    told = services.price(where, request, explain=True).lines[0]
    assert fast.price == kept.price == told.price
    assert (fast.list_price, fast.source) == (told.list_price, told.source)
    return told


@pytest.fixture
def acme(shop):
    return factories.make_company("acme", address=False)


@pytest.mark.parametrize(
    ("below", "quantity", "price"),
    [
        ("none", "5", None),
        ("whole", "5", "15"),
        ("whole", "1.5", None),
        ("any", "1.5", "15"),
        ("any", "0.5", "15"),
        ("any", "10", "15"),
        ("whole", "25", "10"),
        ("fraction", "5", None),
        ("fraction", "1.5", "15"),
        ("fraction", "0.5", "15"),
        ("fraction", "20.5", "10"),
        ("below_one", "0.5", "15"),
        ("below_one", "1", None),
        ("below_one", "1.5", None),
    ],
)
def test_what_is_below_the_first_price(acme, below, quantity, price):
    product = factories.make_product("P", price=None, units=[factories.Unit("pcs", precision=3)])
    made = contract("C", company=acme, below_first=below)
    for minimum, value in (("10", "15"), ("20", "10")):
        row(made, product, value, min_quantity=minimum)
    assert both(acme, product, quantity).price == (D(price) if price else None)


def test_other_rows_of_the_contract_come_before_its_first_price(acme):
    product = factories.make_product("P", price="20")
    made = contract("C", company=acme, below_first="any")
    row(made, product, "15", min_quantity="10")
    row(made, None, "10", kind="percent")
    assert both(acme, product, "5").price == D(18)
    assert both(acme, product, "10").price == D(15)


def test_the_first_price_of_a_larger_unit_and_of_a_category(acme):
    factories.make_category("tools")
    product = factories.make_product(
        "P", price="20", category="tools", units=[factories.Unit("pcs"), factories.Unit("box", 6)]
    )
    made = contract("C", company=acme, below_first="whole")
    row(made, product.category, "10", kind="percent", min_quantity="12")
    assert both(acme, product, "1", "box").price == D(108)
    assert both(acme, product, "1").price == D(18)


def test_nothing_follows_a_contract_that_closes(acme):
    own, other = factories.make_product("P", price="20"), factories.make_product("Q", price="30")
    public = contract("PUBLIC")
    row(public, other, "25")
    closing = contract("C", company=acme, closes=True, merge_policy="best_of")
    row(closing, own, "22")
    assert both(acme, own, "1").price == D(22)  # not the list price, which would be better
    line = both(acme, other, "1")
    assert (line.price, line.list_price, line.source) == (None, None, "")
    assert "ask for a quote" in str(line.reason)
    assert "Nothing follows the contract C" in str(line.candidates[-1].lost)
    assert both(None, other, "1").price == D(25)


def test_percents_still_count_from_the_list_price(acme):
    product = factories.make_product("P", price="20")
    row(contract("C", company=acme, closes=True, currency=""), None, "10", kind="percent")
    assert both(acme, product, "1").price == D(18)


def test_an_empty_contract_closes_and_an_ended_one_does_not(acme):
    product = factories.make_product("P", price="20")
    contract("OLD", company=acme, closes=True, valid_until=clock.now())
    assert both(acme, product, "1").price == D(20)
    contract("NEW", company=acme, closes=True)
    assert both(acme, product, "1").price is None


def test_prices_of_the_wished_delivery_where_the_contract_goes_by_it(acme):
    product, other = factories.make_product("P", price="20"), factories.make_product("Q", price="20")
    now = clock.now()
    soon, later = now + timedelta(days=10), now + timedelta(days=20)
    rising = contract("RISING", company=acme, date_basis="wished")
    row(rising, product, "15", end=soon)
    row(rising, product, "18", start=soon)
    row(rising, None, "10", kind="percent", start=soon)
    row(contract("FIXED", company=acme, priority=1, merge_policy="fallback"), product, "1", start=soon)

    def ask(what, wished):
        where = services.context("EUR", company_id=acme.id, wished=wished and wished.date())
        request = [PriceRequest("1", what.id, "pcs", D(1))]
        lines = [services.price(where, request, explain).lines[0] for explain in (False, False, True)]
        assert len({(line.price, line.source) for line in lines}) == 1
        return lines[-1].price

    assert (ask(product, None), ask(product, now), ask(product, later)) == (D(15), D(15), D(18))
    assert (ask(other, None), ask(other, later)) == (D(20), D(18))


def test_a_contract_by_the_wished_delivery_may_begin_after_the_order(acme):
    product = factories.make_product("P", price="20")
    soon = clock.now() + timedelta(days=10)
    row(contract("NEXT", company=acme, date_basis="wished", valid_from=soon), product, "12")
    where = services.context("EUR", company_id=acme.id, wished=factories.today() + timedelta(days=11))
    for explain in (False, True):
        assert services.price(where, [PriceRequest("1", product.id, "pcs")], explain).lines[0].price == D(12)
    assert both(acme, product, "1").price == D(20)
