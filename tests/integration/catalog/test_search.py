"""Search by code, own code, GTIN, words, beginnings, typos; in four languages; whatever is typed."""

import pytest
from sqlalchemy import select

from core.catalog import listing, saving
from core.catalog.models import Product
from core.catalog.search import documents, index
from core.data.db import db
from core.data.scope import Actor, Scope, acting, set_actor, system
from core.data.write import write
from core.testing.factories import make_company
from core.testing.registries import give_registry
from tests.integration.catalog.conftest import attribute, categories, product

GTIN, BOX_GTIN = "6414150085116", "4006381333931"


@pytest.fixture
def shop(data_app, save):
    give_registry(data_app, {})
    categories("fasteners", "fasteners/bolts", "bearings")
    attribute("thread")
    attribute("length", "number", unit="mm")
    attribute("surface", labels={"Zinc plated": {"fi": "Sinkitty"}})
    save(
        product(
            "DIN933-8.8-M8X40", "Hexagon screw DIN 933 M8x40", fi="Kuusioruuvi DIN 933 M8x40", pl="Śruba sześciokątna",
            tr="Altıgen başlı cıvata",
            category="bolts", gtin=GTIN, attributes={"thread": "M8", "length": "40", "surface": "Zinc plated"},
        ),
        product("DIN933-8.8-M80X40", "Hexagon screw DIN 933 M80x40", fi="Kuusioruuvi DIN 933 M80x40", category="bolts"),
        product("6204-2RS", "Deep groove ball bearing", fi="Urakuulalaakeri", pl="Łożysko kulkowe", tr="Bilyalı rulman",
            category="bearings", manufacturer="Pohjan Laakeri", manufacturer_code="PL-6204/2RS"),
        product("WASHER-A2", "Washer", fi="Aluslevy", pl="Podkładka", tr="Pul", description="Goes under a screw."),
        product("OLD-1", "Retired screw", status="discontinued", superseded_by="WASHER-A2"),
    )  # fmt: skip
    with write():
        saving.save_units([{"sku": "6204-2RS", "unit": "box", "factor": 10, "gtin": BOX_GTIN}])
    return data_app


def found(text):
    """Return the SKUs that a search lists, best first."""
    ids = listing.first(text, 50, 0)[1]
    skus = dict(db.session.execute(select(Product.id, Product.sku).where(Product.id.in_(ids))).all())
    return [skus[i] for i in ids]


M8, M80, BEARING, WASHER = "DIN933-8.8-M8X40", "DIN933-8.8-M80X40", "6204-2RS", "WASHER-A2"


FINDS = [
    # codes, in any case and with any signs between
        ("DIN933-8.8-M8X40", M8), ("din 933 8.8 m8x40", M8), ("6204", BEARING), ("6204 2rs", BEARING), ("pl 6204", BEARING),
        ("PL-6204/2RS", BEARING), (GTIN, M8), (BOX_GTIN, BEARING), ("OLD-1", "OLD-1"),
        # words, in part
        ("hexagon screw", M8), ("HEX scr", M8), ("ball bearing", BEARING), ("bearing groove", BEARING), ("groove", BEARING),
        ("pohjan", BEARING), ("zinc", M8), ("40mm m8", M8), ("bolts m8", M8),
        # values in other languages
        ("sinkitty", M8),
        # inflected, and folded
        ("screws", M8), ("kuusioruuvit", M8), ("laakerit", BEARING), ("urakuulalaakerin", BEARING),
        ("śruba", M8), ("sruba", M8), ("śruby", M8), ("łożyska", BEARING), ("lozysko", BEARING), ("ŁOŻYSKO", BEARING),
        ("civata", M8), ("CIVATA", M8), ("cıvata", M8), ("altigen", M8), ("rulmanı", BEARING), ("podkladki", WASHER),
        # a part of a Finnish compound, and typos
        ("ruuvi", M8), ("laakeri", BEARING), ("hexagno", M8), ("bearign", BEARING), ("washre", WASHER), ("kuusioruvi", M8),
        ("loszysko", BEARING), ("hexgon scrwe", M8), ("hexgno", M8),
]  # fmt: skip
NOTHING = ["", "   ", "zzzzqqq", "xyz-000-none", "''", "-", "m9x41"]
HOSTILE = [
        "' OR 1=1 --", '"', '"" OR', "NEAR(a b)", "name:screw", "screw*", "^screw", "- screw", "screw AND",
    "(((", "a:*", "& | !", "\\", "A123-4",
        "'; DROP TABLE catalog_product; --", "<script>alert(1)</script>", "%", "_",
    "screw\x00bolt", "ş" * 500, "a " * 500, "{name}:x", "<->", ":* & '", "\u202e",
]  # fmt: skip


