"""What a company may not see is nowhere: one condition for lists, counts, facets, pages, codes, media."""

from dataclasses import replace

import pytest

from core.catalog import listing, media, product_pages, saving, services, visibility
from core.catalog.models import Product
from core.catalog.selection import Selection
from core.companies.segments import segment_by_code
from core.data.db import db
from core.data.scope import Actor, Scope, acting, guest
from core.data.write import write
from core.orders import articles
from core.registry.registry import EXTENSION, Implementation
from core.spec.errors import TukkuError
from core.testing.factories import make_company
from core.testing.registries import give_registry
from tests.integration.catalog.conftest import attribute, categories, product

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
GTIN = "6414150085116"


def buyer(company_id=7, *parents):
    scope = Scope("companies", (company_id,), (company_id,), (company_id, *parents))
    return Actor(1, "buyer", scope, company_id, permissions=frozenset({visibility.VIEW}))


def hide(app, *skus):
    """Let an addon hide products from companies."""
    seen = []

    def condition(query):
        seen.append(query)
        return [Product.sku.not_in(skus)]

    made = give_registry(app, {})
    hook = Implementation("assortments", condition, ("query",))
    app.extensions[EXTENSION] = replace(made, implementations={"catalog_visibility": (hook,)})
    return seen


@pytest.fixture
def shop(data_app, save):
    give_registry(data_app, {})
    categories("open", "closed", "closed/inner", hidden=("closed",))
    attribute("thread")
    save(
        product("SEEN", "Screw seen", category="open", attributes={"thread": "M8"}),
        product("SECRET", "Screw secret", category="open", attributes={"thread": "M9"}, gtin=GTIN, manufacturer_code="MK-1"),
        product("INNER", "Screw inner", category="inner", attributes={"thread": "M7"}),
        product("OLD", "Screw old", status="discontinued", superseded_by="SECRET"),
        product("LOOSE", "Screw loose", attributes={"thread": "M6"}),
    )
    ids = {sku: services.product_id_of(sku) for sku in ("SEEN", "SECRET", "INNER", "OLD", "LOOSE")}
    with write():
        media.attach(ids["SECRET"], PNG, "secret.png")
    return data_app, ids


def test_hidden_products_are_nowhere(shop):
    app, ids = shop
    company = make_company("ACME").id
    with write():
        saving.save_item_codes([(company, "OWN-1", "SECRET"), (company, "OWN-2", "SEEN")])
    key = media.of(ids["SECRET"])[0].key
    hide(app, "SECRET")
    with acting(buyer(company)):
        everything = listing.run(Selection())
        assert (everything.total, set(everything.ids)) == (2, {ids["SEEN"], ids["LOOSE"]})
        assert {v.text for f in everything.facets for v in f.values} == {"M8", "M6"}
        assert sum(listing.counts().values()) == 1
        for text in ("secret", "SECRET", GTIN, "MK-1", "OWN-1", "m9", "secrte"):
            assert ids["SECRET"] not in listing.first(text, 20, 0)[1], text
            assert not any(product.sku == "SECRET" for product, _codes in product_pages.suggestions(text).products), text
        found = services.find_codes(["SECRET", GTIN, "MK-1", "OWN-1", "OWN-2", "OLD"])
        assert {code: [m.sku for m in matches] for code, matches in found.items()} == {
            "SECRET": [], GTIN: [], "MK-1": [], "OWN-1": [], "OWN-2": ["SEEN"], "OLD": ["OLD"],
        }  # fmt: skip
        assert services.product_id_of("SECRET") is None
        assert media.visible_file(key) is None
    assert media.visible_file(key) is not None


def test_only_whom_an_addon_restricts_goes_without_what_is_kept(shop):
    app, ids = shop
    made = give_registry(app, {})

    def condition(query):
        return [Product.sku != "SECRET"] if query.company_id == 8 else None

    hook = Implementation("assortments", condition, ("query",))
    app.extensions[EXTENSION] = replace(made, implementations={"catalog_visibility": (hook,)})
    with app.test_request_context("/"), acting(buyer(7)):
        assert visibility.by_catalogue_alone() == "shop"
        assert ids["SECRET"] in listing.run(Selection()).ids
    with app.test_request_context("/"), acting(buyer(8)):
        assert visibility.by_catalogue_alone() is None
        assert ids["SECRET"] not in listing.run(Selection()).ids
    with app.test_request_context("/"), acting(guest()):
        assert visibility.by_catalogue_alone() == "nothing"


