"""The editor of contracts, the explanation, the panel and the buyer's page."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from addons.pricing_contract.editing import contract_by_code
from addons.pricing_contract.grid import page_of, pasted_rows
from addons.pricing_contract.models import ContractPrice
from core.catalog.search.documents import reindex
from core.companies.services import seller
from core.data import clock
from core.data.clock import start_of_day
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.testing.factories import make_company, make_product, make_segment, make_staff, make_user
from core.testing.signin import sign_in

from .conftest import contract, priced, row

HOME = "/admin/a/pricing_contract/contracts"
D = Decimal


@pytest.fixture
def desk(office):
    """A member of sales, signed in."""
    make_staff("sales@tukku.example", ["sales"])
    return sign_in(office, "sales@tukku.example")


def rows_of(code: str) -> list[ContractPrice]:
    db.session.expire_all()
    found = contract_by_code(code)
    return list(db.session.scalars(select(ContractPrice).where(ContractPrice.contract_id == found.id)))


def grid(n: int, **values: str) -> dict[str, str]:
    """Return a grid row's form fields."""
    return {f"{name}-{n}": value for name, value in {"key": "", "kind": "fixed", **values}.items()}


def test_contract_from_its_first_line_to_its_end(desk):
    company = make_company("ACME")
    product = make_product("BOLT", price="2")
    assert "No contract yet" in desk.get(HOME).text
    head = {"code": "ACME-26", "name": "Frame 2026", "audience": "company", "company": "ACME", "currency": "EUR",
            "merge_policy": "override", "priority": "0", "status": "draft", "valid_until": "31.12.2030"}  # fmt: skip
    answer = desk.post(f"{HOME}/new", data={**head, "company": "NOBODY"})
    assert answer.status_code == 422
    assert "there is no company code with the code" in answer.text
    assert desk.post(f"{HOME}/new", data=head).status_code == 303
    page = f"{HOME}/ACME-26"
    sent = {**grid(1, target="BOLT", value="1,50"), **grid(2, target="BOLT", min_quantity="100", value="1.25")}
    assert desk.post(f"{page}/rows", data=sent).status_code == 303
    assert priced(product, company).price == D(2)
    desk.post(f"{page}/status", data={"status": "active"})
    assert [priced(product, company, q).price for q in ("1", "100")] == [D("1.5"), D("1.25")]
    shown = desk.get(page).text
    assert "BOLT" in shown
    assert "1.25" in shown
    assert "Frame 2026" in desk.get(HOME).text
    assert "BOLT" in desk.get(f"{page}/export").text

    wrong = {**grid(1, target="NUT", value="1"), **grid(2, target="BOLT", min_quantity="500", value="9"),
             **grid(3, target="BOLT", value="-1", min_quantity="7")}  # fmt: skip
    answer = desk.post(f"{page}/rows", data=wrong)
    assert answer.status_code == 422
    assert "There is no product or category with this code" in answer.text
    assert "From 500 it would cost more than from 100" in answer.text
    assert "A price cannot be negative" in answer.text
    assert len(rows_of("ACME-26")) == 2

    form = {"percent": "10", "rounding": "half_up", "step": "0.05"}
    assert "1.65" in desk.post(f"{page}/percent", data=form).text
    assert priced(product, company).price == D("1.5")
    desk.post(f"{page}/percent", data={**form, "apply": "1"})
    assert [priced(product, company, q).price for q in ("1", "100")] == [D("1.65"), D("1.4")]

    copy = desk.post(f"{page}/copy", data={"code": "COPY", "name": "Copy", "percent": "-10"})
    assert copy.status_code == 303
    assert sorted(r.value for r in rows_of("COPY")) == [D("1.26"), D("1.49")]

    keys = [f"{r.target}|{r.unit}|{r.min_quantity.normalize():f}|{r.valid_from.isoformat()}" for r in rows_of("ACME-26")]
    desk.post(f"{page}/rows", data={"delete": keys})
    assert rows_of("ACME-26") == []
    assert "Take it back" in desk.get(page).text
    desk.post(f"{page}/undo")
    assert len(rows_of("ACME-26")) == 2
    desk.post(f"{page}/status", data={"status": "ended"})
    assert priced(product, company).price == D(2)


