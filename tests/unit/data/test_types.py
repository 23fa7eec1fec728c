"""Exact columns: nothing is rounded, floats and wrong scales are refused, SQL sums are right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, case, create_engine, func, select
from sqlalchemy.dialects import sqlite

from core.data.types import Amount, Instant, Price, Quantity, Translated, to_scaled

rows = Table(
    "rows", MetaData(), Column("id", Integer, primary_key=True), Column("amount", Amount), Column("price", Price),
    Column("quantity", Quantity), Column("count", Integer),
)  # fmt: skip
amounts = st.integers(-(2**63) + 1, 2**63 - 1).map(lambda n: Decimal(n).scaleb(-4))


@given(amounts)
@settings(max_examples=2000, deadline=None)
def test_every_amount_that_fits_comes_back_equal(value):
    dialect = sqlite.dialect()
    assert Amount().process_result_value(Amount().process_bind_param(value, dialect), dialect) == value


@pytest.mark.parametrize("value", [1.5, "1.5", True, b"1", float("nan")])
def test_other_types_than_decimal_and_int_are_refused(value):
    with pytest.raises(TypeError, match="Decimal"):
        to_scaled(value, 4)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("NaN", "not a number"), ("Infinity", "not a number"), ("-Infinity", "not a number"), ("sNaN", "not a number"),
        ("0.00001", "more than 4 decimals"), ("922337203685477.5808", "too large"), ("1E+30", "too large"),
    ],
)  # fmt: skip
def test_what_cannot_be_stored_exactly_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        to_scaled(Decimal(value), 4)


@pytest.mark.parametrize("value", ["1E+3", "-0.0", "1000.0000", "12345678901234.5678"])
def test_notations_of_the_same_number_are_stored_alike(value):
    assert Decimal(to_scaled(Decimal(value), 4)).scaleb(-4) == Decimal(value)


REFUSED = {
    "product": lambda: rows.c.price * rows.c.quantity,
    "product with a number": lambda: rows.c.price * 2,
    "product from the left": lambda: 2 * rows.c.price,
    "quotient": lambda: rows.c.price / 2,
    "modulo": lambda: rows.c.price % 2,
    "average": lambda: func.avg(rows.c.price),
    "sum of two scales": lambda: rows.c.amount + rows.c.price,
    "comparison of two scales": lambda: rows.c.amount < rows.c.price,
    "sum with a whole column": lambda: rows.c.amount + rows.c.count,
    "comparison with a whole column": lambda: rows.c.amount == rows.c.count,
    "absolute value": lambda: func.abs(rows.c.amount),
    "round": lambda: func.round(rows.c.amount),
    "total": lambda: func.total(rows.c.amount),
    "default of another scale": lambda: func.coalesce(rows.c.amount, rows.c.price),
}


@pytest.mark.parametrize("build", REFUSED.values(), ids=REFUSED)
def test_operations_that_would_change_the_scale_are_refused_when_built(build):
    with pytest.raises(TypeError, match="exact decimal"):
        build()


@pytest.fixture
def connection():
    engine = create_engine("sqlite://")
    rows.create(engine)
    with engine.begin() as connection:
        for amount in ("0.1", "0.2", "9007199254740993.1234"[:15]):
            connection.execute(rows.insert().values(amount=Decimal(amount), price=Decimal(1), quantity=Decimal(2)))
        yield connection


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (func.sum(rows.c.amount), Decimal("900719925474099.3")),
        (func.min(rows.c.amount), Decimal("0.1")),
        (func.max(rows.c.amount), Decimal("900719925474099")),
        (func.coalesce(func.sum(rows.c.amount), 0), Decimal("900719925474099.3")),
        (func.sum(rows.c.amount - rows.c.amount), Decimal(0)),
        (func.sum(-rows.c.amount), Decimal("-900719925474099.3")),
        (func.sum(rows.c.amount + 1), Decimal("900719925474102.3")),
        (func.sum(case((rows.c.amount < 1, rows.c.amount), else_=0)), Decimal("0.3")),
    ],
)
def test_sums_extremes_and_defaults_keep_the_type(connection, expression, expected):
    assert connection.scalar(select(expression)) == expected


@pytest.mark.parametrize("default", [Decimal("1.5"), 3])
def test_the_default_of_a_coalesce_is_scaled_too(connection, default):
    assert connection.scalar(select(func.coalesce(func.sum(rows.c.amount), default)).where(rows.c.id < 0)) == default


@pytest.mark.parametrize("condition", [rows.c.amount == Decimal("0.1"), rows.c.amount.in_([Decimal("0.1")]),
                                       rows.c.amount.between(Decimal("0.05"), Decimal("0.15"))])  # fmt: skip
def test_comparisons_scale_the_value(connection, condition):
    assert connection.scalars(select(rows.c.amount).where(condition)).all() == [Decimal("0.1")]


def test_instants_are_stored_in_utc_and_come_back_aware():
    dialect = sqlite.dialect()
    at = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=3)))
    stored = Instant().process_bind_param(at, dialect)
    assert stored == datetime(2026, 3, 29, 0, 30)
    assert Instant().process_result_value(stored, dialect) == at.astimezone(UTC)
    with pytest.raises(ValueError, match="no time zone"):
        Instant().process_bind_param(datetime(2026, 1, 1), dialect)


@pytest.mark.parametrize("value", ["2026-01-01", date(2026, 1, 1)])
def test_instants_are_datetimes(value):
    with pytest.raises(TypeError, match="instant"):
        Instant().process_bind_param(value, sqlite.dialect())


def test_translated_text_is_a_mapping_and_drops_empty_texts():
    dialect = sqlite.dialect()
    assert Translated().process_bind_param({"en": "bolt", "fi": ""}, dialect) == {"en": "bolt"}
    with pytest.raises(TypeError, match="mapping"):
        Translated().process_bind_param("bolt", dialect)