def test_search_finds(shop):
    listed = {text: found(text) for text, _first in FINDS}
    assert [(text, first, listed[text]) for text, first in FINDS if first not in listed[text][:2]] == []


def test_search_finds_nothing(shop):
    assert [(text, found(text)) for text in NOTHING if found(text)] == []


def test_whatever_is_typed_is_only_text(shop):
    for text in HOSTILE:
        found(text)
    assert found("washer") == [WASHER]


def test_numbers_match_whole_unless_they_are_typed_last(shop):
    assert found("m8x40 screw") == [M8]
    assert found("screw m8") == [M8, M80]


def test_codes_come_first(shop, save):
    save(product("SCREW", "Something else"), product("X-1", "Screw, screw and screw"))
    assert found("screw")[0] == "SCREW"


def test_discontinued_articles_are_found_by_code_only(shop):
    assert "OLD-1" not in found("retired")
    assert found("old1") == ["OLD-1"]


def test_a_changed_product_is_found_by_its_new_words_only(shop, save):
    save(product(WASHER, "Gasket"))
    assert found("gasket") == [WASHER]
    assert WASHER not in listing.first("washer", 9, 0)[1]
    with write():
        saving.save_products([{"sku": WASHER, "attributes": {"thread": "M99"}}])
    assert found("m99") == [WASHER]


def test_rebuilding_changes_nothing(shop):
    before = [found(text) for text in ("screw", "lozysko", "hexagno", "6204")]
    with write():
        assert documents.rebuild() == 5
    assert [found(text) for text in ("screw", "lozysko", "hexagno", "6204")] == before
    assert index.count_documents() == 5


def test_own_codes_belong_to_a_company_and_its_subsidiaries(shop):
    parent, other = make_company("PARENT"), make_company("OTHER")
    child = make_company("CHILD", parent=parent)
    with write():
        saving.save_item_codes([(parent.id, "MY-SCREW-1", M8), (other.id, "THEIRS-7", M8), (other.id, "MY-SCREW-1", WASHER)])

    def buyer(company, *above):
        ids = (company, *above)
        return Actor(
            1,
            "buyer",
            Scope("companies", (company,), (company,), ids),
            company,
            permissions=frozenset({"catalog.product.view"}),
        )

    ids = parent.id, child.id, other.id
    with acting(buyer(ids[1], ids[0])):
        assert found("my screw 1")[0] == M8
        assert found("MYSCR")[0] == M8
        assert found("theirs-7") == []
    with acting(buyer(ids[2])):
        assert found("my-screw-1")[0] == WASHER
    set_actor(system("tests"))


def test_statements_do_not_grow(shop, save, count_statements):
    with count_statements() as few:
        found("screw")
    save(*(product(f"S-{n}", f"Screw number {n}") for n in range(50)))
    with count_statements(exactly=few.count):
        assert len(found("screw")) == 50


def test_suggestions_take_few_statements(shop, count_statements):
    with count_statements(at_most=5):
        listing.first("hexagno", 6, 3)


def test_what_is_found_alike_stands_in_the_order_of_codes(data_app, save):
    """On both databases: neither's own statistics of words decide (`--database both` runs it on each)."""
    give_registry(data_app, {})
    words = ("Long pipe of steel, long and of steel", "Steel pipe", "Pipe steel")
    save(*(product(f"ROR-DN{size}", words[size % 3], category=None) for size in (100, 15, 80, 20)))
    save(product("AAA-1", "Pipes steel", category=None), product("AAA-2", "Steelwork of pipes", category=None))
    save(product("AAA-3", "Clamp", category=None, description="For a steel pipe."))
    natural = ["ROR-DN15", "ROR-DN20", "ROR-DN80", "ROR-DN100"]
    assert found("steel pipe") == ["AAA-1", *natural, "AAA-2", "AAA-3"], "by whole words, begun words, and elsewhere"
    assert found("ror dn") == natural
    assert found("rordn1") == ["ROR-DN15", "ROR-DN100"]