def test_pasted_rows_each_get_an_outcome(desk):
    contract("K", company=make_company("ACME"))
    make_product("A-1", price="2")
    make_product("A-2", price="2")
    text = "code\tquantity\tprice\nA-1\t1,50\nA-1\t10\t1,40\nA-2;1.95\nNONE 3\nA-2\tpcs\t5\tabc\n*goods 12%"
    answer = desk.post(f"{HOME}/K/paste", data={"rows": text})
    assert answer.status_code == 422
    assert answer.text.count(">Added<") + answer.text.count("Added</") >= 1
    assert "is not a number" in answer.text
    assert "Rows that were not saved" in answer.text
    left = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)[1])
    assert left == "NONE 3\nA-2\tpcs\t5\tabc"  # what is saved is not sent again
    found = {(r.product_id is not None, r.kind, r.value, r.min_quantity) for r in rows_of("K")}
    assert found == {
        (True, "fixed", D("1.5"), D(0)),
        (True, "fixed", D("1.4"), D(10)),
        (True, "fixed", D("1.95"), D(0)),
        (False, "percent", D(12), D(0)),
    }


def test_numbers_of_the_grid_are_written_and_read_as_the_reader_writes_them(office):
    make_staff("myynti@tukku.example", ["sales"], locale="fi")
    desk = sign_in(office, "myynti@tukku.example")
    product = make_product("BOLT", price="2")
    row(contract("K", company=make_company("ACME")), product, "1.125")
    shown = desk.get(f"{HOME}/K").text
    assert 'value="1,125"' in shown
    assert desk.post(f"{HOME}/K/rows", data=grid(1, target="BOLT", min_quantity="5", value="1,025")).status_code == 303
    answer = desk.post(f"{HOME}/K/rows", data=grid(1, target="BOLT", min_quantity="9", value="1.020"))
    assert answer.status_code == 422
    assert "”1.020” voidaan lukea kahdella tavalla; kirjoita 1020 tai 1,020." in answer.text
    assert sorted(r.value for r in rows_of("K")) == [D("1.025"), D("1.125")]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("A 1,5", ("A", "", "", "1,5")),
        ("A;10;1,5", ("A", "", "10", "1,5")),
        ("A\tbox\t2\t9", ("A", "box", "2", "9")),
        ("A 5%", ("A", "", "", "5")),
    ],
)
def test_pasted_columns(line, cells):
    [found] = pasted_rows(line)
    assert (found.target, found.unit, found.min_quantity, found.value) == cells


def test_explanation_page_panel_and_buyers_page(desk, office):
    gold = make_segment("gold")
    company = make_company("ACME", segments=["gold"])
    make_user("anna@acme.example", company=company)
    product = make_product("BOLT", price="2", name="Hexagon bolt")
    for currency in ("EUR", "SEK"):
        contract(f"LIST-{currency}", segment=gold, currency=currency)
    row(contract("FRAME", company=company, name="Frame <b>2026</b>"), product, "1.5")
    told = desk.get("/admin/a/pricing_contract/explain?company=ACME&product=BOLT&quantity=3").text
    assert "Frame &lt;b&gt;2026&lt;/b&gt;" in told
    assert "contract:FRAME" in told
    assert "There is no product" in desk.get("/admin/a/pricing_contract/explain?product=NUT").text
    wrong = desk.get("/admin/a/pricing_contract/explain?product=BOLT&quantity=NaN").text
    assert "“NaN” is not a number; write it as 1234.50." in wrong
    assert "Write the date as 2026-12-31." in desk.get("/admin/a/pricing_contract/explain?product=BOLT&at=soon").text
    panel = desk.get("/admin/companies/c/ACME").text
    assert "FRAME" in panel
    assert "LIST-EUR" in panel
    assert "LIST-SEK" not in panel  # a list in another money never prices what the company buys
    anna = sign_in(office, "anna@acme.example")
    own = anna.get("/a/pricing_contract/prices").text
    assert "Hexagon bolt" in own
    assert "1.50" in own
    with acting(system("tests")), write():
        reindex([product.id])
    for wanted, found in (("hexagon", True), ("OLT", True), ("bolts", True), ("washer", False)):
        answer = anna.get(f"/a/pricing_contract/prices?q={wanted}").text
        assert ("/p/BOLT" in answer) is found, wanted
    assert "found by “washer”" in answer
    assert anna.get(HOME).status_code in (403, 404)
    assert "Your contract price" in anna.get("/p/BOLT").text


