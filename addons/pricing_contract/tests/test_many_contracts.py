"""A company with many contracts: what is behind a final price is not read, and no price differs for that."""

from __future__ import annotations

import random
from decimal import Decimal as D

import pytest
from flask import request

from addons.pricing_contract import query
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import write
from core.pricing import services
from core.spec.pricing import PriceRequest
from core.testing.factories import Unit, make_category, make_company, make_product, make_segment
from core.testing.statements import count_statements

from .conftest import contract, row

QUANTITIES = ("1", "7", "10", "60")


def prices(where, requests, **how):
    """Return what the requests cost, as a new request of a server is told."""
    request.environ.pop("tukku.stamps", None)
    return [(line.key, line.price, line.per, line.source) for line in services.price(where, requests, **how).lines]


def other_lists(chance, products):
    """Make lists of nobody's that formulas compute from, some of which close or give less than their first break."""
    nobody = make_segment("nobody")
    for n in range(3):
        one = contract(
            f"L{n}", segment=nobody, closes=chance.random() < 0.5, below_first=chance.choice(("none", "any", "whole")),
            merge_policy=chance.choice(("override", "fallback")),
        )  # fmt: skip
        for product in products:
            row(one, product, str(chance.randint(1, 90)), min_quantity=chance.choice(("0", "10", "50")))
    return [{"base": f"contract:L{n}"} for n in range(3)]


@pytest.mark.parametrize("seed", range(10))
def test_prices_are_those_of_the_explanation_which_reads_everything(shop, seed):
    chance = random.Random(seed)
    company, goods = make_company("ACME"), make_category("goods")
    products = [
        make_product(
            f"P{n}", price="100" if n % 3 else None,
            units=[Unit("pcs"), Unit("box", chance.choice((5, 12, 60)), price_from_base=n != 4)],
        )
        for n in range(6)
    ]  # fmt: skip
    bases = other_lists(chance, products)
    for n in range(8):
        one = contract(
            f"K{n}", company=company, priority=chance.choice((0, 1)), allow_inverted=True,
            merge_policy=chance.choice(("override", "override", "override", "best_of", "fallback")),
            breaks=chance.choice(("whole", "whole", "progressive")),
        )  # fmt: skip
        for target in (*chance.sample(products, 4), *chance.choice(((), (), (goods,)))):
            keys = [(chance.choice(("pcs", "box", "")), chance.choice(("0", "5", "10", "50"))) for _n in range(3)]
            for unit, least in dict.fromkeys(keys):
                kind = chance.choice(("fixed", "fixed", "percent", "cost_plus", "formula")) if unit else "percent"
                terms = chance.choice(bases) if kind == "formula" else None
                row(one, target, str(chance.randint(1, 90)), kind=kind, unit=unit, min_quantity=least, terms=terms)
    asked = [
        PriceRequest(f"{n}-{unit}-{quantity}", product.id, unit, D(quantity))
        for n, product in enumerate(products)
        for unit in ("pcs", "box")
        for quantity in QUANTITIES
    ]
    with shop.test_request_context():
        set_actor(system("tests"))
        where = services.context("EUR", company_id=company.id)
        right = prices(where, asked, explain=True)
        assert len({price for _key, price, _per, _source in right}) > 8
        for _time in ("first", "with what is kept"):
            assert prices(where, asked) == right
            assert [prices(where, [one])[0] for one in asked] == right
        assert prices(where, asked[::-1]) == right[::-1]
        with write():
            assert prices(where, asked) == right


def test_a_ladder_that_fails_on_a_lower_rung_does_not_end_the_search(shop):
    company, product = make_company("ACME"), make_product("BOLT", price=None)
    ladder = contract("K0", company=company, breaks="progressive", allow_inverted=True)
    row(ladder, product, "10", kind="percent", unit="pcs")  # of a list price that the product has not
    row(ladder, product, "3", min_quantity="5")
    for n in range(1, 6):
        row(contract(f"K{n}", company=company), product, f"{n}0")
    asked = [PriceRequest("line", product.id, "pcs", D(8))]
    with shop.test_request_context():
        set_actor(system("tests"))
        where = services.context("EUR", company_id=company.id)
        for how in ({"explain": True}, {}, {}):
            assert prices(where, asked, **how) == [("line", D(10), D(1), "contract:K1")]
    db.session.rollback()


