"""The pages of the staff, import and export, the resource for programs, the checks, and what switching off means."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal as D
from html import unescape

import pytest
from sqlalchemy import select

from addons.assortments import checks, editing, imports, why
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import acting, system
from core.data.write import write
from core.orders import cart
from core.orders.merging import NewItem
from core.restapi import keys
from core.settings.services import set_value
from core.spec.errors import NotFound
from core.spec.imports import ImportRow
from core.testing import factories
from core.testing.signin import sign_in

ADMIN = "/admin/a/assortments"


@pytest.fixture
def visit(shop):
    factories.make_staff("sam@tukku.example", ["sales"])
    factories.make_staff("wade@tukku.example", ["warehouse"])
    with acting(system("tests")), write():
        set_value("core", "staff_second_factor", False)
    return lambda email: sign_in(shop.app, email)


def post(client, url, page, **data):
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    return client.post(url, data={"csrf_token": token[1], **data})


def test_staff_make_fill_and_end_an_assortment(visit, shop):
    sam = visit("sam@tukku.example")
    assert "No assortment yet" in sam.get(f"{ADMIN}/assortments").text
    page = sam.get(f"{ADMIN}/assortments/new?company=acme")
    assert 'value="acme"' in page.text
    good = {
        "code": "LIST",
        "name": "Agreed list",
        "mode": "only",
        "audience": "company",
        "company": "acme",
        "status": "draft",
    }
    for wrong, says in (
        ({"company": "nobody"}, "nothing with the code"),
        ({"company": ""}, "for whom the assortment is"),
        ({"audience": "segment"}, "for whom the assortment is"),
        ({"valid_from": "2030-01-02", "valid_until": "2030-01-01"}, "before the first"),
        ({"code": ""}, "required"),
    ):
        refused = post(sam, f"{ADMIN}/assortments/new", page, **{**good, **wrong})
        assert refused.status_code == 422
        assert says in unescape(refused.text)
    assert post(sam, f"{ADMIN}/assortments/new", page, **good).status_code == 303
    again = post(sam, f"{ADMIN}/assortments/new", page, **good)
    assert "already" in again.text
    url = f"{ADMIN}/assortments/LIST"
    assert "No goods yet" in sam.get(url).text
    pasted = post(sam, f"{url}/paste", page, rows="BOLT\tScrew\nNOPE\n*piping\n*nope;x\nBOLT", what="add")
    assert pasted.status_code == 422
    outcomes = re.findall(
        r'tk-code">([^<]+)</span></td>\s*<td>.*?</svg>?\s*(?:<[^>]*>)*\s*([A-Z][a-z ]+)', pasted.text, re.S
    )
    assert [code for code, _what in outcomes][:4] == ["BOLT", "NOPE", "*piping", "*nope"]
    assert "Added: 2. Taken out: 0. Not saved: 2." in pasted.text
    assert "NOPE\n*nope</textarea>" in pasted.text
    text = unescape(sam.get(url).text)
    assert "Thing bolt" in text
    assert "3 products" in text
    assert "Thing bolt" not in sam.get(f"{url}?kind=category").text
    assert "BOLT" not in sam.get(f"{url}?q=piping").text.split("<tbody>")[1]
    assert shop.seen() == "BOLT NUT PIPE VALVE LOOSE"
    assert post(sam, f"{url}/status", page, status="active").status_code == 303
    assert shop.seen() == "BOLT PIPE VALVE"
    taken = post(sam, f"{ADMIN}/assortments/remove-rows", page, code="LIST *piping", next=url)
    assert (taken.status_code, taken.location) == (303, url)
    assert shop.seen() == "BOLT"
    gone = post(sam, f"{url}/paste", page, rows="BOLT\nNUT", what="remove")
    assert "Added: 0. Taken out: 1. Not saved: 0." in gone.text
    page = sam.get(f"{url}/edit")
    version = re.search(r'name="version" value="(\d+)"', page.text)[1]
    changed = {**good, "mode": "without", "status": "active", "version": version}
    assert post(sam, f"{url}/edit", page, **changed).status_code == 303
    assert "Somebody else" in post(sam, f"{url}/edit", page, **changed).text
    assert post(sam, f"{url}/status", page, status="no").status_code == 409
    assert post(sam, f"{url}/status", page, status="ended").status_code == 303
    with shop.request(system("tests")):
        query = select(AuditEntry.action).where(AuditEntry.entity == "assortment").order_by(AuditEntry.id)
        assert list(db.session.scalars(query)) == [
            "created", "rows added", "changed", "rows removed", "rows removed", "changed", "changed",
        ]  # fmt: skip


def test_only_sales_and_administrators_come_in(visit, shop):
    shop.make("LIST", "only", "BOLT")
    pages = ("/assortments", "/assortments/LIST", "/assortments/LIST/edit", "/assortments/LIST/paste", "/seen")
    for email in ("wade@tukku.example", "anna@acme.example"):
        client = visit(email)
        assert {client.get(ADMIN + path).status_code for path in pages} <= {302, 403, 404}
    sam = visit("sam@tukku.example")
    assert {sam.get(ADMIN + path).status_code for path in pages} == {200}
    assert sam.get(f"{ADMIN}/assortments/NOPE").status_code == 404


def test_who_sees_what(visit, shop):
    shop.make("LIST", "only", "*fasteners")
    shop.make("LESS", "without", "NUT", audience="public")
    sam = visit("sam@tukku.example")
    text = unescape(sam.get(f"{ADMIN}/seen?company=daughter&product=NUT").text)
    for part in (
        "1 product",
        "of 5 in the catalogue",
        "Not seen",
        "Left out by “Assortment LESS”.",
        "fasteners",
        "the article",
    ):
        assert part in text
    with shop.request(system("tests")):
        for company, sku, visible, reason in (
            ("acme", "BOLT", True, "Among the goods of “Assortment LIST”."),
            ("acme", "PIPE", False, "Not among the goods of “Assortment LIST”, and no other assortment gives it."),
            ("other", "PIPE", True, "No assortment restricts what is seen."),
            ("", "NUT", False, "Left out by “Assortment LESS”."),
        ):
            answer = why.explain(company, sku)
            assert (answer.visible, str(answer.reason)) == (visible, reason)
        with pytest.raises(NotFound):
            why.explain("nobody")
    shop.make("BACK", "also", "NUT")
    with shop.request(system("tests")):
        assert str(why.explain("acme", "NUT").reason) == "Given back by “Assortment BACK”, whatever hides it elsewhere."
        factories.make_product("OLD", status="discontinued")
        assert "no longer sold" in why.explain("other", "OLD").reason
    assert sam.get(f"{ADMIN}/seen?company=nobody").status_code == 404
    assert "no products at all" not in sam.get(f"{ADMIN}/seen?company=").text
    with acting(system("tests")), write():
        set_value("core", "guest_sees_products", False)
    assert "no products at all" in sam.get(f"{ADMIN}/seen?company=").text
    company = unescape(sam.get("/admin/companies/c/acme").text)
    assert "It sees 2 products" in company
    assert "Assortment LIST" in company


def test_a_segments_page_says_what_it_gives(visit, shop):
    admin = factories.make_staff("root@tukku.example", ["admin"])
    client = visit(admin.email)
    assert "restricts nothing" in client.get("/admin/companies/segments/s/gold").text
    shop.make("GOLD", "without", "BOLT", audience="segment")
    text = client.get("/admin/companies/segments/s/gold").text
    assert "Assortment GOLD" in text
    assert "All but these" in text
    page = client.get(f"{ADMIN}/assortments/new?segment=gold").text
    assert '<option selected value="segment">' in page
    assert '<option selected value="gold">' in page


def test_an_assortment_says_whom_it_touches(visit, shop):
    with shop.request("daughter"):
        cart.add([NewItem("PIPE", D(1))])
    shop.make("ONLY", "only", "BOLT", status="draft")
    shop.make("LESS", "without", "BOLT", audience="public")
    shop.make("GOLD", "also", "BOLT", audience="segment")
    sam = visit("sam@tukku.example")

    def told(code):
        text = unescape(sam.get(f"{ADMIN}/assortments/{code}").text)
        return [re.sub(r"\s*<[^>]+>\s*", " ", found).strip() for found in re.findall(r"<dd>(.*?)</dd>", text, re.S)]

    assert told("ONLY")[-3:] == ["1 product", "2 companies", "1"]
    assert told("LESS")[-2:] == ["1 product", "3 companies, and visitors"]
    assert told("GOLD")[-2:] == ["1 product", "1 company"]


def test_import_and_export(shop):
    def load(kind, *rows):
        with shop.request(system("tests")), write():
            return [(r.outcome, r.field) for r in kind.load([ImportRow(i, row) for i, row in enumerate(rows, 2)])]

    day = clock.today("UTC")
    good = {"code": "L-1", "name": "List", "audience": "company", "company": "acme", "mode": "only", "status": "active"}
    assert load(imports.ASSORTMENTS, good) == [("created", "")]
    assert load(imports.ASSORTMENTS, good, {"code": "L-1", "mode": "only"}) == [("unchanged", ""), ("unchanged", "")]
    assert load(imports.ASSORTMENTS, {"code": "L-1", "valid_until": day + timedelta(days=9)}) == [("updated", "")]
    wrong = [
        ({"company": "nobody"}, "company"), ({"audience": "segment", "segment": "nope"}, "segment"),
        ({"audience": "segment"}, "segment"), ({"audience": "public"}, "company"),
        ({"valid_from": day, "valid_until": day - timedelta(days=3)}, "valid_until"),
    ]  # fmt: skip
    rows = [{**good, **values, "code": f"W-{i}"} for i, (values, _field) in enumerate(wrong)]
    assert load(imports.ASSORTMENTS, *rows, {"code": "W-9"}) == [
        *(("error", field) for _values, field in wrong), ("error", "name"),
    ]  # fmt: skip
    goods = [{"assortment": "L-1", "sku": "BOLT"}, {"assortment": "L-1", "category": "piping"}]
    assert load(imports.ROWS, *goods, goods[0]) == [("created", ""), ("created", ""), ("unchanged", "")]
    assert load(imports.ROWS, *goods) == [("unchanged", ""), ("unchanged", "")]
    assert load(
        imports.ROWS, {"assortment": "NO", "sku": "BOLT"}, {"assortment": "L-1", "sku": "NO"}, {"assortment": "L-1"},
        {"assortment": "L-1", "sku": "NUT", "category": "nuts"}, {"assortment": "L-1", "category": "no"},
    ) == [("error", "assortment"), ("error", "sku"), ("error", "sku"), ("error", "sku"), ("error", "category")]  # fmt: skip
    assert shop.seen() == "BOLT PIPE VALVE"
    with shop.request(system("tests")):
        exported = [(kind, list(kind.export())) for kind in imports.IMPORTS]
        assert editing.by_code("L-1").version == 2
    for kind, found in exported:
        assert found
        kept = [{name: value for name, value in row.items() if value not in (None, "")} for row in found]
        assert load(kind, *kept) == [("unchanged", "")] * len(found)
    gone = {"assortment": "L-1", "category": "piping", "remove": True}
    assert (load(imports.ROWS, gone), load(imports.ROWS, gone)) == ([("updated", "")], [("unchanged", "")])
    assert shop.seen() == "BOLT"


def test_statements_of_the_import_do_not_grow(shop, count_statements):
    shop.make("L-1", "only")
    with shop.request(system("tests")):
        for n in range(40):
            factories.make_product(f"P-{n}")
        rows = [ImportRow(n, {"assortment": "L-1", "sku": f"P-{n}"}) for n in range(40)]
        with write(), count_statements() as few:
            imports.load_rows(rows[:1])
        with write(), count_statements(at_most=few.count):
            assert {result.outcome for result in imports.load_rows(rows[1:])} == {"created"}


def test_programs_read_and_write(shop):
    shop.make("LIST", "only", "BOLT")
    client, url = shop.app.test_client(), "/api/v1/assortments/assortments"

    def headers(*may, company_id=None):
        with shop.request(system("tests")):
            return {"Authorization": f"Bearer {keys.create('a program', may, company_id=company_id, days=1).secret}"}

    staff = headers("assortments.assortment.view", "assortments.assortment.edit")
    assert [x["code"] for x in client.get(url, headers=staff).json["items"]] == ["LIST"]
    item = client.get(f"{url}/LIST", headers=staff).json
    assert {name: item[name] for name in ("code", "mode", "company", "segment")} == {
        "code": "LIST", "mode": "only", "company": "acme", "segment": None,
    }  # fmt: skip
    rows = {
        "rows": [{"code": "LIST", "name": "Another"}, {"code": "NEW", "name": "N", "audience": "public", "mode": "without"}]
    }
    answer = client.post(f"{url}/batch", json=rows, headers={**staff, "Idempotency-Key": "a"}).json
    assert (answer["created"], answer["updated"]) == (1, 1)
    goods = {"rows": [{"assortment": "LIST", "category": "piping"}, {"assortment": "LIST", "sku": "BOLT", "remove": True}]}
    answer = client.post(f"{url}/rows/batch", json=goods, headers={**staff, "Idempotency-Key": "b"}).json
    assert (answer["created"], answer["updated"], answer["failed"]) == (1, 1, 0)
    assert client.get(f"{url}/rows/list?assortment=LIST", headers=staff).json["items"] == [
        {"assortment": "LIST", "sku": None, "category": "piping"}
    ]
    seen = client.get(f"{url}/check/visible?company=daughter&sku=PIPE", headers=staff).json
    assert seen == {
        "visible": True, "reason": "Among the goods of “Another”.",
        "assortments": [{"code": "LIST", "mode": "only", "names_it": True, "decides": True}],
    }  # fmt: skip
    other = headers("catalog.product.view", company_id=shop.acme.id)
    assert client.get(url, headers=other).status_code == 403


def test_checks(shop, count_statements):
    day = timedelta(days=1)

    def found(*checked):
        with shop.request(system("tests")):
            return [(one.code, one.level, one.values.get("code")) for check in checked for one in check()]

    every = [one.check for one in checks.CHECKS]
    assert found(*every) == []
    shop.make("EMPTY", "only")
    shop.make("IDLE", "also")
    shop.make("OVER", "without", "BOLT", valid_from=clock.now() - 2 * day, valid_until=clock.now() - day)
    assert found(*every) == [
        ("ASSORTMENT-EMPTY", "error", "EMPTY"), ("ASSORTMENT-EMPTY", "info", "IDLE"), ("ASSORTMENT-ENDED", "info", "OVER"),
        ("ASSORTMENT-NOTHING", "error", "EMPTY"),
    ]  # fmt: skip
    shop.make("GOLD", "without", "*fasteners", "*piping", "LOOSE", audience="segment")
    with shop.request(system("tests")):
        (acme, other) = checks.nothing_left()
        assert "2 companies (acme, daughter)" in acme.message
        assert "other" in other.message
        with count_statements(at_most=4):
            list(checks.nothing_left())
        with write() as session:
            for code in ("other", "acme"):
                session.scalars(select(Company).where(Company.code == code)).one().status = "closed"
    assert ("ASSORTMENT-NOBODY", "warning", "GOLD") in found(checks.concerning_nobody)
    assert ("ASSORTMENT-NOBODY", "warning", "EMPTY") in found(checks.concerning_nobody)
    with shop.request(system("tests")):
        (health,) = checks.health()
        assert "3 assortments" in health.message
        losses = list(checks.losses())
        assert [(one.count, one.severity) for one in losses] == [(2, "severe"), (4, "info")]
        shop.make("ALL", "without", "BOLT", audience="public")
    with shop.request(system("tests")):
        assert "Visitors too" in str(list(checks.losses())[1].message)
