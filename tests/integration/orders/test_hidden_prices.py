"""Who may not see prices does not see what orders cost: on no page, in no file, by no sort, by no key."""

from __future__ import annotations

import csv
import io
import re

import pytest

from core.accounts import roles
from core.pricing.services import VIEW
from core.restapi import keys
from core.testing.signin import sign_in

FIGURES = re.compile(r"10\.00|20\.00|25\.10|€|EUR(?! )")


@pytest.fixture
def number(shop):
    """The number of an order whose prices its buyer may no longer see."""
    number = shop.place(("A-1", 2))
    with shop.app.app_context():
        held = {**roles._by_role(), **{role: roles._by_role()[role] - {VIEW} for role in roles.BUYER}}
    shop.app.extensions[roles._KEY] = held
    return number


@pytest.mark.database("sqlite")
def test_pages_and_files_of_orders_have_no_prices(shop, number):
    anna = sign_in(shop.app, "anna@acme.example")
    for url in ("/", "/orders", f"/orders/{number}", f"/orders/{number}/thanks", "/orders?sort=-net", "/orders?net=1..99"):
        page = re.sub(r"<[^>]+>", " ", anna.get(url).text)
        assert number in page, url
        assert not FIGURES.search(page), (url, FIGURES.search(page))
    for url in (f"/orders/{number}/lines.csv", "/orders?export=csv"):
        text = anna.get(url, buffered=True).text
        assert not FIGURES.search(text), text
        [head, *lines] = csv.reader(io.StringIO(text))
        assert all(len(line) == len(head) for line in lines)
    assert anna.get(f"/orders/{number}/confirmation.pdf").status_code == 403
    assert "confirmation.pdf" not in anna.get(f"/orders/{number}").text


@pytest.mark.database("sqlite")
def test_a_key_without_the_permission_reads_orders_without_amounts(shop, number):
    with shop.request():
        company_id = shop.company.id
    secret = keys.create("Shop", ["orders.order.view", "catalog.product.view"], company_id=company_id, days=1).secret
    head = {"Authorization": f"Bearer {secret}"}
    found = shop.app.test_client().get("/api/v1/orders", headers=head).json["items"][0]
    assert [found[name] for name in ("net", "charges_net", "tax", "gross")] == [None] * 4
    assert [found["lines"][0][name] for name in ("quantity", "unit_price", "net", "agreed")] == ["2", None, None, None]
    refused = shop.app.test_client().get("/api/v1/orders?sort=net", headers=head)
    assert (refused.status_code, "sort" in refused.json["errors"]["query"]) == (422, True)
