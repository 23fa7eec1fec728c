"""Facet counts against a count by hand, for random catalogues and selections."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.catalog import listing, saving
from core.catalog.facets import natural
from core.catalog.models import Product, ProductAttribute
from core.catalog.search import index
from core.catalog.selection import Selection, read
from core.catalog.structure import attributes, tree
from core.data.db import db
from core.data.write import write
from core.testing.registries import give_registry
from tests.integration.catalog.conftest import attribute, categories

VALUES: dict[str, list[str]] = {"thread": ["M6", "M8", "M10"], "surface": ["plain", "zinc"], "magnetic": ["yes", "no"]}
LENGTHS = ["5", "10", "12.5", "20"]
CATEGORIES = ["", "bolts", "short", "nuts"]
BENEATH = {"": CATEGORIES, "bolts": ["bolts", "short"], "short": ["short"], "nuts": ["nuts"]}

products = st.lists(
    st.fixed_dictionaries(
        {
            "category": st.sampled_from(CATEGORIES),
            "status": st.sampled_from(["active", "active", "active", "blocked", "discontinued"]),
            "word": st.sampled_from(["alpha", "beta"]),
            **{code: st.sampled_from(["", *values]) for code, values in VALUES.items()},
            "length": st.sampled_from(["", *LENGTHS]),
        }
    ),
    max_size=12,
)
selections = st.fixed_dictionaries(
    {
        "category": st.sampled_from(CATEGORIES),
        "word": st.sampled_from(["", "alpha", "beta"]),
        **{code: st.lists(st.sampled_from(values), unique=True, max_size=2) for code, values in VALUES.items()},
        "length": st.lists(st.sampled_from(LENGTHS), unique=True, max_size=2),
        "min": st.sampled_from(["", "6", "12.5"]),
        "max": st.sampled_from(["", "12.5"]),
    }
)


def passes(row: dict[str, str], wanted: dict[str, Any], code: str) -> bool:
    """Tell by hand whether a product passes one facet; values and range of a number are alternatives."""
    chosen, value = wanted[code], row[code]
    tests = [value in chosen] if chosen else []
    if code == "length" and (wanted["min"] or wanted["max"]):
        low, high = Decimal(wanted["min"] or "-1"), Decimal(wanted["max"] or "99")
        tests.append(bool(value) and low <= Decimal(value) <= high)
    return any(tests) if tests else True


def by_hand(rows: list[dict[str, str]], wanted: dict[str, Any]) -> tuple[int, dict[str, dict[str, int]]]:
    """Return the total and the counts of every facet: each with the selections of all the others."""
    codes = [*VALUES, "length"]
    base = [
        row
        for row in rows
        if row["status"] != "discontinued"
        and row["category"] in BENEATH[wanted["category"]]
        and wanted["word"] in ("", row["word"])
    ]
    counts: dict[str, dict[str, int]] = {}
    for code in codes:
        others = [row for row in base if all(passes(row, wanted, other) for other in codes if other != code)]
        values = {row[code] for row in others if row[code]}
        counts[code] = {value: sum(row[code] == value for row in others) for value in values}
    return sum(all(passes(row, wanted, code) for code in codes) for row in base), counts


def asked(wanted: dict[str, Any]) -> Selection:
    """Return the selection, by way of its address."""
    pairs = [
        ("q", wanted["word"]),
        ("c", wanted["category"]),
        ("a.length.min", wanted["min"]),
        ("a.length.max", wanted["max"]),
    ]
    pairs += [(f"a.{code}", value) for code in (*VALUES, "length") for value in wanted[code]]
    return read([(name, value) for name, value in pairs if value], tree(), attributes())


def replace_products(rows: list[dict[str, str]]) -> None:
    with write() as session:
        for model in (ProductAttribute, Product):
            session.query(model).delete()
        index.index().clear()
        saving.save_products(
            [
                {
                    "sku": f"P{n}",
                    "base_unit": "pcs",
                    "texts": {"en": {"name": row["word"]}},
                    "category": row["category"] or None,
                    "status": row["status"],
                    "attributes": {code: row[code] or None for code in (*VALUES, "length")},
                }
                for n, row in enumerate(rows)
            ]
        )


@pytest.mark.parametrize("few", [500, 0], ids=["counted", "taken_off_everything"])
def test_counts_are_right(data_app, monkeypatch, few):
    monkeypatch.setattr("core.catalog.facets._FEW", few)
    give_registry(data_app, {})
    categories("bolts", "bolts/short", "nuts")
    attribute("thread")
    attribute("surface")
    attribute("magnetic", "boolean")
    attribute("length", "number", unit="mm")

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rows=products, wanted=selections)
    def check(rows: list[dict[str, str]], wanted: dict[str, Any]) -> None:
        replace_products(rows)
        results = listing.run(asked(wanted))
        total, counts = by_hand(rows, wanted)
        assert results.total == total
        assert len(results.ids) == min(total, listing.PAGE)
        seen = {f.attribute.code: {v.text: v.count for v in f.values if v.count} for f in results.facets}
        for code, expected in counts.items():
            if len(expected) > 1:
                assert seen[code] == expected
            else:
                assert seen.get(code, expected) == expected

    check()
    db.session.rollback()


def test_above_the_limit_only_categories_are_counted(data_app, save, monkeypatch, count_statements):
    give_registry(data_app, {})
    categories("bolts")
    attribute("thread")
    save(
        *(
            {"sku": f"S{n}", "texts": {"en": {"name": "s"}}, "category": "bolts", "attributes": {"thread": f"M{n % 3}"}}
            for n in range(9)
        )
    )
    monkeypatch.setattr("core.catalog.facets.MOST_HITS", 5)
    results = listing.run(Selection())
    assert (results.too_many, results.facets, results.total) == (True, (), 9)
    assert list(results.counts.values()) == [9]
    narrowed = listing.run(read([("a.thread", "M1")], tree(), attributes()))
    assert (narrowed.too_many, len(narrowed.facets)) == (False, 1)


def test_statements_do_not_depend_on_what_is_chosen(data_app, save, count_statements):
    give_registry(data_app, {})
    attribute("thread")
    attribute("length", "number")
    save(
        *(
            {"sku": f"S{n}", "texts": {"en": {"name": "s"}}, "attributes": {"thread": f"M{n % 3}", "length": n}}
            for n in range(30)
        )
    )
    with count_statements() as free:
        listing.run(read([], tree(), attributes()))
    with count_statements(exactly=free.count):
        listing.run(read([("a.thread", "M1"), ("a.thread", "M2"), ("a.length.min", "3")], tree(), attributes()))


def test_values_sort_as_people_read_them():
    assert sorted(["M10", "M8", "M2.5", "M12", "A"], key=natural) == ["A", "M2.5", "M8", "M10", "M12"]
