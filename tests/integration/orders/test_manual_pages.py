"""The pages on which staff set a price by hand, and what buyer and staff read of it; the same through the API."""

from __future__ import annotations

import re

import pytest

from core.accounts import users
from core.data.scope import acting, system
from core.data.write import write
from core.settings.services import set_value

from .test_pages import order, shop_app, visit

assert shop_app, visit  # fixtures


@pytest.fixture
def waiting(shop_app):
    """Orders wait to be confirmed."""
    with acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)


def test_in_the_cart_while_acting(visit, waiting, shop_app):
    sam = visit("sam@tukku.example")
    sam.get("/admin/companies/c/acme")
    sam.get("/cart/lines/1/price", 404)
    with shop_app.app_context():
        code = users.find("anna@acme.example").code
    sam.post("/admin/companies/c/acme/act-for", person=code, reason="order by phone")
    sam.get("/quick-order")
    sam.post("/cart/add", sku="A-1", quantity="2", unit="pcs")
    assert "Set the price" in sam.get("/cart")
    sam.get("/cart/lines/9/price", 404)
    facts = re.findall(r"<dd[^>]*>([^<]*)</dd>", sam.get("/cart/lines/1/price"))
    assert [fact.strip().endswith("/ pcs") for fact in facts[-3:]] == [True] * 3, "a price says what it is for"
    assert "not the same" in sam.post("/cart/lines/1/price", 422, amount="2", percents="5", reason="Trade fair")
    assert "Say why" in sam.post("/cart/lines/1/price", 422, price="7", reason="   ") or "required" in sam.text
    assert "is not a number" in sam.post("/cart/lines/1/price", 422, percents="ten", reason="Trade fair")
    assert sam.post("/cart/lines/1/price", percents="10 + 5", reason="Trade fair") == "/cart"
    page = sam.get("/cart")
    assert "8.55" in page
    assert "10 %, 5 % off" in page.replace("\u00a0", " ")
    assert 'value="10 + 5"' in sam.get("/cart/lines/1/price")
    assert sam.post("/cart/lines/1/price", remove="1") == "/cart"
    assert "8.55" not in sam.get("/cart")


def test_a_buyer_never_sets_prices(visit):
    anna = visit("anna@acme.example")
    anna.get("/quick-order")
    anna.post("/cart/add", sku="A-1", quantity="2", unit="pcs")
    assert "Set the price" not in anna.get("/cart")
    anna.get("/cart/lines/1/price", 403)


def test_at_the_desk_and_what_each_reads(visit, waiting):
    anna, sam = visit("anna@acme.example"), visit("sam@tukku.example")
    number = order(anna)
    assert "Set the price" in sam.get(f"/admin/orders/{number}")
    form = sam.get(f"/admin/orders/{number}/lines/1/price")
    assert "10.00\u00a0€" in form
    assert "can only be lowered" in sam.post(f"/admin/orders/{number}/lines/1/price", 422, price="11", reason="Trade fair")
    version = sam.hidden("version")
    back = sam.post(f"/admin/orders/{number}/lines/1/price", price="7", reason="Trade fair", version=version)
    assert back == f"/admin/orders/{number}"
    page = sam.get(back)
    assert "7.00\u00a0€" in page
    assert "Trade fair" in page
    page = anna.get(f"/orders/{number}")
    assert "Price agreed with our sales" in page
    assert re.search(r"before: \S*10\.00", page)
    assert "Trade fair" not in page
    sam.post(back + "/lines/1/price", price="6", reason="Trade fair", version=version)
    assert "Somebody else has changed" in sam.get(back)
    sam.post(f"{back}/confirm", version=re.search(r'name="version" value="(\d+)"', sam.get(back))[1])
    assert "Set the price" not in sam.get(back)
    sam.post(f"{back}/lines/1/price", price="6", reason="Trade fair")
    assert "are settled" in sam.get(back)
