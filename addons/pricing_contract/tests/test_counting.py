"""Which quantities a break counts: the line, the product or its family on all lines, and what was ordered before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from addons.pricing_contract.models import Contract
from core.data.scope import acting, system
from core.data.write import write
from core.orders.models import Movement, Order, OrderLine
from core.pricing import services
from core.spec.pricing import PriceRequest
from core.testing.factories import Unit, make_category, make_company, make_product

from .conftest import contract, priced, row

D = Decimal
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def document(company, *lines, together=True, order_id=None, explain=False):
    """Price (product, unit, quantity) as the lines of one document."""
    where = services.context("EUR", NOW, company.id)
    requests = [PriceRequest(str(n), product.id, unit, D(quantity)) for n, (product, unit, quantity) in enumerate(lines)]
    return services.price(where, requests, explain, together=together, order_id=order_id).lines


def ordered(company, product, quantity, *, at=NOW - timedelta(days=3), state="confirmed", unit="pcs", base=None):
    """Store a placed order of one line."""
    with write() as session:
        order = Order(
            seller_id=1, company_id=company.id, state=state, currency="EUR", created_at=at, updated_at=at, submitted_at=at,
            locale="en",
        )  # fmt: skip
        session.add(order)
        session.flush()
        line = OrderLine(
            order_id=order.id, company_id=company.id, position=1, product_id=product.id, unit=unit, quantity=D(quantity),
            base_quantity=D(base or quantity), sku=product.sku, name=product.sku,
        )  # fmt: skip
        session.add(line)
    return order, line


def moved(line, kind, quantity, at=NOW - timedelta(days=1)):
    with write() as session:
        session.add(Movement(line_id=line.id, company_id=line.company_id, kind=kind, quantity=D(quantity), at=at))


@pytest.fixture
def ladder(shop):
    """A product at 10, from 100 on at 8, in a contract that counts as the test says."""

    def made(counts="product", period="", **values):
        company = make_company("C")
        product = make_product("A", price="12", units=[Unit("pcs"), Unit("box", 12)], category="none")
        agreed = contract("K", company=company, counts=counts, period=period, **values)
        row(agreed, product, "10")
        row(agreed, product, "8", min_quantity="100")
        return product, company

    return made


def test_lines_stand_for_themselves_by_default(ladder):
    product, company = ladder("line")
    assert [line.price for line in document(company, (product, "pcs", "60"), (product, "pcs", "60"))] == [D(10), D(10)]


def test_the_product_counts_on_all_lines_in_all_its_units(ladder):
    product, company = ladder()
    lines = document(company, (product, "pcs", "52"), (product, "box", "4"), explain=True)
    assert [(line.price, line.per) for line in lines] == [(D(8), D(1)), (D(96), D(1))]
    assert str(lines[0].reason) == "Your contract price (Contract K); 100\N{NO-BREAK SPACE}pcs count together"
    below = document(company, (product, "pcs", "51"), (product, "box", "4"), explain=True)
    assert [line.price for line in below] == [D(10), D(120)]
    told = [str(c.lost) for c in below[0].candidates if c.min_quantity == 100]
    assert told == ["It holds from 100\u00a0pcs; 99 count."]
    assert priced(product, company, "52").price == D(10)


def test_what_is_no_document_does_not_count_together(ladder):
    product, company = ladder()
    assert document(company, (product, "pcs", "60"), (product, "pcs", "60"), together=False)[0].price == D(10)


def test_what_came_for_nothing_does_not_count(ladder):
    product, company = ladder(period="year")
    _order, line = ordered(company, product, "60")
    assert document(company, (product, "pcs", "40"))[0].price == D(8)
    moved(line, "returned", "1")
    with write() as session:
        session.execute(update(OrderLine).where(OrderLine.id == line.id).values(price_source="free:promotions:TEN"))
    assert document(company, (product, "pcs", "40"))[0].price == D(10)
    assert document(company, (product, "pcs", "100"))[0].price == D(8)


def test_a_family_counts_by_the_category_of_the_row_and_in_one_base_unit(shop):
    company, root = make_company("C"), make_category("goods")
    bolts, nuts = make_category("bolts", parent=root), make_category("nuts", parent=root)
    a, b = make_product("A", price="10", category="bolts"), make_product("B", price="10", category="nuts")
    oil = make_product("OIL", price="10", category="nuts", units=[Unit("l")])
    agreed = contract("K", company=company, counts="family")
    row(agreed, root, "0", kind="percent")
    row(agreed, root, "20", kind="percent", min_quantity="100")
    assert [x.price for x in document(company, (a, "pcs", "60"), (b, "pcs", "40"), (oil, "l", "50"))] == [D(8), D(8), D(10)]
    row(agreed, bolts, "0", kind="percent")
    row(agreed, bolts, "30", kind="percent", min_quantity="100")
    assert [x.price for x in document(company, (a, "pcs", "60"), (b, "pcs", "40"))] == [D(10), D(8)]
    assert nuts.parent_id == root.id


def test_a_products_row_counts_its_own_category(shop):
    company = make_company("C")
    make_category("bolts")
    where = {"A": "bolts", "B": "bolts", "X": "none"}
    a, b, c = (make_product(code, price="10", category=category) for code, category in where.items())
    agreed = contract("K", company=company, counts="family")
    for product in (a, b, c):
        row(agreed, product, "9", min_quantity="1")
        row(agreed, product, "7", min_quantity="100")
    assert [x.price for x in document(company, (a, "pcs", "60"), (b, "pcs", "40"), (c, "pcs", "50"))] == [D(7), D(7), D(9)]


def test_progressive_lines_share_what_they_reach_together(ladder):
    product, company = ladder(breaks="progressive")
    for lines in ((("pcs", "80"), ("pcs", "40")), (("pcs", "40"), ("pcs", "80"))):
        found = document(company, *((product, *one) for one in lines))
        assert {round(line.price / line.per, 6) for line in found} == {round(D(1160) / 120, 6)}
        assert sum(line.price for line in found) == D(1160)


def test_orders_of_the_period_count_without_what_came_back(ladder):
    product, company = ladder(period="year")
    assert priced(product, company, "5", at=NOW).price == D(10)
    order, line = ordered(company, product, "90")
    assert priced(product, company, "9", at=NOW).price == D(10)
    found = priced(product, company, "10", at=NOW)
    assert found.price == D(8)
    assert str(found.reason) == "Your contract price (Contract K); 90\N{NO-BREAK SPACE}pcs ordered before count too"
    moved(line, "returned", "20")
    assert priced(product, company, "10", at=NOW).price == D(10)
    assert priced(product, company, "10", at=NOW - timedelta(days=2)).price == D(8), "the return came later"
    assert priced(product, company, "30", at=NOW).price == D(8)
    again = document(company, (product, "pcs", "99"), order_id=order.id)
    assert again[0].price == D(10), "an order does not precede itself"


@pytest.mark.parametrize("state", ["cart", "cancelled", "rejected"])
def test_what_was_not_bought_does_not_count(ladder, state):
    product, company = ladder(period="contract")
    ordered(company, product, "500", state=state)
    assert priced(product, company, "5", at=NOW).price == D(10)


@pytest.mark.parametrize(("period", "since"), [("month", (11, 1)), ("quarter", (10, 1)), ("year", (1, 1))])
def test_the_period_begins_with_the_sellers_calendar(ladder, period, since):
    product, company = ladder(period=period)
    start = datetime(2026, *since, tzinfo=UTC) - timedelta(hours=2)  # midnight in Helsinki
    start += timedelta(hours=0 if since[0] in (11, 1) else -1)  # summer time in October
    ordered(company, product, "100", at=start - timedelta(seconds=1))
    assert priced(product, company, "1", at=NOW).price == D(10)
    ordered(company, product, "100", at=start)
    assert priced(product, company, "1", at=NOW).price == D(8)


def test_a_contracts_period_begins_with_it_and_its_subsidiaries_count(shop):
    parent = make_company("P")
    child, other = make_company("CH", parent=parent), make_company("O")
    product = make_product("A", price="12", units=[Unit("pcs"), Unit("box", 12)])
    agreed = contract("K", company=parent, counts="product", period="contract", valid_from=NOW - timedelta(days=10))
    row(agreed, product, "10")
    row(agreed, product, "8", min_quantity="100")
    ordered(parent, product, "60", at=NOW - timedelta(days=11))
    ordered(other, product, "60")
    ordered(child, product, "5", unit="box", base="60")
    assert priced(product, parent, "39", at=NOW).price == D(10)
    assert [priced(product, who, "40", at=NOW).price for who in (parent, child)] == [D(8), D(8)]


def test_lists_of_several_count_the_buyers_own_orders(shop):
    one, other, product = make_company("A"), make_company("B"), make_product("X", price="12")
    agreed = contract("PUBLIC", counts="product", period="year")
    row(agreed, product, "8", min_quantity="100")
    ordered(one, product, "100")
    assert [priced(product, who, at=NOW).price for who in (one, other)] == [D(8), D(12)]
    assert priced(product, at=NOW).price == D(12), "visitors have no orders"


def test_ladders_begin_after_what_was_ordered(office):
    with acting(system("a test")):
        company, product = make_company("C"), make_product("A", price="12")
        agreed = contract("K", company=company, counts="product", period="year")
        row(agreed, product, "10")
        row(agreed, product, "8", min_quantity="100")
        ordered(company, product, "95")
        where = services.context("EUR", NOW, company.id)
        rungs = services.ladders(where, [(product.id, "pcs")])[product.id, "pcs"]
    assert [(rung.min_quantity, rung.price) for rung in rungs] == [(D(1), D(10)), (D(5), D(8))]


def test_progressive_parts_begin_after_what_was_ordered(ladder):
    product, company = ladder(period="year", breaks="progressive")
    ordered(company, product, "95")
    line = priced(product, company, "10", at=NOW)
    assert [(band.quantity, band.price) for band in line.bands] == [(D(5), D(10)), (D(5), D(8))]
    assert line.price == D(90)


def test_the_statements_for_orders_before_do_not_grow_with_lines_and_contracts(ladder, count_statements):
    product, company = ladder(period="year")
    for n in range(3):
        row(contract(f"M{n}", company=company, counts="family", period="month"), product, "11", min_quantity="1000")
    ordered(company, product, "100")
    ids = [product.id, *(make_product(f"P{n}", price="10").id for n in range(20))]
    where = services.context("EUR", NOW, company.id)

    def statements(some):
        with count_statements() as counted:
            services.price(where, [PriceRequest(str(i), i, "pcs") for i in some], together=True)
        return counted.count

    few, many = statements(ids[:1]), statements(ids)
    with write() as session:
        session.execute(update(Contract).values(counts="line", period=""), execution_options={"synchronize_session": False})
    assert few == many <= statements(ids) + 2
