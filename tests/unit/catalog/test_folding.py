"""Folding: the same on both sides, whatever the language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.folding import fold, fold_code, parts, sort_code, tokens, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ŁOŻYSKO kulkowe", "lozysko kulkowe"),
        ("śruba żółć ąęćńóśźż", "sruba zolc aecnoszz"),
        ("Çivata ğüşöçı İIiı", "civata gusoci iiii"),
        ("Kääntöpöytä Åström", "kaantopoyta astrom"),
        ("Große Ølhåndtag Æther", "grosse olhandtag aether"),
        ("M8×40 ½ −5 µm", "m8x40 1/2 -5 um"),
        ("ﬁtting", "fitting"),
        ("", ""),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@given(st.text())
def test_fold_is_stable(text):
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_fold_does_not_depend_on_case(text):
    if text.upper().lower() == text.lower():  # some letters of few languages do not come back
        assert fold(text.upper()) == fold(text)


@pytest.mark.parametrize(
    ("code", "folded"),
    [("DIN 933-M8x40", "din933m8x40"), ("din933/M8X40", "din933m8x40"), ("6204-2RS", "62042rs"), ("--", ""), ("Ł-1", "l1")],
)
def test_fold_code(code, folded):
    assert fold_code(code) == folded


def test_tokens_keep_decimals_and_fractions_whole():
    assert tokens('ISO 4017 8.8 M8x40, G1/2" 2,5mm') == ["iso", "4017", "8p8", "m8x40", "g1s2", "2p5mm"]


@pytest.mark.parametrize(
    ("token", "found"),
    [
        ("m8x40", ["m8", "40"]),
        ("din933", ["din", "933"]),
        ("2p5mm", ["2p5", "mm"]),
        ("g1s2", ["1s2"]),
        ("8p8", []),
        ("screw", []),
        ("4017", []),
    ],
)
def test_parts(token, found):
    assert parts(token) == found


def test_words_keep_the_letters_that_stemmers_know():
    assert words("Łożyska i śruby – İstanbul") == ["łożyska", "i", "śruby", "istanbul"]


def test_codes_sort_by_their_numbers():
    codes = ["4017-M10X20", "4017-M8X100", "4017-M8X20", "933-A", "4017-m8x20-zn"]
    assert sorted(codes, key=sort_code) == ["933-A", "4017-M8X20", "4017-m8x20-zn", "4017-M8X100", "4017-M10X20"]
