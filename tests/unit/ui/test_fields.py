"""Fields refuse what is not exactly a number, a code or a date, and say how to write it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form

from core.ui.fields import ChoiceField, CodeField, DayField, MoneyField, NumberField, PriceField, QuantityField


class Sample(Form):
    """One field of each kind."""

    discount = NumberField("Discount", places=2, minimum=0, maximum=100, unit_label="%")
    limit = MoneyField("Limit", currency="EUR")
    price = PriceField("Price", currency="EUR")
    boxes = QuantityField("Boxes", places=0)
    code = CodeField("Code")
    start = DayField("From")
    unit = ChoiceField("Unit", options=(("pcs", "piece"), ("box", "box")), empty="as the product")


def _form(**values: str) -> Sample:
    return Sample(MultiDict({"unit": "", **values}))


def _errors(name: str, value: str) -> list[str]:
    form = _form(**{name: value})
    form.validate()
    return [str(error) for error in form[name].errors]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-inf", "1,50,5", "1e3", "ten", "1.2.3"])
def test_numbers_refuse_what_is_not_a_number(text):
    assert _errors("limit", text)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("discount", "101", "Enter 100 or less."),
        ("discount", "-1", "Enter 0 or more."),
        ("discount", "1.234", "Use at most 2 decimals."),
        ("limit", "1.001", "Use at most 2 decimals."),
        ("limit", "1000000000001", "Enter 1,000,000,000,000 or less."),
        ("price", "-0.01", "Enter 0 or more."),
        ("boxes", "0", "Enter a quantity above zero."),
        ("boxes", "1.5", "Use whole numbers."),
        ("code", "a b", "A code has letters, digits and . _ / + - only, and starts with a letter or digit."),
        ("unit", "crate", "Choose one of the values in the list."),
    ],
)
def test_limits_are_said(name, text, message):
    assert _errors(name, text) == [message]


def test_values_are_exact_and_keep_what_was_typed():
    form = _form(
        discount="12.5", limit="1,234.50", price="0.034567", boxes="3", code=" DIN-933 ", start="2026-12-31", unit="box"
    )
    assert form.validate(), form.errors
    assert (form.discount.data, form.limit.data, form.price.data) == (
        Decimal("12.5"),
        Decimal("1234.50"),
        Decimal("0.034567"),
    )
    assert (form.boxes.data, form.code.data, form.start.data, form.unit.data) == (
        Decimal(3),
        "DIN-933",
        date(2026, 12, 31),
        "box",
    )
    assert form.limit._value() == "1,234.50"


def test_nothing_entered_is_none():
    form = _form(limit="", start="")
    assert form.validate(), form.errors
    assert form.limit.data is None
    assert form.start.data is None


def test_a_stored_value_is_shown_as_one_would_type_it():
    form = Sample(data={"limit": Decimal("25000.5000"), "start": date(2026, 1, 2)})
    assert form.limit._value() == "25000.5"
    assert form.start._value() == "2026-01-02"


def test_a_wrong_date_says_how_to_write_one():
    assert "in 2 weeks" in _errors("start", "31.2.2026")[0]