def test_visitors_are_asked_for_with_their_segment(shop):
    app, _ids = shop
    make_company("REGULAR", segments=["guests"])
    seen = hide(app)
    with acting(guest({visibility.VIEW})):
        listing.run(Selection())
    assert seen[0].segment_ids == (segment_by_code("guests").id,)


def test_hidden_categories_take_everything_beneath_them(shop):
    app, ids = shop
    hide(app)
    with acting(buyer()):
        assert set(listing.run(Selection()).ids) == {ids["SEEN"], ids["SECRET"], ids["LOOSE"]}
        assert services.product_id_of("INNER") is None
        assert services.find_codes(["INNER"]) == {"INNER": []}


def test_the_hook_is_told_for_whom(shop):
    app, _ids = shop
    parent = make_company("PARENT", segments=["gold"])
    child = make_company("CHILD", parent=parent)
    ids = (child.id, parent.id)
    seen = hide(app)
    with acting(buyer(*ids)):
        listing.run(Selection())
    assert (seen[0].company_id, seen[0].ancestor_ids, len(seen[0].segment_ids)) == (ids[0], ids, 1)


def test_a_guest_sees_products_only_where_the_switch_says_so(shop):
    app, _ids = shop
    hide(app)
    with acting(guest()):
        assert listing.run(Selection()).total == 0
        assert services.find_codes(["SEEN"]) == {"SEEN": []}
    with acting(guest({visibility.VIEW})):
        assert listing.run(Selection()).total == 3


def test_a_failing_hook_shows_nothing_at_all(shop):
    app, _ids = shop

    def broken(query):
        raise RuntimeError("assortments are broken")

    made = give_registry(app, {})
    hook = Implementation("assortments", broken, ("query",))
    app.extensions[EXTENSION] = replace(made, implementations={"catalog_visibility": (hook,)})
    with acting(buyer()), pytest.raises(TukkuError, match="assortments failed"):
        listing.run(Selection())


def test_codes_are_tried_in_order(shop, save):
    app, _ids = shop
    company = make_company("ACME").id
    save(
        product("A-1", gtin="4006381333931"),
        product("B-1", manufacturer_code="A-1"),
        product("C-1", manufacturer_code="DUP"),
    )
    save(product("D-1", manufacturer_code="dup"))
    with write():
        saving.save_item_codes([(company, "A1", "B-1"), (company, "mine", "C-1")])
        saving.save_units([{"sku": "B-1", "unit": "box", "factor": 10, "gtin": "5901234123457"}])
    hide(app)
    with acting(buyer(company)):
        found = services.find_codes(["a-1", "MINE", "4006381333931", "5901234123457", "DUP", "old", "nope", "", "'; --"])
    said = {code: [(m.sku, m.kind, m.unit) for m in matches] for code, matches in found.items()}
    assert said == {
        "a-1": [("A-1", "sku", "")],
        "MINE": [("C-1", "item_code", "")],
        "4006381333931": [("A-1", "gtin", "")],
        "5901234123457": [("B-1", "gtin", "box")],
        "DUP": [("C-1", "manufacturer", ""), ("D-1", "manufacturer", "")],
        "old": [("SECRET", "superseded", "")],
        "nope": [],
        "": [],
        "'; --": [],
    }


def test_many_codes_take_as_many_statements_as_one(shop, save, count_statements):
    save(*(product(f"S-{n}") for n in range(50)))
    with count_statements() as one:
        services.find_codes(["S-1"])
    with count_statements(exactly=one.count):
        assert all(services.find_codes([f"s{n}" for n in range(50)]).values())
    db.session.rollback()


def test_what_replaces_an_article_is_named_to_those_alone_who_may_buy_it(shop):
    app, ids = shop
    hide(app)
    with acting(buyer()):
        assert "replaced by SECRET" in articles.by_id([ids["OLD"]])[ids["OLD"]].refusal
    hide(app, "SECRET")
    with acting(buyer()):
        for article in (articles.by_id([ids["OLD"]])[ids["OLD"]], articles.by_sku(["OLD"])["OLD"]):
            assert (article.successor, article.refusal) == ("", "OLD is no longer sold.")
