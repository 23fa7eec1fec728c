"""Figures as the reader's locale writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask, g

from core.ui import formats
from core.ui.accent import DARK, LIGHT, contrast, legible, parse, stylesheet


def test_money_and_price_keep_the_decimals_that_matter():
    assert formats.money(Decimal("1284.6"), "EUR", "fi") == "1\u00a0284,60\u00a0€"
    assert formats.price(Decimal("2.1"), "EUR", "fi") == "2,10\u00a0€"
    assert formats.price(Decimal("0.034500"), "EUR", "fi") == "0,0345\u00a0€"
    assert formats.price(Decimal("120"), "JPY", "fi").startswith("120\u00a0")
    assert formats.money(None, "EUR") == ""


@pytest.mark.parametrize(("value", "text"), [("100", "100"), ("1250.500000", "1\u00a0250,5"), ("1E+3", "1\u00a0000")])
def test_quantity_has_no_trailing_zeros(value, text):
    assert formats.qty(Decimal(value), locale="fi") == text


def test_quantity_stands_beside_its_unit():
    assert formats.qty(Decimal(5), "pcs", "en") == "5\u00a0pcs"
    assert formats.per_unit(Decimal(100), "pcs", "en") == "100\u00a0pcs"
    assert formats.per_unit(Decimal(1), "pcs", "en") == "pcs"


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("en", ("1 box", "3 boxes", "1.5 boxes")),
        ("fi", ("1 laatikko", "3 laatikkoa", "1,5 laatikkoa")),
        ("pl", ("1 karton", "3 kartony", "1,5 kartony")),
        ("tr", ("1 kutu", "3 kutu", "1,5 kutu")),
    ],
)
def test_a_unit_agrees_with_its_number(locale, texts):
    with Flask("figures").app_context():
        g.tukku_locale = locale
        assert tuple(formats.qty(Decimal(n), "box").replace("\u00a0", " ") for n in ("1", "3", "1.5")) == texts


def test_english_writes_days_before_months_and_24_hours():
    at = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
    assert formats.day(at.date(), "en") == "22 Nov 2026"
    assert formats.instant(at, "Europe/Helsinki", "en") == "22 Nov 2026, 23:30"


def test_age_counts_minutes_hours_days():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert [formats.age(now - timedelta(**by), now) for by in ({"minutes": 5}, {"hours": 5}, {"days": 3})] == [
        "5 minutes",
        "5 hours",
        "3 days",
    ]


@pytest.mark.parametrize("colour", ["#ffff00", "0b6170", "#000000", "#ffffff", "ff0000"])
def test_any_accent_is_made_legible_on_both_surfaces(colour):
    rgb = parse(colour)
    assert rgb is not None
    assert contrast(legible(rgb, LIGHT), LIGHT) >= 4.5
    assert contrast(legible(rgb, DARK), DARK) >= 4.5
    assert "--tk-accent:" in stylesheet(colour)


@pytest.mark.parametrize("text", ["", "red", "#12", "url(x)", "}body{display:none"])
def test_an_accent_that_is_no_colour_sets_nothing(text):
    assert stylesheet(text) == ""


def test_long_codes_may_break_behind_their_signs():
    assert formats.breakable("4017-8.8-ZN-M8X40") == "4017-8.8-ZN-M8X40"
    assert formats.breakable("orders.buyer_factor@company:<ACME>") == (
        "orders.<wbr>buyer_<wbr>factor@<wbr>company:<wbr>&lt;ACME&gt;"
    )
