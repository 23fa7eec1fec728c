"""List prices in the shop's currency that hold in others at the rate of the day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest

from core.data import clock
from core.data.scope import acting, system
from core.data.write import write
from core.pricing import checks, services
from core.pricing.models import CurrencyRate
from core.settings.services import set_value
from core.spec.pricing import PriceRequest
from core.testing import factories


@pytest.fixture
def shop(app_with):
    app = app_with(addons=[])
    factories.make_company("acme", currency="USD")
    with app.app_context(), acting(system("tests")):
        yield app


def convert():
    with write():
        set_value("pricing", "convert_list_prices", True)


def rate(value, day="2020-01-01", source="EUR", target="USD"):
    with write() as session:
        session.add(CurrencyRate(source=source, target=target, day=date.fromisoformat(day), rate=D(value), origin="ECB"))


def ask(product, unit="pcs", currency="USD", at=None):
    where = services.context(currency, at or clock.now())
    fast, told = (services.price(where, [PriceRequest("1", product.id, unit)], explain).lines[0] for explain in (0, 1))
    assert (fast.price, fast.list_price, fast.per) == (told.price, told.list_price, told.per)
    return told


def test_only_where_the_merchant_wants_it(shop):
    product = factories.make_product("P", price="10.00")
    rate("1.1")
    assert ask(product).price is None
    convert()
    line = ask(product)
    assert (line.price, line.list_price, line.source) == (D("11.00"), D("11.00"), "list")
    assert "1 EUR = 1.1 USD of 1 Jan 2020" in str(line.reason)
    assert line.trace[0].reference == "ECB"


def test_a_list_price_in_the_currency_comes_first(shop):
    product = factories.make_product("P", price="10.00")
    factories.make_list_price(product, "99", currency="USD")
    rate("1.1")
    convert()
    assert ask(product).price == D(99)


def test_packages_per_and_precision(shop):
    product = factories.make_product("P", price=None, units=[factories.Unit("pcs"), factories.Unit("box", 12)])
    factories.make_list_price(product, "0.0125", per=D(100))
    rate("2", target="USD")
    rate("150", target="JPY")
    convert()
    line = ask(product)
    assert (line.price, line.per) == (D("0.0250"), D(100))
    whole = factories.make_product("Q", price="10.10", units=[factories.Unit("pcs"), factories.Unit("box", 12)])
    assert ask(whole, "box").price == D("242.40")
    assert ask(whole, currency="JPY").price == D(1515)


def test_the_rate_of_the_day_decides_and_serves_the_other_way_round(shop):
    product = factories.make_product("P", price="10.00")
    rate("0.5", source="USD", target="EUR")
    rate("0.8", day="2026-01-01", source="USD", target="EUR")
    convert()
    assert ask(product, at=clock.now().replace(year=2025)).price == D(20)
    assert ask(product).price == D("12.50")


def test_without_a_rate_there_is_no_price_and_the_checks_say_so(shop):
    product = factories.make_product("P", price="10.00")
    assert list(checks.list_prices_convert()) == []
    convert()
    line = ask(product)
    assert line.price is None
    assert "no rate from EUR to USD" in str(line.reason)
    assert [found.code for found in checks.list_prices_convert()] == ["PRICE-RATE-MISSING"]
    rate("1.1")
    assert list(checks.list_prices_convert()) == []
