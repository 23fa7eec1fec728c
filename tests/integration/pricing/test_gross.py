"""List prices given with tax are kept without it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.pricing import editing
from core.pricing.imports import load_list_prices
from core.pricing.models import ListPrice
from core.pricing.tax import TaxRateMissing
from core.spec.imports import ImportRow
from core.testing import factories


@pytest.fixture
def shop(app_with):
    app = app_with(addons=[])
    with app.app_context(), acting(system("tests")):
        factories.make_tax_rate("FI", "reduced", "14")
        factories.make_product("P", price=None)
        factories.make_product("FOOD", price=None, tax_class="reduced")
        yield app


def load(**values):
    row = ImportRow(2, {"unit": "pcs", "currency": "EUR", **values})
    with write():
        return load_list_prices([row])[0]


def prices():
    return [row.price for row in db.session.scalars(select(ListPrice).order_by(ListPrice.id))]


def test_the_class_decides_about_the_rate_and_the_same_file_changes_nothing(shop):
    rows = [{"sku": "P", "price": D("125.50"), "with_tax": True}, {"sku": "FOOD", "price": D("9.99"), "with_tax": True}]
    assert [load(**row).outcome for row in rows] == ["created", "created"]
    assert prices() == [D(100), D("8.7632")]
    assert round(D("8.7632") * D("1.14"), 2) == D("9.99")
    assert [load(**row).outcome for row in rows] == ["unchanged", "unchanged"]
    assert load(sku="P", price=D(100)).outcome == "unchanged"


def test_without_a_rate_for_the_day_the_row_is_refused(shop):
    refused = load(sku="P", price=D(100), with_tax=True, **{"from": date(1999, 1, 1)})
    assert refused.outcome == "error"
    assert "no standard tax rate for FI" in str(refused)
    values = {"unit": "pcs", "currency": "EUR", "price": D(100), "per": D(1), "last": None, "with_tax": True}
    with pytest.raises(TaxRateMissing):
        editing.set_list_price("P", {**values, "first": date(1999, 1, 1)})
    editing.set_list_price("P", {**values, "first": None})
    assert prices() == [D("79.6813")]
