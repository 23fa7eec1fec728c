"""Two people in the grid of one contract: nobody's row is overwritten unseen, and no other row is lost."""

from __future__ import annotations

import html
import io
import re
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from addons.pricing_contract.models import Contract, ContractPrice
from core.data.db import db
from core.data.scope import acting, system
from core.imports.services import import_file
from core.jobs.runner import run_due
from core.restapi import keys
from core.testing.factories import make_company, make_product, make_staff
from core.testing.signin import sign_in

from .conftest import contract, row

PAGE = "/admin/a/pricing_contract/contracts/K"
FIELD = re.compile(r'<(?:input|select)[^>]* name="([a-z_]+)-(\d+)"(?:[^>]* value="([^"]*)")?')


@pytest.fixture
def two(office):
    """Minna and Olli of sales, and a contract with two rows."""
    frame = contract("K", company=make_company("ACME"))
    for code, value in (("BOLT", "1"), ("NUT", "2")):
        row(frame, make_product(code), value)
    make_product("WASHER")
    for name in ("minna", "olli"):
        make_staff(f"{name}@tukku.example", ["sales"], name=name.title())
    return [sign_in(office, f"{name}@tukku.example") for name in ("minna", "olli")]


def shown(page: str) -> dict[str, dict[str, str]]:
    """Return the rows of a page by their code: number and fields."""
    rows: dict[str, dict[str, str]] = {}
    for name, number, value in FIELD.findall(page):
        rows.setdefault(number, {"n": number, "kind": "fixed"}).setdefault(name, html.unescape(value))
    return {fields["target"]: fields for fields in rows.values() if fields.get("target")}


def sent(*rows: dict[str, str], **more: str) -> dict[str, str]:
    """Return rows as a form sends them."""
    return {f"{name}-{one['n']}": value for one in rows for name, value in one.items() if name != "n"} | more


def values() -> dict[str, D]:
    """Return the prices that stand."""
    db.session.expire_all()
    query = select(ContractPrice).where(ContractPrice.contract_id == db.session.scalar(select(Contract.id)))
    return {str(one.product_id): one.value for one in db.session.scalars(query)}


def test_the_second_sees_who_changed_the_row_and_chooses_while_the_other_rows_go_in(two):
    minna, olli = two
    before = shown(olli.get(PAGE).text)
    theirs = shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.40"}
    assert minna.post(f"{PAGE}/rows", data=sent(theirs)).status_code == 303

    mine = {name: before[name] | {"value": value} for name, value in (("BOLT", "1.50"), ("NUT", "2.50"))}
    answer = olli.post(f"{PAGE}/rows", data=sent(*mine.values()))
    assert answer.status_code == 409
    assert list(values().values()) == [D("1.40"), D("2.50")]
    assert re.search(r"Minna changed this on [^<]*\d{4}[^<]*\.\s+Your row was not saved\.", answer.text)
    assert "Value: it is “1.40” now, you wrote “1.50”" in answer.text
    assert "1 row is saved." in answer.text
    kept = shown(answer.text)["BOLT"]
    assert kept["value"] == "1.50"

    undecided = {name: value for name, value in kept.items() if name != "choice"}
    assert olli.post(f"{PAGE}/rows", data=sent(undecided)).status_code == 409
    assert olli.post(f"{PAGE}/rows", data=sent(kept | {"choice": "theirs"})).status_code == 303
    assert values()["1"] == D("1.40")
    assert olli.post(f"{PAGE}/rows", data=sent(kept | {"choice": "changed"})).status_code == 303
    assert values()["1"] == D("1.50")


def test_a_choice_holds_only_for_the_row_that_was_shown(two):
    minna, olli = two
    before, theirs = shown(olli.get(PAGE).text)["BOLT"], shown(minna.get(PAGE).text)["BOLT"]
    minna.post(f"{PAGE}/rows", data=sent(theirs | {"value": "1.40"}))
    kept = shown(olli.post(f"{PAGE}/rows", data=sent(before | {"value": "1.50"})).text)["BOLT"]
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.60"}))
    answer = olli.post(f"{PAGE}/rows", data=sent(kept | {"choice": "changed"}))
    assert answer.status_code == 409
    assert "it is “1.60” now, you wrote “1.50”" in answer.text
    assert values()["1"] == D("1.60")


def test_a_row_that_somebody_deleted_can_be_added_again(two):
    minna, olli = two
    before = shown(olli.get(PAGE).text)["BOLT"]
    assert minna.post(f"{PAGE}/rows", data={"delete": before["key"]}).status_code == 303
    answer = olli.post(f"{PAGE}/rows", data=sent(before | {"value": "1.50"}))
    assert answer.status_code == 409
    assert re.search(r"Minna changed this on [^<]*\.\s+The row is no longer there\.", answer.text)
    kept = shown(answer.text)["BOLT"]
    assert olli.post(f"{PAGE}/rows", data=sent(kept | {"choice": "gone"})).status_code == 303
    assert values() == {"1": D("1.50"), "2": D(2)}


