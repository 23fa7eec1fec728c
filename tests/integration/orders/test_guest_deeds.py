"""What becomes of orders without an account: the visitor cancels, staff move them to the customer that it really is."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from core.companies.models import Address, Company
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import Scope, acting, guest, system
from core.data.write import write
from core.jobs.models import Job
from core.orders import guest_merging, guest_orders, lifecycle, mails, queries
from core.orders.guest_orders import Contact, GuestOrder
from core.orders.merging import NewItem
from core.orders.models import Hold, Order, OrderCharge, OrderLine
from core.spec.errors import Conflict, Invalid, NotFound
from core.testing import factories
from core.testing.rivals import rival
from core.testing.signin import sign_in

from .test_guest_orders import FORM, Browser, order_it, visitor  # noqa: F401


def placed(shop):
    with shop.request(shop.staff):
        order = db.session.scalars(select(Order).where(Order.guest_key.is_not(None))).one()
        return order.number, db.session.get_one(Company, order.company_id).code


def state(shop, number):
    with shop.request(shop.staff):
        return queries.find(number).state


def test_a_visitor_cancels_after_a_second_look(shop, visitor):  # noqa: F811
    link = order_it(visitor)
    number, _code = placed(shop)
    assert f"{link}/cancel" in visitor.get(link)
    assert "68.90" in visitor.get(f"{link}/cancel")
    assert state(shop, number) == "confirmed"
    assert visitor.post(f"{link}/cancel", reason="found it", version=visitor.hidden("version")) == link
    assert state(shop, number) == "cancelled"
    page = visitor.get(link)
    assert "is cancelled" in page
    assert f"{link}/cancel" not in page
    assert visitor.client.get(f"{link}/cancel").status_code == 303
    with shop.request(shop.staff):
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "cancelled")).one()
        assert (entry.entity_id, entry.actor, entry.actor_id, entry.reason) == (number, "Ville Vieras", None, "found it")


def test_a_mail_says_that_it_is_cancelled(shop, visitor):  # noqa: F811
    link = order_it(visitor)
    visitor.get(f"{link}/cancel")
    visitor.post(f"{link}/cancel", reason="found it")
    with shop.app.app_context(), acting(system("job")):
        mails.send_cancellation({"order_id": db.session.scalar(select(Order.id))})
        (sent,) = [job.payload for job in db.session.scalars(select(Job)) if job.name == "jobs.mail"]
    assert sent["to"] == "ville@vieras.example"
    assert "is cancelled" in sent["subject"]
    assert all(text in sent["text"] for text in (link, "found it", "68.90"))


@pytest.mark.parametrize("who", ["buyer", "staff"])
def test_a_buyer_is_told_where_somebody_else_cancelled(shop, monkeypatch, who):
    with shop.app.app_context(), acting(system("tests")), write():
        from core.settings.services import set_value

        set_value("orders", "confirm_automatically", False)
    number, told = shop.place(("A-1", 1)), []
    monkeypatch.setattr(mails, "notify", lambda kind, people, compose, **_: told.append((kind, people, compose().text)))
    with shop.request(shop.staff if who == "staff" else shop.buyer):
        lifecycle.cancel(number, "sold out")
    with shop.app.app_context(), acting(system("job")):
        mails.send_cancellation({"order_id": db.session.scalar(select(Order.id))})
    assert [(kind, people) for kind, people, _text in told] == (
        [("orders.cancelled", [shop.buyer.user_id])] if who == "staff" else []
    )
    assert all("sold out" in text for _kind, _people, text in told)


def test_a_buyer_is_told_what_came_back_and_why_once_for_each_return(shop, monkeypatch):
    number, told = shop.place(("A-1", 4), ("B-2", 10)), []
    monkeypatch.setattr(mails, "notify", lambda kind, people, compose, **_: told.append((kind, people, compose().text)))
    with shop.request(shop.staff):
        lifecycle.record(number, "shipped", {1: Decimal(4), 2: Decimal(10)})
        for reason, quantities in (("Wrong thread", {1: Decimal(3)}), ("Too many", {1: Decimal(1), 2: Decimal(5)})):
            lifecycle.record(number, "returned", quantities, reason=reason)
    with shop.app.app_context(), acting(system("job")):
        for job in db.session.scalars(select(Job).where(Job.name.endswith("return_mail")).order_by(Job.id)):
            mails.tell_of_return(job.payload)
    assert [(kind, people) for kind, people, _text in told] == [("orders.returned", [shop.buyer.user_id])] * 2
    first, second = (text.replace("\u00a0", " ") for _kind, _people, text in told)
    assert "A-1: 3 pcs" in first
    assert "B-2" not in first
    assert "Wrong thread" in first
    assert "A-1: 1 pcs\nB-2: 5 pcs" in second
    assert "Too many" in second


def test_once_goods_have_left_the_link_cancels_nothing(shop, visitor):  # noqa: F811
    link = order_it(visitor)
    number, _code = placed(shop)
    visitor.get(f"{link}/cancel")
    with shop.request(shop.staff):
        lifecycle.record(number, "shipped", {1: Decimal(1)})
    assert visitor.post(f"{link}/cancel") == link
    assert "can no longer be cancelled" in visitor.get(link)
    assert state(shop, number) == "confirmed"


def test_what_changed_meanwhile_is_looked_at_again(shop, visitor):  # noqa: F811
    link = order_it(visitor)
    visitor.get(f"{link}/cancel")
    visitor.post(f"{link}/cancel", version="1")
    assert "Somebody else has changed" in visitor.get(link)
    assert state(shop, placed(shop)[0]) == "confirmed"


def test_nobody_cancels_by_guessing_or_from_another_site(shop, visitor):  # noqa: F811
    link = order_it(visitor)
    assert visitor.client.post(f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}/cancel").status_code in (400, 404)
    shop.app.config["WTF_CSRF_ENABLED"] = True
    assert shop.app.test_client().post(f"{link}/cancel").status_code == 400
    assert state(shop, placed(shop)[0]) == "confirmed"


def test_pages_behind_a_link_are_neither_listed_nor_kept(shop, visitor):  # noqa: F811
    link = order_it(visitor)
    for page in (link, f"{link}/cancel", f"{link}/confirmation.pdf"):
        headers = visitor.client.get(page).headers
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "no-store" in headers["Cache-Control"]
    assert "X-Robots-Tag" not in visitor.client.get("/cart").headers


def test_two_clicks_at_the_same_moment_place_one_order(shop, visitor):  # noqa: F811
    key, start, results = guest_orders.new_key(), threading.Barrier(2), []
    contact = Contact(**{**dict.fromkeys(Contact.__slots__, ""), **FORM})
    asked = GuestOrder(key, contact, [NewItem("A-1", Decimal(2)), NewItem("B-2", Decimal(10))], Decimal("68.90"))

    def click():
        with shop.app.app_context(), shop.app.test_request_context("/"):
            from core.accounts.roles import guest_permissions

            with acting(guest(guest_permissions(), "en")):
                start.wait(timeout=10)
                results.append(guest_orders.place_guest(asked))

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == [key, key]
    placed(shop)  # there is one


def test_staff_move_the_orders_to_the_customer(shop, visitor):  # noqa: F811
    link = order_it(visitor)
    number, code = placed(shop)
    sam = sign_in(shop.app, "sam@tukku.example")
    assert f"/admin/orders/visitors/{code}/merge" in sam.get(f"/admin/orders/{number}").text
    assert f"/admin/orders/visitors/{code}/merge" in sam.get(f"/admin/companies/c/{code}").text
    page = sam.get(f"/admin/orders/visitors/{code}/merge?into=acme").text
    assert all(text in page for text in ("Vieras Oy", "0112038-9", "acme", "Move the orders"))
    answer = sam.post(f"/admin/orders/visitors/{code}/merge", data={"into": "acme"})
    assert answer.location == "/admin/companies/c/acme"
    with shop.request(shop.staff):
        order = queries.find(number)
        visited = db.session.scalars(select(Company).where(Company.code == code)).one()
        assert (order.company_id, visited.status) == (shop.company.id, "closed")
        for model in (OrderLine, OrderCharge, Hold):
            assert set(db.session.scalars(select(model.company_id))) <= {shop.company.id}
        moved = db.session.scalars(select(Address).where(Address.id == order.ship_to_id)).one()
        assert (moved.company_id, moved.city, moved.is_default) == (shop.company.id, "Helsinki", False)
        entries = db.session.execute(select(AuditEntry.entity, AuditEntry.entity_id).where(AuditEntry.action == "merged"))
        assert sorted(entries.all()) == [("company", code), ("company", "acme")]
    assert number in visitor.get(link)  # the link goes on showing it
    assert visitor.client.get(f"{link}/cancel").status_code == 303  # and cancels it no more
    assert sam.get(f"/admin/orders/visitors/{code}/merge").status_code == 409


def test_the_customer_sees_what_moved_and_nobody_else(shop, visitor):  # noqa: F811
    order_it(visitor)
    number, code = placed(shop)
    other = factories.make_company("rival")
    factories.make_user("riku@rival.example", company=other)
    anna, riku = sign_in(shop.app, "anna@acme.example"), sign_in(shop.app, "riku@rival.example")
    assert anna.get(f"/orders/{number}").status_code == 404
    with shop.request(shop.staff):
        assert guest_merging.merge(code, "acme") == 1
    page = anna.get(f"/orders/{number}")
    assert page.status_code == 200
    assert "Order confirmed" in page.text  # what was told before it moved
    assert number in anna.get("/orders").text
    assert riku.get(f"/orders/{number}").status_code == 404
    assert number not in riku.get("/orders").text


def test_orders_do_not_cost_statements(shop, visitor, count_statements):  # noqa: F811
    counts = []
    for orders in (1, 3):
        for _ in range(orders):
            visitor.get("/cart")
            visitor.post("/cart/add", sku=["A-1"], quantity=["1"], unit=[""])
            order_it(visitor)
        with shop.request(shop.staff):
            companies = db.session.scalars(select(Company.id).where(Company.source == "guest", Company.status != "closed"))
            first, *others = list(companies)
            with write() as session:
                for model in (Order, OrderLine, OrderCharge):
                    session.query(model).where(model.company_id.in_(others)).update({"company_id": first})
            code = db.session.get_one(Company, first).code
            with count_statements() as counted:
                assert guest_merging.merge(code, "acme") == orders
            counts.append(counted.count)
            with write() as session:
                session.query(Company).where(Company.id.in_(others)).update({"status": "closed"})
    assert counts[1] <= counts[0]


def test_only_a_visitor_is_merged_and_only_into_another(shop, visitor):  # noqa: F811
    order_it(visitor)
    _number, code = placed(shop)
    closed = factories.make_company("old", status="closed")
    with shop.request(shop.staff):
        with pytest.raises(Conflict, match="not the company of a visitor"):
            guest_merging.merge("acme", code)
        for wrong in (code, closed.code):
            with pytest.raises(Invalid, match="not closed"):
                guest_merging.merge(code, wrong)
        with pytest.raises(NotFound):
            guest_merging.merge(code, "nothing")
    sam = sign_in(shop.app, "sam@tukku.example")
    answer = sam.post(f"/admin/orders/visitors/{code}/merge", data={"into": "nothing"})
    assert (answer.status_code, "There is no company" in answer.text) == (404, True)
    assert sam.get("/admin/orders/visitors/acme/merge").status_code == 409


def test_sales_move_nothing_beyond_their_portfolio(shop, visitor):  # noqa: F811
    order_it(visitor)
    _number, code = placed(shop)
    own = (shop.company.id,)
    with shop.request(replace(shop.staff, scope=Scope("portfolio", own, own, own))), pytest.raises(NotFound):
        guest_merging.merge(code, "acme")


def test_customers_with_the_same_identifiers_are_proposed(shop, visitor):  # noqa: F811
    factories.make_company("vieras", name="Vieras Konserni", country="FI", business_id="0112038-9")
    order_it(visitor)
    _number, code = placed(shop)
    page = sign_in(shop.app, "sam@tukku.example").get(f"/admin/orders/visitors/{code}/merge").text
    assert f"/admin/orders/visitors/{code}/merge?into=vieras" in page
    assert "?into=acme" not in page


def test_what_is_done_to_an_order_that_moves_in_that_moment_is_done_under_the_lock_of_its_company(shop, visitor):  # noqa: F811
    order_it(visitor)
    number, code = placed(shop)
    with shop.request(shop.staff):
        first = queries.find(number).company_id
        with rival("FROM orders_order", lambda: guest_merging.merge(code, "acme")), suppress(Conflict):
            lifecycle.cancel(number, "found it")
        db.session.rollback()
        entries = db.session.scalars(select(AuditEntry.company_id).where(AuditEntry.action == "cancelled"))
        assert set(entries) <= {first}
