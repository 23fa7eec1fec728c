"""The pages of rebates in both faces, and the API."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal as D
from html import unescape

import pytest
from sqlalchemy import select, update

from addons.rebates import checks, notices, settling
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.notifications.models import Notification
from core.orders import queries
from core.orders.models import Order
from core.pricing.services import VIEW as SEE_PRICES
from core.restapi import keys
from core.settings.services import set_value
from core.spec.errors import Invalid
from core.testing import factories
from core.testing.prices import hide_prices
from core.testing.signin import sign_in

ADMIN = "/admin/a/rebates/rebates"
SETTLED = "/admin/a/rebates/settlements"
SHOP = "/a/rebates/rebates"


@pytest.fixture
def visit(shop):
    factories.make_staff("sam@tukku.example", ["sales"])
    factories.make_staff("fia@tukku.example", ["finance"])
    with acting(system("tests")), write():
        set_value("core", "staff_second_factor", False)
    return lambda email: sign_in(shop.app, email)


def read(client, url):
    """Return a page as people read it."""
    return unescape(client.get(url).text).replace("\xa0", " ")


def post(client, url, page, **data):
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    return client.post(url, data={"csrf_token": token[1], **data})


def settled(shop):
    """Return the code of a proposal over 30 euros for last year."""
    shop.agree()
    number = shop.order(("BOLT", "150"))
    with shop.staff():
        with write() as session:
            at = clock.now() - timedelta(days=366)
            session.execute(update(Order).where(Order.id == queries.find(number).id).values(confirmed_at=at))
        checks.mend()
        (code,) = settling.propose()
    return code


def test_staff_make_and_change_a_rebate(visit, shop):
    sam = visit("sam@tukku.example")
    assert "No rebate yet" in read(sam, ADMIN)
    page = sam.get(f"{ADMIN}/new?company=acme")
    assert 'value="acme"' in page.text
    good = {
        "code": "RB-1", "name": "Bonus of the year", "company": "acme", "period": "year", "starts": "2020-01-01",
        "basis": "net", "kind": "percent", "mode": "retroactive", "status": "active", "steps": "1,000  2\n5000: 4.5 %",
        "categories": "small",
    }  # fmt: skip
    for wrong, says in (
        ({"skus": "NOPE"}, "nothing with the code"),
        ({"company": "nobody"}, "nothing with the code"),
        ({"steps": "a lot"}, "is no step"),
        ({"steps": "1000"}, "is no step"),
        ({"currency": "XQQ"}, "XQQ"),
        ({"basis": "quantity"}, "in which base unit"),
        ({"ends": "2019-01-01"}, "before the first"),
    ):
        refused = post(sam, f"{ADMIN}/new", page, **{**good, **wrong})
        assert refused.status_code == 422
        assert says in unescape(refused.text)
    assert post(sam, f"{ADMIN}/new", page, **good).status_code == 303
    shop.order(("BOLT", "150"), ("OIL", "5"))
    text = read(sam, f"{ADMIN}/RB-1")
    assert "3,500.00 € to the next step (4.5 %)" in text
    assert "30.00 € accrued" in text
    page = sam.get(f"{ADMIN}/RB-1/edit")
    assert "5000  4.5" in page.text
    version = re.search(r'name="version" value="(\d+)"', page.text)[1]
    changed = {**good, "steps": "1000 3", "version": version}
    assert post(sam, f"{ADMIN}/RB-1/edit", page, **changed).status_code == 303
    assert "Somebody else" in post(sam, f"{ADMIN}/RB-1/edit", page, **changed).text
    assert "45.00 €" in read(sam, f"{ADMIN}/RB-1")
    assert "Bonus of the year" in read(sam, "/admin/companies/c/acme")
    fia = visit("fia@tukku.example")
    assert "Bonus of the year" in read(fia, ADMIN)
    assert fia.get(f"{ADMIN}/RB-1/edit").status_code == 403


def test_finance_decides(visit, shop):
    sam, fia = visit("sam@tukku.example"), visit("fia@tukku.example")
    assert "Nothing to settle yet" in read(fia, SETTLED)
    code = settled(shop)
    assert code in read(fia, f"{SETTLED}?state=proposed")
    assert "Rebates to be settled" in read(fia, "/admin/")
    page = fia.get(f"{SETTLED}/{code}")
    assert "Accept 30.00 €" in read(fia, f"{SETTLED}/{code}")
    assert "Accept 30.00 €" not in read(sam, f"{SETTLED}/{code}")
    assert fia.get(f"{SETTLED}/{code}/proposal.pdf").data.startswith(b"%PDF")
    url = f"{SETTLED}/{code}/decide"
    assert post(sam, url, sam.get(f"{SETTLED}/{code}"), accept="1", seen="30").status_code == 403
    assert post(fia, url, page, seen="30").status_code == 303
    assert "Say why it is refused" in read(fia, f"{SETTLED}/{code}")
    post(fia, url, page, accept="1", seen="29")
    assert "The amount has changed" in read(fia, f"{SETTLED}/{code}")
    post(fia, url, page, accept="1", seen="30.00", document="CN-7")
    text = read(fia, f"{SETTLED}/{code}")
    assert "The settlement is accepted." in text
    assert "CN-7" in text
    assert "Accept 30.00 €" not in text
    assert "CN-7" in visit("anna@acme.example").get(SHOP).text


def test_the_buyer_sees_what_is_missing(visit, shop):
    anna, dora = visit("anna@acme.example"), visit("dora@acme.example")
    assert "Nothing has been agreed" in read(anna, SHOP)
    shop.agree()
    shop.agree("DRAFT", status="draft", name="Not yet shown")
    shop.order(("BOLT", "60"))
    shop.order(("BOLT", "60"), actor=shop.other)
    for client in (anna, dora):
        text = read(client, SHOP)
        assert "3,800.00 € to the next step (4 %)" in text
        assert "24.00 € accrued" in text
        assert "Not yet shown" not in text
    assert shop.app.test_client().get(SHOP).status_code in (302, 303, 401)


def test_who_may_not_see_prices_sees_and_hears_of_no_rebate(shop, visit):
    shop.agree()
    hide_prices(shop.app)
    anna = visit("anna@acme.example")
    assert anna.get(SHOP).status_code == 403
    assert SHOP not in anna.get("/").text
    shop.order(("BOLT", "150"))
    with shop.staff():
        notices.step_reached({"company_id": shop.company.id})
        assert db.session.scalars(select(Notification.kind).where(Notification.kind == notices.STEP)).all() == []


def test_programs_read_and_write(shop):
    code = settled(shop)
    shop.agree("DRAFT", status="draft")
    shop.order(("BOLT", "60"))
    client, url = shop.app.test_client(), "/api/v1/rebates/rebates"

    def headers(*may, company_id=None):
        with shop.staff():
            return {"Authorization": f"Bearer {keys.create('a program', may, company_id=company_id, days=1).secret}"}

    with pytest.raises(Invalid, match=r"worth nothing without pricing\.price\.view"):
        headers("rebates.rebate.view")
    staff = headers("rebates.rebate.view", "rebates.rebate.edit", SEE_PRICES)
    own = headers("rebates.rebate.own", SEE_PRICES, company_id=shop.daughter.id)
    assert [x["code"] for x in client.get(url, headers=staff).json["items"]] == ["DRAFT", "RB-1"]
    (item,) = client.get(url, headers=own).json["items"]
    assert {n: item[n] for n in ("code", "net", "accrued", "missing", "next_threshold", "reached")} == {
        "code": "RB-1", "net": "600", "accrued": "0", "missing": "400", "next_threshold": "1000", "reached": None,
    }  # fmt: skip
    assert client.get(f"{url}/RB-1", headers=own).json["steps"][0] == {"threshold": "1000", "value": "2"}
    assert client.get(f"{url}/DRAFT", headers=own).status_code == 404
    keyed = {"Idempotency-Key": "k"}
    rows = {"rows": [{"code": "RB-1", "steps": ["500=1"]}]}
    assert client.post(f"{url}/batch", json=rows, headers={**own, **keyed}).status_code == 403
    assert client.post(f"{url}/batch", json=rows, headers={**staff, **keyed}).json["updated"] == 1
    assert client.get(f"{url}/RB-1", headers=own).json["accrued"] == "6"
    assert client.get(f"{url}/settlements/list", headers=own).json["items"] == []
    (one,) = client.get(f"{url}/settlements/list", headers=staff).json["items"]
    assert (one["code"], one["amount"], one["state"]) == (code, "30", "proposed")
    with shop.staff():
        settling.refresh(code)
        settling.decide(code, accept=True, seen=D(settling.find(code).amount))
    assert len(client.get(f"{url}/settlements/list", headers=own).json["items"]) == 1