def test_a_thousand_lines_and_fifty_contracts_take_three_statements_and_read_little(shop, monkeypatch):
    company = make_company("ACME")
    products = [make_product(f"P{n}") for n in range(20)]
    for n in range(50):
        one = contract(f"K{n:02}", company=company)
        for product in products:
            row(one, product, str(n + 1))
    asked = [PriceRequest(str(n), products[n % 20].id, "pcs", D(n + 1)) for n in range(1000)]
    read = []
    probed = query.fetch_to_the_final
    monkeypatch.setattr(query, "fetch_to_the_final", lambda *given: read.append(probed(*given)) or read[-1])
    with shop.test_request_context():
        set_actor(system("tests"))
        where = services.context("EUR", company_id=company.id)
        with count_statements(at_most=3):
            first = prices(where, asked)
        with count_statements(exactly=2):
            assert prices(where, asked) == first
    assert {price for _key, price, _per, _source in first} == {D(1)}
    assert [len(rows) for rows in read] == [20]
    db.session.rollback()


def test_the_first_of_two_final_contracts_is_that_of_the_code_points_the_first_time_too(shop):
    company, product = make_company("ACME"), make_product("BOLT")
    row(contract("a1", company=company), product, "2")
    row(contract("B1", company=company), product, "1")
    asked = [PriceRequest("line", product.id, "pcs")]
    with shop.test_request_context():
        set_actor(system("tests"))
        where = services.context("EUR", company_id=company.id)
        with count_statements() as statements:
            first = prices(where, asked)
        for how in ({}, {"explain": True}):
            assert prices(where, asked, **how) == first == [("line", D(1), D(1), "contract:B1")]
    if db.engine.dialect.name == "postgresql":  # in the database of the tests all texts go by code point
        assert any('.code COLLATE "C"' in sql for sql in statements.seen)
    db.session.rollback()


def test_no_statement_reads_the_whole_table_where_the_database_has_statistics(shop):
    company = make_company("ACME")
    products = [make_product(f"P{n}") for n in range(3)]
    for n in range(6):
        row(contract(f"K{n}", company=company), products[n % 3], "5")
    asked = [PriceRequest(str(n), product.id, "pcs", D(1)) for n, product in enumerate(products)]
    company_id = company.id
    pretend_there_are_many()
    with shop.test_request_context():
        set_actor(system("tests"))
        where = services.context("EUR", company_id=company_id)
        with count_statements() as statements:
            first = prices(where, asked)  # all is read together
            assert prices(where, asked) == first  # what is not for a product is kept
            prices(where, asked, explain=True)
        asked_of_contracts = [sql for sql in statements.seen if "pricing_contract_price" in sql]
        assert len(asked_of_contracts) == 3
        for sql in asked_of_contracts:
            assert not [step for step in plan_of(sql) if step.startswith("BLOOM")]
    db.session.rollback()


def pretend_there_are_many():
    """Give SQLite the statistics of a table of 100,000 rows; it reads them when a connection begins."""
    if db.engine.dialect.name != "sqlite":
        return
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.exec_driver_sql("DELETE FROM sqlite_stat1 WHERE tbl = 'pricing_contract_price'")
        for index, counts in {
            "pricing_contract_price": "100000 2000 2 2 1 1",
            "ix_pricing_contract_price_product_id": "100000 10",
            "ix_pricing_contract_price_category_id": "100000 100000",
        }.items():
            values = "pricing_contract_price", index, counts
            connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", values)
    db.session.remove()
    db.engine.dispose()


def plan_of(sql):
    if db.engine.dialect.name != "sqlite":
        return []  # planned with the values, which are not recorded
    raw = db.session.connection().connection.driver_connection
    return [found[3] for found in raw.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))]
