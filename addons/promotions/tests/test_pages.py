"""The pages of promotions: back-office, and the voucher field of the cart."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest

from core.data.scope import acting, system
from core.data.write import write
from core.settings.services import set_value
from core.testing import factories
from core.testing.signin import sign_in

from .conftest import promotion


@pytest.fixture
def visit(shop):
    factories.make_staff("sam@tukku.example", ["sales"])
    factories.make_staff("fia@tukku.example", ["finance"])
    with acting(system("tests")), write():
        set_value("core", "staff_second_factor", False)
    return lambda email: sign_in(shop.app, email)


def post(client, url, page, **data):
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    return client.post(url, data={"csrf_token": token[1], **data})


def test_staff_make_and_change_a_promotion(visit):
    sam = visit("sam@tukku.example")
    assert "No promotion yet" in sam.get("/admin/a/promotions/promotions").text
    page = sam.get("/admin/a/promotions/promotions/new")
    good = {
        "code": "SPRING", "name": "Spring", "kind": "percent", "value": "5", "currency": "EUR", "min_value": "500",
        "status": "active", "voucher": "spring 5", "counted_sku": "A-1",
    }  # fmt: skip
    for wrong, says in (
        ({"value": "105"}, "at most 100"),
        ({"counted_sku": "NOPE"}, "nothing with the code"),
        ({"counted_category": "x"}, "not both"),
        ({"currency": "XQQ"}, "XQQ"),
        ({"valid_from": "2026-12-01", "valid_until": "2026-11-01"}, "before the first"),
    ):
        refused = post(sam, "/admin/a/promotions/promotions/new", page, **{**good, **wrong})
        assert refused.status_code == 422
        assert says in unescape(refused.text)
    assert post(sam, "/admin/a/promotions/promotions/new", page, **good).status_code == 303
    page = sam.get("/admin/a/promotions/promotions/SPRING")
    assert 'value="SPRING5"' in page.text
    assert 'value="A-1"' in page.text
    version = re.search(r'name="version" value="(\d+)"', page.text)[1]
    changed = {**good, "name": "Spring sale", "version": version}
    assert post(sam, "/admin/a/promotions/promotions/SPRING", page, **changed).status_code == 303
    assert "Somebody else" in post(sam, "/admin/a/promotions/promotions/SPRING", page, **changed).text
    assert "Spring sale" in sam.get("/admin/a/promotions/promotions").text
    fia = visit("fia@tukku.example")
    assert "Spring sale" in fia.get("/admin/a/promotions/promotions").text
    assert fia.get("/admin/a/promotions/promotions/SPRING").status_code == 403


def test_the_buyer_enters_a_voucher(visit, shop):
    anna = visit("anna@acme.example")
    shop.fill(("A-1", "2"))
    assert "voucher-code" not in anna.get("/cart").text
    promotion("WELCOME", "amount", "5", voucher="WELCOME", min_value=Decimal(30))
    page = anna.get("/cart")
    assert "voucher-code" in page.text
    where = re.search(r'action="([^"]*/cart/voucher)"', page.text)[1]
    assert post(anna, where, page, code="nope").status_code == 303
    assert "no voucher NOPE" in anna.get("/cart").text
    assert post(anna, where, page, code="welcome").status_code == 303
    text = anna.get("/cart").text
    assert "It takes nothing off yet" in text
    assert "are missing for it" in text
    shop.fill(("A-1", "2"))
    text = anna.get("/cart").text
    assert "It counts" in text
    assert "Promotion WELCOME" in text
    assert post(anna, where, page, remove="1").status_code == 303
    assert "Promotion WELCOME" not in anna.get("/cart").text


def test_free_goods_are_made_by_staff_and_seen_by_buyers(visit, shop):
    sam, fia = visit("sam@tukku.example"), visit("fia@tukku.example")
    page = sam.get("/admin/a/promotions/promotions/new")
    good = {
        "code": "TEN", "name": "Ten and one", "kind": "free_goods", "for_every": "10", "free_quantity": "1",
        "status": "active", "counted_sku": "A-1",
    }  # fmt: skip
    url = "/admin/a/promotions/promotions/new"
    for wrong, says in (
        ({"for_every": "-1"}, "0.001 or more"),
        ({"for_every": "2000000"}, "at most"),
        ({"free_quantity": "0"}, "0.001 or more"),
        ({"reduced_sku": "<script>"}, "nothing with the code"),
        ({"kind": "percent", "value": "5"}, "Only free units"),
    ):
        refused = post(sam, url, page, **{**good, **wrong})
        assert (refused.status_code, wrong) == (422, wrong)
        assert says in unescape(refused.text), wrong
    assert post(sam, url, page, **good).status_code == 303
    assert 'value="10"' in sam.get("/admin/a/promotions/promotions/TEN").text
    assert post(fia, url, fia.get("/admin/a/promotions/promotions"), **good).status_code == 403
    anna = visit("anna@acme.example")
    assert "10 + 1" in anna.get("/p/A-1").text
    assert "10 + 1" not in anna.get("/p/B-2").text
    post(anna, "/cart/add", anna.get("/p/A-1"), sku="A-1", quantity="20")
    for path in ("/cart", "/checkout"):
        told = anna.get(path).text
        assert "Free of charge" in told, path
        assert "Ten and one" in told, path
