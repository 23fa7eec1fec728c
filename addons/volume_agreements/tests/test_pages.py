"""The pages of agreements in both faces, their import, report and API."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal as D
from html import unescape

import pytest
from sqlalchemy import select, update

from addons.volume_agreements import editing, imports, listing, reports
from addons.volume_agreements.models import Agreement
from addons.volume_agreements.standing import standings
from core.catalog.models import Product
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.restapi import keys
from core.settings.services import set_value
from core.spec.imports import ImportRow
from core.testing import factories
from core.testing.signin import sign_in

ADMIN = "/admin/a/volume_agreements/agreements"
SHOP = "/a/volume_agreements/agreements"


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


def test_staff_make_and_change_an_agreement(visit, shop):
    sam = visit("sam@tukku.example")
    assert "No volume agreement yet" in sam.get(ADMIN).text
    page = sam.get(f"{ADMIN}/new?company=acme")
    assert 'value="acme"' in page.text
    good = {
        "code": "VA-1", "name": "Bolts of the year", "company": "acme", "sku": "BOLT", "quantity": "1,000", "kind": "fixed",
        "value": "2.00", "valid_until": "2030-12-31", "status": "active",
    }  # fmt: skip
    for wrong, says in (
        ({"sku": "NOPE"}, "nothing with the code"),
        ({"company": "nobody"}, "nothing with the code"),
        ({"category": "small"}, "only one of them"),
        ({"currency": "XQQ"}, "XQQ"),
        ({"valid_until": "2020-01-01"}, "before the first"),
        ({"valid_until": ""}, "required"),
    ):
        refused = post(sam, f"{ADMIN}/new", page, **{**good, **wrong})
        assert refused.status_code == 422
        assert says in unescape(refused.text)
    assert post(sam, f"{ADMIN}/new", page, **good).status_code == 303
    shop.order(("BOLT", "300"))
    page = sam.get(f"{ADMIN}/VA-1")
    assert "700 of 1,000" in page.text
    assert "What orders drew" in page.text
    page = sam.get(f"{ADMIN}/VA-1/edit")
    version = re.search(r'name="version" value="(\d+)"', page.text)[1]
    changed = {**good, "quantity": "900", "version": version}
    less = post(sam, f"{ADMIN}/VA-1/edit", page, **{**changed, "quantity": "200"})
    assert "cannot be less" in less.text
    assert post(sam, f"{ADMIN}/VA-1/edit", page, **changed).status_code == 303
    assert "Somebody else" in post(sam, f"{ADMIN}/VA-1/edit", page, **changed).text
    assert "600 of 900" in unescape(sam.get("/admin/companies/c/acme").text)
    fia = visit("fia@tukku.example")
    assert "Bolts of the year" in fia.get(ADMIN).text
    assert fia.get(f"{ADMIN}/VA-1/edit").status_code == 403
    assert visit("anna@acme.example").get(ADMIN).status_code in (403, 404)


def test_the_list_and_the_figures_agree_on_progress(shop):
    shop.agree("DRAFT", status="draft")
    shop.agree("NEXT", valid_from=clock.now() + timedelta(days=5))
    shop.agree("BEHIND", quantity="1000")
    shop.agree("FULL", "NUT", quantity="10")
    shop.agree("SHORT", valid_until=clock.now() - timedelta(days=1))
    shop.agree("ENDED", status="ended")
    shop.order(("NUT", "10"))
    shop.agree("ON", "NUT", quantity="10", valid_from=clock.now() - timedelta(hours=1))
    with shop.request(system("tests")):
        in_sql = dict(db.session.execute(select(Agreement.code, listing.AGREEMENTS.field("progress").expression)).all())
        found = standings(db.session.scalars(select(Agreement)))
        assert {one.agreement.code: one.progress for one in found} == in_sql
        assert in_sql == {
            "DRAFT": "", "NEXT": "", "BEHIND": "behind", "FULL": "used_up", "SHORT": "short", "ENDED": "short", "ON": "on",
        }  # fmt: skip
        rows = list(reports.REPORTS[0].rows({"progress": "short"}))
        assert [(row[0], row[10], row[13]) for row in rows] == [("SHORT", D(1000), D(2000)), ("ENDED", D(1000), D(2000))]


def test_progress_is_filtered(visit, shop):
    shop.agree("BEHIND")
    shop.agree("ON", "NUT", quantity="10", valid_from=clock.now() - timedelta(hours=1))
    text = visit("sam@tukku.example").get(f"{ADMIN}?progress=behind").text
    assert "Agreement BEHIND" in text
    assert "Agreement ON" not in text


def test_the_buyer_sees_what_is_left(visit, shop):
    anna, dora = visit("anna@acme.example"), visit("dora@acme.example")
    assert "No volume agreement" in anna.get(SHOP).text
    assert "Your volume agreement" not in anna.get("/p/BOLT").text
    shop.agree()
    shop.agree("DRAFT", status="draft", name="Not yet shown")
    shop.agree(
        "OLD", valid_from=clock.now() - timedelta(days=9), valid_until=clock.now() - timedelta(days=2), name="Long ago"
    )
    shop.order(("BOLT", "300"))
    for client in (anna, dora):
        text = unescape(client.get(SHOP).text)
        assert "700 of 1,000" in text
        assert "Long ago" in text
        assert "Not yet shown" not in text
        product = unescape(client.get("/p/BOLT").text)
        assert "Your volume agreement" in product
        assert "Your agreement Agreement VA-1: 700 of 1000 pcs left" in product
    assert shop.app.test_client().get(SHOP).status_code in (302, 303, 401)


def test_the_buyer_is_led_to_the_article_where_it_is_offered(visit, shop):
    shop.agree()
    anna = visit("anna@acme.example")
    assert 'href="/p/BOLT"' in anna.get(SHOP).text
    with acting(system("tests")), write() as session:
        session.execute(update(Product).where(Product.sku == "BOLT").values(status="discontinued"))
    page = anna.get(SHOP).text
    assert 'href="/p/BOLT"' not in page
    assert "The article is not offered to you at present" in page


def test_import_and_export(shop):
    def load(*rows):
        with shop.request(system("tests")), write():
            return [(r.outcome, r.field) for r in imports.load([ImportRow(i, row) for i, row in enumerate(rows, 2)])]

    day = clock.today("UTC")
    good = {
        "code": "VA-1", "name": "Bolts", "company": "acme", "sku": "BOLT", "quantity": D(1000), "value": D(2),
        "valid_until": day + timedelta(days=30),
    }  # fmt: skip
    assert load(good) == [("created", "")]
    assert load(good, {"code": "VA-1", "quantity": D(1000)}) == [("unchanged", ""), ("unchanged", "")]
    assert load({"code": "VA-1", "quantity": D(2000)}) == [("updated", "")]
    wrong = [
        ({"company": "nobody"}, "company"), ({"sku": "NOPE"}, "sku"), ({"category": "nope"}, "category"),
        ({"category": "small"}, "category"), ({"quantity": D(0)}, "quantity"), ({"currency": "XQQ"}, "currency"),
        ({"valid_until": day - timedelta(days=30)}, "valid_until"),
    ]  # fmt: skip
    rows = [{**good, **values, "code": f"W-{i}"} for i, (values, _field) in enumerate(wrong)]
    assert load(*rows, {"code": "W-9"}) == [*(("error", field) for _values, field in wrong), ("error", "name")]
    with shop.request(system("tests")):
        (row,) = imports.export()
        assert editing.by_code("VA-1").version == 2
    assert load({name: value for name, value in row.items() if value not in (None, "")}) == [("unchanged", "")]


def test_programs_read_and_write(shop):
    shop.agree()
    shop.agree("DRAFT", status="draft")
    shop.order(("BOLT", "300"))
    client, url = shop.app.test_client(), "/api/v1/volume_agreements/agreements"

    def headers(*may, company_id=None):
        with shop.request(system("tests")):
            return {"Authorization": f"Bearer {keys.create('a program', may, company_id=company_id, days=1).secret}"}

    staff = headers("volume_agreements.agreement.view", "volume_agreements.agreement.edit", "pricing.price.view")
    own = headers("volume_agreements.agreement.own", company_id=shop.daughter.id)
    assert [x["code"] for x in client.get(url, headers=staff).json["items"]] == ["DRAFT", "VA-1"]
    (item,) = client.get(url, headers=own).json["items"]
    assert {name: item[name] for name in ("code", "left", "committed", "percent", "state", "sku")} == {
        "code": "VA-1", "left": "700", "committed": "300", "percent": 30, "state": "active", "sku": "BOLT",
    }  # fmt: skip
    assert client.get(f"{url}/VA-1", headers=own).json["left"] == "700"
    assert client.get(f"{url}/DRAFT", headers=own).status_code == 404
    assert client.get(f"{url}/VA-1", headers=own).json["value"] is None  # the key may not see prices
    priced = headers("volume_agreements.agreement.own", "pricing.price.view", company_id=shop.daughter.id)
    assert client.get(f"{url}/VA-1", headers=priced).json["value"] is not None
    rows = {"rows": [{"code": "VA-1", "quantity": "1200"}]}
    keyed = {"Idempotency-Key": "k"}
    assert client.post(f"{url}/batch", json=rows, headers={**own, **keyed}).status_code == 403
    assert client.post(f"{url}/batch", json=rows, headers={**staff, **keyed}).json["updated"] == 1
    other = headers("volume_agreements.agreement.own", company_id=factories.make_company("other").id)
    assert client.get(url, headers=other).json["items"] == []
