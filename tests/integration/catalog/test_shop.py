"""The shop's catalogue pages: what they show to whom, and in how many statements."""

import pytest

from core.catalog import media, saving
from core.catalog.models import Category
from core.catalog.search.documents import reindex
from core.data.write import write
from core.settings.services import set_value
from core.testing.factories import Unit, make_company, make_product, make_user
from tests.integration.catalog.conftest import attribute, categories

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGES = ("/products", "/c/goods", "/search", "/search?q=screw", "/p/SCREW-8", "/c/goods?view=cards", "/suggest?q=screw")
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def shop(app):
    attribute("thread")
    make_user("anna@acme.example", company=make_company("ACME"))
    made = [
        make_product(
            "SCREW-8", price="2.1", name="Hexagon screw M8", units=[Unit("pcs"), Unit("box", 100)], manufacturer_code="MK-8"
        ),
        make_product("SCREW-10", price=None, name="Hexagon screw M10"),
        make_product("NASTY", price="9", name=NASTY),
    ]
    with write():
        reindex([p.id for p in made])
        saving.save_products([{"sku": f"SCREW-{n}", "attributes": {"thread": f"M{n}"}} for n in (8, 10)])
        saving.save_products(
            [
                {
                    "sku": "GONE",
                    "base_unit": "pcs",
                    "texts": {"en": {"name": "Gone"}},
                    "status": "discontinued",
                    "superseded_by": "SCREW-8",
                }
            ]
        )
    return app


def text_of(client, url):
    response = client.get(url)
    assert response.status_code == 200, response.text[:2000]
    return response.text


def guests(**switches):
    for name, value in switches.items():
        set_value("core", name, value)


def test_pages_show_products_with_their_price(shop, login):
    buyer = login("anna@acme.example")
    for url in PAGES[1:6]:
        page = text_of(buyer, url)
        assert "Hexagon screw M8" in page, url
        assert "2.10" in page, url
        assert "/cart/add" in page, url
    assert "Ask us for a quote" in text_of(buyer, "/p/SCREW-10")
    assert "/cart/add" not in text_of(buyer, "/p/SCREW-10")


def test_markup_in_names_is_text(shop, login):
    buyer = login("anna@acme.example")
    for url in ("/c/goods", "/p/NASTY", "/c/goods?view=cards", "/suggest?q=script", f"/search?q={NASTY}"):
        page = text_of(buyer, url)
        assert NASTY not in page, url
        assert "&lt;script&gt;" in page, url


def test_prices_are_absent_where_they_are_hidden(shop, client):
    guests(guest_sees_products=True, guest_sees_prices=False, guest_may_order=False)
    for url in PAGES[1:]:
        page = text_of(client, url)
        assert "screw M8" in page, url
        assert not any(sign in page for sign in ("2.1", "€", "EUR")), url
        assert "/cart/add" not in page, url
    assert "sort=price" not in text_of(client, "/c/goods")
    assert text_of(client, "/c/goods?sort=price").count("screw M8") == text_of(client, "/c/goods").count("screw M8")


def test_guests_see_what_the_switches_say(shop, client):
    guests(guest_sees_products=False)
    assert client.get("/c/goods").status_code == 303
    guests(guest_sees_products=True, guest_sees_prices=True, guest_may_order=True)
    page = text_of(client, "/c/goods")
    assert "2.10" in page
    assert "/cart/add" in page


def test_facets_narrow_and_say_so(shop, login):
    buyer = login("anna@acme.example")
    page = text_of(buyer, "/c/goods?a.thread=M8")
    assert "screw M8" in page
    assert "screw M10" not in page
    assert "Thread: M8" in page
    assert "Nothing matches" in text_of(buyer, "/search?q=screw&a.thread=M99")


def test_nothing_found_helps(shop, login):
    page = text_of(login("anna@acme.example"), "/search?q=zzzzqq")
    assert "Nothing found" in page
    assert "/c/goods" in page


