"""Prices and discounts set by hand: in the cart while acting for a buyer, and on an order before it is confirmed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import system
from core.data.write import write
from core.orders import amending, cart, documents, lifecycle, manual, pages, placing, queries, views_history
from core.orders.digest import content_of, digest
from core.orders.merging import NewItem
from core.settings.services import set_value
from core.spec.errors import Conflict, Forbidden, Invalid
from core.spec.orders import Stage
from core.spec.pricing import ManualTerms

from .conftest import BUYER, placement

TERMS = {"reason": "Trade fair"}


@pytest.fixture
def seller_acts(shop):
    """Sales acting for the buyer, with the permission to set prices, and an order that waits to be confirmed."""
    with shop.request(system("tests")), write():
        set_value("orders", "confirm_automatically", False)
    return replace(
        shop.buyer,
        user_id=shop.staff.user_id,
        name=shop.staff.name,
        on_behalf_of=shop.buyer.user_id,
        permissions=BUYER | {manual.SET},
    )


@pytest.fixture
def desk(shop):
    """Sales at the order desk."""
    return replace(shop.staff, permissions=shop.staff.permissions | {manual.SET})


@pytest.mark.parametrize(
    ("terms", "price", "net"),
    [
        (ManualTerms(price=D("7.5")), D("7.5"), D(75)),
        (ManualTerms(percents=(D(10), D(50))), D("4.5"), D(45)),
        (ManualTerms(percents=(D(10), D(50)), added=True), D(4), D(40)),
        (ManualTerms(amount=D("3.3333")), D("6.6667"), D("66.67")),
        (ManualTerms(price=D(20), percents=(D(10),)), D(18), D(180)),
        (ManualTerms(price=D("0.05"), percents=(D("33.3"),)), D("0.0334"), D("0.33")),
        (ManualTerms(price=D(0)), D(0), D(0)),
        (ManualTerms(amount=D(2), percents=(D(20),)), D(8), D(80)),
    ],
)
def test_terms_in_the_cart_are_what_is_charged_and_repricing_keeps_them(shop, seller_acts, terms, price, net):
    with shop.request(seller_acts):
        cart.add([NewItem("A-1", D(10)), NewItem("B-2", D(10))])
        manual.set_in_cart(1, replace(terms, reason="Trade fair"))
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        row = page.rows[0]
        assert (row.price, row.net, row.changed) == (price, net, False)
        assert "agreed with our sales" in str(row.reason)
        assert page.rows[1].price == D("2.5")
        number = placing.place(placement(page)).order.number
    with shop.request():
        order = queries.find(number)
        line = queries.lines_of(order.id)[0]
        assert (line.unit_price, line.net, line.price_source) == (price, net, "manual")
        found = manual.agreed(line, "EUR")
        assert (found.before, found.by, found.reason) == (D(10), shop.staff.name, "Trade fair")
        told = pages.timeline(order, internal=False)
        assert any("set by hand" in event.text and not event.note for event in told)
        assert any(event.note == "Trade fair" for event in pages.timeline(order, internal=True))


def test_terms_do_not_hold_for_less_and_hold_for_more(shop, seller_acts):
    with shop.request(seller_acts):
        cart.add([NewItem("A-1", D(10))])
        manual.set_in_cart(1, ManualTerms(price=D(8), **TERMS))
    with shop.request():
        cart.change({1: D(9)})
        assert pages.cart_page().rows[0].price == D(10)
        cart.change({1: D(11)})
        assert pages.cart_page().rows[0].price == D(8)


def test_a_price_for_what_has_none(shop, seller_acts):
    with shop.request(seller_acts):
        cart.add([NewItem("C-3", D(1))])
        with pytest.raises(Invalid, match="no price to take a discount off"):
            manual.set_in_cart(1, ManualTerms(percents=(D(5),), **TERMS))
        manual.set_in_cart(1, ManualTerms(price=D("99.99"), **TERMS))
        assert pages.cart_page(Stage.SUBMIT).rows[0].price == D("99.99")
        manual.set_in_cart(1, None)
        assert pages.cart_page().rows[0].price is None


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (ManualTerms(**TERMS), "Write a price or a discount"),
        (ManualTerms(price=D(-1), **TERMS), "zero or more"),
        (ManualTerms(price=D("NaN"), **TERMS), "zero or more"),
        (ManualTerms(price=D("1E+12"), **TERMS), "zero or more"),
        (ManualTerms(amount=D(11), **TERMS), "larger than the price"),
        (ManualTerms(amount=D(2), percents=(D(5),), **TERMS), "not the same"),
        (ManualTerms(percents=(D(101),), **TERMS), "between 0 and 100"),
        (ManualTerms(percents=(D(60), D(50)), added=True, **TERMS), "more than 100"),
        (ManualTerms(percents=(D(1),) * 6, **TERMS), "at most 5"),
        (ManualTerms(price=D(1), reason=" "), "Say why"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop, seller_acts, terms, says):
    with shop.request(seller_acts):
        cart.add([NewItem("A-1", D(10))])
        with pytest.raises(Invalid, match=says):
            manual.set_in_cart(1, terms)
        assert pages.cart_page().rows[0].price == D(10)


def test_only_staff_with_the_permission_set_prices(shop, seller_acts, desk):
    number = shop.place(("A-1", 10))
    with shop.request():
        cart.add([NewItem("A-1", D(10))])
    for actor in (shop.buyer, replace(seller_acts, permissions=BUYER), replace(seller_acts, on_behalf_of=None)):
        with shop.request(actor), pytest.raises(Forbidden):
            manual.set_in_cart(1, ManualTerms(price=D(1), **TERMS))
    with shop.request(shop.staff), pytest.raises(Forbidden):
        manual.set_on_order(number, 1, ManualTerms(price=D(1), **TERMS))
    with shop.request(desk):
        manual.set_on_order(number, 1, ManualTerms(price=D(1), **TERMS))


def test_on_an_order_the_price_falls_and_all_sums_follow(shop, seller_acts, desk):
    with shop.request(system("tests")), write():
        set_value("orders", "freight", D("9.90"))
        set_value("orders", "freight_free_from", D(100))
    number = shop.place(("A-1", 10), ("B-2", 20))
    with shop.request(desk):
        seen = queries.find(number)
        version, before = seen.version, seen.digest
        manual.set_on_order(number, 1, ManualTerms(percents=(D(60),), **TERMS), version=version)
    with shop.request(desk):
        order = queries.find(number)
        lines = queries.lines_of(order.id)
        assert [(x.unit_price, x.net) for x in lines] == [(D(4), D(40)), (D("2.5"), D(50))]
        assert (order.net, order.charges_net, order.gross) == (D(90), D("9.9"), D("125.37"))  # VAT 25.5 %
        assert order.digest == digest(content_of(order, lines)) != before
        with pytest.raises(Conflict, match="changed the order"):
            manual.set_on_order(number, 1, None, version=version)
        assert any("set by hand" in e.text and e.note == "Trade fair" for e in pages.timeline(order, internal=True))
        assert "60 % off" in documents.content(order, lines, documents.seller())["lines"][0]["extra"].replace("\u00a0", " ")
        head, rows = views_history.export_table(order)
        row = dict(zip([str(column.label) for column in head], rows[0], strict=True))
        assert (row["Price before"], row["Price"]) == (D(10), D(4))
    with shop.request(desk):  # the discount counts from the price that was ordered, not from the last one
        manual.set_on_order(number, 1, ManualTerms(percents=(D(10),), **TERMS))
        assert queries.lines_of(queries.find(number).id)[0].unit_price == D(9)
        with pytest.raises(Invalid, match="can only be lowered"):
            manual.set_on_order(number, 1, ManualTerms(price=D(11), **TERMS))
        manual.set_on_order(number, 1, None)
        line = queries.lines_of(queries.find(number).id)[0]
        assert (line.unit_price, line.price_source, line.manual) == (D(10), "list", None)
        assert line.price_reason == "List price"


def test_a_lower_price_never_makes_the_order_dearer(shop, seller_acts, desk):
    with shop.request(system("tests")), write():
        set_value("orders", "freight", D("9.90"))
        set_value("orders", "freight_free_from", D(100))
    number = shop.place(("A-1", 10))
    with shop.request(desk), pytest.raises(Invalid, match=r"would cost 136\.67.€ instead of 125\.50.€"):
        manual.set_on_order(number, 1, ManualTerms(percents=(D(1),), **TERMS))
    with shop.request(desk):
        order = queries.find(number)
        assert (order.gross, queries.lines_of(order.id)[0].unit_price) == (D("125.5"), D(10))
        manual.set_on_order(number, 1, ManualTerms(percents=(D(20),), **TERMS))  # 80.00 and freight
        manual.set_on_order(number, 1, ManualTerms(percents=(D(1),), **TERMS))  # less is taken off than before
        manual.set_on_order(number, 1, None)
        assert queries.find(number).gross == D("125.5")


def test_an_amended_line_keeps_its_terms_for_its_quantity_and_more(shop, seller_acts, desk):
    number = shop.place(("A-1", 10))
    with shop.request(desk):
        manual.set_on_order(number, 1, ManualTerms(percents=(D(10),), **TERMS))
    with shop.request():
        assert amending.amend(number, {1: D(20)}).net == D(180)


def test_what_is_held_or_confirmed_stays_as_it_is(shop, seller_acts, desk):
    number = shop.place(("A-1", 10))
    with shop.request(desk):
        with write():
            from core.orders.holds import add_hold
            from core.spec.orders import HoldRequest

            hold = add_hold(queries.lock(number), "tests", "approval", HoldRequest("Waits for Anna"), "orders.desk.view")
        with pytest.raises(Conflict, match="Waits for Anna"):
            manual.set_on_order(number, 1, ManualTerms(price=D(9), **TERMS))
        lifecycle.release(number, hold.id, "agreed")
        lifecycle.confirm(number)
        with pytest.raises(Conflict, match="settled"):
            manual.set_on_order(number, 1, ManualTerms(price=D(9), **TERMS))


def test_the_history_of_a_cart_line_names_who_and_why(shop, seller_acts):
    with shop.request(seller_acts):
        cart.add([NewItem("A-1", D(10))])
        manual.set_in_cart(1, ManualTerms(price=D(8), **TERMS))
        row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "priced")).one()
        assert (row.actor, row.reason, row.before, row.after["price"]) == (
            shop.staff.name, "Trade fair", {"price": "10"}, "8",
        )  # fmt: skip
