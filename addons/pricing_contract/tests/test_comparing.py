"""Two contracts side by side: what one has and the other has not, or has otherwise."""

from __future__ import annotations

from decimal import Decimal as D

from addons.pricing_contract import comparing
from addons.pricing_contract.comparing import differences
from core.data.scope import acting, system
from core.data.write import write
from core.settings.services import set_value
from core.testing import factories
from core.testing.signin import sign_in
from core.testing.statements import count_statements

from .conftest import contract, row


def two():
    products = [factories.make_product(f"P-{n}", price="20") for n in range(4)]
    left, right = contract("LEFT"), contract("RIGHT")
    for made, price in ((left, "10"), (right, "11.5")):
        row(made, products[0], price)
        row(made, products[1], "9")
    row(left, products[2], "5", min_quantity="10")
    row(right, None, "7", kind="percent")
    return left, right


def test_what_differs(shop):
    left, right = two()
    found = differences(left, right)
    assert found.count == 3
    assert [(x.target, x.left, x.right, x.change.replace("\u00a0", " ")) for x in found.rows] == [
        ("All products", "", "Percent off the list price: 7\u00a0%", ""),
        ("P-0", "10.00\u00a0€", "11.50\u00a0€", "15 %"),
        ("P-2", "5.00\u00a0€", "", ""),
    ]
    assert found.rows[2].min_quantity == D(10)
    assert differences(left, left).count == 0
    back = differences(right, left)
    assert [(x.left, x.right) for x in back.rows][1] == ("11.50\u00a0€", "10.00\u00a0€")


def test_formulas_with_other_terms_differ_and_pages_hold(shop, monkeypatch):
    left, right = contract("LEFT"), contract("RIGHT")
    for made, surcharge in ((left, "1"), (right, "2")):
        row(made, None, "0", kind="formula", terms={"base": "list", "surcharge": surcharge})
    both = ("Formula: list price, +1", "Formula: list price, +2")
    assert [(x.left, x.right) for x in differences(left, right).rows] == [both]
    for n in range(5):
        row(left, factories.make_product(f"P-{n}", price="1"), "1")
    monkeypatch.setattr(comparing, "PAGE", 4)
    with count_statements() as counted:
        last = differences(left, right, 9)
    assert (last.count, last.pages, last.number, len(last.rows)) == (6, 2, 2, 2)
    assert counted.count <= 5  # the contracts, the seller's zone, the count and the page


def test_the_page(office):
    two()
    factories.make_staff("fia@tukku.example", ["finance"])
    with acting(system("tests")), write():
        set_value("core", "staff_second_factor", False)
    fia = sign_in(office, "fia@tukku.example")
    where = "/admin/a/pricing_contract/contracts/LEFT"
    assert "Compare with another" in fia.get(where).text
    assert "other" in fia.get(f"{where}/compare").text
    page = fia.get(f"{where}/compare?other=RIGHT").text
    assert "3 differences" in page
    assert "11.50\u00a0€" in page
    assert "Both contracts have the same rows" in fia.get(f"{where}/compare?other=LEFT").text
    assert fia.get(f"{where}/compare?other=NOPE").status_code == 303
