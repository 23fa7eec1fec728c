"""Who changed a row, when, from what to what, by which means; kept when the row is gone."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from addons.pricing_contract import changes, editing, grid, past, percents, publishing
from addons.pricing_contract.history_models import Deed, PastRow
from core.catalog.models import Product
from core.data.db import db
from core.data.scope import acting, current_actor, system
from core.imports.services import import_file
from core.restapi import keys
from core.testing.factories import make_company, make_product, make_staff
from core.testing.signin import sign_in
from core.testing.statements import count_statements

from .conftest import contract, row

HISTORY = "/admin/a/pricing_contract/contracts/K/history"


@pytest.fixture
def frame(office):
    for code in ("BOLT", "NUT"):
        make_product(code)
    return contract("K", company=make_company("ACME"))


def saved(frame, text, **how):
    """Save rows as they are pasted."""
    return editing.save_grid(frame, grid.pasted_rows(text), **how)


def told(frame, code="BOLT"):
    """Return the history of a product, the oldest first: who, by which means, what, before and after."""
    db.session.expire_all()
    return [
        (
            one.deed.actor if one.deed else "",
            one.deed.means if one.deed else "",
            one.what,
            one.before.value if one.before else None,
            one.after.value if one.after else None,
        )
        for one in reversed(past.of_product(frame, product(code)))
    ]


def product(code):
    return db.session.scalar(select(Product.id).where(Product.sku == code))


def person(name):
    return acting(replace(system("tests"), name=name))


def test_every_means_leaves_who_what_and_from_what_to_what(frame, tmp_path):
    saved(frame, "BOLT\t2.00", means="paste")
    key = grid.page_of(frame).rows[0]
    key.value = "2.10"
    editing.save_grid(frame, [key])
    percents.change_by_percent(frame, percents.Rise(D(10)), apply=True)
    path = tmp_path / "prices.csv"
    path.write_text("contract,sku,value\nK,BOLT,2.50\n", encoding="utf-8")
    import_file("contract_prices", path)
    frame = editing.contract_by_code("K")  # an import lets all objects go
    change = changes.prepare(frame, grid.pasted_rows("BOLT\t3.00"))
    publishing.publish(frame, change, change.version)
    publishing.undo(frame, change, change.version)
    shown = grid.page_of(frame).rows[0]
    editing.save_grid(frame, [], {shown.key: ""})
    assert [one[1:] for one in told(frame)] == [
        ("paste", "added", None, D("2.00")),
        ("grid", "changed", D("2.00"), D("2.10")),
        ("percent", "changed", D("2.10"), D("2.31")),
        ("import", "changed", D("2.31"), D("2.50")),
        ("change", "changed", D("2.50"), D("3.00")),
        ("undo", "changed", D("3.00"), D("2.50")),
        ("grid", "removed", D("2.50"), None),
    ]
    editing.undo_deletion(frame)
    assert told(frame)[-1][1:] == ("restore", "added", None, D("2.50"))
    assert {deed.note for deed in past.of_contract(frame)[0]} == {"", "10", "prices.csv", "1"}


def test_a_row_that_moves_is_taken_out_and_added_by_one_deed(frame):
    saved(frame, "BOLT\t2.00")
    moved = grid.page_of(frame).rows[0]
    moved.min_quantity = "5"
    editing.save_grid(frame, [moved])
    events = past.of_product(frame, product("BOLT"))
    assert sorted((one.what, one.min_quantity) for one in events[:2]) == [("added", D(5)), ("removed", D(0))]
    assert events[0].deed is events[1].deed


def test_what_changes_nothing_leaves_nothing_and_a_trial_neither(frame, tmp_path):
    saved(frame, "BOLT\t2.00")
    before = len(past.of_contract(frame)[0])
    saved(frame, "BOLT\t2.00")
    path = tmp_path / "prices.csv"
    path.write_text("contract,sku,value\nK,BOLT,2.50\n", encoding="utf-8")
    import_file("contract_prices", path, dry_run=True)
    frame = editing.contract_by_code("K")
    changes.prepare(frame, grid.pasted_rows("BOLT\t3.00"))
    assert len(past.of_contract(frame)[0]) == before
    assert db.session.scalars(select(PastRow)).all() == []


def test_rows_from_before_the_history_have_no_maker(frame):
    row(frame, make_product("OLD"), "4")
    saved(frame, "OLD\t5")
    assert told(frame, "OLD") == [("", "", "added", None, D(4)), (current_actor().name, "grid", "changed", D(4), D(5))]


def test_a_file_of_many_batches_is_one_deed_and_costs_the_same_statements_each(frame, tmp_path):
    for n in range(1200):
        if n < 3:
            make_product(f"P{n}")
    path = tmp_path / "long.csv"
    lines = [f"K,P{n % 3},{n // 3 + 1},{2000 - n}" for n in range(1200)]
    path.write_text("contract,sku,min_quantity,value\n" + "\n".join(lines), encoding="utf-8")
    with count_statements() as first:
        import_file("contract_prices", path)
    assert [(deed.means, deed.note, deed.added, deed.changed) for deed in db.session.scalars(select(Deed))] == [
        ("import", "long.csv", 1200, 0)
    ]
    path.write_text(path.read_text().replace(",20", ",21"), encoding="utf-8")
    with count_statements() as second:
        import_file("contract_prices", path)
    assert second.count <= first.count + 3  # one for the rows as they were in each batch
    assert db.session.scalar(select(Deed.changed).order_by(Deed.id)) == len(db.session.scalars(select(PastRow)).all()) > 0


def test_the_person_named_in_a_clash_is_who_changed_that_row(frame, office):
    saved(frame, "BOLT\t2.00\nNUT\t3.00")
    shown = {one.target: one for one in grid.page_of(frame).rows}
    was = {code: one.texts for code, one in shown.items()}
    with person("Minna"):
        saved(frame, "BOLT\t2.20")
    with person("Olli"):
        for n in range(3):
            saved(frame, f"NUT\t3.1{n}")
    mine = [grid.GridRow(**{**grid_fields(one), "value": "9", "was": was[code]}) for code, one in shown.items()]
    outcome = editing.save_grid(frame, mine)
    assert {one.target: one.clash.who.split()[0] for one in outcome.failed} == {"BOLT": "Minna", "NUT": "Olli"}


def grid_fields(one):
    return {name: getattr(one, name) for name in ("key", "target", "unit", "min_quantity", "kind", "per")}


def test_staff_read_the_history_from_the_grid_in_constant_statements(frame, office):
    make_staff("minna@tukku.example", ["sales"], name="Minna")
    client = sign_in(office, "minna@tukku.example")
    saved(frame, "BOLT\t2.00\nNUT\t3.00", means="paste")
    saved(frame, "BOLT\t2.20")
    assert "/contracts/K/history/row?of=BOLT" in client.get("/admin/a/pricing_contract/contracts/K").text
    with count_statements() as few:
        page = client.get(f"{HISTORY}/row?of=BOLT")
    assert "2.20\u00a0€" in page.text
    assert "pasted rows" in page.text
    for n in range(10):
        saved(frame, f"BOLT\t3.{n}0\nNUT\t4.{n}0")
    with count_statements(exactly=few.count):
        assert client.get(f"{HISTORY}/row?of=BOLT").text.count("in the table") >= 11
    listed = client.get(HISTORY).text
    deeds = [deed.id for deed in past.of_contract(frame)[0]]
    assert f"{HISTORY}/deeds/{deeds[0]}" in listed
    assert "NUT" in client.get(f"{HISTORY}/deeds/{deeds[0]}").text
    assert client.get(f"{HISTORY}/deeds/999").status_code == 404
    assert client.get(f"{HISTORY}/row?of=NONE").status_code == 404
    lines = list(csv.reader(io.StringIO(client.get(f"{HISTORY}/export").text.lstrip("\ufeff"))))
    assert len(lines) == 1 + 2 + 1 + 20
    assert ["BOLT", "pcs", "0", "", "Changed", "2.00\u00a0€", "2.20\u00a0€"] in [line[4:] for line in lines]


def test_the_history_of_the_terms_names_what_differs(frame, office):
    make_staff("minna@tukku.example", ["sales"], name="Minna")
    editing.save_head(frame, {"priority": 5, "closes": True})
    page = sign_in(office, "minna@tukku.example").get(HISTORY).text
    assert "Priority: 0 → 5" in page
    assert "Nothing follows: No → Yes" in page


@pytest.mark.database("sqlite")
def test_programs_read_the_history_in_pages_and_row_by_row(frame, office):
    saved(frame, "BOLT\t2.00\nNUT\t3.00", means="paste")
    for price in ("2.10", "2.20", "2.30"):
        shown = grid.page_of(frame).rows[0]
        shown.value = price
        editing.save_grid(frame, [shown])
    text = "BOLT\t\t5\tformula\tlist -10% -10%"
    saved(frame, text)
    make_product("OTHER")
    contract("L", company=None, audience="public")
    secret = keys.create("ERP", keys.offered(None), company_id=None, days=1).secret
    own = keys.create("Shop", ["catalog.product.view"], company_id=frame.company_id, days=1).secret

    def get(path, key=secret):
        address = f"/api/v1/pricing_contract/contracts/{path}"
        return office.test_client().get(address, headers={"Authorization": f"Bearer {key}"})

    first = get("K/history?limit=2").json
    second = get(f"K/history?limit=2&cursor={first['next_cursor']}").json
    last = get(f"K/history?limit=2&cursor={second['next_cursor']}").json
    pages = [one["items"] for one in (first, second, last)]
    assert [len(items) for items in pages] == [2, 2, 1]
    assert last["next_cursor"] is None
    assert (pages[2][0]["means"], pages[2][0]["added"], pages[0][0]["added"], pages[0][1]["changed"]) == ("paste", 2, 1, 1)
    assert [one["means"] for one in get("K/history?means=paste").json["items"]] == ["paste"]
    assert get("L/history").json["items"] == []
    told = get("K/history/rows?row=BOLT").json["items"]
    assert told[0]["after"]["formula"] == {"base": "list", "percents": ["10", "10"]}
    prices = [(one["before"] and one["before"]["value"], one["after"]["value"]) for one in told[1:]]
    assert prices == [("2.2", "2.3"), ("2.1", "2.2"), ("2", "2.1"), (None, "2")]
    save = get(f"K/history/rows?save={pages[0][1]['number']}").json
    assert [(one["what"], one["row"], one["before"]["value"]) for one in save["items"]] == [("changed", "BOLT", "2.2")]
    statuses = [
        get(f"K/history{query}").status_code for query in ("/rows", "/rows?row=GONE", "/rows?save=9999", "?sort=nothing")
    ]
    assert statuses == [422, 404, 404, 422]
    assert get("GONE/history").status_code == 404
    assert (get("K/history", own).status_code, get("K/history/rows?row=BOLT", own).status_code) == (403, 403)
    paths = office.test_client().get("/api/v1/openapi.json").json["paths"]
    given = paths["/api/v1/pricing_contract/contracts/{code}/history"]["get"]["parameters"]
    assert {one["name"] for one in given} >= {"cursor", "limit"}
