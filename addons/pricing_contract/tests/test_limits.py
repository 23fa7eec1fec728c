"""Minimum, step and packages by contract: who they hold for, in the shop, the cart and where an order is accepted."""

from __future__ import annotations

import re
from decimal import Decimal as D
from html import unescape

import pytest

from addons.pricing_contract import limits
from addons.pricing_contract.copying import copy_contract
from addons.pricing_contract.editing import contract_by_code
from addons.pricing_contract.limit_rows import export_limits, limits_of, load_limits
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.orders.models import Order, OrderLine
from core.spec.catalog import QuantityLine
from core.spec.imports import ImportRow
from core.testing import factories
from core.testing.signin import sign_in
from core.testing.statements import count_statements

from .conftest import contract, row

UNITS = [factories.Unit("pcs"), factories.Unit("box", 12)]


def set_limits(*rows):
    """Import rows as they are; return (outcome, field) of each."""
    with write():
        return [(r.outcome, r.field) for r in load_limits([ImportRow(n, given) for n, given in enumerate(rows)])]


def rule(product, company, unit="pcs", quantity="1"):
    """Return minimum, step and refusal of the product for the company."""
    db.session.expire_all()
    line = QuantityLine("1", product.id, unit, D(quantity))
    found = list(limits.quantity_rules([line], company and company.id))
    return (found[0].minimum, found[0].step, str(found[0].refused)) if found else None


@pytest.fixture
def world(shop):
    root = factories.make_category("goods")
    factories.make_category("bolts", parent=root)
    parent = factories.make_company("P")
    child = factories.make_company("C", parent=parent)
    product = factories.make_product("A", price="10", category="bolts", units=UNITS)
    contract("K", company=parent)
    return product, parent, child


def test_nobody_has_limits_without_rows(world):
    product, parent, _child = world
    assert rule(product, parent) is None


def test_a_copy_of_a_contract_has_its_quantity_rules(world):
    _product, _parent, child = world
    set_limits({"contract": "K", "sku": "A", "unit": "box", "minimum": D(2), "packages": ["box"]})
    head = {
        "code": "K2",
        "name": "Copy",
        "audience": "company",
        "company_id": child.id,
        "currency": "EUR",
        "status": "active",
    }
    copy = copy_contract(contract_by_code("K"), head)
    rows = [(code, sku, x.unit, x.minimum, x.packages) for x, code, sku, _category in db.session.execute(limits_of(copy.id))]
    assert rows == [("K2", "A", "box", D(2), ["box"])]


def test_the_nearest_contract_and_its_most_specific_row_decide(world):
    product, parent, child = world
    other = factories.make_company("O")
    contract("PUBLIC")
    assert set_limits({"contract": "PUBLIC", "minimum": D(2)}) == [("created", "")]
    assert rule(product, other) == (D(2), None, "")
    set_limits({"contract": "K", "category": "goods", "minimum": D(20)})
    assert [rule(product, who)[0] for who in (parent, child, other, None)] == [D(20), D(20), D(2), D(2)]
    set_limits({"contract": "K", "category": "bolts", "minimum": D(30), "step": D(10)})
    assert rule(product, child) == (D(30), D(10), "")
    set_limits({"contract": "K", "sku": "A", "step": D(5)})
    assert rule(product, child) == (None, D(5), "")


def test_a_minimum_holds_in_every_unit_a_step_in_its_own(world):
    product, parent, _child = world
    set_limits({"contract": "K", "sku": "A", "minimum": D(100), "step": D(50)})
    assert rule(product, parent, "box") == (D(9), None, ""), "nine boxes hold 108"
    set_limits({"contract": "K", "sku": "A", "minimum": D(2), "step": D(2), "unit": "box"})
    assert rule(product, parent, "box") == (D(2), D(2), "")
    assert rule(product, parent, "pcs") == (D(24), None, "")


def test_other_packages_are_refused(world):
    product, parent, _child = world
    set_limits({"contract": "K", "sku": "A", "packages": ["box"]})
    assert rule(product, parent, "pcs")[2] == "By your contract (Contract K) it is ordered in: box."
    assert rule(product, parent, "box") == (None, None, "")


@pytest.mark.parametrize(
    "values", [{"status": "draft"}, {"status": "ended"}, {"currency": "SEK"}, {"valid_until": clock.now()}]
)
def test_a_contract_that_does_not_hold_limits_nothing(world, values):
    product, parent, _child = world
    contract("OLD", company=parent, **values)
    set_limits({"contract": "OLD", "sku": "A", "minimum": D(7)})
    assert rule(product, parent) is None


def test_rows_are_refused_with_a_reason_and_come_back_as_they_were(world):
    assert set_limits(
        {"contract": "K", "sku": "A"},
        {"contract": "K", "sku": "A", "minimum": D(0)},
        {"contract": "K", "sku": "A", "step": D("-1")},
        {"contract": "K", "sku": "A", "category": "bolts", "minimum": D(1)},
        {"contract": "NONE", "minimum": D(1)},
        {"contract": "K", "sku": "A", "packages": ["pallet"]},
        {"contract": "K", "sku": "A", "minimum": D(10), "step": D(5), "packages": ["box"]},
    ) == [
        ("error", "minimum"),
        ("error", "minimum"),
        ("error", "step"),
        ("error", "category"),
        ("error", "contract"),
        ("error", "unit"),
        ("created", ""),
    ]
    rows = [{k: v for k, v in one.items() if v not in (None, "")} for one in export_limits()]
    assert rows == [{"contract": "K", "sku": "A", "minimum": D(10), "step": D(5), "packages": ["box"]}]
    assert set_limits(*rows) == [("unchanged", "")]


