"""Goods that come with what is ordered for nothing: computed with every price, lines of the order once it is placed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import update

from core.catalog.models import Product, ProductUnit
from core.data.db import db
from core.data.scope import acting, guest, system
from core.data.write import write
from core.orders import amending, cart, documents, guest_cart, lifecycle, lists, manual, pages, placing, queries, reorder
from core.orders.merging import NewItem
from core.orders.models import OrderLine
from core.orders.views_history import export_table
from core.registry.registry import EXTENSION, Implementation
from core.restapi.resources.orders import details
from core.settings.services import set_value
from core.spec.catalog import QuantityRule
from core.spec.errors import Conflict, Invalid
from core.spec.orders import CheckoutRule, FreeGoods, HoldRequest, HoldType, Stage
from core.spec.pricing import ManualTerms
from core.testing import factories
from core.testing.statements import count_statements
from core.testing.sweeping import swept

from .conftest import placement
from .test_hooks import contribute

assert contribute  # a fixture
D = Decimal


@pytest.fixture
def answer(shop, monkeypatch):
    """Let an addon answer a batch hook."""

    def add(hook, function, *names):
        here = shop.app.extensions[EXTENSION]
        found = (*here.implementations.get(hook, ()), Implementation("toy", function, names))
        changed = replace(here, implementations={**here.implementations, hook: found})
        monkeypatch.setitem(shop.app.extensions, EXTENSION, changed)

    return add


@pytest.fixture
def gift(shop, answer):
    """Give so many of an article for every ten of A-1."""

    def give(sku="A-1", free="1", code="TEN"):
        with shop.app.app_context(), acting(system("gift")):
            factories.make_product("G-1", price="2.50")
            known = {row.sku: row.id for row in db.session.query(Product.sku, Product.id)}

        def asked(request):
            bought = sum(x.base_quantity for x in request.lines if x.product_id == known["A-1"])
            times = bought // 10
            return [FreeGoods(code, "10 + 1", known[sku], times * D(free))] if times else []

        answer("order_free_goods", asked, "request")

    return give


@pytest.fixture
def by_hand(shop):
    """Orders wait until staff confirm them."""
    with shop.app.app_context(), acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)


def fill(shop, *items):
    with shop.request():
        cart.add([NewItem(sku, D(quantity)) for sku, quantity in items])


def given(page):
    return [(row.sku, row.quantity, str(row.reason)) for row in page.free]


def free_lines(order):
    return [(x.position, x.sku, x.quantity, x.net, x.price_reason) for x in queries.lines_of(order.id) if x.free]


def test_they_come_and_go_with_the_cart(shop, gift):
    gift()
    fill(shop, ("A-1", 9))
    with shop.request():
        assert given(pages.cart_page()) == []
        cart.add([NewItem("A-1", D(1))])
    with shop.request():
        page = pages.cart_page()
        assert given(page) == [("A-1", 1, "10 + 1")]
        assert [(row.sku, row.quantity) for row in page.rows] == [("A-1", 10)]  # no line of the cart: nothing to merge with
        assert page.priced.totals.net == 100
        assert cart.badge()[:2] == (1, D(100))
        lists.save("weekly")
        assert len(queries.lines_of(lists.find(lists.all_lists()[0].key).id)) == 1
        cart.change({1: D(5)})
    with shop.request():
        assert given(pages.cart_page()) == []


def test_the_order_keeps_them_as_lines_for_nothing_with_their_reason(shop, gift, by_hand):
    gift("G-1", "2")
    number = shop.place(("A-1", 20))
    with shop.request():
        order = queries.find(number)
        assert free_lines(order) == [(2, "G-1", 4, 0, "10 + 1")]
        assert (order.net, order.tax, order.gross) == (D(200), D(51), D(251))
        line = queries.lines_of(order.id)[1]
        assert (line.price_source, line.tax_rate, line.unit_price) == ("free:toy:TEN", D("25.5"), 0)
        columns, rows = export_table(order)
        why = [column.label for column in columns].index("Reason of the price")
        assert [row[why] for row in rows] == ["List price", "10 + 1"]
        told = documents.content(order, queries.lines_of(order.id), documents.seller())["lines"][1]
        assert (told["price"], told["extra"], told["net"][:4]) == ("Free of charge", "10 + 1", "0.00")
        items = details([order.id])[order.id]["lines"]
        assert [item["free"] for item in items] == [False, True]
        assert [row.article.sku for row in reorder.review(number)] == ["A-1"]
    assert swept(shop.app) == {}
    with shop.request(shop.staff):
        lifecycle.confirm(number)
        lifecycle.record(number, "shipped", {1: D(20)})
        assert queries.find(number).state == "confirmed"  # what is free is to be shipped too
        lifecycle.record(number, "shipped", {2: D(4)})
        assert queries.find(number).state == "completed"


def test_what_was_shown_is_what_comes(shop, gift, answer):
    gift()
    fill(shop, ("A-1", 10))
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        assert pages.read_seen(page.seen) == {"1": D(10), "free:toy:TEN:A-1": D(1)}
        sent = placement(page, seen=pages.read_seen(page.seen))
        less = placement(page, seen={"1": D(10)})
    with shop.request(), pytest.raises(Conflict, match="free of charge has changed"):
        placing.place(less)
    with shop.request():
        assert placing.place(sent).new


def test_rules_see_what_is_ordered_apart_from_what_is_free(shop, gift, contribute):
    gift()
    seen = []
    contribute("checkout_rules", CheckoutRule("look", Stage.COMMIT, lambda draft: seen.append(draft) or ()))
    contribute("order_hold_types", HoldType("look", "Look", "x", lambda draft: seen.append(draft) or HoldRequest("Look")))
    number = shop.place(("A-1", 10))
    with shop.request(shop.staff):
        hold = queries.find(number).holds[0]
        lifecycle.release(number, hold.id, "seen")
    for draft in seen:
        assert [(line.sku, line.quantity) for line in draft.lines] == [("A-1", 10)]
        assert [(line.sku, line.quantity, line.net) for line in draft.free] == [("A-1", 1, 0)]
    assert len(seen) == 2


def test_an_order_that_changes_has_what_its_lines_earn_now(shop, gift, by_hand):
    gift()
    number = shop.place(("A-1", 20), ("B-2", 10))
    with shop.request():
        before = queries.find(number)
        assert free_lines(before) == [(3, "A-1", 2, 0, "10 + 1")]
        kept = queries.lines_of(before.id)[2].id
        with pytest.raises(Invalid, match="no line 3"):
            amending.amend(number, {3: D(9)})
    with shop.request():
        amending.amend(number, {1: D(10)})
        assert free_lines(queries.find(number)) == [(3, "A-1", 1, 0, "10 + 1")]
        assert queries.lines_of(queries.find(number).id)[2].id == kept
    with shop.request():
        amending.amend(number, {1: D(9)})
        assert free_lines(queries.find(number)) == []
    with shop.request():
        amending.amend(number, {1: D(30), 2: D(0)})
        assert free_lines(queries.find(number)) == [(2, "A-1", 3, 0, "10 + 1")]
    assert swept(shop.app) == {}


def test_lines_that_stay_are_looked_at_with_the_source_of_their_price(shop, answer, by_hand):
    """What was agreed once is not an open price because the agreement has ended, nor the other way round."""
    number = shop.place(("A-1", 20), ("B-2", 10))
    asked = []
    answer("order_free_goods", lambda request: asked.append(request) or [], "request")
    for sources in (["contract:C", "list"], ["list", "contract:C"]):
        with shop.app.app_context(), acting(system("tests")), write() as session:
            for position, source in enumerate(sources, 1):
                session.execute(update(OrderLine).where(OrderLine.position == position).values(price_source=source))
        with shop.request():
            amending.preview(queries.find(number), {})
        assert [line.source for line in asked[-1].lines] == sources
    with shop.request():
        amending.preview(queries.find(number), {2: D(20)})
    assert [line.source for line in asked[-1].lines] == ["list", "list"]


def test_a_line_that_is_not_sold_any_more_keeps_the_source_of_its_price(shop, answer, by_hand):
    number = shop.place(("A-1", 20), ("B-2", 10))
    with shop.app.app_context(), acting(system("tests")), write() as session:
        session.execute(update(OrderLine).where(OrderLine.position == 1).values(price_source="contract:C", unit="box"))
    asked = []
    answer("order_free_goods", lambda request: asked.append(request) or [], "request")
    with shop.request():
        amending.preview(queries.find(number), {2: D(20)})
    assert [(line.product_id is None, line.source) for line in asked[-1].lines] == [(False, "contract:C"), (False, "list")]


def test_a_price_by_hand_leaves_them(shop, gift, by_hand):
    gift()
    number = shop.place(("A-1", 10))
    user = replace(shop.staff, permissions=shop.staff.permissions | {manual.SET, manual.BELOW_FLOOR})
    with shop.request(user):
        manual.set_on_order(number, 1, ManualTerms(D(8), reason="agreed"))
        order = queries.find(number)
        assert (order.net, free_lines(order)) == (D(80), [(2, "A-1", 1, 0, "10 + 1")])
        with pytest.raises(Invalid, match="comes free of charge"):
            manual.set_on_order(number, 2, ManualTerms(D(8), reason="agreed"))


@pytest.mark.parametrize(
    ("unit", "free", "expected"),
    [
        ({"step": D(6), "minimum": D(6)}, "14", [("G-1", D(14), "10 + 1")]),
        ({"unit": "box", "numerator": 6}, "14", [("G-1", D(2), "10 + 1")]),  # packages are not opened
        ({"unit": "box", "numerator": 6}, "5", []),
        ({"minimum": D(100)}, "3", [("G-1", D(3), "10 + 1")]),  # who gets something orders none of it
        ({"maximum": D(1)}, "3", [("G-1", D(3), "10 + 1")]),
        ({"precision": 2, "step": D("0.25"), "minimum": D("0.25")}, "1.3", [("G-1", D("1.3"), "10 + 1")]),
        ({}, "0.9", []),
        ({}, "1e12", [("G-1", D(10**9), "10 + 1")]),
    ],
)
def test_they_come_in_whole_ones_of_a_unit_in_which_the_article_is_sold(shop, gift, unit, free, expected):
    gift("G-1", free)
    with shop.app.app_context(), acting(system("unit")), write() as session:
        product = session.query(Product.id).filter_by(sku="G-1").scalar()
        if unit:
            session.execute(update(ProductUnit).where(ProductUnit.product_id == product).values(**unit))
    fill(shop, ("A-1", 10))
    with shop.request():
        assert given(pages.cart_page()) == expected


@pytest.mark.parametrize("status", ["blocked", "discontinued"])
def test_nothing_is_given_that_may_not_be_ordered(shop, gift, answer, status):
    gift("G-1")
    fill(shop, ("A-1", 10))
    with shop.request():
        assert len(pages.cart_page().free) == 1
    with shop.app.app_context(), acting(system("status")), write() as session:
        session.execute(update(Product).where(Product.sku == "G-1").values(status=status))
    with shop.request():
        assert pages.cart_page().free == ()


def test_an_addon_that_refuses_the_article_is_heard(shop, gift, answer):
    gift("G-1")
    answer("quantity_rules", lambda lines: [QuantityRule(x.key, refused="no") for x in lines if x.quantity == 1], "lines")
    fill(shop, ("A-1", 10))
    with shop.request():
        assert pages.cart_page().free == ()


def test_an_article_that_is_gone_is_given_no_more(shop, answer):
    answer("order_free_goods", lambda request: [FreeGoods("X", "x", 10**9, D(1))], "request")
    fill(shop, ("A-1", 10))
    with shop.request():
        assert pages.cart_page().free == ()


@pytest.mark.parametrize(
    "values",
    [("", "x", 1, D(1)), ("x" * 41, "x", 1, D(1)), ("x", "x" * 121, 1, D(1)), ("x", "x", 1, D(0)), ("x", "x", 1, D("NaN"))],
)
def test_what_no_line_could_hold_is_refused_where_it_is_made(values):
    with pytest.raises(ValueError, match="Free goods have"):
        FreeGoods(*values)


def test_a_visitor_sees_them_too(shop, gift):
    gift()
    with shop.request(guest(["catalog.product.view", "pricing.price.view", "orders.cart.use"])):
        guest_cart.add([NewItem("A-1", D(10))])
        assert given(pages.cart_page()) == [("A-1", 1, "10 + 1")]


def test_they_are_no_habit_and_cost_the_same_however_many_lines(shop, gift):
    gift()
    for n in range(12):
        factories.make_product(f"X-{n}", price="1")

    def asked(*items):
        fill(shop, *items)
        with shop.request(), count_statements() as counted:
            assert pages.cart_page().free
        return counted.count

    few = asked(("A-1", 10))
    assert asked(*((f"X-{n}", 1) for n in range(12))) <= few
