"""Saving: whole batches, twice the same, each refusal with a sentence."""

from decimal import Decimal as D

import pytest
from sqlalchemy import select

from core.catalog import media, saving, services
from core.catalog.models import Media, Product, ProductUnit
from core.catalog.units import units_of
from core.data.db import db
from core.data.write import write
from core.spec.errors import Invalid
from core.testing.registries import give_registry
from tests.integration.catalog.conftest import attribute, categories, product

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
NO_GTIN = "“6414150085117” is no valid GTIN: its length or check digit is wrong. Correct it, or leave it empty."
NO_HEIR = "There is no other product “%s” that could replace this one. Import it first, or correct the code."
NO_NUMBER = "“%s” is not a number; write it as 1234.50."
NO_COLOUR = "There is no attribute “colour”. Create it first, or correct the code."
SVG = b'<?xml version="1.0"?><!-- drawn --><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def _registry(data_app):
    give_registry(data_app, {})


def save_one(**values):
    with write():
        (saved,) = saving.save_products([{"sku": "A", "base_unit": "pcs", "texts": {"en": {"name": "A"}}, **values}])
    return saved


def test_twice_the_same_changes_nothing(save, count_statements):
    categories("bolts")
    attribute("thread")
    rows = [
        product(f"S-{n}", f"Screw {n}", category="bolts", weight_kg=D("0.125"), attributes={"thread": "M8"})
        for n in range(20)
    ]
    assert {s.outcome for s in save(*rows)} == {"created"}
    assert {s.outcome for s in save(*rows)} == {"unchanged"}
    rows[3]["attributes"] = {"thread": None}
    assert [s.key for s in save(*rows) if s.outcome == "updated"] == ["S-3"]
    assert db.session.scalar(select(Product.version).where(Product.sku == "S-4")) == 1


def test_statements_do_not_grow_with_the_batch(save, count_statements):
    with count_statements() as few:
        save(product("ONE", "One"))
    with count_statements(at_most=few.count):
        save(*(product(f"S-{n}", f"Screw {n}") for n in range(50)))


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"category": "x"}, "category", "There is no category “x”. Create it first, or correct the code."),
        ({"gtin": "6414150085117"}, "gtin", NO_GTIN),
        ({"status": "gone"}, "status", "“gone” is no status. Use active, blocked or discontinued."),
        ({"weight_kg": D(-1)}, "weight_kg", "A weight cannot be negative."),
        ({"base_unit": ""}, "base_unit", "A new product needs its base unit, such as pcs, m or kg."),
        ({"texts": {}}, "name", "A new product needs a name in at least one language."),
        ({"attributes": {"colour": "red"}}, "attr:colour", NO_COLOUR),
        ({"attributes": {"length": "NaN"}}, "attr:length", NO_NUMBER % "NaN"),
        ({"attributes": {"length": "5 mm"}}, "attr:length", NO_NUMBER % "5 mm"),
        ({"attributes": {"magnetic": "maybe"}}, "attr:magnetic", "“maybe” is neither yes nor no."),
        ({"superseded_by": "B"}, "superseded_by", NO_HEIR % "B"),
        ({"superseded_by": "A"}, "superseded_by", NO_HEIR % "A"),
    ],
)  # fmt: skip
@pytest.mark.database("sqlite")
def test_refusals(values, field, message):
    attribute("length", "number")
    attribute("magnetic", "boolean")
    saved = save_one(**values)
    assert (saved.outcome, saved.field, str(saved.message)) == ("error", field, message)
    assert db.session.scalars(select(Product.sku)).all() == []


def test_a_refused_row_leaves_the_others_alone(save):
    with write():
        saved = saving.save_products([product("A", "A", base_unit="pcs"), product("B", "B", base_unit="pcs", category="x")])
    assert [s.outcome for s in saved] == ["created", "error"]
    assert db.session.scalars(select(Product.sku)).all() == ["A"]


def test_the_base_unit_stays():
    save_one()
    assert save_one(base_unit="m").field == "base_unit"


def test_numbers_are_kept_plainly(save):
    attribute("length", "number", unit="mm")
    save(product("A", attributes={"length": "12,50"}), product("B", attributes={"length": D("1E+2")}))
    ids = dict(db.session.execute(select(Product.sku, Product.id)).all())
    values = services.values_of(ids.values())
    assert {sku: list(values[i].values()) for sku, i in ids.items()} == {"A": ["12.5"], "B": ["100"]}


def test_units(save):
    save(product("A"))
    with write():
        saved = saving.save_units(
            [
                {"sku": "A", "unit": "box", "factor": D(100), "minimum": D(2), "position": 1},
                {
                    "sku": "A",
                    "unit": "kg",
                    "numerator": 1000,
                    "denominator": 7,
                    "precision": 3,
                    "step": D("0.001"),
                    "position": 2,
                },
                {"sku": "A", "unit": "pcs", "factor": D(2)},
                {"sku": "A", "unit": "bag", "factor": D(0)},
                {"sku": "A", "unit": "bag", "factor": D(5), "minimum": D(0)},
                {"sku": "A", "unit": "bag", "factor": D(5), "maximum": D("0.5")},
                {"sku": "Z", "unit": "bag", "factor": D(5)},
            ]
        )
    assert [(s.outcome, s.field) for s in saved] == [
        ("created", ""), ("created", ""), ("error", "factor"), ("error", "factor"), ("error", "minimum"),
        ("error", "maximum"), ("error", "sku"),
    ]  # fmt: skip
    (units,) = units_of(db.session.scalars(select(Product.id))).values()
    assert list(units) == ["pcs", "box", "kg"]
    assert (units["box"].factor, units["kg"].factor.denominator, units["box"].minimum) == (100, 7, D(2))
    assert db.session.scalar(select(ProductUnit.unit).where(ProductUnit.unit == "bag")) is None


def test_media_are_known_by_their_content(save):
    save(product("A"))
    product_id = db.session.scalar(select(Product.id))
    with write():
        assert media.attach(product_id, PNG, "a.png")
        assert media.attach(product_id, SVG, "evil.png")
        assert not media.attach(product_id, PNG, "again.png")
    assert [(m.type, m.kind) for m in media.of(product_id)] == [("image/png", "image"), ("image/svg+xml", "image")]
    with write(), pytest.raises(Invalid, match="neither a picture"):
        media.attach(product_id, b"<html><script>", "a.svg")
    with write(), pytest.raises(Invalid, match="larger than 5 MB"):
        media.attach(product_id, PNG + b"\0" * 6_000_000, "a.png")
    with write():
        media.detach(product_id, [media.of(product_id)[0].id])
    assert db.session.scalars(select(Media.kind)).all() == ["image"]
