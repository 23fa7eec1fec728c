"""A change that is deleted while a job is at it, by itself or with its contract, ends the job and is no fault."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from sqlalchemy import delete, select

from addons.pricing_contract import change_rows, percents, preparing, publishing
from addons.pricing_contract.change_models import Change
from addons.pricing_contract.models import Contract
from core.data.db import db
from core.jobs.models import Job
from core.jobs.runner import run_due
from core.testing.factories import make_product

from .conftest import contract, row

GONE = {"change": Change.__table__, "contract": Contract.__table__}


@pytest.fixture
def deal(office, monkeypatch):
    """A contract of six products, in a shop where two rows are many."""
    monkeypatch.setattr(publishing, "LONG", 2)
    monkeypatch.setattr(change_rows, "PORTION", 2)
    found = contract("FRAME")
    for n in range(6):
        row(found, make_product(f"P{n}", price="9"), "5")
    return office, found


@pytest.mark.parametrize("what", GONE)
@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("state", ["preparing", "publishing", "undoing"])
def test_what_is_deleted_ends_the_job(deal, monkeypatch, state, after, what):
    office, found = deal
    preparing.by_percent(found, percents.Rise(D(10)))
    for step in {"preparing": (), "publishing": ("publish",), "undoing": ("publish", "undo")}[state]:
        run_due(office)
        one = the_change()
        getattr(publishing, step)(one.contract, one, one.version)
    assert the_change().state == state
    db.session.rollback()
    portions, wait = [], change_rows.give_way

    def and_somebody_deletes() -> None:
        portions.append(wait())
        if len(portions) == after:
            with db.engine.begin() as other:
                other.execute(delete(GONE[what]))

    monkeypatch.setattr(change_rows, "give_way", and_somebody_deletes)
    run_due(office)
    db.session.rollback()
    assert len(portions) >= after
    assert [job.error for job in db.session.scalars(select(Job)) if job.error] == []
    assert db.session.scalars(select(Change)).all() == []


def the_change() -> Change:
    db.session.rollback()
    return db.session.scalars(select(Change).execution_options(populate_existing=True)).one()
