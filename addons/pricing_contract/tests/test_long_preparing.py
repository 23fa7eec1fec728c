"""Long changes are prepared by a job, in portions: stopped, refused or killed, nothing of it can be published."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import func, select

from addons.pricing_contract import change_rows, copying, editing, percents, preparing, publishing
from addons.pricing_contract.change_models import Change, ChangePart, ChangeRow
from addons.pricing_contract.grid import pasted_rows
from addons.pricing_contract.history_models import Deed
from addons.pricing_contract.models import ContractPrice
from core.data import clock
from core.data.db import db
from core.data.models import AuditEntry
from core.jobs.models import Job
from core.jobs.runner import run_due
from core.spec.errors import Conflict, Invalid
from core.testing.factories import make_category, make_company, make_product, make_staff
from core.testing.signin import sign_in

from .conftest import contract, priced, row

HOME = "/admin/a/pricing_contract/contracts"
NAMES = [f"P{n}" for n in range(6)]


@pytest.fixture
def deal(office, monkeypatch):
    """A contract of six products, in a shop where two rows are many."""
    monkeypatch.setattr(publishing, "LONG", 2)
    monkeypatch.setattr(change_rows, "PORTION", 2)
    company = make_company("ACME")
    found = contract("FRAME", company=company)
    goods = [make_product(name, price="9") for name in NAMES]
    for one in goods:
        row(found, one, "5")
    make_staff("sales@tukku.example", ["sales"])
    return office, found, company, goods, sign_in(office, "sales@tukku.example")


def prices(company, goods) -> list[D]:
    return [priced(one, company).price for one in goods]


def sent(client, text, page=f"{HOME}/FRAME/paste"):
    data = {"file": (io.BytesIO(text.encode()), "rows.csv"), "rows": "", "prepare": "1"}
    return client.post(page, data=data, content_type="multipart/form-data")


def the_change() -> Change:
    db.session.rollback()  # to see what other sessions wrote
    return db.session.scalars(select(Change).order_by(Change.id.desc()).execution_options(populate_existing=True)).first()


def left(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


FILE = "sku,min_quantity,value\n" + "".join(f"{name},,6\n{name},10,4.50\n" for name in reversed(NAMES))


def test_a_long_file_is_prepared_by_a_job_and_the_page_tells_how_far_it_is(deal):
    office, _frame, company, goods, sales = deal
    page = sent(sales, FILE).location
    assert the_change().state == "preparing"
    shown = sales.get(page).text
    assert "Being prepared" in shown
    assert "Publish the change" not in shown
    assert "0 of 12" in sales.get(page, headers={"HX-Request": "true"}).text
    assert "rows.csv" in sales.get(f"{HOME}/FRAME").text
    with pytest.raises(Conflict, match="no longer open"):
        publishing.publish(the_change().contract, the_change(), the_change().version)
    run_due(office)
    assert sales.get(page, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    change = the_change()
    assert (change.state, change.size, change.checked, left(ChangePart)) == ("open", 12, 12, 0)
    assert (change.effect["rows"]["added"], change.effect["rows"]["rises"]) == (6, 6)
    assert [one.place for one in change_rows.first_rows(change, 2)] == [0, 1]
    assert "Publish the change" in sales.get(page).text
    publishing.publish(change.contract, change, change.version)
    run_due(office)
    assert prices(company, goods) == [D(6)] * 6
    assert priced(goods[0], company, "10").price == D("4.50")


def test_short_ones_are_prepared_at_once(deal):
    _office, _frame, _company, _goods, sales = deal
    page = sent(sales, "sku,value\nP0,6\nP1,6\n").location
    assert "Publish the change" in sales.get(page).text


def test_rows_that_cannot_be_taken_are_named_and_nothing_is_prepared(deal):
    office, _frame, company, goods, sales = deal
    make_category("tools")
    text = "sku,category,min_quantity,kind,value\nP0,,,,6\nNONE,,,,1\nP1,,10,,7\nP2,,,,6\nP2,,,,6\n,tools,,,-x\nP3,,,,6\n"
    page = sent(sales, text).location
    run_due(office)
    change = the_change()
    assert (change.state, left(ChangePart), left(ChangeRow)) == ("failed", 0, 0)
    shown = sales.get(page).text
    assert "5 rows cannot be taken" in shown
    assert "There is no product or category with this code" in shown
    assert "From 10 it would cost more" in shown
    assert "given twice (rows 4 and 5)" in shown
    assert [one[0] for one in change.problems["rows"]] == [2, 3, 4, 5, 6]
    assert "Publish the change" not in shown
    for act in (publishing.publish, publishing.withdraw):
        with pytest.raises(Conflict):
            act(change.contract, change, change.version)
    assert sales.post(f"{page}/stop").status_code == 303
    assert sales.get(page).status_code == 404
    assert prices(company, goods) == [D(5)] * 6


@pytest.mark.parametrize("after", [0, 2])
def test_it_can_be_stopped_and_nothing_is_left(deal, monkeypatch, after):
    """Before its job begins, and after some portions."""
    office, _frame, company, goods, sales = deal
    page = sent(sales, FILE).location
    portions = []

    def stop() -> None:
        portions.append(1)
        if len(portions) == after:
            preparing.throw_away(the_change())

    monkeypatch.setattr(change_rows, "give_way", stop)
    if not after:
        assert sales.post(f"{page}/stop").status_code == 303
    run_due(office)
    assert [left(model) for model in (Change, ChangePart, ChangeRow)] == [0, 0, 0]
    assert [one.state for one in db.session.scalars(select(Job).where(Job.name == preparing.JOB))] == ["done"]
    assert prices(company, goods) == [D(5)] * 6
    assert len(portions) == after
    assert db.session.scalar(select(func.count()).where(AuditEntry.action == "change withdrawn")) == 1


def test_prices_are_changed_by_percent_by_a_job(deal):
    office, _frame, company, goods, sales = deal
    form = {"percent": "10", "rounding": "half_up", "step": "0.20"}
    shown = sales.post(f"{HOME}/FRAME/percent", data=form).text
    assert "Save 6 new prices" in shown
    assert "5.60" in shown
    page = sales.post(f"{HOME}/FRAME/percent", data={**form, "prepare": "1"}).location
    assert "0 of 6" in sales.get(page).text
    run_due(office)
    change = the_change()
    assert (change.state, change.size, change.effect["rows"]["rises"]) == ("open", 6, 6)
    assert prices(company, goods) == [D(5)] * 6
    sales.post(f"{HOME}/FRAME/percent", data={**form, "apply": "1"})
    run_due(office)
    assert the_change().state == "published"
    assert prices(company, goods) == [D("5.60")] * 6


def test_a_percentage_is_for_what_the_search_finds(deal, monkeypatch):
    office, frame, company, goods, sales = deal
    row(frame, goods[4], "4", min_quantity="10")
    form = {"percent": "100", "rounding": "half_up", "wanted": "P4", "apply": "1"}
    assert "Only rows with" in sales.get(f"{HOME}/FRAME/percent?q=P4").text
    assert 'value="P4"' in sales.get(f"{HOME}/FRAME/percent?q=P4").text
    sales.post(f"{HOME}/FRAME/percent", data=form)
    assert prices(company, goods) == [*[D(5)] * 4, D(10), D(5)]
    assert "No price would change" in sales.post(f"{HOME}/FRAME/percent", data={**form, "wanted": "nothing"}).text
    monkeypatch.setattr(publishing, "LONG", 1)
    sales.post(f"{HOME}/FRAME/percent", data={**form, "percent": "-50"})
    run_due(office)
    assert the_change().title == "Fixed prices of “P4” changed by -50\u00a0%"
    assert prices(company, goods) == [D(5)] * 6


def test_what_changes_nothing_is_not_prepared(deal):
    office, frame, *_rest = deal
    preparing.by_percent(frame, percents.Rise(D("0.01")))
    run_due(office)
    change = the_change()
    assert (change.state, change.refused) == ("failed", "There is nothing to prepare: no row would change.")


@pytest.mark.parametrize("publish", [True, False])
def test_what_somebody_changes_while_it_is_prepared_is_not_overwritten(deal, monkeypatch, publish):
    office, frame, company, goods, _sales = deal
    preparing.by_percent(frame, percents.Rise(D(10)), publish=publish)
    written = []

    def write_something() -> None:
        if not written:
            written.append(editing.save_grid(editing.contract_by_code("FRAME"), pasted_rows("P0\t4.50\nP5\t4")))

    monkeypatch.setattr(change_rows, "give_way", write_something)
    run_due(office)
    change = the_change()
    assert change.state == "open"
    if not publish:
        with pytest.raises(Invalid, match="2 rows were changed since"):
            publishing.publish(change.contract, change, change.version)
            run_due(office)
            raise Invalid("X", the_change().refused)
    else:
        assert "2 rows were changed since" in change.refused
    assert prices(company, goods) == [D("4.50"), *[D(5)] * 4, D(4)]


_KILLED = """
import os, signal, sys
from pathlib import Path
from addons.pricing_contract import change_rows, changes, preparing, publishing
from core.jobs.runner import run_due
from core.testing.apps import full_app
publishing.LONG = change_rows.PORTION = 2
module, name, when = {"changes": changes, "preparing": preparing, "change_rows": change_rows}[sys.argv[3]], *sys.argv[4:]
act, calls = getattr(module, name), []
def die(*given, **named):
    calls.append(1)
    if len(calls) == int(when):
        os.kill(os.getpid(), signal.SIGKILL)
    return act(*given, **named)
