"""Somebody changes a contract in the very moment in which another does: nothing that nobody has seen is written over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from addons.pricing_contract import changes, meanwhile, percents, publishing
from addons.pricing_contract.change_models import Change
from addons.pricing_contract.editing import contract_by_code, save_grid, undo_deletion
from addons.pricing_contract.grid import GridRow, key_text, pasted_rows
from addons.pricing_contract.models import ContractPrice
from core.data import clock
from core.data.db import db
from core.imports.services import import_file
from core.spec.errors import Conflict
from core.testing.factories import make_company, make_product
from core.testing.rivals import rival

from .conftest import contract, row

#: The statement by which a save reads what stands, before it checks and writes.
READ = r"deed_id[^;]*FROM pricing_contract_price"


@pytest.fixture
def frame(office):
    """A contract K with one price of its own."""
    found = contract("K", company=make_company("ACME"))
    row(found, make_product("BOLT", price="9"), "1")
    return found


def set_price(value: str):
    return save_grid(contract_by_code("K"), [GridRow(target="BOLT", unit="pcs", value=value, brief=True)]).written


def standing() -> list[D]:
    db.session.rollback()
    return list(db.session.scalars(select(ContractPrice.value)))


def prepared(frame, text: str) -> Change:
    made = changes.prepare(frame, pasted_rows(text))
    assert made is not None
    return made


def test_a_change_is_not_published_over_a_price_of_that_moment(frame):
    change = prepared(frame, "BOLT\t5")
    with rival(r"pricing_contract_deed\.at >", lambda: set_price("1.40")) as others:
        publishing.publish(frame, change, change.version)
    assert others == [1]
    assert standing() == [D("1.4")]


def test_a_change_is_not_undone_over_a_price_of_that_moment(frame):
    change = prepared(frame, "BOLT\t5")
    publishing.publish(frame, change, change.version)
    with rival(r"pricing_contract_deed\.at >", lambda: set_price("1.40")) as others:
        publishing.undo(frame, change, change.version)
    assert others == [1]
    assert standing() == [D("1.4")]


def test_a_percentage_is_not_written_over_a_price_of_that_moment(frame):
    set_price("2")
    with rival(READ, lambda: set_price("1.40")) as others:
        percents.change_by_percent(frame, percents.Rise(D(10)), apply=True, seen=meanwhile.mark_of(frame))
    assert others == [1]
    assert standing() == [D("1.4")]


def test_a_file_is_not_written_over_a_price_of_that_moment(frame, tmp_path):
    set_price("2")
    path = tmp_path / "prices.csv"
    path.write_text("contract,sku,kind,value\nK,BOLT,fixed,7\n", encoding="utf-8")
    with rival(READ, lambda: set_price("1.40")) as others:
        assert import_file("contract_prices", path).changed == 1
    assert others == [1]
    assert standing() == [D("1.4")]


def test_a_deletion_is_taken_back_once(frame):
    set_price("2")
    one = db.session.scalars(select(ContractPrice)).one()
    key = key_text(one.target, one.unit, one.min_quantity, one.valid_from)
    assert save_grid(frame, [], {key: ""}).removed == 1
    with rival(READ, lambda: undo_deletion(contract_by_code("K"))) as others:
        assert undo_deletion(frame) == 1
    assert isinstance(others[0], Conflict)
    assert standing() == [D(2)]


def test_two_people_prepare_changes_at_once(frame):
    make_product("NUT", price="3")

    def another():
        return prepared(contract_by_code("K"), "NUT\t4").number

    with rival(r"max\(pricing_contract_change\.number\)", another) as others:
        made = prepared(frame, "BOLT\t5")
    assert (made.number, others) == (1, [2])


def test_the_first_save_of_a_contract_is_noticed_although_it_began_before_the_page_was_shown(frame):
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    with clock.frozen(noon):
        seen = meanwhile.mark_of(frame)
    with clock.frozen(noon - timedelta(seconds=1)):
        set_price("1.40")
    assert list(meanwhile.later([frame.id], seen))
