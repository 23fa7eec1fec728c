"""The pages on which people make keys."""

import re

import pytest

from core.data.db import db
from core.restapi.models import ApiKey
from core.testing import factories as make


@pytest.mark.database("sqlite")
def test_a_key_is_made_shown_once_and_revoked(app, login, world):
    make.make_staff("boss@tukku.example")
    form = {"name": "ERP", "days": "30", "permissions": ["catalog.product.view"]}
    for email, root, extra in (
        ("boss@tukku.example", "/admin/api-keys", {"company": "ours-code"}),
        ("ours@x.example", "/company/api-keys", {}),
    ):
        browser = login(email)
        made = browser.post(f"{root}/new", data=form | extra)
        secret = re.search(r"tukku_[0-9a-f]{10}_[\w-]{43}", made.text)[0]
        assert made.headers["Cache-Control"] == "no-store"
        assert secret not in browser.get(f"{root}/").text
        call = {"headers": {"Authorization": f"Bearer {secret}"}}
        assert app.test_client().get("/api/v1/products", **call).status_code == 200
        assert browser.post(f"{root}/new", data=form | extra | {"permissions": ["companies.member.edit"]}).status_code == 422
        code = secret.split("_")[1]
        assert login("theirs@x.example").post(f"/company/api-keys/{code}/revoke").status_code == 404
        assert browser.post(f"{root}/{code}/revoke").status_code == 303
        assert app.test_client().get("/api/v1/products", **call).status_code == 401
    assert {key.company_id for key in db.session.query(ApiKey)} == {world[1].id}


@pytest.mark.database("sqlite")
def test_permissions_stand_in_groups_those_that_the_key_may_hold(app, login, world):
    make.make_staff("boss@tukku.example")
    boss = login("boss@tukku.example")
    merchant, company = (boss.get(f"/admin/api-keys/new{query}").text for query in ("", "?of=company"))
    groups = [re.findall(r'tk-strong">([^<]+)', page)[:3] for page in (merchant, company)]
    assert groups == [["Companies", "Catalogue", "Prices and tax"]] * 2
    for name, there in (("orders.desk.view", merchant), ("orders.order.place", company)):
        assert [f'value="{name}"' in page for page in (merchant, company)] == [there is merchant, there is company]
    sent = {"name": "ERP", "days": "30", "permissions": ["orders.order.place"]}
    again = boss.post("/admin/api-keys/new?of=company", data=sent)
    assert again.status_code == 422, "the company is missing"
    assert re.search(r'value="orders\.order\.place"[^>]* checked', again.text), "what was ticked stays so"
