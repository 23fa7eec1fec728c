"""Placing: once, whole or not at all, at the prices shown, with every finding together."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from core.companies.models import Company
from core.companies.services import seller
from core.data import clock
from core.data.audit import AuditEntry
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.orders import cart, pages, placing, queries, rules
from core.orders.digest import content_of, digest
from core.orders.merging import NewItem
from core.orders.models import Order
from core.orders.placing import PriceChanged
from core.orders.rules import CheckoutRefused, OrderingPaused
from core.pricing.models import ListPrice
from core.registry.registry import EXTENSION, Degraded
from core.registry.state import raise_generation
from core.settings.services import set_value
from core.spec.errors import Conflict, Invalid
from core.spec.orders import Stage
from core.testing import factories

from .conftest import buyer_of, placement


def fill(shop, *items):
    with shop.request():
        cart.add([NewItem(sku, Decimal(str(quantity))) for sku, quantity in items or (("A-1", 2),)])
    with shop.request():
        return placement(pages.cart_page(Stage.SUBMIT))


def test_an_order_is_numbered_frozen_confirmed_and_told(shop):
    number = shop.place(("A-1", 2), ("B-2", 10), po_number="PO-1", note="gate 4")
    with shop.request():
        order = queries.find(number)
        lines = queries.lines_of(order.id)
        assert (order.number, order.state) == ("10001", "confirmed")
        assert (order.net, order.tax, order.gross) == (45, Decimal("11.48"), Decimal("56.48"))
        assert [(x.position, x.sku, x.unit_price, x.net) for x in lines] == [
            (1, "A-1", 10, 20),
            (2, "B-2", Decimal("2.5"), 25),
        ]
        assert (order.user_name, order.placed_by_name, order.po_number) == ("anna", "", "PO-1")
        assert order.ship_to["city"] == order.bill_to["city"] == "Tampere"
        assert order.digest == digest(content_of(order, lines))
        assert all(len(x.trace_digest) == 64 for x in lines)
        assert [x.price_reason for x in lines] == ["List price"] * 2
        assert order.price_hold_until > order.submitted_at
        assert ["orders", "submit:prices"] in order.required_checks
        actions = db.session.scalars(
            select(AuditEntry.action).where(AuditEntry.entity == "order").order_by(AuditEntry.id)
        ).all()
        assert actions == ["submitted", "confirmed"]
        assert cart.view() is None
        jobs = db.session.scalars(select(Job.name).order_by(Job.id)).all()
        assert jobs == ["order.submitted/orders.new_order", "order.confirmed/orders.confirmation_mail"]


def test_a_second_click_and_a_second_tab_show_the_same_order(shop):
    sent = fill(shop)
    with shop.request():
        first = placing.place(sent)
    with shop.request():
        second = placing.place(replace(sent, expected_total=Decimal(1)))  # another tab, shown long ago
        assert (first.new, second.new) == (True, False)
        assert db.session.scalar(select(func.count(Order.id))) == 1
    assert fill(shop).cart_key != sent.cart_key


def test_a_program_s_reference_places_once(shop):
    sent = replace(fill(shop), cart_key="", client_reference="erp-77", seen={})
    with shop.request():
        number = placing.place(sent).order.number
    with shop.request():
        again = placing.place(sent)
        assert (again.order.number, again.new) == (number, False)


def test_sixteen_requests_at_once_place_one_order(shop):
    sent = fill(shop)
    barrier, results = threading.Barrier(16), []

    def run() -> None:
        with shop.request():
            barrier.wait()
            try:
                placed = placing.place(sent)
                results.append((placed.order.number, placed.new))
            except Exception as error:
                results.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number for number, _new in results} == {"10001"}
    assert sum(new for _number, new in results) == 1


def test_a_price_that_changed_is_refused_with_a_diff_and_the_cart_kept(shop):
    sent = fill(shop, ("A-1", 2), ("B-2", 10))
    with acting(system("tests")), write():
        db.session.execute(update(ListPrice).where(ListPrice.price == 10).values(price=Decimal("11")))
    with shop.request():
        with pytest.raises(PriceChanged) as refused:
            placing.place(sent)
        assert refused.value.status == 409
        assert [(d.sku, d.before, d.after) for d in refused.value.lines] == [("A-1", 10, 11)]
        assert (refused.value.expected, refused.value.total) == (Decimal("56.48"), Decimal("58.99"))
    with shop.request():
        view = cart.view()
        assert (view.order.state, view.order.number, len(view.lines)) == ("cart", None, 2)
        assert placing.place(placement(pages.cart_page(Stage.SUBMIT))).new


def test_prices_that_moved_against_each_other_are_told_though_the_total_is_the_same(shop):
    factories.make_product("D-4", price="20.00")
    sent = fill(shop, ("A-1", 2), ("D-4", 1))
    with acting(system("tests")), write():
        db.session.execute(update(ListPrice).where(ListPrice.price == 10).values(price=Decimal("12")))
        db.session.execute(update(ListPrice).where(ListPrice.price == 20).values(price=Decimal("16")))
    with shop.request(), pytest.raises(PriceChanged) as refused:
        placing.place(sent)
    assert len(refused.value.lines) == 2


def test_everything_that_stops_the_order_is_said_at_once(shop):
    with acting(system("tests")):
        set_value("orders", "po_number_required", True)
        set_value("orders", "minimum_order_value", Decimal(100))
        blocked = factories.make_product("D-4", price="1")
    fill(shop, ("A-1", 1), ("C-3", 1), ("D-4", 1))
    with acting(system("tests")), write() as session:
        session.get(Company, shop.company.id).status = "blocked"
        session.merge(blocked).status = "blocked"
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        with pytest.raises(CheckoutRefused) as refused:
            placing.place(placement(page))
        codes = {f.code for f in refused.value.findings}
        assert codes == {"COMPANY-BLOCKED", "NO-PRICE", "PRODUCT-NOT-SOLD", "MINIMUM-VALUE", "PO-NUMBER-MISSING"}
        assert [f.lines for f in refused.value.findings if f.code == "NO-PRICE"] == [("2",)]
        assert cart.current_cart() is not None


def test_goods_cannot_be_wished_for_a_day_that_has_passed(shop):
    sent = fill(shop)
    with shop.request():
        today = clock.today(seller().zone)
    with shop.request(), pytest.raises(CheckoutRefused) as refused:
        placing.place(replace(sent, wished_date=today - timedelta(days=1)))
    assert [f.code for f in refused.value.findings] == ["WISHED-DATE-PAST"]
    with shop.request():
        assert placing.place(replace(sent, wished_date=today)).order.wished_date == today


def test_an_order_needs_addresses(shop):
    lonely = factories.make_company("lonely", address=False)
    actor = buyer_of(lonely, factories.make_user("l@lonely.example", company=lonely))
    with shop.request(actor):
        cart.add([NewItem("A-1", Decimal(1))])
        with pytest.raises(CheckoutRefused) as refused:
            placing.place(placement(pages.cart_page()))
        assert {f.code for f in refused.value.findings} == {"SHIP-TO-MISSING", "BILL-TO-MISSING"}


def test_an_address_of_another_company_is_refused(shop):
    other = factories.make_company("other")
    factories.make_address(other, "secret")
    sent = fill(shop)
    with shop.request(), pytest.raises(Invalid) as refused:
        placing.place(replace(sent, ship_to="secret"))
    assert refused.value.code == "ADDRESS-UNKNOWN"


def test_the_cart_of_another_company_cannot_be_placed(shop):
    sent = fill(shop)
    other = factories.make_company("other")
    eve = buyer_of(other, factories.make_user("eve@other.example", company=other))
    with shop.request(eve):
        cart.add([NewItem("A-1", Decimal(2))])
        with pytest.raises(Conflict) as refused:
            placing.place(sent)
        assert refused.value.code == "CART-CHANGED"


def test_an_empty_cart_is_not_an_order(shop):
    sent = fill(shop)
    with shop.request():
        cart.clear()
        with pytest.raises(CheckoutRefused) as refused:
            placing.place(replace(sent, expected_total=Decimal(0), seen={}))
        assert [f.code for f in refused.value.findings] == ["CART-EMPTY"]


def test_a_shop_that_was_changed_meanwhile_asks_to_look_again(shop):
    sent = fill(shop)
    with acting(system("tests")), write():
        raise_generation("an addon was enabled")
    with shop.request(), pytest.raises(Conflict) as refused:
        placing.place(sent)
    assert refused.value.code == "SHOP-CHANGED"


def test_a_change_of_the_shop_waits_for_the_order_that_is_being_placed(shop, monkeypatch):
    """Else an addon could be switched on between the look at the generation and the order's commit, which misses it."""
    sent, done, before = fill(shop), threading.Event(), []

    def switch():
        with shop.app.app_context(), acting(system("tests")), write():
            raise_generation("an addon was enabled")
        done.set()

    def ask(stage, draft, ask=rules.findings):
        if stage is Stage.SUBMIT:
            other.start()
            before.append(done.wait(1))
        return ask(stage, draft)

    other = threading.Thread(target=switch)
    monkeypatch.setattr(rules, "findings", ask)
    with shop.request():
        order = placing.place(sent).order
        before.append(order.generation)
    other.join(10)
    assert (before, done.is_set()) == ([False, 0], True)