def test_a_row_that_somebody_changed_is_not_deleted_unseen(two):
    minna, olli = two
    before = shown(olli.get(PAGE).text)["BOLT"]
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.40"}))
    answer = olli.post(f"{PAGE}/rows", data=sent(before, delete=before["key"]))
    assert answer.status_code == 409
    assert "1 row was changed by somebody else meanwhile and is not deleted." in answer.text
    again = shown(answer.text)["BOLT"]
    assert again["value"] == "1.40"
    assert olli.post(f"{PAGE}/rows", data=sent(again, delete=again["key"])).status_code == 303
    assert values() == {"2": D(2)}


def test_two_that_add_the_same_row_meet(two):
    minna, olli = two
    new = {"n": "10001", "key": "", "kind": "fixed", "target": "WASHER", "value": "3"}
    assert minna.post(f"{PAGE}/rows", data=sent(new)).status_code == 303
    answer = olli.post(f"{PAGE}/rows", data=sent(new | {"value": "4"}))
    assert answer.status_code == 409
    assert re.search(r"Minna changed this on [^<]*\.\s+There is such a row already\.", answer.text)
    assert values()["3"] == D(3)
    kept = max((one for one in re.findall(r'name="now-(\d+)" value="([^"]+)"', answer.text)), key=lambda one: len(one[1]))
    mine = new | {"n": kept[0], "value": "4", "now": html.unescape(kept[1]), "choice": "taken"}
    assert olli.post(f"{PAGE}/rows", data=sent(mine)).status_code == 303
    assert values()["3"] == D(4)


def test_a_row_of_an_unreadable_key_is_a_bad_page_and_no_fault(two):
    answer = two[0].post(f"{PAGE}/rows", data={"delete": "1|pcs|NaN|yesterday"})
    assert answer.status_code == 422
    assert "The page that was sent is not complete; load it again." in answer.text


def test_a_row_that_a_program_changed_meanwhile_is_not_overwritten_unseen(two):
    _minna, olli = two
    before = shown(olli.get(PAGE).text)
    rows = [{"contract": "K", "sku": "BOLT", "unit": "pcs", "value": "1.30"}]
    secret = keys.create("ERP", keys.offered(None), company_id=None, days=1).secret
    sent_by = {"Authorization": f"Bearer {secret}"}
    answer = olli.application.test_client().post(
        "/api/v1/pricing_contract/contracts/prices/batch", json={"rows": rows}, headers=sent_by
    )
    assert answer.json["updated"] == 1
    late = olli.post(f"{PAGE}/rows", data=sent(before["BOLT"] | {"value": "1.50"}))
    assert late.status_code == 409
    assert "ERP" in late.text
    assert D("1.30") in values().values()


def seen(page: str) -> str:
    """Return the mark of a page that takes rows which it does not show."""
    return html.unescape(re.search(r'name="seen" value="([^"]+)"', page)[1])


def test_a_pasted_row_that_somebody_changed_since_the_page_was_opened_is_written_only_once_confirmed(two):
    minna, olli = two
    opened = seen(olli.get(f"{PAGE}/paste").text)
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.30"}))
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.40"}))
    text = "BOLT\t1.50\nNUT\t2.50\nWASHER\t3"
    answer = olli.post(f"{PAGE}/paste", data={"rows": text, "seen": opened})
    assert answer.status_code == 409
    assert values() == {"1": D("1.40"), "2": D("2.50"), "3": D(3)}
    assert re.search(r"Minna changed this on [^<]*\d{4}[^<]* from “1\.00.€” to “1\.40.€”\.", answer.text)
    again = {"rows": text, "seen": seen(answer.text)}
    assert olli.post(f"{PAGE}/paste", data=again).status_code == 409
    assert values()["1"] == D("1.40")
    over = html.unescape(re.search(r'name="over" value="([^"]+)"', answer.text)[1])
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.45"}))
    late = olli.post(f"{PAGE}/paste", data=again | {"over": over})  # confirmed what stood then, not what stands now
    assert late.status_code == 409
    assert "to “1.45\u00a0€”" in late.text
    over = html.unescape(re.search(r'name="over" value="([^"]+)"', late.text)[1])
    assert olli.post(f"{PAGE}/paste", data=again | {"over": over}).status_code == 200
    assert values()["1"] == D("1.50")


def test_pasted_rows_meet_rows_taken_out_and_added_meanwhile_but_not_ones_own(two):
    minna, olli = two
    page = olli.get(f"{PAGE}/paste").text
    minna.post(f"{PAGE}/rows", data={"delete": shown(minna.get(PAGE).text)["BOLT"]["key"]})
    minna.post(f"{PAGE}/paste", data={"rows": "WASHER\t4"})
    olli.post(f"{PAGE}/paste", data={"rows": "NUT\t2.20"})
    answer = olli.post(f"{PAGE}/paste", data={"rows": "BOLT\t1.50\nWASHER\t3\nNUT\t2.50", "seen": seen(page)})
    assert answer.status_code == 409
    assert values() == {"2": D("2.50"), "3": D(4)}
    assert re.search(r"Minna took this out on [^<]*; it was “1\.00.€”\.", answer.text)
    assert re.search(r"Minna added this on [^<]*: “4\.00.€”\.", answer.text)
    same = olli.post(f"{PAGE}/paste", data={"rows": "WASHER\t4", "seen": seen(page)})
    assert same.status_code == 200  # what is written there already is no conflict


