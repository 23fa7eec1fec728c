"""Freight and other charges: asked for by a hook, taxed as the goods, shown everywhere and part of what is placed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.orders import cart, charges, documents, pages, placing, queries
from core.orders.digest import content_of, digest
from core.orders.merging import NewItem
from core.orders.models import OrderCharge
from core.orders.placing import PriceChanged
from core.orders.views_history import export_table
from core.pricing.models import TaxRate
from core.registry.registry import EXTENSION, HookFailed, Implementation
from core.restapi.resources.orders import details
from core.settings.services import set_value
from core.spec.orders import Charge, Stage
from core.testing import factories
from core.testing.statements import count_statements

from .conftest import placement

D = Decimal


def settings(shop, target="", **values):
    with shop.app.app_context(), acting(system("set")), write():
        for key, value in values.items():
            set_value("orders", key, D(value), target=target)


@pytest.fixture
def ask(shop, monkeypatch):
    """Let an addon answer the hook."""

    def answer(function):
        here = shop.app.extensions[EXTENSION]
        found = (*here.implementations["order_charges"], Implementation("toy", function, ("request",)))
        changed = replace(here, implementations={**here.implementations, "order_charges": found})
        monkeypatch.setitem(shop.app.extensions, EXTENSION, changed)

    return answer


def rows(order):
    return [(row.owner, row.code, row.net, row.tax_rate) for row in charges.rows_of(order.id)]


def test_freight_and_surcharge_are_part_of_the_order(shop):
    settings(shop, freight="9.90", freight_free_from="100", small_order_surcharge="5", small_order_below="30")
    number = shop.place(("A-1", 2))
    with shop.request():
        order = queries.find(number)
        assert (order.net, order.charges_net, order.tax, order.gross) == (D(20), D("14.90"), D("8.90"), D("43.80"))
        assert rows(order) == [("orders", "freight", D("9.9"), D("25.5")), ("orders", "surcharge", D(5), D("25.5"))]
        assert order.digest == digest(content_of(order, queries.lines_of(order.id)))
        content = documents.content(order, queries.lines_of(order.id), documents.seller())
        assert [amount for _label, amount in content["totals"]] == [
            f"{amount}\N{NO-BREAK SPACE}€" for amount in ("20.00", "9.90", "5.00", "34.90", "8.90")
        ]
        item = details([order.id])[order.id]
        assert (item["charges_net"], [c["label"] for c in item["charges"]]) == (
            D("14.9"), ["Freight", "Surcharge for small orders"],
        )  # fmt: skip
        assert [row[8] for row in export_table(order)[1]] == [D(20), D("9.9"), D(5)]
    with shop.request():
        assert db.session.scalar(select(func.count(OrderCharge.id))) == 2  # the next cart has its own


def test_the_value_decides_and_the_cart_follows(shop):
    settings(shop, freight="9.90", freight_free_from="100", small_order_surcharge="5", small_order_below="30")
    with shop.request():
        cart.add([NewItem("A-1", D(3))])
        assert rows(cart.current_cart()) == [("orders", "freight", D("9.9"), D("25.5"))]
        cart.add([NewItem("A-1", D(7))])
        order = cart.current_cart()
        assert (rows(order), order.charges_net, order.gross) == ([], D(0), D("125.50"))
        cart.clear()
        assert cart.current_cart().gross == 0


def test_a_company_may_have_its_own_freight(shop):
    settings(shop, freight="9.90")
    settings(shop, target="company:acme", freight="0")
    with shop.request():
        order = queries.find(shop.place(("A-1", 1)))
        assert (rows(order), order.charges_net) == ([], 0)


def test_freight_on_goods_of_two_rates_is_split_and_exact(shop):

    with shop.app.app_context(), acting(system("set")), write():
        factories.make_product("BOOK", price="20.00", tax_class="reduced")
        if not db.session.scalar(select(TaxRate.id).where(TaxRate.category == "reduced", TaxRate.country == "FI")):
            db.session.add(TaxRate(country="FI", category="reduced", rate=D(14), valid_from=factories.today()))
    settings(shop, freight="10")
    number = shop.place(("A-1", 1), ("BOOK", 1))
    with shop.request():
        order = queries.find(number)
        nets = [net for _owner, _code, net, _rate in rows(order)]
        assert nets == [D("3.33"), D("6.67")]
        assert sum(D(line["base"]) for line in order.tax_lines) == order.without_tax == 40
        assert order.gross == order.without_tax + order.tax


def test_charges_of_addons_stand_beside_those_of_core(shop, ask):
    ask(lambda request: [Charge("pallet", "Pallets", D("12.345"), "zero"), Charge("none", "Nothing", D(0))])
    with shop.request():
        order = queries.find(shop.place(("A-1", 1)))
        assert rows(order) == [("toy", "pallet", D("12.35"), D(0))]
        assert (order.tax, order.gross) == (D("2.55"), D("24.90"))


def test_an_addon_that_fails_to_say_its_charges_stops_the_order(shop, ask):
    with shop.request():
        cart.add([NewItem("A-1", D(1))])
    with shop.request():
        sent = placement(pages.cart_page(Stage.SUBMIT))
    ask(lambda request: 1 / 0)
    with shop.request(), pytest.raises(HookFailed):
        placing.place(sent)


def test_freight_that_changed_since_is_shown_before_it_is_charged(shop):
    with shop.request():
        cart.add([NewItem("A-1", D(1))])
    with shop.request():
        sent = placement(pages.cart_page(Stage.SUBMIT))
    settings(shop, freight="9.90")
    with shop.request(), pytest.raises(PriceChanged) as refused:
        placing.place(sent)
    assert (refused.value.expected, refused.value.total) == (D("12.55"), D("24.97"))


def test_a_charge_that_no_row_could_hold_is_refused_where_it_is_made():
    for code, label, net in (("", "Pallet", D(1)), ("x" * 41, "Pallet", D(1)), ("p", "x" * 121, D(1)), ("p", "P", D("NaN"))):
        with pytest.raises(ValueError, match="up to 120"):
            Charge(code, label, net)


def test_charges_cost_the_same_whatever_the_number_of_lines(shop):
    settings(shop, freight="9.90")
    counted = []
    for count in (1, 15):
        with shop.app.app_context(), acting(system("set")), write():
            for at in range(count):
                factories.make_product(f"S{count}-{at}", price="1.00")
        with shop.request():
            cart.add([NewItem(f"S{count}-{at}", D(1)) for at in range(count)])
        with shop.request(), count_statements() as statements:
            pages.cart_page()
        counted.append(statements.count)
    assert counted[1] <= counted[0]  # the first look also reads what is kept for the next