def read(answer):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)).replace("\N{NO-BREAK SPACE}", " "))


@pytest.fixture
def acme(office):
    """A company that buys BOLT from 100 in steps of 50, and NUT only in boxes; and its buyer."""
    company = factories.make_company("acme")
    factories.make_user("anna@acme.example", company=company)
    factories.make_category("bolts")
    for sku in ("BOLT", "NUT"):
        factories.make_product(sku, price="1", category="bolts", units=UNITS)
    agreed = contract("K", company=company)
    row(agreed, None, "5", kind="percent")
    set_limits(
        {"contract": "K", "sku": "BOLT", "minimum": D(100), "step": D(50)},
        {"contract": "K", "sku": "NUT", "packages": ["box"]},
    )
    return company


def test_the_shop_shows_them_the_cart_keeps_them_and_the_order_is_checked(office, acme):
    anna = sign_in(office, "anna@acme.example")
    page = anna.get("/p/BOLT")
    assert "Your contract (Contract K): at least 100 pcs, in steps of 50 pcs." in read(page)
    assert 'min="100"' in page.text
    assert 'step="50"' in page.text
    assert "By your contract (Contract K) it is ordered in: box." in read(anna.get("/p/NUT"))
    stranger = factories.make_company("other")
    factories.make_user("otto@other.example", company=stranger)
    otto = sign_in(office, "otto@other.example")
    for who, least in ((anna, ["100", "1"]), (otto, ["1", "1"]), (anna, ["100", "1"])):
        listed = who.get("/c/bolts").text
        assert re.findall(r'<input name="quantity"[^>]*value="(\d+)"', listed) == least
    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.get("/cart").text)[1]

    for sku, quantity in (("BOLT", "120"), ("NUT", "5")):
        anna.post("/cart/add", data={"csrf_token": token, "sku": sku, "quantity": quantity, "unit": "pcs"})
    with acting(system("a test")):
        lines = db.session.query(OrderLine.sku, OrderLine.quantity).all()
    assert lines == [("BOLT", D(150))]


def test_an_order_whose_quantity_is_no_longer_allowed_is_refused(office, acme):
    anna = sign_in(office, "anna@acme.example")
    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.get("/cart").text)[1]
    anna.post("/cart/add", data={"csrf_token": token, "sku": "BOLT", "quantity": "100", "unit": "pcs"})
    with acting(system("a test")):
        set_limits({"contract": "K", "sku": "BOLT", "minimum": D(200)})
    page = read(anna.get("/cart"))
    assert "At least 200 pcs must be ordered. Your contract (Contract K): at least 200 pcs, in steps of 50 pcs." in page
    sent = unescape(anna.get("/checkout").text)
    hidden = ("cart_key", "expected_total")
    fields = {name: re.search(rf'name="{name}"[^>]*?value="([^>]*?)"[ />]', sent)[1] for name in hidden}
    fields["seen"] = re.search(r'name="seen"[^>]*value="([^>]*)"', sent)[1]
    answer = anna.post("/checkout", data={**fields, "csrf_token": token, "ship_to": "main", "bill_to": "main"})
    assert answer.status_code == 422
    with acting(system("a test")):
        assert [state for (state,) in db.session.query(Order.state)] == ["cart"]


def test_staff_set_change_and_remove_them(office, acme):
    factories.make_staff("sales@tukku.example", ["sales"])
    desk = sign_in(office, "sales@tukku.example")
    home = "/admin/a/pricing_contract/contracts/K"
    assert f"{home}/quantities" in desk.get(home).text
    page = desk.get(f"{home}/quantities")
    assert "BOLT" in page.text
    sent = {"target": "*", "minimum": "5", "step": "", "unit": "", "packages": "box, pcs"}
    assert desk.post(f"{home}/quantities", data=sent).status_code == 303
    assert "All products" in read(desk.get(f"{home}/quantities"))
    refused = desk.post(f"{home}/quantities", data={**sent, "target": "NOBODY"})
    assert (refused.status_code, "There is no product" in read(refused)) == (422, True)
    assert 'value="5"' in desk.get(f"{home}/quantities?change=0").text
    assert desk.post(f"{home}/quantities/remove", data={"target": "0"}).status_code == 303
    assert "All products" not in read(desk.get(f"{home}/quantities"))
    assert desk.post(f"{home}/quantities/remove", data={"target": "0"}).status_code == 404


def test_one_statement_for_all_lines_and_one_more_where_units_are_converted(world):
    product, parent, _child = world
    others = [factories.make_product(f"A{n}", price="1", category="bolts", units=UNITS) for n in range(20)]
    set_limits({"contract": "K", "category": "bolts", "minimum": D(2)}, {"contract": "K", "sku": "A", "minimum": D(3)})

    def asked(count: int, unit: str) -> int:
        lines = [QuantityLine(str(n), one.id, unit, D(1)) for n, one in enumerate([product, *others][:count])]
        with count_statements() as counted:
            assert len(list(limits.quantity_rules(lines, parent.id))) == count
        return counted.count

    asked(1, "pcs")  # that there are limits is known from here on
    few = asked(1, "pcs")
    assert [asked(21, "pcs"), asked(1, "box"), asked(21, "box")] == [few, few + 1, few + 1]
