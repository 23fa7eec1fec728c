"""The floor of prices set by hand: told from cost and least margin, never put into the price."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from addons.pricing_contract.models import ProductValue
from core.data.scope import Actor, Scope, acting, system
from core.data.write import write
from core.orders import cart, manual, pages
from core.orders.merging import NewItem
from core.pricing import services
from core.settings.services import set_value
from core.spec.errors import Invalid
from core.spec.pricing import ManualTerms, PriceRequest
from core.testing import factories

from .conftest import contract, row

RIGHTS = {"catalog.product.view", "pricing.price.view", "orders.cart.use", "orders.order.place", manual.SET}


@pytest.fixture
def at_home(office):
    """The whole app, asked by itself."""
    with office.app_context(), acting(system("tests")):
        yield office


def _cost(product, amount, currency="EUR"):
    with write() as session:
        session.add(ProductValue(product_id=product.id, kind="cost", currency=currency, amount=D(amount)))


def _ask(product, price, unit="pcs", **more):
    request = PriceRequest("1", product.id, unit, D(10))
    terms = ManualTerms(price=D(price), **more)
    return services.price(services.context("EUR"), [request], explain=True, manual={"1": terms}).lines[0]


def test_the_floor_counts_the_unit_the_per_and_the_margin(at_home):
    product = factories.make_product("P", price="20", units=[factories.Unit("pcs"), factories.Unit("box", 12)])
    _cost(product, "10")
    with write():
        set_value("pricing_contract", "least_margin", D(5))
    assert _ask(product, "11").floor == D("10.5")
    assert _ask(product, "1100", per=D(100)).floor == D(1050)
    assert _ask(product, "100", "box").floor == D(126)
    below = _ask(product, "9")
    assert below.price == D(9)
    assert below.trace[-1].step == "floor"
    request = PriceRequest("1", product.id, "pcs", D(10))
    assert services.price(services.context("EUR"), [request]).lines[0].floor is None


def test_what_has_no_cost_or_one_without_a_rate_has_no_floor(at_home):
    product, other = factories.make_product("P", price="20"), factories.make_product("Q", price="20")
    _cost(other, "10", "USD")
    assert _ask(product, "1").floor is _ask(other, "1").floor is None


def test_a_price_by_hand_takes_over_a_final_contract(at_home):
    product = factories.make_product("P", price="20")
    row(contract("C"), product, "15")
    line = _ask(product, "12")
    assert (line.price, line.found, line.source, line.list_price) == (D(12), D(15), "manual", D(20))
    assert [entry.step for entry in line.trace] == ["list_price", "agreement", "manual"]


def test_sales_cannot_sell_below_the_floor_and_an_administrator_can(office):
    company = factories.make_company("acme")
    user, sam = factories.make_user("anna@acme.example", company=company), factories.make_staff("sam@tukku.example")
    product = factories.make_product("P", price="20")
    _cost(product, "10")
    own = (company.id,)

    def at_work(*more):
        return Actor(sam.id, sam.name, Scope("companies", own, own, own), company.id, user.id, frozenset({*RIGHTS, *more}))

    with office.app_context(), office.test_request_context("/"), acting(at_work()):
        cart.add([NewItem("P", D(10))])
        with pytest.raises(Invalid, match=r"below the floor of 10\.00"):
            manual.set_in_cart(1, ManualTerms(percents=(D(60),), reason="Trade fair"))
        assert pages.cart_page().rows[0].price == D(20)
        manual.set_in_cart(1, ManualTerms(percents=(D(50),), reason="Trade fair"))
    with office.app_context(), office.test_request_context("/"), acting(at_work(manual.BELOW_FLOOR)):
        manual.set_in_cart(1, ManualTerms(percents=(D(60),), reason="Trade fair"))
        assert pages.cart_page().rows[0].price == D(8)
