"""What a buyer sees: the rule over random sets, for whom it holds, and everywhere where goods may be found."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from sqlalchemy import select, update

from addons.assortments import checks, editing, why
from addons.assortments.models import Assortment, AssortmentRow
from core.catalog import listing, product_pages, services, visibility
from core.catalog.models import Category, Product
from core.catalog.selection import Selection
from core.companies.models import Company, CompanySegment
from core.companies.segments import segment_by_code
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting, system
from core.data.write import write
from core.orders import articles, cart, pages, paste, placing, quickorder, reorder
from core.orders.merging import NewItem
from core.restapi import keys
from core.spec.errors import TukkuError
from core.spec.orders import Stage
from core.spec.pricing import BEGINNING
from core.testing import factories
from core.testing.signin import sign_in

from .conftest import SKUS, VISITOR

#: What each name of a row stands for.
NAMED = {
    **{sku: {sku} for sku in SKUS},
    "*fasteners": {"BOLT", "NUT"}, "*screws": {"BOLT"}, "*nuts": {"NUT"}, "*piping": {"PIPE", "VALVE"},
}  # fmt: skip


def test_modes(shop):
    everything = " ".join(SKUS)
    assert shop.seen() == everything
    shop.make("ONLY", "only", "BOLT", "*piping")
    assert shop.seen() == "BOLT PIPE VALVE"
    shop.make("MORE", "only", "LOOSE")
    assert shop.seen() == "BOLT PIPE VALVE LOOSE"
    shop.make("LESS", "without", "*piping", audience="public")
    assert shop.seen() == "BOLT LOOSE"
    shop.make("BACK", "also", "VALVE")
    assert shop.seen() == "BOLT VALVE LOOSE"
    assert shop.seen("other") == "BOLT NUT LOOSE"
    shop.change("ONLY", status="draft")
    assert shop.seen() == "VALVE LOOSE"
    shop.change("MORE", status="ended")
    assert shop.seen() == "BOLT NUT VALVE LOOSE"


def test_of_a_country_its_companies_see_it_and_nobody_else(shop):
    with shop.request(system("tests")), write() as session:
        session.execute(update(Company).where(Company.id == shop.other.id).values(country="SE"))
    shop.make("SE", "only", "BOLT", audience="location", country="SE")
    everything = " ".join(SKUS)
    assert (shop.seen("other"), shop.seen("acme"), shop.seen(VISITOR)) == ("BOLT", everything, everything)
    with shop.request(system("tests")):
        answer = why.explain("other", "NUT")
        assert (answer.visible, [one.audience for one in answer.weighed]) == (False, ["Companies of Sweden"])
        assert [code for code, heads in checks._concerned().items() if heads] == ["other"]
    for wrong in ({"audience": "location"}, {"audience": "public", "country": "SE"}):
        with pytest.raises(TukkuError, match=r"leave this empty|Name the country"):
            shop.make("X", "only", **wrong)


def test_an_only_without_goods_shows_nothing_and_others_without_goods_change_nothing(shop):
    shop.make("ALSO", "also", "BOLT")
    shop.make("WITHOUT", "without")
    assert shop.seen() == " ".join(SKUS)
    shop.make("ONLY", "only")
    assert shop.seen() == "BOLT"
    shop.change("ALSO", status="ended")
    assert shop.seen() == ""


@pytest.mark.parametrize("seed", range(3))
def test_the_result_is_that_of_the_sets_whatever_the_order(shop, seed):
    """Ten random sets of assortments for each seed, their rows added and taken out in random order."""
    chance = random.Random(seed)
    for _round in range(10):
        with shop.request(system("tests")), write() as session:
            session.query(Assortment).delete()
        wanted = [
            (mode, chance.sample(sorted(NAMED), chance.randint(0, 3)))
            for mode in chance.choices(("only", "without", "also"), k=chance.randint(0, 4))
        ]
        for n, (mode, names) in enumerate(chance.sample(wanted, len(wanted))):
            shop.make(f"A-{n}", mode, *chance.sample(names, len(names)))
            passing = chance.choice(sorted(set(NAMED) - set(names)))
            with shop.request(system("tests")):
                for remove in (False, True):
                    editing.paste(editing.by_code(f"A-{n}"), passing, remove=remove)
        union = {m: set().union(*(NAMED[x] for mode, xs in wanted if mode == m for x in xs)) for m in ("without", "also")}
        chosen = [set().union(*(NAMED[x] for x in xs)) for mode, xs in wanted if mode == "only"]
        base = set().union(*chosen) if chosen else set(SKUS)
        expected = (base - union["without"]) | union["also"]
        assert set(shop.seen().split()) == expected, wanted
        with shop.request(system("tests")):
            for sku in SKUS:
                answer = why.explain("acme", sku)
                heads = [(one.head.mode, bool(one.by)) for one in answer.weighed]
                assert (answer.visible, why.decide(heads)[0]) == (sku in expected, sku in expected), (wanted, sku)


def test_the_tree_inherits_and_segments_are_those_of_the_company(shop):
    shop.make("ONLY", "only", "*fasteners")
    shop.make("GOLD", "without", "BOLT", audience="segment")
    assert (shop.seen(), shop.seen("daughter"), shop.seen("other")) == ("BOLT NUT", "BOLT NUT", "NUT PIPE VALVE LOOSE")
    with shop.request(system("tests")), write() as session:
        session.add(CompanySegment(company_id=shop.acme.id, segment_id=segment_by_code("gold").id))
    assert (shop.seen(), shop.seen("daughter")) == ("NUT", "NUT")


def test_an_end_a_beginning_and_a_deletion_show_on_the_next_page(shop):
    now = clock.now()
    shop.make("ONLY", "only", "BOLT", valid_from=now - timedelta(days=2), valid_until=now - timedelta(days=1))
    shop.make("NEXT", "only", "NUT", valid_from=now + timedelta(days=1))
    assert shop.seen() == " ".join(SKUS)
    shop.change("NEXT", valid_from=now - timedelta(days=1))
    assert shop.seen() == "NUT"
    with shop.request(system("tests")), write() as session:
        session.delete(editing.by_code("NEXT"))
    assert shop.seen() == " ".join(SKUS)


def test_visitors(shop):
    shop.make("ALL", "without", "PIPE", audience="public")
    assert shop.seen(VISITOR) == "BOLT NUT VALVE LOOSE"
    with shop.request(system("tests")):
        factories.make_company("dummy", segments=["guests"])
        guests = segment_by_code("guests").id
    shop.make("GUESTS", "only", "BOLT", "NUT", audience="segment", segment_id=guests)
    assert shop.seen(VISITOR) == "BOLT NUT"
    assert shop.seen() == "BOLT NUT VALVE LOOSE"
    page = shop.app.test_client()
    assert page.get("/p/BOLT").status_code == 200
    assert page.get("/p/VALVE").status_code == 404


def test_buyers_read_the_catalogue_but_no_assortment(shop):
    shop.make("ONLY", "only", "BOLT")
    with shop.request():
        assert db.session.scalars(select(Assortment)).all() == []
        assert listing.run(Selection()).total == 1


def test_what_is_left_out_is_found_nowhere(shop):
    shop.make("ONLY", "only", "*fasteners")
    with shop.request():
        found = listing.run(Selection())
        assert (found.total, sum(listing.counts().values())) == (2, 4)  # each in its category and in the one above
        assert all(sum(value.count for value in facet.values) <= 2 for facet in found.facets)
        for text in ("PIPE", "thing pipe", "pipe"):
            assert listing.run(Selection(text=text)).total == 0
            assert not product_pages.suggestions(text).products
        assert services.find_codes(["PIPE", "BOLT"])["PIPE"] == []
        assert product_pages.product_page("PIPE") is None
        assert product_pages.product_page("BOLT") is not None
        rows = quickorder.review(paste.parse("PIPE;3\nBOLT;2"))
        assert [(row.outcome, row.article and row.article.sku) for row in rows] == [("unknown", None), ("ok", "BOLT")]
        outcome = cart.add([NewItem("PIPE", D(1)), NewItem("BOLT", D(1))])
        assert [one.outcome for one in outcome] == ["unknown", "added"]
    anna = sign_in(shop.app, "anna@acme.example")
    assert "Thing pipe" not in anna.get("/products").text
    assert "Thing bolt" in anna.get("/c/fasteners/screws").text
    assert anna.get("/p/PIPE").status_code == 404


def test_goods_that_leave_the_assortment_stop_the_order_and_are_named(shop):
    with shop.request():
        cart.add([NewItem("PIPE", D(1)), NewItem("BOLT", D(1))])
    shop.make("ONLY", "only", "*fasteners")
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        said = [str(one.message) for one in page.findings if one.level == "block"]
        assert said == ["PIPE is not part of your assortment; ask us if you need it."]
        asked = placing.Placement(
            expected_total=page.priced.totals.gross, cart_key=page.order.client_reference, seen=pages.read_seen(page.seen)
        )
        with pytest.raises(TukkuError):
            placing.place(asked)
    text = sign_in(shop.app, "anna@acme.example").get("/cart").text
    assert "not part of your assortment" in text
    shop.make("BACK", "also", "PIPE")
    with shop.request():
        page = pages.cart_page(Stage.SUBMIT)
        number = placing.place(
            placing.Placement(
                expected_total=page.priced.totals.gross,
                cart_key=page.order.client_reference,
                seen=pages.read_seen(page.seen),
            )
        ).order.number
    shop.change("BACK", status="ended")
    with shop.request():
        again = {row.text.split()[0]: row.outcome for row in reorder.review(number)}
        assert again == {"PIPE": "not_allowed", "BOLT": "ok"}


def test_programs_of_a_company_see_its_assortment(shop):
    shop.make("ONLY", "only", "*fasteners")
    client = shop.app.test_client()

    def headers(*may, company_id=None):
        with shop.request(system("tests")):
            return {"Authorization": f"Bearer {keys.create('a program', may, company_id=company_id, days=1).secret}"}

    own = headers("catalog.product.view", "pricing.price.view", company_id=shop.daughter.id)
    assert {x["sku"] for x in client.get("/api/v1/products", headers=own).json["items"]} == {"BOLT", "NUT"}
    assert client.get("/api/v1/products/PIPE", headers=own).status_code == 404
    rows = {"lines": [{"sku": "BOLT", "quantity": "1"}, {"sku": "PIPE", "quantity": "1"}]}
    quoted = client.post("/api/v1/prices/quote", json=rows, headers={**own, "Idempotency-Key": "q"}).json
    assert [line["price"] for line in quoted["lines"]] == ["2.5", None]
    staff = headers("catalog.product.view", "pricing.price.view")
    asked = {**rows, "company": "acme"}
    quoted = client.post("/api/v1/prices/quote", json=asked, headers={**staff, "Idempotency-Key": "s"}).json
    assert [line["price"] for line in quoted["lines"]] == ["2.5", None]
    assert len(client.get("/api/v1/products", headers=staff).json["items"]) == len(SKUS)


PAGES = ("/products", "/c/fasteners/screws", "/p/BOLT", "/search", "/")


def counted(clients, count_statements):
    """Return the statements of each page for each client, once what may be kept is kept."""
    found = []
    for client in clients:
        for path in PAGES:
            client.get(path)
            with count_statements() as many:
                assert client.get(path).status_code == 200
            found.append(many.count)
    return found


def test_who_is_not_restricted_asks_as_much_with_the_addon_as_without(app_with, count_statements):
    figures = []
    for addons in ([], ["assortments"]):
        app = app_with(addons=addons)
        factories.make_category("screws", parent=factories.make_category("fasteners"))
        factories.make_product("BOLT", price="2", category="screws")
        gold, plain = factories.make_company("gold", segments=["gold"]), factories.make_company("plain")
        factories.make_user("anna@plain.example", company=plain)
        if addons:
            with app.app_context(), app.test_request_context("/"), acting(system("tests")):
                values = {
                    "code": "GOLD", "name": "Gold", "audience": "company", "company_id": gold.id, "segment_id": None,
                    "mode": "only", "status": "active", "valid_from": BEGINNING, "valid_until": None, "note": "",
                }  # fmt: skip
                editing.save(None, values)
        clients = (sign_in(app, "anna@plain.example"), app.test_client())
        figures.append(counted(clients, count_statements))
    assert figures[0] == figures[1]


def test_who_is_restricted_asks_as_much_for_many_rows_as_for_one(shop, count_statements):
    clients = (sign_in(shop.app, "anna@acme.example"), shop.app.test_client())
    shop.make("A-1", "only", "BOLT", audience="public")
    one = counted(clients, count_statements)
    shop.make("A-2", "only", "*fasteners", "NUT")
    shop.make("A-3", "without", "PIPE", audience="public")
    shop.make("A-4", "also", "LOOSE", "*piping", audience="public")
    assert counted(clients, count_statements) == one


def test_an_also_does_not_show_what_the_catalogue_hides(shop):
    shop.make("ONLY", "only", "BOLT")
    shop.make("ALSO", "also", "PIPE", "NUT")
    with shop.request(system("tests")), write() as session:
        session.execute(update(Category).where(Category.code == "piping").values(hidden=True))
        session.execute(update(Product).where(Product.sku == "NUT").values(status="discontinued"))
    assert shop.seen() == "BOLT"
    with shop.request(system("tests")):
        answer = why.explain("acme", "PIPE")
        assert (answer.visible, "hidden in the shop" in answer.reason) == (False, True)


def test_staff_see_everything_and_what_the_buyer_sees_while_they_act_for_it(shop):
    shop.make("ONLY", "only", "BOLT")
    staff = Actor(99, "Sam", Scope("merchant"), permissions=frozenset({visibility.VIEW}))
    assert shop.seen(staff) == " ".join(SKUS)
    assert shop.seen(replace(shop.buyers["acme"], user_id=99, on_behalf_of=shop.buyers["acme"].user_id)) == "BOLT"


def test_rows_go_with_their_products_and_companies(shop):
    shop.make("ONLY", "only", "BOLT", "*piping")
    with shop.request(system("tests")), write() as session:
        session.delete(session.scalars(select(Product).where(Product.sku == "BOLT")).one())
    with shop.request(system("tests")):
        assert len(db.session.scalars(select(AssortmentRow)).all()) == 1
    assert shop.seen() == "PIPE VALVE"
    with acting(system("tests")):
        assert db.session.scalar(select(Company.id).where(Company.code == "acme"))
        assert articles.by_sku(["PIPE"])
