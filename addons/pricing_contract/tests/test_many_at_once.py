"""Many contracts at once: a percentage is prepared for each, and what is prepared is published together."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import delete, select

from addons.pricing_contract import bulk_views, editing, publishing
from addons.pricing_contract.change_models import Change
from addons.pricing_contract.grid import pasted_rows
from addons.pricing_contract.models import Contract
from core.data import clock
from core.data.db import db
from core.jobs.runner import run_due
from core.testing.factories import make_company, make_product, make_staff, today
from core.testing.signin import sign_in
from core.testing.statements import count_statements

from .conftest import contract, priced, row

LIST = "/admin/a/pricing_contract/contracts"
MANY = "/admin/a/pricing_contract/many-contracts"
CODES = ["A", "B", "C"]


@pytest.fixture
def desk(office):
    """Three contracts with a price each, and one with a percentage only."""
    bolt = make_product("BOLT", price="9")
    companies = [make_company(f"{code}-CO") for code in CODES]
    for code, company in zip(CODES, companies, strict=True):
        row(contract(code, company=company), bolt, "5")
    row(contract("P"), None, "3", kind="percent")
    make_staff("sales@tukku.example", ["sales"])
    return office, sign_in(office, "sales@tukku.example"), bolt, companies


def prepared(office, sales, codes=CODES, **form) -> list[Change]:
    answer = sales.post(f"{MANY}/percent", data={"code": codes, "go": "1", "percent": "10", "rounding": "half_up", **form})
    assert answer.status_code == 303, answer.text
    run_due(office)
    db.session.rollback()
    return list(db.session.scalars(select(Change).order_by(Change.id)))


def ticks(page: str) -> list[str]:
    return re.findall(r'name="change" value="([^"]+)" checked', page)


def test_a_percentage_for_many_contracts_is_prepared_and_published_together(desk):
    office, sales, bolt, companies = desk
    assert "Publish prepared changes" in sales.get(LIST).text
    asked = sales.post(f"{MANY}/percent", data={"code": [*CODES, "P"]})
    assert (asked.status_code, "Prepare 4 changes" in asked.text) == (200, True)
    changes = prepared(office, sales, [*CODES, "P"])
    assert [(one.contract.code, one.state, one.size) for one in changes] == [(code, "open", 1) for code in CODES]
    assert [priced(bolt, one).price for one in companies] == [D(5)] * 3
    page = sales.post(f"{MANY}/publish", data={"code": [*CODES, "P"]}).text
    assert len(ticks(page)) == 3
    day = today() + timedelta(days=10)
    answer = sales.post(
        f"{MANY}/publish", data={"code": CODES, "go": "1", "change": ticks(page)[:2], "starts": day.isoformat()}
    )
    assert answer.status_code == 303
    assert "2 changes are being published." in sales.get(answer.location).text
    run_due(office)
    assert [priced(bolt, one).price for one in companies] == [D(5)] * 3
    later = clock.now() + timedelta(days=12)
    assert [priced(bolt, one, at=later).price for one in companies] == [D("5.50"), D("5.50"), D(5)]
    assert sales.get(f"{LIST}/A/changes/1").text.count("Undo the change") == 1


def test_what_cannot_be_published_is_named_and_the_others_are(desk):
    office, sales, bolt, companies = desk
    prepared(office, sales)
    page = sales.post(f"{MANY}/publish", data={"code": CODES}).text
    editing.save_grid(editing.contract_by_code("B"), pasted_rows("BOLT\t4"))
    answer = sales.post(f"{MANY}/publish", data={"code": CODES, "go": "1", "change": ticks(page)})
    told = sales.get(answer.location).text
    assert "2 changes are being published." in told
    assert "B, Fixed prices changed by 10\u00a0%: 1 row was changed since" in told
    run_due(office)
    assert [priced(bolt, one).price for one in companies] == [D("5.50"), D(4), D("5.50")]


@pytest.mark.parametrize(
    ("way", "form", "said"),
    [
        ("percent", {}, "Choose contracts first."),
        ("publish", {"code": "NONE"}, "Choose contracts first."),
        ("percent", {"code": "P", "go": "1", "percent": "10", "rounding": "half_up"}, "No price would change"),
        ("percent", {"code": "A", "go": "1", "percent": "-200", "rounding": "half_up"}, "Write a percentage above -100"),
        ("percent", {"code": "A", "go": "1", "percent": "", "rounding": "half_up"}, 'aria-invalid="true"'),
        ("publish", {"code": "A"}, "None of the chosen contracts has a change"),
    ],
)
def test_what_cannot_be_is_told(desk, way, form, said):
    _office, sales, *_rest = desk
    answer = sales.post(f"{MANY}/{way}", data=form)
    text = sales.get(answer.location).text if answer.status_code == 303 else answer.text
    assert said in text
    assert db.session.scalars(select(Change)).all() == []


def test_more_than_a_page_takes_is_told_and_nothing_is_left_out_in_silence(desk, monkeypatch):
    office, sales, *_rest = desk
    monkeypatch.setattr(bulk_views, "MOST", 2)
    form = {"code": CODES, "go": "1", "percent": "10", "rounding": "half_up"}
    answer = sales.post(f"{MANY}/percent", data=form)
    assert "Choose at most 2 contracts at once." in sales.get(answer.location).text
    assert db.session.scalars(select(Change)).all() == []
    for codes in (["A", "B"], ["A"]):
        prepared(office, sales, codes)
    answer = sales.post(f"{MANY}/publish", data={"code": ["A", "B"]})
    assert "more than 2 prepared changes" in sales.get(answer.location).text
    assert sales.post(f"{MANY}/publish", data={"code": ["A", "A", "A"]}).status_code == 200


def test_nothing_is_published_where_nothing_is_ticked(desk):
    office, sales, *_rest = desk
    prepared(office, sales)
    answer = sales.post(f"{MANY}/publish", data={"code": CODES, "go": "1"})
    assert answer.status_code == 422
    assert "Tick the changes to be published." in answer.text
    assert ticks(answer.text) == []


def test_what_is_gone_meanwhile_is_told(desk):
    office, sales, *_rest = desk
    prepared(office, sales)
    page = sales.post(f"{MANY}/publish", data={"code": CODES}).text
    shown = ticks(page)
    first = sales.post(f"{MANY}/publish", data={"code": CODES, "go": "1", "change": shown[:2]})
    assert "2 changes are being published." in sales.get(first.location).text
    again = sales.post(f"{MANY}/publish", data={"code": CODES, "go": "1", "change": shown[:2]})
    told = sales.get(again.location).text
    assert "2 of the ticked changes were not published: they are no longer open." in told
    assert "being published" not in told
    rest = sales.post(f"{MANY}/publish", data={"code": CODES, "go": "1", "change": shown})
    told = sales.get(rest.location).text
    assert "1 change is being published." in told
    assert "2 of the ticked changes were not published: they are no longer open." in told


def test_a_contract_deleted_while_others_are_published_stops_nothing(desk, monkeypatch):
    office, sales, *_rest = desk
    prepared(office, sales)
    shown = ticks(sales.post(f"{MANY}/publish", data={"code": CODES}).text)
    publish = publishing.publish

    def and_somebody_deletes(contract, change, *given, **more):
        count = publish(contract, change, *given, **more)
        if contract.code == "A":
            with db.engine.begin() as other:
                other.execute(delete(Contract.__table__).where(Contract.__table__.c.code == "B"))
        return count

    monkeypatch.setattr(publishing, "publish", and_somebody_deletes)
    answer = sales.post(f"{MANY}/publish", data={"code": CODES, "go": "1", "change": shown})
    assert answer.status_code == 303
    told = sales.get(answer.location).text
    assert "2 changes are being published." in told
    assert "B, Fixed prices changed by 10\u00a0%: Somebody else has worked on this change meanwhile." in told


def test_ticks_that_no_page_has_sent_are_no_fault(desk):
    office, sales, *_rest = desk
    prepared(office, sales)
    for value in ("1:" + "9" * 5000, "x", ":", "1:٣", "1:1:1"):
        answer = sales.post(f"{MANY}/publish", data={"code": CODES, "go": "1", "change": value})
        assert answer.status_code in (303, 422), value
    assert {one.state for one in db.session.scalars(select(Change))} == {"open"}


def test_fixed_prices_of_many_contracts_are_counted_by_one_statement(desk):
    _office, sales, *_rest = desk
    counts = []
    for codes in (["P"], ["A"], CODES):
        with count_statements() as statements:
            assert sales.post(f"{MANY}/percent", data={"code": codes}).status_code == 200
        counts.append(len(statements.seen))
    assert counts[1] == counts[2]  # the first request of a session reads more


def test_who_may_only_look_changes_nothing(desk):
    office, sales, *_rest = desk
    prepared(office, sales)
    make_staff("warehouse@tukku.example", ["warehouse"])
    other = sign_in(office, "warehouse@tukku.example")
    for way in ("percent", "publish"):
        answer = other.post(f"{MANY}/{way}", data={"code": CODES, "go": "1", "percent": "10", "rounding": "half_up"})
        assert answer.status_code in (403, 404)
    assert len(db.session.scalars(select(Change)).all()) == 3
