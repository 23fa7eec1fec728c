"""Progressive breaks and quantities that count together, as buyers and staff see them: page, cart, order, document."""

from __future__ import annotations

import re
from decimal import Decimal as D
from html import unescape

import pytest

from core.companies.models import Company
from core.data.db import db
from core.data.scope import acting, system
from core.orders import documents
from core.orders.models import Order, OrderLine
from core.pricing import services
from core.testing import factories
from core.testing.signin import sign_in

from .conftest import contract, row

SPACES = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})


@pytest.fixture
def anna(office):
    """A buyer of a company with a progressive ladder, which counts the product on all lines."""
    company = factories.make_company("acme")
    factories.make_user("anna@acme.example", company=company)
    product = factories.make_product("BOLT", price="10", units=[factories.Unit("pcs"), factories.Unit("box", 12)])
    factories.make_product("NUT", price="1")
    agreed = contract("K", company=company, breaks="progressive", counts="product")
    for value, minimum in (("8", "0"), ("6.50", "10"), ("5", "50")):
        row(agreed, product, value, min_quantity=minimum)
    return sign_in(office, "anna@acme.example")


def read(answer):
    """Return a page as people read it: without tags, in single spaces."""
    text = unescape(re.sub(r"<[^>]+>", " ", answer.text)).translate(SPACES)
    return re.sub(r"\s+", " ", text)


def add(anna, sku, quantity, unit):
    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.get("/cart").text)[1]
    anna.post("/cart/add", data={"csrf_token": token, "sku": sku, "quantity": quantity, "unit": unit})


def test_the_ladder_names_the_units_of_each_step(office, anna):
    with acting(system("a test")):
        where = services.context(company_id=db.session.query(Company.id).filter_by(code="acme").scalar())
        rungs = services.ladders(where, [(1, "pcs")])[1, "pcs"]
    assert [(rung.min_quantity, rung.price, rung.until) for rung in rungs] == [
        (D(0), D(8), D(10)),
        (D(10), D("6.50"), D(50)),
        (D(50), D(5), None),
    ]
    assert all(rung.part for rung in rungs)
    page = read(anna.get("/p/BOLT"))
    assert "the first 10 pcs 8.00 €" in page
    assert "above 10, up to 50 pcs 6.50 €" in page
    assert "above 50 pcs 5.00 €" in page
    assert "Each price is for the units of its own step; smaller steps keep theirs." in page


def test_cart_order_and_document_say_how_the_price_is_made(office, anna):
    add(anna, "BOLT", "15", "pcs")
    cart = read(anna.get("/cart"))
    assert "112.50 € / 15 pcs" in cart
    assert "10 pcs at 8.00 €, 5 pcs at 6.50 €; on average 7.50 € / pcs" in cart
    add(anna, "NUT", "1", "pcs")
    assert "112.50 € / 15 pcs" in read(anna.get("/cart"))
    page = unescape(anna.get("/checkout").text)
    fields = {
        name: re.search(rf'name="{name}"[^>]*?value="([^>]*?)"[ />]', page)[1] for name in ("cart_key", "expected_total")
    }
    fields["csrf_token"] = re.search(r'name="csrf-token" content="([^"]+)"', page)[1]
    fields["seen"] = re.search(r'name="seen"[^>]*value="([^>]*)"', page)[1]
    assert anna.post("/checkout", data={**fields, "ship_to": "main", "bill_to": "main"}).status_code == 303
    with acting(system("a test")):
        order = db.session.query(Order).filter(Order.number.is_not(None)).one()
        line = db.session.query(OrderLine).filter_by(order_id=order.id, sku="BOLT").one()
        assert (line.unit_price, line.per, line.net) == (D("112.5"), D(15), D("112.5"))
        written = documents._line(line, "EUR")
        number = order.number
    assert "10 pcs at 8.00 €, 5 pcs at 6.50 €" in written["extra"].translate(SPACES)
    assert "10 pcs at 8.00 €, 5 pcs at 6.50 €" in read(anna.get(f"/orders/{number}"))


def test_lines_of_the_cart_count_together(office, anna):
    add(anna, "BOLT", "38", "pcs")
    add(anna, "BOLT", "1", "box")
    cart = read(anna.get("/cart"))
    assert "50 pcs count together" in cart
    assert "10 pcs at 8.00 €, 40 pcs at 6.50 €" in cart
