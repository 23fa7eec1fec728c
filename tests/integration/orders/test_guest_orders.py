"""Orders without an account: placed once, seen by their link and by staff, by nobody else; refused with what to mend."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from wtforms import StringField
from wtforms.validators import InputRequired

from core.companies.models import Address, Company
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.orders import mails
from core.orders.models import Order
from core.registry.registry import EXTENSION, Contribution
from core.settings.services import set_value
from core.spec.errors import Invalid
from core.spec.orders import CheckoutStep
from core.testing.signin import sign_in
from core.ui.forms import TukkuForm

from .test_pages import Browser

FORM = {
    "company": "Vieras Oy", "business_id": "0112038-9", "vat_id": "", "name": "Ville Vieras", "phone": "+358 40 1",
    "email": "ville@vieras.example", "street": "Katu 1", "postal_code": "00100", "city": "Helsinki", "country": "FI",
}  # fmt: skip


@pytest.fixture
def visitor(shop):
    with shop.app.app_context(), acting(system("tests")), write():
        for name in ("guest_sees_products", "guest_sees_prices", "guest_may_order"):
            set_value("core", name, True)
        set_value("orders", "freight", Decimal("9.90"))
    browser = Browser(shop.app.test_client())
    browser.get("/cart")
    browser.post("/cart/add", sku=["A-1", "B-2"], quantity=["2", "10"], unit=["", ""])
    return browser


def carried(visitor):
    return {name: visitor.hidden(name) for name in ("key", "expected_total")}


def order_it(visitor, status=303, **changes):
    visitor.get("/checkout/guest")
    return visitor.post("/checkout/guest", status, **{**carried(visitor), **FORM, **changes})


def count(shop, model):
    with shop.request(shop.staff):
        return db.session.scalar(select(func.count(model.id)))


def test_a_visitor_orders_and_follows_the_link(shop, visitor):
    link = order_it(visitor, po_number="PO-7", note="ring the bell")
    assert re.fullmatch(r"/guest-orders/[A-Za-z0-9_-]{43}", link)
    page = visitor.get(link)
    assert all(text in page for text in ("Ville Vieras", "Helsinki", "PO-7", "ring the bell", "68.90", "Freight"))
    assert visitor.client.get(f"{link}/confirmation.pdf").data.startswith(b"%PDF")
    assert visitor.client.get("/cart").text.count("A-1") == 0
    stranger = shop.app.test_client()
    assert stranger.get(link).status_code == 200
    assert stranger.get(link[:-1] + ("A" if link[-1] != "A" else "B")).status_code == 404
    assert stranger.get("/guest-orders/x").status_code == 404
    with shop.request(shop.staff):
        order = db.session.scalars(select(Order)).one()
        company = db.session.get_one(Company, order.company_id)
        assert (order.state, order.user_id, order.user_name, order.guest_email) == (
            "confirmed", None, "Ville Vieras", "ville@vieras.example",
        )  # fmt: skip
        assert (company.name, company.source, company.business_id) == ("Vieras Oy", "guest", "0112038-9")
        assert order.company_id != shop.company.id
        assert (order.charges_net, order.gross) == (Decimal("9.90"), Decimal("68.90"))


def test_mail_carries_document_and_link(shop, visitor):
    link = order_it(visitor)
    with shop.app.app_context(), acting(system("job")):
        order = db.session.scalars(select(Order)).one()
        for handler in (mails.tell_of_new, mails.send_confirmation):
            handler({"order_id": order.id})
        (sent,) = [job.payload for job in db.session.scalars(select(Job)) if job.name == "jobs.mail"]
        assert sent["to"] == "ville@vieras.example"
        assert link in sent["text"]
        assert [a["type"] for a in sent["attachments"]] == ["application/pdf"]


def test_staff_see_contact_and_that_there_is_no_account(shop, visitor):
    order_it(visitor)
    with shop.request(shop.staff):
        number = db.session.scalar(select(Order.number))
    client = sign_in(shop.app, "sam@tukku.example")
    page = client.get(f"/admin/orders/{number}").text
    assert all(text in page for text in ("Without account", "ville@vieras.example", "Vieras Oy", "+358 40 1"))
    assert number in client.get("/admin/orders?account=none").text
    assert number not in client.get("/admin/orders?hold=held").text


class SiteForm(TukkuForm):
    """Where on the site the goods are wanted."""

    gate = StringField("Gate", [InputRequired()])


@pytest.fixture
def gates(shop, monkeypatch):
    """What the steps of an addon stored of orders; one step is for visitors too, the other is not."""
    stored = {}

    def load(order_id):
        return {"gate": "north" if order_id is None else "known"}

    def save(order_id, data):
        if data["gate"] == "closed":
            raise Invalid("GATE-CLOSED", "This gate is closed.")
        order = db.session.get_one(Order, order_id)
        stored[order_id] = (order.company_id, data["gate"])
        order.external_id = data["gate"]

    made = (
        CheckoutStep("site", "On the site", SiteForm, load, save, guests=True, applies=lambda order_id: order_id is None),
        CheckoutStep("members", "Of members", SiteForm, load, save),
        CheckoutStep("never", "Of nobody", SiteForm, load, save, guests=True, applies=lambda order_id: False),
    )
    here = shop.app.extensions[EXTENSION]
    steps = (*here.contributed["checkout_steps"], *(Contribution("gates", step) for step in made))
    changed = replace(here, contributed={**here.contributed, "checkout_steps": steps})
    monkeypatch.setitem(shop.app.extensions, EXTENSION, changed)
    return stored


def test_a_visitor_takes_the_steps_that_are_for_visitors(shop, visitor, gates):
    page = visitor.get("/checkout/guest")
    assert "On the site" in page
    assert re.search(r'name="gates__gate"[^>]*value="north"', page)
    assert "Of members" not in page
    assert "Of nobody" not in page
    order_it(visitor, gates__gate="south", po_number="PO-7")
    with shop.request(shop.staff):
        order = db.session.scalars(select(Order)).one()
        assert (order.external_id, order.po_number, order.ship_to["city"]) == ("south", "PO-7", "Helsinki")
        assert gates == {order.id: (order.company_id, "south")}


def test_a_step_refuses_a_visitors_order_and_nothing_is_kept(shop, visitor, gates):
    companies = count(shop, Company)
    missing = order_it(visitor, 422, gates__gate="", wished_date="the 40th")
    assert "2 entries need your attention" in missing
    refused = order_it(visitor, 422, gates__gate="closed")
    assert "This gate is closed." in refused
    assert re.search(r'name="gates__gate"[^>]*value="closed"', refused), "what was entered is kept"
    assert (gates, count(shop, Order), count(shop, Company)) == ({}, 0, companies)


def test_a_step_that_fails_closes_the_visitors_checkout(shop, visitor, gates, monkeypatch):
    here = shop.app.extensions[EXTENSION]
    broken = CheckoutStep("broken", "Broken", SiteForm, lambda order_id: 1 / 0, lambda order_id, data: None, guests=True)
    steps = (*here.contributed["checkout_steps"], Contribution("gates", broken))
    monkeypatch.setitem(
        shop.app.extensions, EXTENSION, replace(here, contributed={**here.contributed, "checkout_steps": steps})
    )
    assert visitor.client.get("/checkout/guest").status_code == 503
    assert count(shop, Order) == 0


def test_a_second_click_places_nothing_twice(shop, visitor):
    visitor.get("/checkout/guest")
    sent = {**carried(visitor), **FORM}
    first = visitor.post("/checkout/guest", **sent)
    assert visitor.post("/checkout/guest", **sent) == first
    assert count(shop, Order) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"business_id": "0112038-1"}, "is not a valid Y-tunnus"),
        ({"vat_id": "FI123"}, "is not a valid VAT"),
        ({"email": "ville"}, "This is not an e-mail address"),
        ({"email": "äiti@vieras.example"}, "This is not an e-mail address"),
        ({"company": " "}, "Company"),
        ({"country": "XX"}, "Country"),
        ({"city": ""}, "City"),
        ({"name": "x" * 201}, "200"),
    ],
)
def test_bad_input_is_named_and_nothing_is_kept(shop, visitor, changes, said):
    companies = count(shop, Company)
    text = order_it(visitor, 422, **changes)
    assert said in text
    assert "Vieras" in text  # what was typed stays
    assert (count(shop, Order), count(shop, Company), count(shop, Address)) == (0, companies, 1)


def test_tax_that_follows_from_the_address_is_shown_before_it_is_charged(shop, visitor):
    visitor.get("/checkout/guest")
    abroad = {"country": "SE", "business_id": "556703-7485", "vat_id": "SE556188840401"}
    text = order_it(visitor, 409, **abroad)
    assert "54.90" in text
    assert text.count("68.90") == 1  # as what it was, not as what is charged
    assert visitor.hidden("expected_total") == "54.90"
    visitor.post("/checkout/guest", **{**carried(visitor), **FORM, **abroad})
    with shop.request(shop.staff):
        assert db.session.scalar(select(Order.tax)) == 0


def test_a_few_orders_in_a_while_are_enough(shop, visitor, monkeypatch):
    from core.accounts import attempts

    monkeypatch.setitem(attempts.LIMITS, "guest_order", 1)
    order_it(visitor)
    visitor.get("/cart")
    visitor.post("/cart/add", sku=["A-1"], quantity=["1"], unit=[""])
    visitor.get("/checkout/guest")
    answer = visitor.post("/checkout/guest", 429, **{**carried(visitor), **FORM})
    assert "Too many attempts" in answer
    assert count(shop, Order) == 1


def test_without_the_switch_or_without_prices_nobody_orders(shop, visitor):
    with shop.app.app_context(), acting(system("tests")), write():
        set_value("core", "guest_sees_prices", False)
    text = order_it(visitor, 422, expected_total="0")
    assert "has no price" in text
    with shop.app.app_context(), acting(system("tests")), write():
        set_value("core", "guest_may_order", False)
    assert visitor.client.get("/checkout/guest").status_code in (303, 403)
    assert count(shop, Order) == 0


def test_a_link_shows_its_order_only(shop, visitor):
    order_it(visitor)
    other = shop.place(("A-1", 1))
    visitor.client.get("/cart")
    assert visitor.client.get(f"/orders/{other}").status_code in (303, 403, 404)
    buyer = sign_in(shop.app, "anna@acme.example")
    with shop.request(shop.staff):
        number = db.session.scalar(select(Order.number).where(Order.guest_key.is_not(None)))
    assert buyer.get(f"/orders/{number}").status_code == 404