def test_ordering_pauses_while_a_critical_addon_is_out(shop, monkeypatch):
    sent = fill(shop)
    broken = replace(shop.app.extensions[EXTENSION], degraded=(Degraded("pricing_contract", "it does not import"),))
    monkeypatch.setitem(shop.app.extensions, EXTENSION, broken)
    with shop.request():
        with pytest.raises(OrderingPaused):
            placing.place(sent)
        assert cart.current_cart() is not None


def test_both_names_stand_on_what_staff_order_for_a_buyer(shop):
    rep = buyer_of(shop.company, factories.make_staff("rep@tukku.example", ["sales"]), behalf=shop.buyer.user_id)
    with shop.request(rep):
        cart.add([NewItem("A-1", Decimal(1))])
        order = placing.place(placement(pages.cart_page())).order
        assert (order.user_name, order.placed_by_name, order.user_id) == ("anna", "rep", shop.buyer.user_id)


def test_nothing_is_confirmed_by_itself_where_the_merchant_wants_to(shop):
    with acting(system("tests")):
        set_value("orders", "confirm_automatically", False)
    number = shop.place(("A-1", 1))
    with shop.request():
        assert queries.find(number).state == "submitted"


def test_statements_of_placing_do_not_depend_on_the_number_of_lines(shop, count_statements):
    skus = [factories.make_product(f"P-{n}", price="1").sku for n in range(100)]
    counts = []
    for items in ([("A-1", 1)], [(sku, 1) for sku in skus]):
        sent = fill(shop, *items)
        with shop.request(), count_statements() as seen:
            placing.place(sent)
        counts.append(seen)
    assert counts[0].count >= counts[1].count - 1, counts[1]
