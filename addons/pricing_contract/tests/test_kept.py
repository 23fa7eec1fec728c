"""What is kept of contracts between requests is what the tables hold: no edit, and no instant, finds the old price."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, inspect, select, update

from addons.pricing_contract.models import Contract, ContractPrice
from core.catalog.models import Category, Product
from core.companies.models import Company
from core.data import stamps
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import write
from core.pricing import services
from core.pricing.models import ListPrice
from core.spec.pricing import BEGINNING, PriceRequest
from core.testing.factories import Unit, make_category, make_company, make_list_price, make_product, make_segment

from .conftest import contract, row

D = Decimal
DAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


@contextmanager
def a_request(shop):
    with shop.test_request_context():  # which ends the session of the test
        set_actor(system("a test"))
        yield


def number(row):
    """Return the id of a row, whether or not it still belongs to a session."""
    return inspect(row).identity[0]


@pytest.fixture
def ask(shop, count_statements):
    """Ask for a price as a request of its own does; ``statements`` says what that took after it knew what it may keep."""

    def asked(company, product, quantity="1", unit="pcs", at=DAY):
        with a_request(shop):
            where = services.context(at=at, company_id=number(company))
            stamps.current("contracts")
            with count_statements() as counted:
                price = services.price(where, [PriceRequest("1", number(product), unit, D(quantity))]).lines[0].price
            asked.statements = counted.count
            return price

    return asked


def test_one_statement_once_it_is_known(shop, ask):
    product, company, other = make_product("A", price="10"), make_company("C"), make_company("OTHER")
    row(contract("K", company=company), product, "9")
    assert [ask(company, product), ask.statements] == [D(9), 2]
    assert [ask(company, product), ask.statements] == [D(9), 1]
    assert [ask(other, product), ask.statements] == [D(10), 1]
    assert [ask(other, product), ask.statements] == [D(10), 0], "no contract, nothing to ask"


def _row(**values):
    return update(ContractPrice).values(**values)


def _contract(**values):
    return update(Contract).values(**values)


EDITS = {
    "a row for a category": (lambda: _row(value=D(20)), D(8)),
    "its end": (lambda: _row(valid_until=DAY), D(10)),
    "its quantity": (lambda: _row(min_quantity=D(2)), D(10)),
    "its deletion": (lambda: delete(ContractPrice), D(10)),
    "the contract's end": (lambda: _contract(valid_until=DAY), D(10)),
    "its status": (lambda: _contract(status="ended"), D(10)),
    "its currency": (lambda: _contract(currency="USD"), D(10)),
    "its country": (lambda: _contract(country="SE"), D(10)),
    "its deletion whole": (lambda: delete(Contract), D(10)),
    "the list price": (lambda: update(ListPrice).values(price=D(100)), D(90)),
    "its validity": (lambda: update(ListPrice).values(valid_until=DAY), None),
    "the category's place": (lambda: update(Category).where(Category.code == "steel").values(path="/steel/"), D(10)),
    "the product's category": (lambda: update(Product).values(category_id=None), D(10)),
    "the segment's deletion": (lambda: delete(Company).where(Company.code == "NOBODY"), D(9)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_in_the_next_request(shop, ask, edit):
    statement, expected = EDITS[edit]
    metal = make_category("metal")
    make_category("steel", parent=metal)
    product, company = make_product("A", price="10", category="steel"), make_company("C")
    row(contract("K", company=company), metal, "10", kind="percent")
    assert ask(company, product) == D(9)
    assert ask(company, product) == D(9)
    with write() as session:
        session.execute(statement())
    assert ask(company, product) == expected
    assert ask(company, product) == expected


def test_a_new_contract_and_a_new_member_of_a_segment_are_in_the_next_request(shop, ask):
    gold = make_segment("gold")
    product, company, member = make_product("A", price="10"), make_company("C"), make_company("M", segments=["gold"])
    assert [ask(company, product), ask(member, product)] == [D(10), D(10)]
    gold, company, product = (db.session.merge(one, load=False) for one in (gold, company, product))
    row(contract("GOLD", segment=gold), None, "50", kind="percent")
    assert [ask(company, product), ask(member, product)] == [D(10), D(5)]
    row(contract("OWN", company=company), product, "7")
    assert [ask(company, product), ask(member, product)] == [D(7), D(5)]


def test_windows_open_and_close_while_all_is_kept(shop, ask):
    hour = timedelta(hours=1)
    product, company = make_product("A", price="10"), make_company("C")
    with write():
        make_list_price(product, "20", valid_from=DAY + 4 * hour, valid_until=DAY + 6 * hour)
    k = contract("K", company=company, valid_from=DAY, valid_until=DAY + 5 * hour)
    row(k, None, "10", kind="percent", start=DAY + hour, end=DAY + 3 * hour)
    row(k, None, "50", kind="percent", start=DAY + 2 * hour, end=DAY + 5 * hour)
    turns = {-1: "10", 0: "10", 1: "9", 2: "5", 3: "5", 4: "10", 5: "20", 6: "10"}
    for hours in [*turns, 3, 1, 5, 2, 0]:
        for instant in (DAY + hours * hour, DAY + hours * hour + timedelta(minutes=59, seconds=59)):
            assert ask(company, product, at=instant) == D(turns[hours]), hours


def test_packages_are_priced_from_what_is_kept(shop, ask):
    units = [Unit("pcs"), Unit("box", 100)]
    product, company = make_product("A", price="0.125", units=units), make_company("C")
    assert [ask(company, product, unit="box"), ask(company, product)] == [D("12.5"), D("0.125")]
    product = db.session.merge(product, load=False)
    with write():
        make_list_price(product, "11", unit="box", valid_from=BEGINNING)
    assert [ask(company, product, unit="box"), ask(company, product)] == [D(11), D("0.125")]
    assert ask(company, product, unit="pallet") is None


def test_inside_a_transaction_that_changes_its_own_rows_count(shop, ask):
    product, company = make_product("A", price="10"), make_company("C")
    row(contract("K", company=company), None, "10", kind="percent")
    assert ask(company, product) == D(9)
    with a_request(shop), write() as session:
        session.execute(_row(value=D(30)))
        where = services.context(at=DAY, company_id=number(company))
        assert services.price(where, [PriceRequest("1", number(product), "pcs")]).lines[0].price == D(7)
        session.rollback()
    assert ask(company, product) == D(9)


def test_a_company_that_takes_a_deleted_ones_number_takes_nothing_else(shop, ask):
    product, gone = make_product("A", price="10"), make_company("GONE")
    row(contract("K", company=gone), None, "50", kind="percent")
    assert ask(gone, product) == D(5)
    with write() as session:
        session.execute(delete(Company).where(Company.id == number(gone)))
    assert db.session.scalar(select(Contract.id)) is None
    heir = make_company("HEIR", id=number(gone))
    assert ask(heir, product) == D(10)
