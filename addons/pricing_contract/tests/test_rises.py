"""Buyers are told of price rises some days before: which, from when, once, and no longer when they are called off."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, inspect, select, update

from addons.pricing_contract import rises
from addons.pricing_contract.models import ContractPrice
from addons.pricing_contract.rise_models import PriceRise
from core.catalog.models import Category, Product, ProductUnit
from core.data.clock import frozen, start_of_day
from core.data.db import db
from core.data.write import write
from core.notifications.models import Notification
from core.orders.models import OrderLine
from core.pricing.models import ListPrice
from core.settings.services import set_value
from core.testing import factories
from core.testing.signin import sign_in

from .conftest import contract, row

D = Decimal
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = "Europe/Helsinki"


def day(offset: int) -> datetime:
    return start_of_day(NOW.date() + timedelta(days=offset), ZONE)


@pytest.fixture
def company(office):
    """A company with a buyer, that ordered 50 of A at 10 and 5 of B at 10 a month ago; C it never ordered."""
    factories.make_seller(zone=ZONE)
    company = factories.make_company("acme")
    factories.make_user("anna@acme.example", company=company)
    a, b, _c = (factories.make_product(sku, price="10") for sku in ("A", "B", "C"))
    with frozen(NOW - timedelta(days=30)):
        factories.make_order(company, [(a, 50), (b, 5)], number="1", state="confirmed")
    return company


def product(sku):
    return db.session.scalar(select(Product).where(Product.sku == sku))


def raised(sku, price, start):
    factories.make_list_price(product(sku), price, valid_from=start)


def told(company, at=NOW):
    with frozen(at):
        found = rises.tell(company.id)
    return [(one.after.sku, one.before.price, one.after.price, one.day.isoformat()) for one in found]


@pytest.mark.parametrize("offset", range(1, 15))
def test_the_day_is_found(company, offset):
    raised("A", "12", day(offset))
    assert told(company) == [("A", D(10), D(12), (NOW.date() + timedelta(days=offset)).isoformat())]


def test_what_is_later_cheaper_or_never_bought_is_not_told(company):
    raised("A", "12", day(15))
    raised("B", "9", day(3))
    raised("C", "99", day(3))
    assert told(company) == []
    assert told(company, NOW + timedelta(days=1)) == [("A", D(10), D(12), "2026-12-05")]


def test_the_end_of_a_contract_is_a_rise_at_the_quantity_ordered_last(company):
    k = contract("K", company=company)
    row(k, product("A"), "8", end=day(5))
    row(k, product("A"), "6", min_quantity="50", end=day(7))
    assert told(company) == [("A", D(6), D(10), "2026-11-27")]


def test_several_days_are_told_apart(company):
    raised("A", "11", day(4))
    raised("B", "11", day(9))
    assert [one[0::3] for one in told(company)] == [("A", "2026-11-24"), ("B", "2026-11-29")]
    subjects = db.session.scalars(select(Notification.subject).order_by(Notification.id)).all()
    assert subjects == [
        "The price of 1 product that you buy rises on 24 Nov 2026",
        "The price of 1 product that you buy rises on 29 Nov 2026",
    ]


def test_a_product_bought_in_two_units_is_one_product(company):
    line = db.session.scalar(select(OrderLine).where(OrderLine.sku == "A"))
    with write() as session:
        session.add(ProductUnit(product_id=line.product_id, unit="box", numerator=10, position=2))
        same = {name: getattr(line, name) for name in set(inspect(OrderLine).columns.keys()) - {"id"}}
        session.add(OrderLine(**{**same, "unit": "box", "quantity": D(5), "position": 9}))
    raised("A", "11", day(4))
    assert len(told(company)) == 2
    subjects = db.session.scalars(select(Notification.subject)).all()
    assert subjects == ["The price of 1 product that you buy rises on 24 Nov 2026"]


def test_nobody_is_told_twice_unless_the_rise_changes(company):
    raised("A", "12", day(5))
    assert len(told(company)) == 1
    assert told(company) == []
    assert told(company, NOW + timedelta(days=1)) == []
    with write() as session:
        session.execute(delete(ListPrice).where(ListPrice.price == D(12)))
    raised("A", "13", day(5))
    assert told(company, NOW + timedelta(days=2)) == [("A", D(10), D(13), "2026-11-25")]
    with frozen(NOW + timedelta(days=2)):
        assert [one.after for one in rises.told(company.id)] == [D(13)]


def test_a_rise_that_is_called_off_is_no_longer_shown(company):
    k = contract("K", company=company)
    row(k, product("A"), "8", end=day(5))
    assert len(told(company)) == 1
    with write() as session:
        session.execute(delete(ContractPrice))
    row(k, product("A"), "8")
    assert told(company) == []
    assert db.session.scalars(select(PriceRise.withdrawn_at)).one() == NOW
    with frozen(NOW):
        assert rises.told(company.id) == []


def test_of_what_the_company_sees_no_longer_it_is_told_nothing(company):
    secret = factories.make_category("secret")
    raised("A", "12", day(5))
    raised("B", "12", day(5))
    assert [one[0] for one in told(company)] == ["A", "B"]
    with write() as session:
        session.execute(update(Category).where(Category.code == "secret").values(hidden=True))
        session.execute(update(Product).where(Product.sku == "A").values(category_id=secret.id))
    with frozen(NOW):
        assert [one.product.sku for one in rises.told(company.id)] == ["B"]
    raised("A", "13", day(7))
    assert told(company, NOW + timedelta(days=1)) == []


def test_the_merchant_chooses_the_days(company):
    raised("A", "12", day(30))
    set_value("pricing_contract", "rise_notice_days", 30)
    set_value("pricing_contract", "rise_notice_days", 0, target="company:acme")
    assert told(company) == []
    set_value("pricing_contract", "rise_notice_days", 30, target="company:acme")
    assert len(told(company)) == 1


def test_statements_do_not_grow_with_products(company, count_statements):
    counts = []
    for n in (1, 2, 20):
        with frozen(NOW - timedelta(days=3)):
            goods = [factories.make_product(f"N{n}-{i}") for i in range(n)]
            factories.make_order(company, [(one, 2) for one in goods], number=f"n{n}", state="confirmed")
        for one in goods:
            factories.make_list_price(one, "11", valid_from=day(6))
        with frozen(NOW), count_statements() as counted:
            assert len(rises.tell(company.id)) == n
        counts.append(counted.count)
    assert counts[1] == counts[2], "the first time settings are read"


def test_the_job_tells_every_company_and_the_page_shows_its_own(office, company):
    other = factories.make_company("other")
    factories.make_user("olga@other.example", company=other)
    raised("A", "12.5", day(5))
    with frozen(NOW):
        rises.nightly({})
        page = sign_in(office, "anna@acme.example").get("/a/pricing_contract/price-rises").text
        assert "A" in page
        assert "12.50" in page
        assert "25 Nov 2026" in page
        assert "1 price rises soon" in sign_in(office, "anna@acme.example").get("/a/pricing_contract/prices").text
        assert "No price rises soon" in sign_in(office, "olga@other.example").get("/a/pricing_contract/price-rises").text
    assert db.session.scalars(select(Notification.subject)).all() == [
        "The price of 1 product that you buy rises on 25 Nov 2026"
    ]
    assert date(2026, 11, 25) == db.session.scalars(select(PriceRise.day)).one()