def test_a_search_for_a_discontinued_code_leads_to_what_replaces_it(shop, login):
    buyer = login("anna@acme.example")
    assert 'href="/p/SCREW-8">Replaced by SCREW-8</a>' in text_of(buyer, "/search?q=GONE")
    with write():
        saving.save_products([{"sku": "SCREW-8", "status": "discontinued"}])
    assert "Replaced by" not in text_of(buyer, "/search?q=GONE"), "it is not sold either"


def test_a_discontinued_product_leads_to_what_replaces_it(shop, login):
    buyer = login("anna@acme.example")
    page = text_of(buyer, "/p/GONE")
    assert "no longer sold" in page
    assert "/p/SCREW-8" in page
    assert "/cart/add" not in page
    assert "GONE" not in text_of(buyer, "/search")
    assert "GONE" in text_of(buyer, "/search?q=gone")


@pytest.mark.parametrize(
    "url", ["/p/NOTHING", "/c/nothing", "/c/x/goods", "/media/nothing", "/p/' OR 1=1 --", "/p/../../etc/passwd"]
)
@pytest.mark.database("sqlite")
def test_what_is_not_there_is_not_found(shop, login, url):
    assert login("anna@acme.example").get(url).status_code == 404


def test_hidden_categories_have_no_page(shop, login):
    with write() as session:
        session.query(Category).filter_by(code="goods").update({"hidden": True})
    buyer = login("anna@acme.example")
    assert buyer.get("/c/goods").status_code == 404
    assert buyer.get("/p/SCREW-8").status_code == 404
    assert "screw" not in text_of(buyer, "/suggest?q=screw")


def test_media_cannot_run(shop, login, client):
    with write():
        product = make_product("PICTURED")
        media.attach(product.id, SVG, "drawing.svg")
        media.attach(product.id, PNG, "photo.png")
        drawing, photo = (m.key for m in media.of(product.id))
    buyer = login("anna@acme.example")
    served = buyer.get(f"/media/{drawing}")
    assert served.mimetype == "image/svg+xml"
    assert served.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert served.headers["Content-Disposition"].startswith("attachment")
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert buyer.get(f"/media/{photo}").data == PNG
    guests(guest_sees_products=False)
    assert client.get(f"/media/{photo}").status_code == 303


@pytest.mark.parametrize("url", ["/c/goods", "/search?q=screw", "/c/goods?view=cards", "/products", "/suggest?q=screw"])
def test_statements_do_not_grow_with_products(shop, login, count_statements, url):
    buyer = login("anna@acme.example")

    def add(numbers):
        with write():
            more = [
                make_product(f"SCREW-X{n}", price="1", name=f"Screw {n}", units=[Unit("pcs"), Unit("box", 10)])
                for n in numbers
            ]
            reindex([p.id for p in more])

    text_of(buyer, url)
    add([0])
    with count_statements() as fresh:
        text_of(buyer, url)
    with count_statements(at_most=fresh.count) as kept:
        text_of(buyer, url)
    add(range(1, 50))
    with count_statements(at_most=fresh.count):
        text_of(buyer, url)
    with count_statements(at_most=kept.count):
        text_of(buyer, url)


def test_an_empty_category_says_so_and_not_that_filters_leave_nothing(shop, login):
    categories("bare")
    buyer = login("anna@acme.example")
    bare, filtered = text_of(buyer, "/c/bare"), text_of(buyer, "/c/goods?a.thread=M9")
    assert "None of the articles of this category is offered to you" in bare
    assert "Take a filter away" not in bare
    assert "Take a filter away" in filtered


def test_categories_in_which_the_reader_sees_nothing_are_not_suggested(shop, login):
    categories("screws", "screws/long", "screwdrivers")
    buyer = login("anna@acme.example")
    assert "Categories" not in text_of(buyer, "/suggest?q=screw")
    with write():
        saving.save_products([{"sku": "SCREW-8", "category": "long"}])
    found = text_of(buyer, "/suggest?q=screw")
    assert "/c/screws" in found
    assert "/c/screwdrivers" not in found
    assert "/c/screws/long" in text_of(buyer, "/suggest?q=long")
    with write():
        saving.save_products([{"sku": "SCREW-8", "status": "discontinued"}])
    assert "/c/screws" not in text_of(buyer, "/suggest?q=screw")
