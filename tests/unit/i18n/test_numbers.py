"""Numbers as people, files and programs write them: read exactly, or refused with a sentence."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n.numbers import FILE, FILE_WITH_COMMAS, bounded, marks_of, read_number, read_plain
from core.spec.errors import Invalid

MARKS = {**{locale: marks_of(locale) for locale in ("en", "fi", "pl", "tr")}, "file": FILE, "file;": FILE_WITH_COMMAS}
READ = [
    ("10", "en fi pl tr file file;", "10"),
    (" 7 ", "pl", "7"),
    ("+5", "en", "5"),
    ("-3", "fi", "-3"),
    ("−3,25", "fi", "-3.25"),
    (".5", "en", "0.5"),
    ("1234.50", "en fi pl tr file file;", "1234.50"),
    ("1,5", "en fi pl tr file file;", "1.5"),
    ("1.5", "en fi pl tr file file;", "1.5"),
    ("0,125", "en fi tr file", "0.125"),
    ("0.125", "fi tr file", "0.125"),
    ("1,000", "en", "1000"),
    ("1,000", "fi pl tr file;", "1"),
    ("1.000", "en file file;", "1"),
    ("1.500", "tr", "1500"),
    ("1,000.50", "en fi file", "1000.5"),
    ("1.000,50", "en fi tr file", "1000.5"),
    ("1 000", "en fi pl tr file", "1000"),
    ("1\u00a0000,5", "fi", "1000.5"),
    ("1\u202f234\u202f567,5", "file", "1234567.5"),
    ("1'234.50", "file", "1234.5"),
    ("1.234.567", "en fi tr file", "1234567"),
    ("-1.234.567,8", "file", "-1234567.8"),
]
REFUSED = [
    "NaN", "Infinity", "-Infinity", "inf", "12,34,567", "1.2.3", "1.2.3,4", "1,23.4", "1,2,3", "abc", "٣", "１０", "1_000",
    "--1", "9" * 60, "0x10", "1 2 3", "1'2", "1 234'567", "12 EUR", "5.", ",", "-", "1 000 00", "[1]",
]  # fmt: skip


@pytest.mark.parametrize(("text", "where", "value"), READ)
def test_a_number_is_read_as_the_marks_write_it(text, where, value):
    for name in where.split():
        assert read_number(text, MARKS[name]) == Decimal(value), name


@pytest.mark.parametrize("text", REFUSED)
def test_the_rest_is_refused_with_an_example(text):
    for name, example in (("en", "1234.50"), ("fi", "1234,50"), ("file", "1234.50")):
        with pytest.raises(Invalid) as refused:
            read_number(text, MARKS[name])
        assert refused.value.message == f"“{text[:40]}” is not a number; write it as {example}."


@pytest.mark.parametrize("text", ["1e5", "1E5", "1e308", "-1.5e-3", "1,5e+2"])
def test_an_exponent_is_refused_with_a_remedy(text):
    with pytest.raises(Invalid) as refused:
        read_number(text)
    assert refused.value.message == f"“{text}” is not a number: write all its digits instead of an exponent, such as 12000."


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("1.000", "fi", "“1.000” can be read in two ways; write 1000 or 1,000."),
        ("1.000", "pl", "“1.000” can be read in two ways; write 1000 or 1,000."),
        ("1,234", "file", "“1,234” can be read in two ways; write 1234 or 1.234."),
    ],
)
def test_what_may_be_a_thousand_is_never_guessed(text, name, said):
    with pytest.raises(Invalid) as refused:
        read_number(text, MARKS[name])
    assert refused.value.message == said


def test_an_empty_text_is_asked_for():
    with pytest.raises(Invalid, match=r"Enter a number\."):
        read_number("  ")


@given(st.text(alphabet="0123456789.,' \u00a0-+eE", max_size=14), st.sampled_from(sorted(MARKS)))
def test_a_text_is_a_finite_number_with_the_same_digits_or_refused(text, name):
    try:
        value = read_number(text, MARKS[name])
    except Invalid:
        return
    written = "".join(char for char in text if char.isdigit()).lstrip("0")
    assert "".join(char for char in f"{value:f}" if char.isdigit()).lstrip("0") == written


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_the_plain_form_of_every_number_is_read(value):
    assert read_plain(f"{value:f}") == value


@pytest.mark.parametrize(
    "text", ["", " 5", "5 ", "+5", "5.", ".5", "1,5", "1e5", "NaN", "Infinity", "1_0", "５", "0x1", "9" * 31]
)
def test_the_plain_form_is_strict(text):
    with pytest.raises(Invalid):
        read_plain(text)


@pytest.mark.parametrize(
    ("value", "places", "said"),
    [
        ("1.5", 0, "Use whole numbers."),
        ("1.234", 2, "Use at most 2 decimals."),
        ("-1", 2, "Enter 0 or more."),
        ("1000000", 2, "Enter 999,999 or less."),
        ("9" * 40, 2, "Enter 999,999 or less."),
    ],
)
def test_bounds_say_what_they_are(value, places, said):
    with pytest.raises(Invalid) as refused:
        bounded(Decimal(value), places=places, minimum=0, maximum=999_999)
    assert refused.value.message == said
