"""What an address asks of a list."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.selection import Bounds, read
from core.catalog.structure import AttributeInfo, CategoryNode, Tree

BOLTS = CategoryNode(1, "bolts", "bolts", {"en": "Bolts"}, None, False)
SECRET = CategoryNode(2, "secret", "secret", {"en": "Secret"}, None, True)
TREE = Tree({1: BOLTS, 2: SECRET}, {None: (BOLTS, SECRET)}, {"bolts": BOLTS, "secret": SECRET})
ATTRIBUTES = {
    "thread": AttributeInfo(1, "thread", {"en": "Thread"}, "choice", "", True, {}),
    "length": AttributeInfo(2, "length", {"en": "Length"}, "number", "mm", True, {}),
    "a.min": AttributeInfo(3, "a.min", {"en": "Odd code"}, "choice", "", True, {}),
}


def ask(*arguments):
    return read(arguments, TREE, ATTRIBUTES)


def test_everything_is_read():
    asked = ask(
        ("q", "  hex   screw "), ("c", "bolts"), ("a.thread", "M8"), ("a.thread", "M10"), ("a.length.min", "20"),
        ("a.length.max", "80.5"), ("sort", "-attribute:length"), ("view", "cards"), ("page", "3"),
    )  # fmt: skip
    assert (asked.text, asked.category, asked.values) == ("hex screw", BOLTS, {"thread": ("M8", "M10")})
    assert asked.bounds == {"length": Bounds(D(20), D("80.5"))}
    assert (asked.sort, asked.view, asked.page) == ("-attribute:length", "cards", 3)


@pytest.mark.parametrize(
    "pair",
    [
        ("a.colour", "red"), ("a.length.min", "NaN"), ("a.length.min", "1e99"), ("a.thread.min", "3"), ("sort", "password"),
        ("sort", "attribute:nothing"), ("view", "hologram"), ("page", "-1"), ("page", "0"), ("page", "x"), ("page", "²"),
        ("c", "secret"), ("c", "nowhere"), ("a.", "x"), ("a.length.max", ""),
    ],
)  # fmt: skip
def test_nonsense_is_dropped(pair):
    assert ask(pair) == ask()


def test_an_attribute_whose_code_looks_like_a_bound_is_still_found():
    assert ask(("a.a.min", "x")).values == {"a.min": ("x",)}


def test_the_last_page_is_bounded():
    assert ask(("page", "999999")).page == 400


def test_toggling_goes_back_to_the_first_page():
    asked = ask(("a.thread", "M8"), ("page", "5"))
    assert asked.toggled("thread", "M10").values == {"thread": ("M8", "M10")}
    assert asked.toggled("thread", "M8").values == {}
    assert asked.toggled("thread", "M8").page == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["q", "c", "a.thread", "a.length", "a.length.min", "a.length.max", "sort", "view", "page"]),
            st.sampled_from(["M8", "12.5", "bolts", "name", "-code", "cards", "2", "'; DROP", "ş ł", ""]),
        )
    )
)
def test_an_address_says_what_was_asked(pairs):
    asked = read(pairs, TREE, ATTRIBUTES)
    assert read(asked.pairs(category=True), TREE, ATTRIBUTES) == asked
