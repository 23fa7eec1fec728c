"""Steps of the checkout: core's and an addon's on one page, saved with the order or not at all."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from wtforms import Form, StringField
from wtforms.validators import InputRequired

from core.data.db import db
from core.orders import cart, queries
from core.orders.merging import NewItem
from core.orders.models import Order
from core.registry.models import Incident
from core.registry.registry import EXTENSION, Contribution
from core.spec.errors import Invalid
from core.spec.orders import CheckoutStep
from core.testing.signin import sign_in


class SiteForm(Form):
    """Where on the site the goods are wanted."""

    gate = StringField("Gate", [InputRequired()])


@pytest.fixture
def saved():
    """What the addon's step stored, by order."""
    return {}


@pytest.fixture
def checkout(shop, saved, monkeypatch):
    """The checkout page of a buyer with a cart, with a step of an addon; call it to post."""

    def save(order_id, data):
        if data["gate"] == "closed":
            raise Invalid("GATE-CLOSED", "This gate is closed.")
        saved[order_id] = data["gate"]
        db.session.get_one(Order, order_id).external_id = data["gate"]

    step = CheckoutStep("site", "On the site", SiteForm, lambda order_id: {"gate": "north"}, save, order=30)
    registry = shop.app.extensions[EXTENSION]
    steps = sorted([*registry.contributed["checkout_steps"], Contribution("gates", step)], key=lambda c: c.value.order)
    changed = replace(registry, contributed={**registry.contributed, "checkout_steps": tuple(steps)})
    monkeypatch.setitem(shop.app.extensions, EXTENSION, changed)
    with shop.request():
        cart.add([NewItem("A-1", Decimal(2))])
    client = sign_in(shop.app, "anna@acme.example")
    page = unescape(client.get("/checkout").text)

    def post(**fields):
        hidden = {n: re.search(rf'name="{n}"[^>]*value="([^>]*)"', page)[1] for n in ("cart_key", "expected_total", "seen")}
        return client.post("/checkout", data={**hidden, "ship_to": "main", "bill_to": "main", **fields})

    post.page = page
    return post


def placed():
    return db.session.query(Order).filter(Order.state != "cart").all()


def test_steps_stand_in_their_order_and_are_filled(checkout):
    titles = re.findall(r"<h2 id=\"[^\"]*-title\">([^<]+)</h2>", checkout.page)
    assert titles[:4] == ["Deliver to", "On the site", "Bill to", "About this order"]
    assert re.search(r'name="gates__gate"[^>]*value="north"', checkout.page)


def test_all_steps_are_saved_with_the_order(shop, checkout, saved):
    answer = checkout(gates__gate="south", po_number="PO-7", wished_date="2031-05-05", note="soon")
    assert answer.status_code == 303
    (order,) = placed()
    assert (saved, order.external_id) == ({order.id: "south"}, "south")
    assert (order.po_number, order.note, order.wished_date.isoformat()) == ("PO-7", "soon", "2031-05-05")
    assert (order.ship_to["street"], order.bill_to["street"]) == ("Tehtaankatu 1", "Tehtaankatu 1")


def test_a_missing_entry_of_a_step_is_said_with_the_others(checkout, saved):
    answer = checkout(gates__gate="", wished_date="the 40th", po_number="PO-7")
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert "2 entries need your attention" in page
    assert re.search(r'<a href="#gates__gate">Gate: ', page)
    assert re.search(r'name="po_number"[^>]*value="PO-7"', page), "what was entered is kept"
    assert (saved, placed()) == ({}, [])


def test_a_step_that_refuses_undoes_the_order(shop, checkout):
    answer = checkout(gates__gate="closed")
    assert answer.status_code == 422
    assert "This gate is closed." in answer.text
    assert placed() == []
    with shop.request():
        assert cart.current_cart().number is None


def test_a_step_that_fails_closes_the_checkout(shop, checkout, monkeypatch):
    registry = shop.app.extensions[EXTENSION]
    broken = replace(registry.contributed["checkout_steps"][0].value, key="broken", load=lambda order_id: 1 / 0)
    steps = (*registry.contributed["checkout_steps"], Contribution("gates", broken))
    changed = replace(registry, contributed={**registry.contributed, "checkout_steps": steps})
    monkeypatch.setitem(shop.app.extensions, EXTENSION, changed)
    answer = sign_in(shop.app, "anna@acme.example").get("/checkout")
    assert (answer.status_code, placed()) == (503, [])
    assert [(i.addon, i.hook) for i in db.session.query(Incident)] == [("gates", "checkout_steps")]


def test_a_step_with_nothing_to_ask_is_left_out(shop, checkout, monkeypatch):
    registry = shop.app.extensions[EXTENSION]
    steps = tuple(
        replace(c, value=replace(c.value, applies=lambda order_id: False)) if c.owner == "gates" else c
        for c in registry.contributed["checkout_steps"]
    )
    changed = replace(registry, contributed={**registry.contributed, "checkout_steps": steps})
    monkeypatch.setitem(shop.app.extensions, EXTENSION, changed)
    assert "On the site" not in sign_in(shop.app, "anna@acme.example").get("/checkout").text
    assert checkout().status_code == 303


def test_a_program_orders_without_steps(shop, checkout, saved):
    with shop.request():
        cart.clear()
    number = shop.place(("A-1", 1), po_number="PO-8")
    with shop.request():
        assert queries.find(number).po_number == "PO-8"
    assert saved == {}
