"""A form that was not filled as it asks is shown again with 422, so that programs and scripts see the refusal."""

from __future__ import annotations

import pytest

from core.testing import factories as make
from core.testing.signin import sign_in

STAFF_FORMS = {
    "/admin/companies/c/acme/act-for": {"person": "", "reason": ""},
    "/admin/companies/segments/new": {"code": ""},
    "/admin/companies/seller": {"name": ""},
    "/admin/accounts/users/invite": {"email": "nobody"},
    "/admin/settings/orders": {"small_order_below": "much"},
    "/account": {"name": ""},
}


@pytest.fixture
def app(app_with):
    app = app_with(addons=[])
    app.config["WTF_CSRF_ENABLED"] = False
    company = make.make_company("acme")
    make.make_user("anna@acme.example", company=company)
    make.make_staff("root@tukku.example", ["admin", "sales"])
    return app


def test_pages_of_staff(app):
    root = sign_in(app, "root@tukku.example")
    for path, sent in STAFF_FORMS.items():
        assert root.get(path).status_code == 200, path
        assert root.post(path, data=sent).status_code == 422, path


@pytest.mark.parametrize("path", ["/login", "/password/forgot"])
def test_pages_of_visitors(app, path):
    visitor = app.test_client()
    assert visitor.get(path).status_code == 200
    assert visitor.post(path, data={"email": "", "password": ""}).status_code == 422
