"""What a buyer's session can read of contracts, whatever statement asks: its own, never a neighbour's or a cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import aliased

from addons.pricing_contract.models import Contract, ContractPrice, ProductValue
from core.companies.models import Company, CompanySegment, Segment
from core.data.db import db
from core.data.scope import Actor, Scope, acting, guest
from core.data.write import write
from core.pricing import services
from core.spec.errors import ScopeError
from core.spec.pricing import PriceRequest
from core.testing.factories import make_company, make_product, make_segment

from .conftest import contract, row

D = Decimal
MINE = {"OWN", "PARENT", "SEG-MINE", "FI-LIST", "ALL"}


@pytest.fixture
def world(shop):
    """Two mirrored companies, each with its parent, contract, segment and country; a product with a cost."""
    bolt = make_product("BOLT", price="2")
    parent = make_company("P")
    mine, theirs = make_company("A", parent=parent), make_company("B", country="SE")
    segments = {}
    for code, company in (("SEG-MINE", parent), ("SEG-THEIRS", theirs)):
        segments[code] = make_segment(code)
        with write() as session:
            session.add(CompanySegment(company_id=company.id, segment_id=segments[code].id))
    made = [
        contract("OWN", company=mine), contract("PARENT", company=parent), contract("THEIRS", company=theirs),
        *(contract(code, segment=segment) for code, segment in segments.items()),
        contract("FI-LIST", audience="location", country="FI"), contract("SE-LIST", audience="location", country="SE"),
        contract("DRAFT", company=mine, status="draft"),
        contract("SE-ONLY", segment=segments["SEG-MINE"], country="SE"), contract("ALL"),
    ]  # fmt: skip
    for one in made:
        row(one, bolt, "1")
    with write() as session:
        session.add(ProductValue(product_id=bolt.id, kind="cost", currency="EUR", amount=D("0.5")))
    actor = Actor(1, "Anna", Scope("companies", (mine.id,), (mine.id,), (mine.id, parent.id)), mine.id, None,
                  frozenset({services.VIEW}))  # fmt: skip
    return actor, bolt.id, {one.code: one.id for one in made}


def test_contracts_and_rows_of_the_buyer_only(world):
    actor, _bolt_id, ids = world
    other = aliased(ContractPrice)
    with acting(actor):
        assert set(db.session.scalars(select(Contract.code))) == MINE
        codes = select(Contract.code).select_from(ContractPrice).join(Contract, Contract.id == ContractPrice.contract_id)
        assert set(db.session.scalars(codes)) == MINE
        mine = {ids[code] for code in MINE}
        for asked in (select(ContractPrice.contract_id), select(other.contract_id)):
            assert set(db.session.scalars(asked)) == mine
        assert db.session.scalar(select(func.count()).select_from(ContractPrice)) == len(MINE)
        assert {price.contract_id for price in db.session.scalars(select(ContractPrice))} == mine
        theirs = select(ContractPrice).where(ContractPrice.contract_id == ids["THEIRS"])
        assert db.session.scalars(theirs).all() == []
        assert db.session.get(Contract, ids["SEG-THEIRS"]) is None
        assert db.session.scalars(select(ProductValue)).all() == []


def test_a_visitor_reads_what_is_for_everybody(world):
    _actor, _bolt_id, ids = world
    with acting(guest()):
        assert set(db.session.scalars(select(Contract.code))) == {"ALL"}
        assert set(db.session.scalars(select(ContractPrice.contract_id))) == {ids["ALL"]}


def test_a_row_is_not_found_by_its_key_either(world):
    actor, _bolt_id, ids = world
    keys = {
        price.contract_id: (price.contract_id, price.target, price.unit, price.min_quantity, price.valid_from)
        for price in db.session.scalars(select(ContractPrice))
    }
    db.session.expunge_all()
    with acting(actor):
        assert db.session.get(ContractPrice, keys[ids["OWN"]]) is not None
        assert db.session.get(ContractPrice, keys[ids["THEIRS"]]) is None


def test_a_buyer_writes_none_of_it(world):
    actor, bolt_id, ids = world
    with acting(actor):
        with write() as session:
            assert session.execute(update(ContractPrice).values(value=D(0))).rowcount == 0
            assert session.execute(delete(ContractPrice)).rowcount == 0
        with pytest.raises(ScopeError), write() as session:
            session.execute(insert(ContractPrice), [{"contract_id": ids["OWN"], "target": bolt_id, "value": D(0)}])
        with pytest.raises(ScopeError), write() as session:
            session.scalars(select(ContractPrice).limit(1)).one().value = D(0)
    assert set(db.session.scalars(select(ContractPrice.value))) == {D(1)}


def test_prices_from_costs_that_the_buyer_may_not_read(world):
    actor, bolt_id, _ids = world
    nut = make_product("NUT", price="2")
    with write() as session:
        session.add(ProductValue(product_id=nut.id, kind="cost", currency="EUR", amount=D("0.5")))
    row(contract("COST", company=db.session.get(Company, actor.company_id)), nut, "20", kind="cost_plus")
    requests = [PriceRequest(str(n), product_id, nut.base_unit) for n, product_id in enumerate((bolt_id, nut.id))]
    with acting(actor):
        where = services.context("EUR")
        lines = services.price(where, requests).lines
        assert [line.price for line in lines] == [D(1), D("0.6")]
        assert db.session.scalar(select(func.count()).select_from(ProductValue)) == 0


def test_segments_of_others_stay_unknown(world):
    actor, _bolt_id, _ids = world
    with acting(actor):
        query = select(Segment.code).join(Contract, Contract.segment_id == Segment.id)
        assert set(db.session.scalars(query)) == {"SEG-MINE"}
