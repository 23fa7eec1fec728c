"""Slips of people who order: a wrong quantity, an empty one, two windows with the same cart."""

from __future__ import annotations

import re

import pytest

from .test_pages import shop_app, visit

assert shop_app, visit  # fixtures


@pytest.fixture
def anna(visit):
    page = visit("anna@acme.example")
    page.get("/cart")
    return page


def rows_of(text: str) -> list[str]:
    """What each row of the table says, with the value of its quantity."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", text.split("<tbody>", 1)[1], re.S)
    values = [re.search(r'name="quantity" value="([^"]*)"', row) for row in rows]
    said = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]
    return [f"{words} [{value[1] if value else ''}]" for words, value in zip(said, values, strict=True)]


def quantities(page) -> list[str]:
    return re.findall(r'name="quantity-\d+" value="([^"]*)"', page.get("/cart"))


def test_a_field_for_a_quantity_that_was_emptied_is_not_one(anna):
    anna.post("/cart/add", sku="A-1", unit="pcs", quantity="")
    assert "A-1: Enter a quantity." in anna.get("/cart")
    assert not quantities(anna)
    anna.post("/cart/add", sku="A-1", unit="pcs")
    assert quantities(anna) == ["1"], "where a page asks for none, one is meant"


def test_a_wrong_quantity_stays_at_its_line_and_holds_the_checkout_up(anna):
    anna.post("/cart/add", sku=["A-1", "B-2"], unit=["pcs", "pcs"], quantity=["1", "10"])
    fields = {"article-1": "A-1", "article-2": "B-2", "quantity-1": "two", "quantity-2": "20"}
    page = anna.post("/cart", 422, **fields, checkout="1")
    assert re.findall(r'name="quantity-\d" value="([^"]*)"', page) == ["two", "20"]
    line = page.split('id="line-1"')[1].split("</tr>")[0]
    assert "“two” is not a number" in line
    assert quantities(anna) == ["1", "20"], "what was right is kept"


def test_another_window_takes_out_no_other_line(anna):
    anna.post("/cart/add", sku=["A-1", "B-2"], unit=["pcs", "pcs"], quantity=["1", "10"])
    shown = {"article-1": "A-1", "article-2": "B-2"}
    anna.post("/cart", **shown, remove="1")
    anna.post("/cart", **shown, remove="1")
    assert "changed in another window" in anna.get("/cart")
    assert quantities(anna) == ["10"]
    anna.post("/cart", **shown, **{"quantity-1": "5", "quantity-2": "50"})
    assert quantities(anna) == ["10"]
    anna.post("/cart", **shown, remove="2")
    assert quantities(anna) == []


def test_a_visitor_with_two_windows_takes_out_no_other_line(shop_app, visit):
    from core.data.scope import acting, system
    from core.data.write import write
    from core.settings.services import set_value

    with acting(system("tests")), write():
        set_value("accounts", "guest_sees_prices", True)
        set_value("accounts", "guest_may_order", True)
    page = visit("anna@acme.example")
    page.client = shop_app.test_client()
    page.get("/")
    page.post("/cart/add", sku=["A-1", "B-2"], unit=["pcs", "pcs"], quantity=["1", "10"])
    shown = {"article-1": "A-1", "article-2": "B-2"}
    page.post("/cart", **shown, remove="1")
    page.post("/cart", **shown, remove="1")
    assert quantities(page) == ["10"]


def test_rows_that_were_checked_are_not_lost_by_one_wrong_quantity(anna):
    anna.get("/quick-order")
    page = anna.post("/quick-order", 200, rows="A-1;2\nB-2;ten\nNO-SUCH;7")
    assert rows_of(page)[1].endswith("[ten]"), "as it was typed"
    form = {
        "choosing": "1",
        "row": re.findall(r'name="row" value="([^"]*)"', page),
        "text": re.findall(r'name="text" value="([^"]*)"', page),
        "sku": ["A-1", "B-2", ""],
        "quantity": ["3", "", ""],
        "unit": ["pcs", "pcs", ""],
        "reference": ["", "", ""],
        "take": ["0", "1"],
    }
    page = anna.post("/cart/add", 422, **form)
    assert "B-2: Enter a quantity." in page
    first, second, third = rows_of(page)
    assert first.startswith("1 Ready")
    assert first.endswith("[3]")
    assert second.startswith("2 Check the quantity")
    assert second.endswith("[]")
    assert third.startswith("3 Not found")
    assert len(re.findall(r'name="take"[^>]*checked', page)) == 2
    assert not quantities(anna), "nothing goes in before all ticked rows are right"
    form["quantity"] = ["3", "20", ""]
    anna.post("/cart/add", **form)
    assert quantities(anna) == ["3", "20"]


def test_a_row_without_quantity_says_that_the_least_was_taken(anna):
    page = anna.post("/quick-order", 200, rows="A-1\nB-2")
    assert [row[-4:].strip() for row in rows_of(page)] == ["[1]", "[10]"]
    assert page.count("No quantity was given; this is the least that is sold.") == 2


def test_the_grid_numbers_its_rows_and_keeps_a_quantity_without_a_code(anna):
    page = anna.post("/quick-order", 200, code=["A-1", "", "", "B-2"], quantity=["2", "", "7", "10"], unit=[""] * 4)
    first, lone, last = rows_of(page)
    assert first.startswith("1 Ready")
    assert lone.startswith("3 Not found")
    assert "The row has no code." in lone
    assert last.startswith("4 Ready")
