"""Quick order and reorder: every row an outcome, nothing dropped, nothing guessed."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import delete, update

from core.catalog.models import ItemCode, Product
from core.data.scope import acting, system
from core.data.write import write
from core.i18n.numbers import Marks, marks_of
from core.orders import paste, quickorder, reorder
from core.pricing.models import ListPrice
from core.testing import factories


def rows(shop, text: str, marks: Marks | None = None) -> list[tuple]:
    with shop.request():
        found = quickorder.review(paste.parse(text, marks), marks)
        return [(r.outcome, r.article.sku if r.article else "", r.quantity) for r in found]


def test_each_row_has_the_outcome_that_it_deserves(shop):
    new = factories.make_product("NEW-1", price="3")
    factories.make_product("OLD-1", status="discontinued", superseded_by_id=new.id)
    factories.make_product("GONE", status="discontinued")
    factories.make_product("STOP", status="blocked")
    factories.make_product("TWIN-1", gtin="6400000000017")
    factories.make_product("TWIN-2", gtin="6400000000017")
    with acting(system("tests")), write() as session:
        session.add(ItemCode(company_id=shop.company.id, product_id=new.id, code="our 9", code_folded="our9"))
    text = "\n".join(
        [
            "A-1;2",
            "a1;1",
            "B-2;13",
            "C-3;1",
            "OLD-1;4",
            "GONE;1",
            "STOP;1",
            "6400000000017;5",
            "our 9;2",
            "A-11;1",
            "A-1;ten",
            "A-1;0",
            "A-1;2;barrel",
            "10 B-2",
        ]
    )
    assert rows(shop, text) == [
        ("ok", "A-1", 3),
        ("merged", "A-1", 1),
        ("rounded", "B-2", 30),
        ("no_price", "C-3", 1),
        ("replaced", "NEW-1", 6),
        ("discontinued", "GONE", 1),
        ("not_allowed", "STOP", 1),
        ("several", "", 5),
        ("merged", "NEW-1", 2),
        ("unknown", "", 1),
        ("bad_quantity", "A-1", None),
        ("bad_quantity", "A-1", None),
        ("bad_unit", "A-1", 2),
        ("merged", "B-2", 10),
    ]


def test_what_is_not_found_comes_with_proposals_that_are_not_taken(shop):
    factories.make_product("6205-2RS", name="Bearing")
    with shop.request():
        (row,) = quickorder.review(paste.parse("6205-2RZ;4"))
        assert (row.outcome, row.takes) == ("unknown", False)
        assert [(c.sku, c.name) for c in row.choices] == [("6205-2RS", "Bearing")]
        assert row.quantity == 4


def test_codes_with_spaces_and_quantities_in_any_place_are_found(shop):
    factories.make_product("DIN 933 M8")
    assert rows(shop, "din933-m8 7\n7 DIN 933 M8\nDIN 933 M8") == [
        ("ok", "DIN 933 M8", 15),
        ("merged", "DIN 933 M8", 7),
        ("merged", "DIN 933 M8", 1),
    ]


def test_a_decimal_comma_is_a_decimal_comma(shop):
    factories.make_product("ROPE", units=[factories.Unit("m", precision=1, minimum=Decimal("0.5"), step=Decimal("0.5"))])
    assert rows(shop, "ROPE;2,5", marks_of("fi")) == [("ok", "ROPE", Decimal("2.5"))]
    assert rows(shop, "ROPE 2,7", marks_of("fi")) == [("rounded", "ROPE", 3)]
    assert rows(shop, "ROPE;1.000", marks_of("fi")) == [("bad_quantity", "ROPE", None)]


def test_another_word_for_pieces_is_understood_another_unit_is_not(shop):
    assert rows(shop, "A-1;2;kpl") == [("ok", "A-1", 2)]
    assert rows(shop, "A-1;2;box") == [("bad_unit", "A-1", 2)]


def test_what_another_company_calls_it_is_unknown(shop):
    other = factories.make_company("other")
    with acting(system("tests")), write() as session:
        product = session.query(Product).filter_by(sku="A-1").one()
        session.add(ItemCode(company_id=other.id, product_id=product.id, code="SECRET", code_folded="secret"))
    assert rows(shop, "SECRET;1")[0][0] == "unknown"


def test_statements_do_not_depend_on_the_number_of_rows(shop, count_statements):
    skus = [factories.make_product(f"P-{n}", price="1").sku for n in range(60)]
    counts = []
    with shop.request():
        quickorder.review(paste.parse("A-1;1"))  # who sells and what is taxed is kept from here on
    for text in ("A-1;1\nB-2;3\nnothing;1", "\n".join([f"{sku};2" for sku in skus] + ["B-2;7", "nope;1", "zilch;4"])):
        with shop.request(), count_statements() as seen:
            quickorder.review(paste.parse(text))
        counts.append(seen)
    assert counts[0].count == counts[1].count, counts[1]


def test_ordering_again_says_what_changed_line_by_line(shop):
    heir = factories.make_product("HEIR", price="7")
    for sku in ("KEEP", "DEAR", "SWAP", "DROP", "HALT", "STEP"):
        factories.make_product(sku, price="5")
    number = shop.place(*((sku, 5) for sku in ("KEEP", "DEAR", "SWAP", "DROP", "HALT", "STEP")))
    with acting(system("tests")), write() as session:
        ids = {p.sku: p.id for p in session.query(Product)}
        session.execute(update(ListPrice).where(ListPrice.product_id == ids["DEAR"]).values(price=Decimal(6)))
        session.get(Product, ids["SWAP"]).status = "discontinued"
        session.get(Product, ids["SWAP"]).superseded_by_id = heir.id
        session.get(Product, ids["DROP"]).status = "discontinued"
        session.get(Product, ids["HALT"]).status = "blocked"
        session.get(Product, ids["STEP"]).units[0].step = Decimal(10)
        session.get(Product, ids["STEP"]).units[0].minimum = Decimal(10)
    with shop.request():
        found = reorder.review(number)
        assert [(r.outcome, r.article.sku) for r in found] == [
            ("ok", "KEEP"),
            ("price_changed", "DEAR"),
            ("replaced", "HEIR"),
            ("discontinued", "DROP"),
            ("not_allowed", "HALT"),
            ("rounded", "STEP"),
        ]
        assert "5" in found[1].message
        assert "6" in found[1].message
        assert found[5].quantity == 10


def test_a_product_that_was_deleted_is_still_named(shop):
    number = shop.place(("A-1", 1))
    with acting(system("tests")), write() as session:
        product = session.query(Product).filter_by(sku="A-1").one()
        session.execute(delete(ListPrice).where(ListPrice.product_id == product.id))
        session.delete(product)
    with shop.request():
        (row,) = reorder.review(number)
        assert row.outcome == "gone"
        assert "A-1" in row.message


def test_units_are_known_by_the_words_of_every_language(shop):
    factories.make_product("BOXED", price="2", units=[factories.Unit("pcs"), factories.Unit("box", 100)])
    words = (
        "box", "BOX", "boxes", "Boxes.", "laatikko", "laatikkoa", "LAATIKKOA", "karton", "kartony", "kartonów", "kutu",
        "KUTU", "ltk", "carton",
    )  # fmt: skip
    with shop.request():
        found = quickorder.review(paste.parse("\n".join(f"BOXED;2;{word}" for word in words)))
        assert {row.outcome for row in found[1:]} == {"merged"}, [(row.text, row.outcome) for row in found]
        assert (found[0].unit.unit, found[0].quantity) == ("box", 2 * len(words))
        others = quickorder.review(paste.parse("BOXED;2;szt.\nBOXED;2;adet\nBOXED;2;kappaletta\nBOXED;2;stück"))
        assert (others[0].unit.unit, others[0].quantity) == ("pcs", 8)
        [refused] = quickorder.review(paste.parse("BOXED;2;barrel"))
        assert refused.message == "BOXED is not sold in “barrel”; it is sold in pcs, box."
