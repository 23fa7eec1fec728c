"""Articles free of charge: how many of what, for whom, on the pages and orders, within the limits of a voucher."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from addons.promotions import imports, offers, services, vouchers
from addons.promotions.engine import FREE_GOODS, Item, Rule, Selector, earned, gifts, missing, savings
from addons.promotions.models import Promotion
from core.catalog.models import Product
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.orders import cart, lifecycle, pages, queries
from core.orders.merging import NewItem
from core.orders.rules import CheckoutRefused
from core.settings.services import set_value
from core.spec.errors import Conflict, Invalid
from core.spec.imports import ImportRow
from core.spec.orders import FREE, ChargeLine, Stage
from core.spec.ui import PageContext
from core.testing import factories
from core.testing.statements import count_statements
from core.testing.sweeping import break_rows, swept

from .conftest import buyer_of, promotion


def item(n, quantity, net="10", **more):
    return Item(str(n), more.pop("product", n), D(quantity), D(net), **more)


def rule(free="1", every="10", **more):
    values = {"free_quantity": D(free), "for_every": None if every is None else D(every), **more}
    return Rule(values.pop("code", "P"), "P", FREE_GOODS, **values)


def got(rules, *items):
    return {gift.product_id: gift.quantity for gift in gifts(rules, items)}


@pytest.mark.parametrize(
    ("one", "units", "free"),
    [
        (rule(), "9.999", 0),
        (rule(), "10", 1),
        (rule(), "29", 2),
        (rule("3", "25"), "74", 6),  # whole times: 3 for every 25 is not 1 for every 8.33
        (rule("1", "2", min_quantity=D(3)), "2", 0),
        (rule("1", "2", min_quantity=D(3)), "5", 2),
        (rule(max_units=D(2)), "1000", 2),
        (rule("2", None, min_quantity=D(6)), "600", 2),  # once
        (rule("2", None), "1", 2),
        (rule("0.5", "1.5"), "3.2", 1),
    ],
)
def test_how_many_are_free(one, units, free):
    assert earned(one, D(units)) == free
    assert got([one], item(7, units)) == ({7: free} if free else {})


def test_an_article_comes_with_itself_or_another_with_all_that_count():
    lines = [item(1, 6), item(2, 6, product=1), item(3, 19), item(4, 100, path="/2/")]
    assert got([rule(counted=Selector(path="/2/"))], *lines) == {4: 10}
    assert got([rule()], *lines) == {1: 1, 3: 1, 4: 10}
    assert got([rule(reduced=Selector(99))], *lines[:3]) == {99: 3}  # 31 pieces together
    assert got([rule(counted=Selector(1), reduced=Selector(3))], *lines) == {3: 1}


def test_of_several_for_the_same_article_the_most_counts():
    ten, more, other = rule(code="A"), rule("3", "25", code="B"), rule("2", "20", code="C", reduced=Selector(9))
    assert got([other, more, ten], item(1, 20)) == {1: 2, 9: 2}
    assert got([other, more, ten], item(1, 25)) == {1: 3, 9: 2}
    assert [gift.rule.code for gift in gifts([rule(code="Z"), rule(code="Y")], [item(1, 10)])] == ["Y"]


def test_what_costs_nothing_or_was_agreed_does_not_count():
    assert got([rule()], item(1, 10, "0")) == {}
    assert got([rule()], item(1, 10, agreed=True)) == {}
    assert got([rule(on_agreed=True)], item(1, 10, agreed=True)) == {1: 1}
    assert got([rule()], Item("1", None, D(10), D(10))) == {}
    assert got([rule(min_value=D(50))], item(1, 10, "49.99")) == {}
    assert got([rule(min_value=D(50))], item(1, 10, "50")) == {1: 1}
    assert got([rule()], item(1, 1, base=D(12))) == {1: 1}  # a box of twelve


def test_free_goods_take_nothing_off_and_compete_with_no_discount():
    ten = Rule("T", "T", "percent", D(10))
    assert [one.total for one in savings([rule(), ten], [item(1, 10, "100")], D(0), "EUR")] == [D(10)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"for_every": D(3)}, D("5.00")),  # 7 pieces: two of the cheapest
        ({"for_every": D(3), "free_quantity": D(2)}, D("11.00")),
        ({"for_every": D(3), "max_units": D(1)}, D("2.50")),
        ({"free_quantity": D(2)}, D("5.00")),
        ({"for_every": D(8)}, None),
        ({"for_every": D(3), "counted": Selector(2)}, D("2.50")),
        ({}, D("2.50")),
    ],
)
def test_the_cheapest_are_free_for_every_so_many(more, expected):
    lines = [item(1, 3, "7.50"), item(2, 4, "14")]
    found = savings([Rule("P", "P", "cheapest_free", **more)], lines, D(0), "EUR")
    assert ([one.total for one in found] or [None]) == [expected]


def test_what_is_missing_for_the_first():
    named, valued = rule(counted=Selector(1)), rule(min_value=D(50))
    assert missing(named, [item(1, 7), item(2, 50)]) == (0, 3)
    assert missing(named, [item(1, 10)]) is None
    assert missing(valued, [item(1, 10, "20")]) == (30, 0)


@given(
    st.lists(st.tuples(st.integers(1, 3), st.decimals("0.001", "9999", places=3)), min_size=1, max_size=6),
    st.integers(1, 30), st.integers(1, 9), st.one_of(st.none(), st.integers(1, 20)),
)  # fmt: skip
def test_more_ordered_is_never_less_free(rows, every, free, most):
    one = rule(str(free), str(every), max_units=None if most is None else D(most))
    lines = [item(n, quantity, product=product) for n, (product, quantity) in enumerate(rows)]
    less, more = got([one], *lines[:-1]), got([one], *lines)
    assert all(more.get(product, 0) >= quantity for product, quantity in less.items())
    assert all(quantity % 1 == 0 and quantity <= (most or 10**9) for quantity in more.values())


def make(code="TEN", every="10", free="1", **values):
    return promotion(code, FREE_GOODS, "0", for_every=D(every), free_quantity=D(free), **values)


def ids(shop):
    with shop.app.app_context(), acting(system("tests")):
        return dict(db.session.query(Product.sku, Product.id).all())


def shown(page):
    return [(row.sku, row.quantity, str(row.reason)) for row in page.free]


def test_on_the_cart_and_the_order(shop):
    make(reduced_product_id=ids(shop)["B-2"], name="Ten and one")
    promotion("OFF", "percent", "10")
    shop.fill(("A-1", "12"), ("FOOD", "9"))
    with shop.request():
        page = pages.cart_page()
        assert (shown(page), page.priced.totals.charges) == ([("B-2", 2, "Ten and one")], D(-21))
    number = shop.place()
    with shop.request():
        lines = queries.lines_of(queries.find(number).id)
        assert [(x.sku, x.quantity, x.net, x.free) for x in lines] == [
            ("A-1", 12, 120, False), ("FOOD", 9, 90, False), ("B-2", 2, 0, True)
        ]  # fmt: skip
        assert lines[2].price_source == f"{FREE}promotions:TEN"
    assert swept(shop.app) == {}


def test_categories_and_boxes_count(shop):
    factories.make_product("BOX", price="4", units=[factories.Unit("pcs"), factories.Unit("box", 12)])
    with shop.app.app_context(), acting(system("tests")), write() as session:
        nails = factories.make_category("nails").id
        session.execute(update(Product).where(Product.sku == "BOX").values(category_id=nails))
    make(counted_category_id=nails)
    with shop.request():
        cart.add([NewItem("BOX", D(1), "box"), NewItem("A-1", D(50))])
    with shop.request():
        assert shown(pages.cart_page()) == [("BOX", 1, "Promotion TEN")]


def test_the_product_page_says_what_the_cart_gives(shop):
    known = ids(shop)

    def said(sku, actor=None):
        with shop.request(actor):
            found = offers.of_product(PageContext("storefront.product", known[sku], sku))
            return [offer.text for offer in found["offers"]] if found else []

    assert said("A-1") == []
    make(counted_product_id=known["A-1"])
    make("WITH", "5", "2", reduced_product_id=known["B-2"], counted_product_id=known["A-1"], min_value=D(90))
    make("SECRET", voucher="SECRET")
    promotion("ONCE", FREE_GOODS, "0", counted_product_id=known["FOOD"], min_quantity=D(6))
    assert [text.replace("\xa0", " ") for text in said("A-1")] == [
        "10 + 1 pcs free of charge",
        "2 pcs Product B-2 free of charge for every 5, from a value of 90.00 €",
    ]
    assert [text.replace("\xa0", " ") for text in said("FOOD")] == ["1 pcs free of charge from 6 pcs"]
    assert said("B-2") == []
    make("FROM", "2", counted_product_id=known["B-2"], min_quantity=D(3), min_value=D(5))  # two alone give nothing
    make("NONE", "5", counted_product_id=known["B-2"], min_quantity=D(5))  # says nothing that 5 + 1 does not say
    assert [text.replace("\xa0", " ") for text in said("B-2")] == [
        "2 + 1 pcs free of charge, from 3 pcs, from a value of 5.00 €",
        "5 + 1 pcs free of charge",
    ]
    assert said("A-1", replace(shop.buyer, permissions=shop.buyer.permissions - {"pricing.price.view"})) == []


def test_the_cart_says_what_is_missing(shop):
    make(counted_product_id=ids(shop)["A-1"])
    shop.fill(("B-2", "10"))

    def nudges():
        with shop.request():
            panel = vouchers.cart_panel(PageContext("storefront.cart", cart.current_cart().id, ""))
            return [(nudge.name, nudge.quantity) for nudge in panel["nudges"]]

    assert nudges() == []
    shop.fill(("A-1", "7"))
    assert nudges() == [("Promotion TEN", 3)]
    shop.fill(("A-1", "3"))
    assert nudges() == []


def test_prices_that_were_agreed_earn_nothing_unless_it_says_so(shop):
    product = ids(shop)["A-1"]
    line = ChargeLine(product, "pcs", D(10), D(10), D(100), "1", "contract:C")
    make()
    with shop.request():
        rules = services.holding(shop.company.id, "EUR")
        assert gifts(rules, services.items_of([line], rules)) == []


def test_a_voucher_for_free_goods_is_used_up(shop):
    make("GIFT", voucher="GIFT", uses=2, uses_per_company=1)
    shop.fill(("A-1", "10"))
    with shop.request():
        assert pages.cart_page().free == ()
        vouchers.enter("gift")
        page = pages.cart_page()
        assert shown(page) == [("A-1", 1, "Promotion GIFT")]
        assert vouchers.cart_panel(PageContext("storefront.cart", page.order.id, ""))["applies"]
    number = shop.place()
    shop.fill(("A-1", "10"))
    with shop.request(), pytest.raises(Invalid, match="used up"):
        vouchers.enter("GIFT")
    assert swept(shop.app) == {}
    break_rows(shop.app, "UPDATE promotions_promotion SET uses = 0")
    assert swept(shop.app) == {"PROMOTION-OVERUSED": ["GIFT"]}
    break_rows(shop.app, "UPDATE promotions_promotion SET uses = 2")
    with shop.request(replace(shop.buyer, permissions=shop.buyer.permissions | {"orders.order.cancel_confirmed"})):
        lifecycle.cancel(number, "ordered twice")
    with shop.request():
        assert vouchers.enter("GIFT")
        assert len(pages.cart_page().free) == 1


def test_the_last_free_goods_are_granted_once(shop):
    make("LAST", voucher="LAST", uses=1)
    other = factories.make_company("other")
    bert = replace(shop, company=other, buyer=buyer_of(other, "bert@other.example"))
    for one in (shop, bert):
        one.fill(("A-1", "10"))
        with one.request():
            vouchers.enter("LAST")
    with bert.request():
        view = cart.view()
        draft = pages.draft_of(view.order, view.lines, view.priced)
    shop.place()
    with bert.request():
        assert [f.code for f in services.last_use_granted_once(draft)] == ["VOUCHER-USED-UP"]
        assert not pages.cart_page(Stage.SUBMIT).stopped  # they are gone from the cart, which may be ordered without
    with bert.request():
        assert queries.lines_of(cart.current_cart().id)
    assert bert.place()


def test_free_goods_that_ended_meanwhile_are_not_lost_in_silence(shop):
    made = make()
    shop.fill(("A-1", "10"))
    with shop.request():
        sent = pages.cart_page(Stage.SUBMIT)
    with shop.app.app_context(), acting(system("tests")), write() as session:
        session.get(Promotion, made.id).status = "ended"
    from core.orders import placing

    asked = placing.Placement(sent.priced.totals.gross, sent.order.client_reference, seen=pages.read_seen(sent.seen))
    with shop.request(), pytest.raises(Conflict, match="has changed since you looked"):
        placing.place(asked)


def test_limits_and_minimums_look_at_what_is_paid(shop):
    make(reduced_product_id=ids(shop)["FOOD"], every="1", free="100")
    with shop.app.app_context(), acting(system("tests")), write():
        set_value("orders", "minimum_order_value", D(20))
    shop.fill(("A-1", "1"))
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        assert (shown(page), page.stopped) == ([("FOOD", 100, "Promotion TEN")], True)
    with pytest.raises(CheckoutRefused, match="at least"):
        shop.place()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"value": D(1)}, "leave the value empty"),
        ({"with_charges": True}, "takes charges too"),
        ({"for_every": D(0)}, "above 0"),
        ({"for_every": D(-1)}, "above 0"),
        ({"free_quantity": D(0)}, "above 0"),
        ({"free_quantity": D("1e9")}, "at most"),
        ({"reduced_category_id": 1}, "Name the article"),
        ({"kind": "percent", "value": D(5)}, "Only free units"),
        ({"uses": 3}, "Only a voucher"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop, values, says):
    given_values = {"kind": FREE_GOODS, "value": D(0), "for_every": D(10), "free_quantity": D(1), **values}
    with shop.request(system("tests")), pytest.raises(Invalid, match=says):
        promotion(**{"code": "NEW", **{k: str(v) if k == "value" else v for k, v in given_values.items()}})


def test_in_and_out(shop):
    row = {
        "code": "TEN", "name": "10 + 1", "kind": FREE_GOODS, "for_every": D(10), "free_quantity": D(1), "max_units": D(5),
        "counted_sku": "A-1", "reduced_sku": "B-2", "status": "active",
    }  # fmt: skip
    with shop.request(system("tests")), write():
        assert imports.load([ImportRow(2, row)])[0].outcome == "created"
        assert imports.load([ImportRow(2, row)])[0].outcome == "unchanged"
        kept = next(iter(imports.export()))
        assert {name: kept[name] for name in row} == row
        refused = imports.load([ImportRow(2, {"code": "TEN", "reduced_category": "none"})])[0]
        assert refused.outcome == "error"


def test_statements_do_not_grow(shop):
    for n in range(20):
        factories.make_product(f"X-{n}", price="1")

    def asked(*items):
        shop.fill(*items)
        with shop.request(), count_statements() as counted:
            assert pages.cart_page().free
        return counted.count

    make("T-0")
    few = asked(("X-0", "10"))
    for n in range(1, 9):
        make(f"T-{n}", free=str(n))
    assert asked(*((f"X-{n}", "10") for n in range(20))) <= few
