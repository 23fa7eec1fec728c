"""The paste parser: every row gets a reading, whatever the separators, order and decimal marks."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n.numbers import marks_of
from core.orders.paste import parse, parse_cells
from core.orders.quantities import parse_quantity
from core.spec.errors import Invalid

POINT, COMMA = marks_of("en"), marks_of("fi")
ROWS = [
    ("ABC\t10", POINT, ("ABC", Decimal(10), "")),
    ("ABC;10;box", POINT, ("ABC", Decimal(10), "box")),
    ("ABC;10;box;Line 7", POINT, ("ABC", Decimal(10), "box")),
    ("ABC,10", POINT, ("ABC", Decimal(10), "")),
    ("ABC, 10, box", POINT, ("ABC", Decimal(10), "box")),
    ("ABC    10", POINT, ("ABC", Decimal(10), "")),
    ("DIN 933 M8   10   box", POINT, ("DIN 933 M8", Decimal(10), "box")),
    ("ABC 10", POINT, ("ABC", Decimal(10), "")),
    ("10\tABC", POINT, ("ABC", Decimal(10), "")),
    ("10 ABC", POINT, ("ABC", Decimal(10), "")),
    ("10 ABC box", POINT, ("ABC", Decimal(10), "box")),
    ("ABC 10 box", POINT, ("ABC", Decimal(10), "box")),
    ("10 box ABC", POINT, ("ABC", Decimal(10), "box")),
    ("10 x ABC", POINT, ("ABC", Decimal(10), "")),
    ("ABC x 10", POINT, ("ABC", Decimal(10), "")),
    ("10x ABC", POINT, ("ABC", Decimal(10), "")),
    ("ABC x10", POINT, ("ABC", Decimal(10), "")),
    ("ABC 1 000", POINT, ("ABC", Decimal(1000), "")),
    ("ABC 1 000 pcs", POINT, ("ABC", Decimal(1000), "pcs")),
    ("ABC 12 000 000 pcs", COMMA, ("ABC", Decimal(12_000_000), "pcs")),
    ("DIN 933 5 box", POINT, ("DIN 933", Decimal(5), "box")),
    ("DIN 933 100 5 box", POINT, ("DIN 933 100", Decimal(5), "box")),
    ("ABC;1,5", COMMA, ("ABC", Decimal("1.5"), "")),
    ("ABC\tbox\t3", POINT, ("ABC", Decimal(3), "box")),
    ('"ABC";"10"', POINT, ("ABC", Decimal(10), "")),
    ("ABC", POINT, ("ABC", None, "")),
    ("\ufeffABC;2", POINT, ("ABC", Decimal(2), "")),
]


@pytest.mark.parametrize(("text", "marks", "expected"), ROWS)
def test_row_is_read_likeliest_first(text, marks, expected):
    (row,) = parse(text, marks).rows
    assert expected in [(r.code, r.amount, r.unit) for r in row.readings]
    if "," not in text and "  " not in text:
        first = next(r for r in row.readings if r.code == expected[0])
        assert (first.amount, first.unit) == expected[1:]


def test_decimal_comma_after_a_space_is_among_the_readings():
    (row,) = parse("ABC 1,5", COMMA).rows
    assert ("ABC", Decimal("1.5")) in [(r.code, r.amount) for r in row.readings]


def test_two_numbers_can_be_read_both_ways():
    (row,) = parse("6412345678901 10").rows
    assert [(r.code, r.amount) for r in row.readings[:2]] == [
        ("6412345678901", Decimal(10)),
        ("10", Decimal(6412345678901)),
    ]


@pytest.mark.parametrize("header", ["SKU;Quantity;Unit", "Määrä\tTuotekoodi", "code,qty", "Item  Qty", "SKU"])
def test_header_is_recognised_and_not_a_row(header):
    pasted = parse(f"{header}\nABC;3")
    assert pasted.header == header
    assert [row.text for row in pasted.rows] == ["ABC;3"]


def test_header_decides_which_column_is_the_quantity():
    pasted = parse("Quantity;Reference;SKU\n5;77;900")
    assert pasted.rows[0].readings[0].code == "900"
    assert pasted.rows[0].readings[0].amount == 5
    assert pasted.rows[0].readings[0].reference == "77"


def test_a_code_that_is_also_a_word_is_no_header():
    assert parse("item 10\nABC 2").header == ""


def test_spreadsheet_numbers_become_codes_again():
    pasted = parse_cells([["SKU", "Qty"], [99999.0, 12.0], [None, None], ["00123", "2,5"]], COMMA)
    assert [(r.readings[0].code, r.readings[0].amount) for r in pasted.rows] == [
        ("99999", Decimal(12)),
        ("00123", Decimal("2.5")),
    ]
    assert [row.number for row in pasted.rows] == [2, 4]


@given(st.lists(st.text(max_size=40), max_size=30), st.sampled_from([POINT, COMMA]))
def test_no_row_is_dropped(lines, marks):
    text = "\n".join(lines)
    pasted = parse(text, marks)
    filled = [n for n, line in enumerate(text.splitlines(), start=1) if line.strip("\ufeff \t;,")]
    assert [row.number for row in pasted.rows] == (filled[1:] if pasted.header else filled)
    assert all(row.readings for row in pasted.rows)


@given(st.lists(st.tuples(st.from_regex(r"[A-Z]{2,4}-[0-9]{1,5}", fullmatch=True), st.integers(1, 99_999)), min_size=1))
def test_code_and_quantity_survive_every_separator(rows):
    for separator in ("\t", ";", ",", "   ", " "):
        pasted = parse("\n".join(f"{code}{separator}{quantity}" for code, quantity in rows))
        assert [(r.readings[0].code, r.readings[0].amount) for r in pasted.rows] == rows


BAD = [
    "",
    "0",
    "-1",
    "−1",
    "NaN",
    "Infinity",
    "1e3",
    "1e308",
    "1E12",
    "1000000000000",
    "１０",
    "0.0000001",
    "1,2,3",
    "ten",
    "0x10",
    "1_000",
    "1.2.3",
    "--1",
    "[1]",
    "'; drop table orders_order",
]


@pytest.mark.parametrize("text", BAD)
def test_bad_quantities_are_refused_with_a_sentence(text):
    with pytest.raises(Invalid) as refused:
        parse_quantity(text, POINT)
    assert refused.value.code == "BAD-QUANTITY"
    assert str(refused.value.message).endswith(".")


def test_a_quantity_that_may_be_a_thousand_is_never_guessed():
    with pytest.raises(Invalid) as refused:
        parse_quantity("1.000", COMMA)
    assert "1,000" in str(refused.value.message)
    assert "1000" in str(refused.value.message)


def test_zero_is_a_quantity_only_where_it_drops_a_line() -> None:
    assert parse_quantity("0", COMMA, zero=True) == 0
    for text, zero in (("0", False), ("-1", True)):
        with pytest.raises(Invalid):
            parse_quantity(text, COMMA, zero=zero)
