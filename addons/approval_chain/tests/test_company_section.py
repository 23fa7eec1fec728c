"""The hours of a company's approvals in the form of the company: saved with it, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from addons.approval_chain import company_section
from core.companies.models import Company
from core.data.db import db
from core.settings.models import Setting
from core.settings.services import get, set_value
from core.testing import factories
from core.testing.signin import sign_in

EDIT = "/admin/companies/c/acme/edit"
OURS = "approval_chain__"
FORM = {
    "code": "acme", "name": "Acme Oy", "parent": "", "country": "FI", "business_id": "", "vat_id": "", "currency": "EUR",
    "locale": "en", "status": "active", "sales_rep": "",
}  # fmt: skip


@pytest.fixture
def shop(app_with: Callable[..., Flask]) -> Flask:
    """A shop with approvals only, and its staff."""
    app = app_with(addons=["approval_chain"])
    factories.make_company("acme")
    for name, role in (("aino", "admin"), ("sami", "sales")):
        factories.make_staff(f"{name}@tukku.example", roles=[role])
    return app


@pytest.fixture
def admin(shop: Flask) -> FlaskClient:
    """Who may set what concerns companies."""
    return sign_in(shop, "aino@tukku.example")


def post(client: FlaskClient, **hours: str) -> int:
    """Save the company under its new name; return the status."""
    given = {f"{OURS}{key}": value for key, value in hours.items()}
    return client.post(EDIT, data=FORM | given).status_code


def kept() -> tuple[str, dict[str, Any]]:
    """Return the company's name and what is set for it."""
    db.session.rollback()
    return db.session.scalar(select(Company.name).where(Company.code == "acme")), hours_of("acme")


def hours_of(code: str) -> dict[str, Any]:
    """Return what is stored for a company."""
    query = select(Setting.key, Setting.value).where(Setting.target == f"company:{code}", Setting.owner == "approval_chain")
    return {row.key: row.value for row in db.session.execute(query)}


def test_the_section_is_saved_with_the_company(shop, admin):
    page = admin.get(EDIT).text
    assert "Approval of orders" in page
    assert f'name="{OURS}remind_hours"' in page
    assert post(admin, remind_hours="4", expire_hours="40") == 303
    assert kept() == ("Acme Oy", {"remind_hours": 4, "expire_hours": 40})
    assert 'value="40"' in admin.get(EDIT).text
    assert post(admin, remind_hours="4", expire_hours="") == 303
    assert kept()[1] == {"remind_hours": 4}, "an empty field follows the settings again"
    with shop.test_request_context("/"):
        company_id = db.session.scalar(select(Company.id).where(Company.code == "acme"))
        set_value("approval_chain", "expire_hours", 7)
        hours = [get("approval_chain", key, company=company_id) for key in ("remind_hours", "expire_hours")]
    assert hours == [4, 7]


@pytest.mark.parametrize("wrong", ["2001", "-1", "1.5", "soon"])
def test_a_wrong_figure_saves_nothing_of_the_company(admin, wrong):
    before = kept()
    assert post(admin, remind_hours="4", expire_hours=wrong) == 422
    assert kept() == before


def test_a_section_that_fails_takes_the_company_back_with_it(admin, shop, monkeypatch):
    before = kept()

    def fail(*_args: Any, **_values: Any) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(company_section, "set_value", fail)
    with pytest.raises(RuntimeError, match="no room"):
        post(admin, remind_hours="4")
    assert kept() == before


def test_a_new_company_takes_its_hours_along(admin):
    new = FORM | {"code": "new", "name": "New Oy", f"{OURS}escalate_hours": "3"}
    assert admin.post("/admin/companies/new", data=new).status_code == 303
    assert hours_of("new") == {"escalate_hours": 3}


def test_whoever_may_not_change_settings_has_no_such_section(shop):
    sales = sign_in(shop, "sami@tukku.example")
    assert OURS not in sales.get(EDIT).text
    assert post(sales, remind_hours="4") == 303
    assert kept() == ("Acme Oy", {})
