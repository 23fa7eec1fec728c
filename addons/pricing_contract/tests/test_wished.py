"""A contract by the wished delivery, from the checkout and through the API: what is shown for the day is what is charged."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal as D
from html import unescape

import pytest
from click.testing import CliRunner

from core.data import clock
from core.data.scope import acting, system
from core.orders import queries
from core.pricing.commands import price
from core.restapi import keys
from core.testing import factories
from core.testing.signin import sign_in

from .conftest import contract, row


@pytest.fixture
def acme(office):
    """A company whose price rises in ten days, for orders that are delivered then."""
    company = factories.make_company("acme")
    factories.make_user("anna@acme.example", company=company)
    product = factories.make_product("P", price="20")
    soon = clock.now() + timedelta(days=10)
    rising = contract("RISING", company=company, date_basis="wished")
    row(rising, product, "15", end=soon)
    row(rising, product, "18", start=soon)
    return company


def test_the_checkout_shows_the_prices_of_the_day_that_was_entered(office, acme):
    anna = sign_in(office, "anna@acme.example")
    day = (factories.today() + timedelta(days=12)).isoformat()

    def fields():
        page = unescape(anna.get("/checkout").text)

        def hidden(name):
            return re.search(rf'name="{name}"[^>]*?value="([^>]*?)"[ />]', page)[1]

        return {
            "csrf_token": re.search(r'name="csrf-token" content="([^"]+)"', page)[1],
            "cart_key": hidden("cart_key"),
            "expected_total": hidden("expected_total"),
            "seen": re.search(r'name="seen"[^>]*value="([^>]*)"', page)[1],
            "ship_to": "main",
            "bill_to": "main",
            "wished_date": day,
        }

    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.get("/cart").text)[1]
    anna.post("/cart/add", data={"csrf_token": token, "sku": "P", "quantity": "2", "unit": "pcs"})
    first = anna.post("/checkout", data=fields())
    assert first.status_code == 409
    second = anna.post("/checkout", data=fields())
    assert second.status_code == 303
    with acting(system("tests")):
        order = queries.find(second.headers["Location"].split("/")[2])
        assert order.net == D(36)


def test_a_program_orders_at_the_prices_of_its_day(office, acme):
    with acting(system("tests")):
        secret = keys.create("a program", keys.offered(acme.id), company_id=acme.id, days=3).secret
    day = (factories.today() + timedelta(days=12)).isoformat()
    body = {"lines": [{"sku": "P", "quantity": "2"}], "wished_date": day}
    done = office.test_client().post("/api/v1/orders", json=body, headers={"Authorization": f"Bearer {secret}"})
    assert (done.status_code, done.json["net"]) == (201, "36")


def test_why_a_price_is_told_for_a_wished_day_on_the_page_the_command_line_and_to_programs_alike(office, acme):
    day = (factories.today() + timedelta(days=12)).isoformat()
    factories.make_staff("sales@tukku.example", ["sales"])
    page = sign_in(office, "sales@tukku.example").get("/admin/a/pricing_contract/explain")
    assert "Wished delivery" in page.text
    ask = f"company=acme&product=P&wished={day}"
    shown = sign_in(office, "sales@tukku.example").get(f"/admin/a/pricing_contract/explain?{ask}").text
    assert "delivery wished on" in shown
    assert re.search(r"18\.00|€18\b", shown)
    assert "The row was valid until then." in shown
    secret = keys.create("ERP", keys.offered(None), company_id=None, days=1).secret
    call = office.test_client()
    head = {"Authorization": f"Bearer {secret}"}
    told = call.get(f"/api/v1/pricing_contract/explain?{ask}", headers=head).json
    assert (told["price"], told["source"], told["wished"]) == ("18", "contract:RISING", day)
    assert {one["lost"] for one in told["candidates"] if one["source"] == "contract:RISING"} == {
        None, "The row was valid until then.",
    }  # fmt: skip
    assert [one["step"] for one in told["steps"]] == ["list_price", "agreement"]
    now = call.get("/api/v1/pricing_contract/explain?company=acme&product=P", headers=head).json
    assert (now["price"], now["wished"]) == ("15", None)
    asked = ["explain", "--company", "acme", "--product", "P", "--wished", day, "--json"]
    printed = CliRunner().invoke(price, asked, catch_exceptions=False)
    whole = json.loads(printed.output)
    assert {name: whole[name] for name in ("price", "source", "reason", "net")} == {
        name: told[name] for name in ("price", "source", "reason", "net")
    }
    own = keys.create("Shop", ["pricing.price.view"], company_id=acme.id, days=1).secret
    assert call.get(f"/api/v1/pricing_contract/explain?{ask}", headers={"Authorization": f"Bearer {own}"}).status_code == 403