setattr(module, name, die)
run_due(full_app(sys.argv[1], Path(sys.argv[2])))
"""


@pytest.mark.trust
@pytest.mark.parametrize(
    ("of", "where"),
    [
        ("file", ("changes", "checked_rows", "2")),
        ("file", ("change_rows", "insert", "2")),
        ("file", ("preparing", "_open", "1")),
        ("percent", ("change_rows", "give_way", "2")),
        ("percent", ("changes", "worked_out", "1")),
    ],
)
def test_a_job_that_is_killed_goes_on_where_it_was(deal, where, of, tmp_path):
    office, frame, company, goods, sales = deal
    if of == "percent":
        preparing.by_percent(frame, percents.Rise(D(20)))
    else:
        sent(sales, FILE)
    url = db.engine.url.render_as_string(hide_password=False)
    db.session.rollback()
    command = [sys.executable, "-c", _KILLED, url, str(tmp_path), *where]
    assert subprocess.run(command, check=False, capture_output=True).returncode == -9
    assert the_change().state == "preparing"
    with clock.frozen(clock.now() + timedelta(minutes=2)):  # its lease is over
        run_due(office)
    change = the_change()
    assert (change.state, change.size) == ("open", 6 if of == "percent" else 12)
    places = [one.place for one in change_rows.first_rows(change, 20)]
    assert places == list(range(change.size))
    publishing.publish(change.contract, change, change.version)
    run_due(office)
    assert prices(company, goods) == [D(6)] * 6


def test_a_copy_with_many_prices_is_a_draft_until_they_are_changed(deal):
    office, frame, _company, _goods, sales = deal
    row(frame, None, "3", kind="percent", min_quantity="1")
    page = sales.post(f"{HOME}/FRAME/copy", data={"code": "NEW", "name": "New", "percent": "-10"}).location
    assert page.endswith("/NEW/changes/1")
    answer = sales.post(f"{HOME}/NEW/status", data={"status": "active"}, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    run_due(office)
    assert the_change().state == "published"
    copy = editing.contract_by_code("NEW")
    done = select(Deed).where(Deed.contract_id == copy.id).order_by(Deed.id)
    deeds = [(one.means, one.added, one.changed) for one in db.session.scalars(done)]
    assert deeds == [("copy", 7, 0), ("change", 0, 6)]
    values = select(ContractPrice.value).where(ContractPrice.contract_id == copy.id).order_by(ContractPrice.target)
    assert list(db.session.scalars(values)) == [D(3), *[D("4.50")] * 6]
    assert sales.post(f"{HOME}/NEW/status", data={"status": "active"}).status_code == 303


def test_a_copy_has_all_that_rows_say(deal, monkeypatch):
    _office, frame, _company, goods, _sales = deal
    monkeypatch.setattr(publishing, "LONG", 1000)
    row(frame, goods[0], "1.2345", min_quantity="10.5", end=clock.now() + timedelta(days=3))
    head = {name: getattr(frame, name) for name in ("audience", "company_id", "currency")}
    for percent, values in ((D(0), [D(5), D("1.2345")]), (D(10), [D("5.50"), D("1.3580")])):
        copy = copying.copy_contract(frame, {**head, "code": f"C{percent}", "name": "c", "status": "draft"}, percent)
        columns = [*editing.row_columns(), ContractPrice.deed_id]
        rows, was = (
            db.session.execute(
                select(*columns).where(ContractPrice.contract_id == one.id, ContractPrice.target == goods[0].id)
            ).all()
            for one in (copy, frame)
        )
        assert [one.value for one in rows] == values
        plain = [{**one._mapping, "deed_id": 0, "value": 0} for one in rows]
        assert plain == [{**one._mapping, "deed_id": 0, "value": 0} for one in was]
        deed = db.session.get_one(Deed, rows[0].deed_id)
        assert (deed.means, deed.note, deed.added) == ("copy", "FRAME", 7)