def test_buyers_see_what_holds_on_another_day(office):
    """Prices that ended and prices to come, each with its reason; a day that is none is said."""
    company = make_company("ACME")
    make_user("anna@acme.example", company=company)
    product, zone, today = make_product("BOLT", price="2"), seller().zone, clock.today(seller().zone)
    gone, later = start_of_day(today - timedelta(days=40), zone), start_of_day(today + timedelta(days=30), zone)
    row(contract("OLD", company=company, name="Last year", valid_until=gone), product, "1.75")
    row(contract("NEXT", company=company, name="Next year", valid_from=later), product, "1.25")
    anna = sign_in(office, "anna@acme.example")
    assert "Your company buys at list prices" in anna.get("/a/pricing_contract/prices").text
    for days, price, name in ((-41, "1.75", "Last year"), (30, "1.25", "Next year")):
        told = anna.get(f"/a/pricing_contract/prices?on={today + timedelta(days=days)}").text
        assert price in told
        assert f"Your contract price ({name})" in told
    between = anna.get(f"/a/pricing_contract/prices?on={today + timedelta(days=29)}").text
    assert "No contract of your company holds on" in between
    for wrong in ("soon", "2026-02-30", "9999-12-31"):
        answer = anna.get(f"/a/pricing_contract/prices?on={wrong}", follow_redirects=True)
        assert answer.status_code == 200
        assert wrong == "9999-12-31" or f"“{wrong}” is not a day" in answer.text


def test_late_save_is_refused(desk):
    contract("K", company=make_company("ACME"))
    version = contract_by_code("K").version
    desk.post(f"{HOME}/K/status", data={"status": "draft"})
    head = {
        "code": "K", "name": "X", "audience": "company", "company": "ACME", "currency": "EUR",
        "merge_policy": "override", "priority": "0", "status": "active", "version": str(version),
    }  # fmt: skip
    answer = desk.post(f"{HOME}/K/edit", data=head)
    assert answer.status_code == 422
    assert re.search(r"\w[^<>]+ changed this on [^<]+\. Look at what differs, then save again\.", answer.text)
    assert "Name: it is “Contract K” now, you wrote “X”." in answer.text
    assert "Status: it is “Draft” now, you wrote “Active”." in answer.text
    assert "Country: " not in answer.text
    again = re.search(r'name="version" value="(\d+)"', answer.text)
    assert desk.post(f"{HOME}/K/edit", data={**head, "version": again[1]}).status_code == 303


def test_grid_is_constant_in_statements(desk, count_statements):
    company = make_company("ACME")
    frame = contract("K", company=company)
    for n in range(3):
        row(frame, make_product(f"P{n}"), "1")
    desk.get(f"{HOME}/K")
    with count_statements() as few:
        desk.get(f"{HOME}/K")
    for n in range(3, 15):
        row(frame, make_product(f"P{n}"), "1")
    with count_statements() as many:
        desk.get(f"{HOME}/K")
    assert few.count == many.count
    assert db.session.scalar(select(func.count()).select_from(ContractPrice)) == 15


def test_the_table_tells_rows_that_do_not_hold_now_from_those_that_do(office):
    make_staff("sales@tukku.example", ["sales"])
    bolt, k = make_product("BOLT", price="2"), contract("K", company=make_company("ACME"))
    now = clock.now()
    row(k, bolt, "1.50")
    row(k, bolt, "1.60", start=now + timedelta(days=3))
    row(k, bolt, "1.40", start=now - timedelta(days=9), end=now - timedelta(days=3))
    shown = sign_in(office, "sales@tukku.example").get("/admin/a/pricing_contract/contracts/K").text
    assert [one.state for one in page_of(k).rows] == ["", "ended", "upcoming"]
    assert (shown.count("Starts later"), shown.count("Ended")) == (1, 1)
