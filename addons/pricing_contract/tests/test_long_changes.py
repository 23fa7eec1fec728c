"""Long changes: a job checks and puts them in; buyers see all or nothing, others write meanwhile, a kill costs nothing."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from addons.pricing_contract import change_rows, changes, editing, publishing
from addons.pricing_contract.change_models import Change
from addons.pricing_contract.change_rows import KEY, VALUES
from addons.pricing_contract.grid import key_text, page_of, pasted_rows
from addons.pricing_contract.history_models import Deed, PastRow
from addons.pricing_contract.models import Contract, ContractPrice
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.jobs.models import Job
from core.jobs.runner import run_due
from core.spec.errors import Conflict, Invalid
from core.spec.pricing import BEGINNING
from core.testing.factories import make_company, make_product, make_staff
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
    return office, found, company, goods


def prices(company, goods) -> list[D]:
    return [priced(one, company).price for one in goods]


def prepared(deal: Contract, value: str = "6") -> Change:
    made = changes.prepare(deal, pasted_rows("\n".join(f"{name}\t{value}" for name in NAMES)))
    assert made is not None
    return made


def look(change: Change) -> tuple[str, str]:
    db.session.rollback()  # to see what other sessions wrote
    return change.state, change.refused


def test_a_job_publishes_and_undoes_and_the_pages_tell_how_far_it_is(deal):
    office, frame, company, goods = deal
    make_staff("sales@tukku.example", ["sales"])
    sales = sign_in(office, "sales@tukku.example")
    change = prepared(frame)
    page = f"{HOME}/FRAME/changes/1"
    assert sales.post(f"{page}/publish", data={"version": "1"}).status_code == 303
    shown = sales.get(page).text
    assert "Being published" in shown
    assert "Publish the change" not in shown
    assert "0 of 6" in sales.get(page, headers={"HX-Request": "true"}).text
    assert prices(company, goods) == [D(5)] * 6
    run_due(office)
    assert sales.get(page, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert look(change) == ("published", "")
    assert prices(company, goods) == [D(6)] * 6
    deed = db.session.get_one(Deed, change.deed_id)
    assert (deed.actor, deed.means, deed.added, deed.changed, deed.removed) == (change.published_by, "change", 0, 6, 0)
    assert "job" not in deed.actor
    assert sales.post(f"{page}/undo", data={"version": change.version}).status_code == 303
    assert "Being undone" in sales.get(page).text
    run_due(office)
    assert look(change) == ("undone", "")
    assert prices(company, goods) == [D(5)] * 6


def test_others_write_while_it_is_checked(deal, monkeypatch):
    """Between two portions others write; what fits is checked again, and the change goes in."""
    office, frame, company, goods = deal
    other = make_product("OTHER", price="3")
    change = prepared(frame)
    publishing.publish(frame, change, change.version)
    written = []

    def write_something() -> None:
        if len(written) < 2:
            written.append(editing.save_grid(editing.contract_by_code("FRAME"), pasted_rows("OTHER\t2\nP1\t10\t4.50")))
            assert prices(company, goods) == [D(5)] * 6

    monkeypatch.setattr(change_rows, "give_way", write_something)
    run_due(office)
    assert len(written) == 2
    assert look(change) == ("published", "")
    assert prices(company, [*goods, other]) == [*[D(6)] * 6, D(2)]


@pytest.mark.parametrize(
    ("value", "meanwhile", "said"),
    [("6", "P0\t4.50", "1 row was changed since it was worked out"), ("4", "P0\t10\t4.50", "From 10 it would cost more")],
)
def test_what_somebody_writes_while_it_is_checked_is_not_lost(deal, monkeypatch, value, meanwhile, said):
    """A row of the change itself, or one that no longer fits beside it."""
    office, frame, company, goods = deal
    change = prepared(frame, value)
    publishing.publish(frame, change, change.version)
    written = []

    def write_something() -> None:
        if not written:
            written.append(editing.save_grid(editing.contract_by_code("FRAME"), pasted_rows(meanwhile)))

    monkeypatch.setattr(change_rows, "give_way", write_something)
    run_due(office)
    state, refused = look(change)
    assert state == "open"
    assert said in refused
    assert prices(company, goods[1:]) == [D(5)] * 5
    assert priced(goods[0], company, "10").price == D("4.50")


def test_terms_that_change_while_it_is_checked_are_minded(deal, monkeypatch):
    """The list allows ladders that rise until the check is over."""
    office, frame, company, goods = deal
    with write():
        frame.allow_inverted = True
    change = changes.prepare(frame, pasted_rows("P0\t10\t7\nP1\t10\t7\nP2\t10\t7"))
    publishing.publish(frame, change, change.version)
    done = []

    def forbid() -> None:
        if not done:
            done.append(editing.save_head(editing.contract_by_code("FRAME"), {"allow_inverted": False}))

    monkeypatch.setattr(change_rows, "give_way", forbid)
    run_due(office)
    state, refused = look(change)
    assert state == "open"
    assert "From 10 it would cost more" in refused
    assert priced(goods[0], company, "10").price == D(5)


def test_it_can_be_stopped_and_published_again(deal):
    office, frame, company, goods = deal
    change = prepared(frame)
    publishing.publish(frame, change, change.version)
    publishing.stop(frame, change)
    with pytest.raises(Conflict, match="Nothing is under way"):
        publishing.stop(frame, change)
    run_due(office)
    assert look(change) == ("open", "")
    assert prices(company, goods) == [D(5)] * 6
    publishing.publish(frame, change, change.version)
    run_due(office)
    publishing.put_in_long({"change": change.id, "name": "x", "user": None, "locale": None})  # a job may run twice
    assert look(change) == ("published", "")
    assert prices(company, goods) == [D(6)] * 6


_KILLED = """
import os, signal, sys
from pathlib import Path
from addons.pricing_contract import publishing, putting
from core.jobs.runner import run_due
from core.testing.apps import full_app
publishing.LONG = 2
put = getattr(putting, sys.argv[3])
def die(*given, **named):
    put(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(putting, sys.argv[3], die)
run_due(full_app(sys.argv[1], Path(sys.argv[2])))
"""


@pytest.mark.trust
@pytest.mark.parametrize("where", ["_to_history", "_upsert", "_ended_deed"])
def test_a_job_that_is_killed_has_written_nothing_and_goes_on_afterwards(deal, where, tmp_path):
    office, frame, company, goods = deal
    change = prepared(frame)
    publishing.publish(frame, change, change.version)
    url = db.engine.url.render_as_string(hide_password=False)
    db.session.rollback()
    command = [sys.executable, "-c", _KILLED, url, str(tmp_path), where]
    assert subprocess.run(command, check=False, capture_output=True).returncode == -9
    assert look(change) == ("publishing", "")
    assert prices(company, goods) == [D(5)] * 6
    assert db.session.scalars(select(PastRow)).all() == []
    with clock.frozen(clock.now() + timedelta(minutes=2)):  # its lease is over
        run_due(office)
    assert look(change) == ("published", "")
    assert prices(company, goods) == [D(6)] * 6
    assert [job.attempts for job in db.session.scalars(select(Job).where(Job.name == publishing.JOB))] == [2]


def test_changes_are_undone_one_after_the_other(deal):
    """A row that a later change moved, and its undoing moved back, says again what the first change made it say."""
    office, frame, company, goods = deal
    first = prepared(frame)
    publishing.publish(frame, first, first.version)
    run_due(office)
    second = prepared(frame, "7")
    publishing.publish(frame, second, second.version)
    run_due(office)
    with pytest.raises(Conflict, match="6 rows were changed again since"):
        publishing.undo(frame, first, first.version)
    for change in (second, first):
        publishing.undo(frame, change, change.version)
        run_due(office)
        assert look(change) == ("undone", "")
    assert prices(company, goods) == [D(5)] * 6


def test_what_ended_before_is_not_made_longer(deal):
    """A row that is taken out from a day on ends there, unless it ends earlier by itself."""
    _office, frame, company, goods = deal
    now = clock.now()
    with write():
        for one in db.session.scalars(select(ContractPrice).where(ContractPrice.target == goods[0].id)):
            one.valid_until = now + timedelta(days=5)
    keys = [key_text(one.id, one.base_unit, D(0), BEGINNING) for one in goods[:2]]
    change = changes.prepare(frame, [], keys)
    publishing.publish(frame, change, change.version, now + timedelta(days=10))
    ends = select(ContractPrice.valid_until).where(ContractPrice.target.in_([one.id for one in goods[:2]]))
    assert list(db.session.scalars(ends.order_by(ContractPrice.target))) == [now + timedelta(days=n) for n in (5, 10)]
    assert [priced(one, company, at=now + timedelta(days=7)).price for one in goods[:2]] == [D(9), D(5)]
    publishing.undo(frame, change, change.version)
    assert priced(goods[1], company, at=now + timedelta(days=11)).price == D(5)


@pytest.mark.parametrize("seed", range(12))
def test_before_the_start_all_is_as_it_was_and_from_it_on_as_the_change_says(deal, seed, monkeypatch):
    """For any change: the same prices hold as though the rows had been written by themselves; undone, all is as it was."""
    _office, frame, _company, goods = deal
    monkeypatch.setattr(publishing, "LONG", 1000)
    chance, now = random.Random(seed), clock.now()
    days = [now + timedelta(days=n) for n in (-40, -30, 5, 15, 20, 25)]
    with write():
        frame.allow_inverted = True
    for one in goods:
        for start, end in ((days[0], None), (days[1], days[4]), (days[2], days[3])):
            if chance.random() < 0.6:
                row(frame, one, str(chance.randint(1, 9)), min_quantity="10", start=start, end=end)
    before = standing(frame)
    sets = {key: {**one, "value": D(chance.randint(10, 90))} for key, one in before.items() if chance.random() < 0.7}
    gone = {key for key in before if key not in sets and chance.random() < 0.4}
    starts = None if seed % 3 == 0 else now + timedelta(days=chance.choice([1, 16, 22]))
    change = changes.prepared(frame, [*sets.values(), *({**before[key], "gone": True} for key in gone)])
    then = {key: sets.get(key, one) for key, one in before.items() if key not in gone}
    refused: Invalid | None = None
    try:
        publishing.publish(frame, change, change.version, starts)
    except Invalid as error:
        refused = error
    if refused is not None:
        assert "crosses another row's" in str(refused.message)
        assert standing(frame) == before
        return
    after = standing(frame)
    assert starts is not None or after == then
    for instant in (now, *days, now + timedelta(days=1, hours=1), now + timedelta(days=16), now + timedelta(days=22)):
        assert held(after, instant) == held(before if starts and instant < starts else then, instant)
    publishing.undo(frame, change, change.version)
    assert standing(frame) == before


def standing(frame: Contract) -> dict:
    query = select(ContractPrice).where(ContractPrice.contract_id == frame.id).execution_options(populate_existing=True)
    rows = [{name: getattr(one, name) for name in (*KEY, *VALUES)} for one in db.session.scalars(query)]
    return {tuple(one[name] for name in KEY): one for one in rows}


def held(rows: dict, instant) -> dict:
    """Return the value that holds at an instant by product, unit and quantity: of several rows the one that began last."""
    found = {}
    for key, one in sorted(rows.items()):
        if one["valid_from"] <= instant and (one["valid_until"] is None or instant < one["valid_until"]):
            found[key[:3]] = one["value"]
    return found


def test_rows_that_change_places_are_changed(deal):
    """Where one row leaves its quantity and another takes it, nothing is lost."""
    office, frame, company, goods = deal
    for quantity, value in (("10", "4"), ("100", "3")):
        row(frame, goods[0], value, min_quantity=quantity)
    shown = [one for one in page_of(frame, "P0").rows if one.min_quantity]
    for one, quantity in zip(shown, ("100", "1000"), strict=True):
        one.min_quantity = quantity
    change = changes.prepare(frame, shown)
    publishing.publish(frame, change, change.version)
    run_due(office)
    assert [priced(goods[0], company, n).price for n in ("10", "100", "1000")] == [D(5), D(4), D(3)]
