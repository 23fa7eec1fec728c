"""Settings in the back-office: for the shop, for one segment or company, with who changed what."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import g

from core.data.db import db
from core.settings import services
from core.testing import factories
from core.testing.signin import sign_in


def get(owner, key, **values):
    """Read as a new request does."""
    for name in ("tukku_settings", "tukku_stamps"):
        g.pop(name, None)
    db.session.rollback()
    return services.get(owner, key, **values)


@pytest.mark.database("sqlite")
def test_a_setting_differs_for_a_company_and_follows_again(app_with, monkeypatch):
    app = app_with()
    company = factories.make_company("ACME", segments=["gold"]).id
    factories.make_staff("boss@tukku.example")
    client = sign_in(app, "boss@tukku.example")
    here = "/admin/settings/orders/for/company:ACME"
    assert client.get("/admin/settings/orders?for=company&code=ACME").location == here
    assert client.get("/admin/settings/orders/for/company:NOPE").status_code == 303
    page = client.get(here).text
    assert "Least value of an order" in page
    assert "Confirm orders at once" not in page  # only for the whole shop
    values = {"own_minimum_order_value": "y", "minimum_order_value": "50", "confirmation_text": ""}
    assert client.post(here, data=values).status_code == 303
    assert get("orders", "minimum_order_value", company=company) == Decimal(50)
    assert get("orders", "minimum_order_value") == 0
    page = client.get("/admin/settings/orders").text
    assert "Company ACME" in page
    assert client.post(here, data=values | {"minimum_order_value": "-1"}).status_code == 422
    assert client.post(here, data={"minimum_order_value": "50"}).status_code == 303
    assert get("orders", "minimum_order_value", company=company) == 0
    monkeypatch.setenv("TUKKU_ORDERS__MINIMUM_ORDER_VALUE", "7")
    assert "Fixed by the environment variable TUKKU_ORDERS__MINIMUM_ORDER_VALUE" in client.get(here).text
    client.post(here, data=values)
    assert get("orders", "minimum_order_value", company=company) == 7
