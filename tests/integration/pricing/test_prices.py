"""List prices, tax and currency on both databases, and the command."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from core.companies.services import company_by_code, seller
from core.data.scope import acting, guest
from core.data.seeds import load
from core.data.write import write
from core.pricing import currency, services, tax
from core.pricing.explain import explain
from core.pricing.models import CurrencyRate
from core.pricing.money import line_net
from core.pricing.reference import RATES, SEEDS
from core.spec.errors import Invalid, NotFound
from core.spec.pricing import PriceRequest
from core.testing.factories import Unit, make_company, make_product

D = Decimal
DAY = date(2026, 11, 22)


@pytest.fixture
def shop(app_with):
    return app_with()


def test_list_price_tax_currency_and_command(shop):
    """One app for many questions: building it is what takes time."""
    make_company("ACME", country="DE", vat_id="DE136695976")
    product_id = make_product("BOLT", price="10").id
    _prices_are_hidden_from_guests(product_id)
    _bad_quantities_are_refused(product_id)
    _tax(company_by_code("ACME"))
    _currency()
    _command(shop)


def test_a_part_of_the_unit_costs_its_part(shop):
    """A gram of what costs 4.90 a kilogram is not free, and a thousand of them cost what the kilogram does."""
    product = make_product("SALT", price="4.90", units=[Unit("kg"), Unit("g", 1, 1000), Unit("half", 1, 2)])
    where = services.context("EUR", company_id=None)
    asked = [PriceRequest(unit, product.id, unit, D(1000)) for unit in ("kg", "g", "half")]
    lines = {line.key: line for line in services.price(where, asked).lines}
    assert {key: (line.price, line.list_price) for key, line in lines.items()} == {
        "kg": (D("4.90"), D("4.90")), "g": (D("0.00490"), D("0.00490")), "half": (D("2.450"), D("2.450")),
    }  # fmt: skip
    assert line_net(D(1000), lines["g"].price, lines["g"].per, "EUR") == D("4.90")


def _prices_are_hidden_from_guests(product_id):
    request = [PriceRequest("1", product_id, "pcs")]
    with acting(guest()):
        line = services.price(services.context(), request).lines[0]
        assert (line.price, str(line.reason)) == (None, "Sign in to see prices.")
        assert services.ladders(services.context(), [(1, "pcs")]) == {}
    with acting(guest(["pricing.price.view"])):
        assert services.price(services.context(), request).lines[0].price == D(10)


def _bad_quantities_are_refused(product_id):
    where = services.context(company_id=None)
    for quantity in ("0", "-1", "NaN", "Infinity", "1000000000000"):
        with pytest.raises(Invalid, match="is not a quantity that has a price"):
            services.price(where, [PriceRequest("1", product_id, "pcs", D(quantity))])
    unknown = services.price(where, [PriceRequest("1", 10**6, "pcs")]).lines[0]
    assert (unknown.price, str(unknown.reason)) == (None, "There is no such product.")
    wrong = services.price(where, [PriceRequest("1", product_id, "litre")]).lines[0]
    assert (wrong.price, str(wrong.reason)) == (None, "The product is not sold in this unit.")
    with pytest.raises(Invalid, match="is not a currency"):
        services.context("XQQ", company_id=None)


def _tax(company):
    with pytest.raises(tax.TaxRateMissing, match="no reduced tax rate for FI on 2026-11-22"):
        tax.treatments(seller(), company, "FI", ["reduced"], DAY)
    added = load("pricing", SEEDS[0]).added
    assert added == 2 * len(RATES) - 2  # Finland has a standard rate of its own already, Denmark no reduced one
    assert load("pricing", SEEDS[0]).added == 0
    found = tax.treatments(seller(), company, "DE", ["standard"], DAY)["standard"]
    assert (found.code, found.rate, "Article 138" in str(found.note)) == ("K", D(0), True)
    assert tax.treatments(seller(), company, "FI", ["standard"], DAY)["standard"].rate == D("25.5")


def _currency():
    with pytest.raises(currency.RateMissing, match="no rate from EUR to USD on or before 2026-11-22"):
        currency.rate("EUR", "USD", DAY)
    with write() as session:
        for day, value in ((1, "1.05"), (20, "1.1"), (23, "9")):
            session.add(CurrencyRate(source="EUR", target="USD", day=date(2026, 11, day), rate=D(value)))
    assert currency.rate("EUR", "USD", DAY) == D("1.1")
    assert currency.rate("USD", "EUR", DAY) == 1 / D("1.1")
    assert currency.rate("EUR", "EUR", DAY) == 1


def _command(shop):
    from core.pricing.commands import price

    runner = shop.test_cli_runner()
    told = runner.invoke(price, ["explain", "--company", "ACME", "--product", "BOLT", "--quantity", "3", "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.output)
    assert (found["price"], found["net"], found["source"], found["reason"]) == ("10", "30", "list", "List price")
    assert found["steps"][0] == {
        "step": "list_price",
        "title": "List price",
        "before": None,
        "after": "10",
        "reason": "List price",
        "reference": None,
    }
    assert explain("ACME", "BOLT", D(3)).for_buyer().keys() == found.keys() - {"steps", "candidates", "reference"}
    with pytest.raises(NotFound, match='no company with the code "X"'):
        explain("X", "BOLT", D(1))
