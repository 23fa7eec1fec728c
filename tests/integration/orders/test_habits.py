"""While a search is typed: what the company ordered before comes first, with how often, for its own people only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.catalog import product_pages
from core.data import clock
from core.data.scope import Scope
from core.data.write import write
from core.orders import cart, pages, placing
from core.orders.merging import NewItem
from core.orders.panels import bought_often
from core.spec.orders import Stage
from core.testing import factories
from core.testing.factories import Unit
from core.testing.signin import sign_in

from .conftest import buyer_of, placement


@pytest.fixture
def habits(shop):
    """Anna has ordered B-2 three times and A-1 twice, in March 2026."""
    with shop.app.app_context(), write():
        from core.catalog.search.documents import rebuild

        rebuild()
    for day, sku, quantity in ((1, "A-1", 1), (2, "B-2", 10), (3, "B-2", 10), (4, "A-1", 2), (5, "B-2", 20)):
        with clock.frozen(datetime(2026, 3, day, 12, tzinfo=UTC)):
            shop.place((sku, quantity))
    return shop


def offered(shop, actor=None, text="article"):
    with shop.request(actor):
        found = product_pages.suggestions(text)
        return [(p.sku, h.times, h.last.day) for p, _codes, h in found.habits], [p.sku for p, _codes in found.products]


@pytest.fixture(autouse=True)
def _named(monkeypatch):
    make = factories.make_product
    monkeypatch.setattr(factories, "make_product", lambda sku, **more: make(sku, **{"name": f"Article {sku}", **more}))


def test_what_was_ordered_before_comes_first_and_once(habits):
    assert offered(habits) == ([("B-2", 3, 5), ("A-1", 2, 4)], ["C-3"])
    assert offered(habits, text="A-1") == ([("A-1", 2, 4)], [])
    assert offered(habits, text="nothing like it") == ([], [])


def test_only_ones_own_company_and_only_with_the_permission(habits):
    rival = factories.make_company("rival")
    riku = buyer_of(rival, factories.make_user("riku@rival.example", company=rival))
    everything = ["A-1", "B-2", "C-3"]
    for actor in (riku, habits.staff, replace(habits.buyer, permissions=habits.buyer.permissions - {"orders.order.view"})):
        assert offered(habits, actor) == ([], everything)
    child = factories.make_company("child", parent=habits.company)
    above = Scope("companies", (child.id,), (child.id,), (child.id, habits.company.id))
    assert offered(habits, replace(riku, company_id=child.id, scope=above))[0] == []


def test_a_cart_is_no_order(habits):
    with habits.request():
        cart.add([NewItem("C-3", Decimal(1))])
    assert offered(habits)[1] == ["C-3"]


def test_one_statement_more_however_many_orders(habits, count_statements):
    with habits.request(habits.staff), count_statements() as without:
        product_pages.suggestions("article")
    for _ in range(2):
        with habits.request(), count_statements() as counted:
            product_pages.suggestions("article")
        assert counted.count <= without.count + 2  # the habits, and a cold look at one's own codes
        with habits.request():
            cart.add([NewItem("A-1", Decimal(1))])
            placing.place(placement(pages.cart_page(Stage.SUBMIT)))


def test_the_box_says_how_often_and_when(habits):
    anna = sign_in(habits.app, "anna@acme.example")
    text = " ".join(anna.get("/suggest?q=article").text.split())
    assert "Ordered before" in text
    assert "ordered 3 times, last on 5 Mar 2026" in text
    assert "Ordered before" not in habits.app.test_client().get("/suggest?q=article").text


def test_the_home_page_counts_orders_as_the_search_does_and_names_an_article_once(habits):
    boxed = factories.make_product("BOXED", price="2", name="Article in boxes", units=[Unit("pcs"), Unit("box", 100)])
    factories.make_list_price(boxed, "150", unit="box")
    for wanted in (("box",), ("pcs",), ("box", "pcs"), ("box",)):
        with habits.request():
            cart.add([NewItem("BOXED", Decimal(1), unit) for unit in wanted])
            placing.place(placement(pages.cart_page(Stage.SUBMIT)))
    with habits.request():
        [searched] = [h for p, _codes, h in product_pages.suggestions("BOXED").habits if p.sku == "BOXED"]
        rows = bought_often(None)["rows"]
    [row] = [row for row in rows if row["article"].sku == "BOXED"]
    assert (row["times"], searched.times, row["unit"].unit) == (4, 4, "box")
    assert [row["times"] for row in rows] == sorted((row["times"] for row in rows), reverse=True)
