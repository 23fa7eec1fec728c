"""Who may not see prices does not see what orders cost: on no page, in no file, by no sort, by no key."""

from __future__ import annotations

import csv
import io
import re

import pytest

from core.data.scope import acting, system
from core.data.write import write
from core.orders import mails, queries
from core.restapi import keys
from core.testing.prices import hide_prices
from core.testing.signin import sign_in

FIGURES = re.compile(r"10\.00|20\.00|25\.10|€|EUR(?! )")


@pytest.fixture
def number(shop):
    """The number of an order whose prices its buyer may no longer see."""
    number = shop.place(("A-1", 2))
    hide_prices(shop.app)
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


@pytest.mark.database("sqlite")
def test_mails_about_orders_have_no_prices_and_no_document_with_prices(shop, number, monkeypatch):
    told = []
    monkeypatch.setattr(mails, "notify", lambda kind, people, compose, **_: told.append((kind, people, compose())))
    with shop.app.app_context(), acting(system("job")):
        order = queries.find(number)
        with write():
            order.placed_by_id, order.placed_by_name = order.user_id, "Sam"
        for handler in (mails.send_confirmation, mails.send_cancellation, mails.tell_of_new):
            handler({"order_id": order.id, "number": number})
    assert [kind for kind, _people, _one in told] == ["orders.confirmed", "orders.cancelled", "orders.placed_for"]
    for _kind, people, message in told:
        assert people == [shop.buyer.user_id]
        assert not message.attachments
        assert not FIGURES.search(message.subject + message.text), message.text
        assert number in message.subject + message.text
        assert message.url.endswith(f"/orders/{number}")
