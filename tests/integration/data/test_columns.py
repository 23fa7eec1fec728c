"""Exact values through both databases: what was written is read, sums are right, instants keep their moment."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from sqlalchemy import func, insert, select

from core.companies.models import Segment
from core.data.db import db
from core.data.write import write
from core.orders.models import NumberSeries
from core.pricing.models import CurrencyRate, ListPrice
from core.testing import factories as make


def test_ten_thousand_prices_come_back_equal_and_sum_exactly(data_app):
    product = make.make_product("M8", price=None)
    random_numbers = random.Random(7)
    values = [Decimal(random_numbers.randint(0, 10**14)).scaleb(-6) for _ in range(10_000)]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {"product_id": product.id, "unit": str(n), "currency": "EUR", "price": value, "valid_from": at, "per": Decimal(1)}
        for n, value in enumerate(values)
    ]
    with write() as session:
        session.execute(insert(ListPrice), rows)
    assert list(db.session.scalars(select(ListPrice.price).order_by(ListPrice.id))) == values
    assert db.session.scalar(select(func.sum(ListPrice.price))) == sum(values)
    assert db.session.scalar(select(func.max(ListPrice.price))) == max(values)
    assert db.session.scalar(
        select(func.coalesce(func.sum(ListPrice.price), Decimal("1.5"))).where(ListPrice.id < 0)
    ) == Decimal("1.5")


def test_the_largest_amount_fits(data_app):
    largest = Decimal(2**63 - 1).scaleb(-6)
    with write() as session:
        session.add(CurrencyRate(source="EUR", target="XXX", day=datetime(2026, 1, 1).date(), rate=largest))
    assert db.session.scalar(select(CurrencyRate.rate)) == largest
    assert db.session.scalar(select(CurrencyRate.id).where(CurrencyRate.rate == largest)) is not None


def test_instants_keep_their_moment_and_sort_by_it(data_app):
    east = datetime(2026, 1, 1, 1, 0, 0, 123456, tzinfo=timezone(timedelta(hours=3)))
    with write():
        company = make.make_company("A", created_at=east)
    assert company.created_at == east
    assert company.created_at.tzinfo is UTC


def test_translated_text_keeps_every_letter(data_app):
    name = {"fi": "Ääkköset Öö", "pl": "łożysko śruby", "tr": "İğne çıvata"}
    with write() as session:
        session.add(Segment(code="x", name={**name, "en": ""}))
    db.session.expire_all()
    assert db.session.scalar(select(Segment.name)) == name


def test_foreign_keys_hold(data_app):
    import pytest
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), write() as session:
        session.add(NumberSeries(seller_id=4711, kind="order"))
