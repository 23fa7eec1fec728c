"""List prices on the product's page, and the tax rates."""

from __future__ import annotations

from decimal import Decimal

from core.pricing import services
from core.testing.factories import make_product, make_staff
from core.testing.signin import sign_in


def test_list_prices_and_tax_rates_are_looked_after(app_with):
    app = app_with()
    make_staff("sales@tukku.example", ["sales", "finance"])
    product_id = make_product("BOLT", price=None).id
    desk = sign_in(app, "sales@tukku.example")
    form = {"unit": "pcs", "currency": "eur", "price": "1.25", "per": ""}
    assert "It holds at once" in desk.post("/admin/prices/products/BOLT/prices", data=form, follow_redirects=True).text
    line = services.price_one(services.context(company_id=None), "BOLT", Decimal(4))
    assert (line.price, line.product_id) == (Decimal("1.25"), product_id)
    page = desk.get("/admin/catalog/products/BOLT", follow_redirects=True).text
    assert "1.25" in page
    refused = desk.post("/admin/prices/products/BOLT/prices", data={**form, "price": "-1"}, follow_redirects=True).text
    assert "Price:" in refused
    assert services.price_one(services.context(company_id=None), "BOLT", Decimal(4)).price == Decimal("1.25")

    rates = desk.get("/admin/prices/tax-rates").text
    assert "25.5" in rates
    sent = {"country": "EE", "category": "standard", "rate": "24", "first": "1.7.2025"}
    assert desk.post("/admin/prices/tax-rates", data=sent).status_code == 303
    assert '<td class="tk-cell-main">Estonia</td>' in desk.get("/admin/prices/tax-rates").text
    assert desk.post("/admin/prices/tax-rates", data={**sent, "rate": "124"}).status_code == 422