def test_rows_of_an_uploaded_file_that_clash_come_back_as_text(two):
    minna, olli = two
    opened = seen(olli.get(f"{PAGE}/paste").text)
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.40"}))
    file = (io.BytesIO(b"sku,unit,value\nBOLT,pcs,1.50\nNUT,pcs,2.50\n"), "rows.csv")
    answer = olli.post(f"{PAGE}/paste", data={"file": file, "seen": opened})
    assert answer.status_code == 409
    assert values() == {"1": D("1.40"), "2": D("2.50")}
    assert "BOLT\tpcs\t\tfixed\t1.50" in html.unescape(answer.text)


def test_a_mark_that_is_none_is_a_bad_page_and_no_fault(two):
    answer = two[0].post(f"{PAGE}/paste", data={"rows": "BOLT\t1.50", "seen": "x:yesterday"})
    assert answer.status_code == 422
    assert "load it again" in answer.text


def test_a_percentage_is_not_put_on_prices_that_were_not_shown(two):
    minna, olli = two
    page = f"{PAGE}/percent"
    looked = olli.post(page, data={"percent": "10", "rounding": "half_up"}).text
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.40"}))
    asked = {"percent": "10", "rounding": "half_up", "apply": "1"}
    late = olli.post(page, data=asked | {"seen": seen(looked)})
    assert late.status_code == 409
    assert "1 price was changed meanwhile" in late.text
    assert "1.54" in late.text
    assert values() == {"1": D("1.40"), "2": D(2)}
    assert olli.post(page, data=asked | {"seen": seen(late.text)}).status_code == 303
    assert values() == {"1": D("1.54"), "2": D("2.20")}


def test_a_prepared_change_is_not_published_over_rows_that_were_changed_since_it_was_looked_at(two):
    minna, olli = two
    answer = olli.post(f"{PAGE}/paste", data={"rows": "BOLT\t1.50\nNUT\t2.50", "prepare": "1"})
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.40"}))
    page = answer.location
    told = r"BOLT: Minna changed this on [^<]* from “1\.00.€” to “1\.40.€”\."
    assert re.search(told, olli.get(page).text)
    late = olli.post(f"{page}/publish", data={"version": "1"})
    assert late.status_code == 422
    assert re.search(told, late.text)
    assert values() == {"1": D("1.40"), "2": D(2)}
    assert olli.post(f"{page}/effect").status_code == 303
    assert "Minna changed this" not in olli.get(page).text
    assert olli.post(f"{page}/publish", data={"version": "2"}).status_code == 303
    assert values() == {"1": D("1.50"), "2": D("2.50")}


def test_a_tried_file_leaves_out_rows_that_somebody_changed_since_the_trial(two, tmp_path):
    """The rows of nobody and of the importer himself go in; what is left out is told with who did what."""
    minna, olli = two
    file = {"kind": "contract_prices", "file": (io.BytesIO(b"contract,sku,value\nK,BOLT,1.50\nK,NUT,2.50\n"), "rows.csv")}
    answer = olli.post("/admin/imports/", data=file)
    run_due(olli.application)
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.40"}))
    olli.post(f"{PAGE}/paste", data={"rows": "NUT\t2.20"})
    assert olli.post(f"{answer.location}/run").status_code == 303
    run_due(olli.application)
    assert values() == {"1": D("1.40"), "2": D("2.50")}
    page = olli.get(answer.location).text
    assert re.search(r"Minna changed this on [^<]* from “1\.00.€” to “1\.40.€”\. That was after this file was tried\.", page)


def test_a_file_and_a_program_say_whose_rows_they_replace(two, tmp_path):
    minna, _olli = two
    minna.post(f"{PAGE}/rows", data=sent(shown(minna.get(PAGE).text)["BOLT"] | {"value": "1.40"}))
    path = tmp_path / "rows.csv"
    path.write_text("contract,sku,value\nK,BOLT,1.50\nK,NUT,2.50\nK,WASHER,3\n")
    with acting(system("tests")):
        tried = import_file("contract_prices", path, dry_run=True)
        done = import_file("contract_prices", path)
        again = import_file("contract_prices", path)
    for report in (tried, done):
        assert (report.changed, report.noticed) == (3, 1)
        assert re.fullmatch(
            r"Replaces what Minna set by hand on .*: “1\.40.€”\.", str(report.plain()["notices"][0]["message"])
        )
    assert again.plain()["notices"] == []
    assert values() == {"1": D("1.50"), "2": D("2.50"), "3": D(3)}
    path.write_text("contract,sku,value\nK,BOLT,1.60\n")
    with acting(system("tests")):
        assert import_file("contract_prices", path).noticed == 0  # a file over a file's row is nobody's work lost
