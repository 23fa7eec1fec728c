"""The cart: merging, rounding, prices of the moment, whose it is."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from core.data.db import db
from core.data.write import write
from core.orders import cart, pages
from core.orders.merging import NewItem
from core.orders.models import Order, OrderLine
from core.pricing.models import ListPrice
from core.spec.errors import Invalid
from core.testing import factories

from .conftest import buyer_of


def item(sku: str, quantity: object = 1, **values: object) -> NewItem:
    return NewItem(sku, Decimal(str(quantity)), **values)


def lines(view: cart.CartView) -> list[tuple[str, Decimal, Decimal | None]]:
    return [(line.sku, line.quantity, line.net) for line in view.lines]


def test_every_item_gets_an_outcome_and_the_cart_its_totals(shop):
    with shop.request():
        outcomes = cart.add([item("A-1", 2), item("B-2", 3), item("C-3"), item("nope")])
        assert [o.outcome for o in outcomes] == ["added", "rounded", "added", "unknown"]
        assert "nope" in outcomes[3].message
        assert "10" in outcomes[1].message
        view = cart.view()
        assert lines(view) == [("A-1", 2, 20), ("B-2", 10, 25), ("C-3", 1, None)]
        assert (view.order.net, view.order.gross) == (45, Decimal("56.48"))
        assert cart.badge() == (3, 45, "EUR")


def test_the_same_article_is_one_line(shop):
    with shop.request():
        outcomes = cart.add([item("A-1", 2), item("A-1", 3, unit="PCS")])
        assert [o.outcome for o in outcomes] == ["added", "merged"]
        assert [o.outcome for o in cart.add([item("A-1", 1)])] == ["merged"]
        assert lines(cart.view()) == [("A-1", 6, 60)]


def test_looking_at_a_cart_makes_none(shop):
    with shop.request():
        assert cart.view() is None
        assert cart.badge() == (0, 0, "")
        assert db.session.scalar(select(Order.id)) is None


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity", "1E12", "1E308", "1E-9"])
def test_quantities_that_are_none_stay_out(shop, quantity):
    with shop.request():
        (outcome,) = cart.add([item("A-1", quantity)])
        view = cart.view()
        if quantity == "1E-9":  # below one piece: rounded up to one, with a word about it
            assert outcome.outcome == "rounded"
        else:
            assert outcome.outcome == "bad_quantity"
            assert lines(view) == []


def test_a_fraction_of_a_whole_unit_is_rounded_up_and_said(shop):
    with shop.request():
        (outcome,) = cart.add([item("A-1", "1.5")])
        assert outcome.outcome == "rounded"
        assert lines(cart.view()) == [("A-1", 2, 20)]


def test_quantities_change_and_lines_go(shop):
    with shop.request():
        cart.add([item("A-1", 2), item("B-2", 20)])
        messages = cart.change({1: Decimal(5), 2: Decimal(25), 99: Decimal(1)}, {1: {"reference": "R-7", "note": "urgent"}})
        view = cart.view()
        assert lines(view) == [("A-1", 5, 50), ("B-2", 30, 75)]
        assert len(messages) == 1
        assert view.lines[0].customer_reference == "R-7"
        cart.remove([1])
        assert lines(cart.view()) == [("B-2", 30, 75)]
        cart.clear()
        assert pages.cart_page() is None


def test_a_change_of_price_is_shown_until_it_was_seen(shop):
    with shop.request():
        cart.add([item("A-1", 2)])
        with write():
            db.session.execute(update(ListPrice).where(ListPrice.price == 10).values(price=Decimal(11)))
    with shop.request():
        page = pages.cart_page()
        assert [(r.before, r.price, r.changed) for r in page.rows] == [(10, 11, True)]
        assert page.priced.totals.net == 22
        cart.refresh()
    with shop.request():
        assert not pages.cart_page().changed


def test_each_person_of_a_company_has_a_cart_of_their_own(shop):
    bella = buyer_of(shop.company, factories.make_user("bella@acme.example", company=shop.company))
    with shop.request():
        cart.add([item("A-1")])
    with shop.request(bella):
        assert cart.view() is None
        cart.add([item("B-2", 10)])
        assert lines(cart.view()) == [("B-2", 10, 25)]
    with shop.request():
        assert lines(cart.view()) == [("A-1", 1, 10)]


def test_staff_who_act_for_a_buyer_fill_the_buyer_s_cart(shop):
    acting_for = buyer_of(shop.company, factories.make_staff("rep@tukku.example", ["sales"]), behalf=shop.buyer.user_id)
    with shop.request(acting_for):
        cart.add([item("A-1", 3)])
    with shop.request():
        assert lines(cart.view()) == [("A-1", 3, 30)]


def test_what_is_not_sold_stays_out(shop):
    factories.make_product("OLD", status="discontinued")
    factories.make_product("STOP", status="blocked")
    with shop.request():
        outcomes = cart.add([item("OLD"), item("STOP"), item("A-1", unit="barrel")])
        assert [o.outcome for o in outcomes] == ["not_allowed", "not_allowed", "bad_unit"]
        assert not cart.view().lines


def test_a_cart_has_a_limit(shop, monkeypatch):
    monkeypatch.setattr(cart, "MAX_LINES", 1)
    with shop.request(), pytest.raises(Invalid) as refused:
        cart.add([item("A-1"), item("B-2", 10)])
    assert refused.value.code == "CART-FULL"


def test_statements_do_not_depend_on_the_number_of_lines(shop, count_statements):
    skus = [factories.make_product(f"P-{n}", price="1").sku for n in range(100)]
    with shop.request():
        cart.add([item("A-1")])
    with shop.request(), count_statements() as one:
        cart.add([item("A-1")])
    with shop.request(), count_statements() as many:
        cart.add([item(sku) for sku in skus])
    with shop.request(), count_statements() as again:
        cart.add([item(sku) for sku in skus])
    assert many.count <= one.count + 1, many
    assert again.count <= one.count + 1, again
    with shop.request():
        pages.cart_page()  # products and settings are kept from here on
    with shop.request(), count_statements() as page:
        pages.cart_page()
    with shop.request():
        cart.remove(range(2, 200))
    with shop.request(), count_statements() as short:
        pages.cart_page()
    assert page.count == short.count, page


def test_lines_of_another_company_cannot_be_reached(shop):
    with shop.request():
        cart.add([item("A-1", 2)])
    other = factories.make_company("other")
    eve = buyer_of(other, factories.make_user("eve@other.example", company=other))
    with shop.request(eve):
        assert cart.view() is None
        cart.add([item("B-2", 10)])
        cart.change({1: Decimal(40)})
        cart.remove([2, 3])
    with shop.request():
        assert lines(cart.view()) == [("A-1", 2, 20)]
        assert db.session.scalars(select(OrderLine.sku)).all() == ["A-1"]


def test_first_articles_added_at_once_share_one_cart(shop):
    barrier, errors = threading.Barrier(8), []

    def run() -> None:
        with shop.request():
            barrier.wait()
            try:
                cart.add([item("A-1", 1)])
            except Exception as error:
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with shop.request():
        assert lines(cart.view()) == [("A-1", 8, 80)]
