"""Promotions from files and programs: what goes in comes out, and what cannot be meant is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from addons.promotions.imports import export, load
from addons.promotions.models import Promotion
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import write
from core.restapi import keys
from core.spec.imports import ImportRow
from core.testing.factories import make_category, make_company, make_product, make_segment
from core.testing.statements import count_statements

BATCH = "/api/v1/promotions/promotions/batch"


@pytest.fixture
def desk(app_with):
    app = app_with(addons=["promotions"])
    set_actor(system("tests"))
    make_company("ACME")
    make_product("BOLT")
    make_segment("gold")
    make_category("bolts")
    return app


def loaded(*rows):
    with write():
        results = load([ImportRow(n, row) for n, row in enumerate(rows, 2)])
    return [(one.outcome, one.field, str(one.message)) for one in results]


FULL = {
    "code": "SPRING", "name": "Spring", "kind": "percent", "value": D(10), "currency": "eur", "min_value": D(500),
    "min_quantity": D(3), "counted_sku": "BOLT", "reduced_category": "bolts", "max_units": D(5), "with_charges": True,
    "on_agreed": True, "company": "ACME", "voucher": "spring 26", "uses": 10, "uses_per_company": 1,
    "valid_from": date(2026, 3, 1), "valid_until": date(2026, 5, 31), "status": "active",
}  # fmt: skip


def test_what_goes_in_comes_out_and_again_changes_nothing(desk):
    plain = {"code": "FREE", "name": "Free one", "kind": "cheapest_free", "segment": "gold"}
    assert [one[0] for one in loaded(FULL, plain)] == ["created", "created"]
    assert [one[0] for one in loaded(FULL, plain)] == ["unchanged", "unchanged"]
    out = [{name: value for name, value in row.items() if value not in (None, "")} for row in export()]
    assert out[1] == {**FULL, "currency": "EUR", "voucher": "SPRING26"}
    assert [one[0] for one in loaded(*out)] == ["unchanged", "unchanged"]
    assert [one[0] for one in loaded({"code": "SPRING", "counted_category": "bolts", "value": D(12)})] == ["updated"]
    spring = db.session.scalar(select(Promotion).where(Promotion.code == "SPRING"))
    assert (spring.counted_product_id, spring.value, spring.version) == (None, D(12), 2)


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ({"name": None}, "name", "A new row needs a value here."),
        ({"counted_sku": "NONE"}, "counted_sku", "There is no product “NONE”"),
        ({"segment": "gold", "company": "ACME"}, "segment", "Name one of the two"),
        ({"value": D(120)}, "value", "A percent lies above 0"),
        ({"currency": "EURO"}, "currency", ""),
        ({"uses": 3}, "uses", "Only a voucher can be limited"),
        ({"valid_from": date(2026, 5, 1), "valid_until": date(2026, 4, 1)}, "valid_until", "The last day is before"),
        ({"voucher": "taken"}, "voucher", "The promotion OLD has this voucher already."),
    ],
)
def test_what_cannot_be_meant_is_refused_and_the_other_rows_go_in(desk, row, field, said):
    base = {"code": "NEW", "name": "New", "kind": "percent", "value": D(5)}
    assert [one[0] for one in loaded({**base, "code": "OLD", "voucher": "TAKEN"})] == ["created"]
    wrong = {name: value for name, value in {**base, **row}.items() if value is not None}
    refused, fine = loaded(wrong, {**base, "code": "FINE"})
    assert refused[:2] == ("error", field)
    assert said in refused[2]
    assert fine[0] == "created"


def test_two_rows_of_a_file_cannot_share_a_voucher(desk):
    base = {"name": "New", "kind": "percent", "value": D(5), "voucher": "SAME"}
    assert [one[0] for one in loaded({**base, "code": "A"}, {**base, "code": "B"})] == ["created", "error"]


def test_programs_read_and_write_promotions(desk):
    secret = keys.create("ERP", keys.offered(None), company_id=None, days=1).secret
    own = keys.create("Shop", ["catalog.product.view"], company_id=make_company("BUY").id, days=1).secret

    def call(method, path, body=None, secret=secret):
        return desk.test_client().open(path, method=method, json=body, headers={"Authorization": f"Bearer {secret}"})

    row = {"code": "API", "name": "By program", "kind": "amount", "value": "20", "currency": "EUR", "company": "ACME"}
    assert call("POST", BATCH, {"rows": [row]}).json["created"] == 1
    assert call("POST", BATCH, {"rows": [row]}).json["unchanged"] == 1
    assert call("POST", BATCH, {"rows": [{"code": "BAD", "kind": "amount"}]}).json["rows"][0]["errors"]
    home = BATCH.removesuffix("/batch")
    with count_statements() as one:
        found = call("GET", home).json["items"]
    assert (found[0]["value"], found[0]["company"], found[0]["segment"]) == ("20", "ACME", None)
    call("POST", BATCH, {"rows": [{**row, "code": f"API{n}", "company": "ACME"} for n in range(9)]})
    with count_statements(exactly=one.count):
        assert len(call("GET", home).json["items"]) == 10
    assert call("GET", f"{home}/API").headers["ETag"]
    assert call("GET", f"{home}/NONE").status_code == 404
    assert call("GET", home, secret=own).status_code == 403
    assert call("POST", BATCH, {"rows": [row]}, secret=own).status_code == 403


def test_programs_write_free_goods(desk):
    secret = keys.create("ERP", keys.offered(None), company_id=None, days=1).secret

    def call(method, path, body=None):
        return desk.test_client().open(path, method=method, json=body, headers={"Authorization": f"Bearer {secret}"})

    row = {"code": "TEN", "name": "10 + 1", "kind": "free_goods", "for_every": "10", "free_quantity": "1.5"}
    assert call("POST", BATCH, {"rows": [{**row, "reduced_sku": "BOLT"}]}).json["created"] == 1
    read = call("GET", BATCH.removesuffix("/batch") + "/TEN").json
    assert {name: read[name] for name in row} == row
    assert (read["reduced_sku"], read["counted_sku"]) == ("BOLT", None)
    wrong = ({"for_every": "0"}, {"for_every": "-3"}, {"for_every": "NaN"}, {"free_quantity": "1e30"}, {"value": "3"})
    for values in wrong:
        answer = call("POST", BATCH, {"rows": [{**row, **values}]})
        assert answer.status_code in (200, 422), values
        assert answer.status_code == 422 or answer.json["rows"][0]["errors"], values
    assert {name: call("GET", BATCH.removesuffix("/batch") + "/TEN").json[name] for name in row} == row
