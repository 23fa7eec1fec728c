"""One setting says what of an order counts: rules, limits and budgets agree on it, and their pages say it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from addons.approval_chain import basis, budget_checks, reasons, spending
from addons.approval_chain.ledger_models import Entry
from addons.approval_chain.models import Limit, Rule
from addons.approval_chain.shares import shares
from addons.approval_chain.tests.test_approval import BUYER, World
from addons.approval_chain.tests.test_budgets import budget, stands
from addons.approval_chain.tests.test_cost_centres import centre
from addons.approval_chain.tests.test_spending import limit
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.orders import cart, lifecycle, pages, queries
from core.orders.draft import stored_draft
from core.orders.merging import NewItem
from core.orders.models import Order, OrderCharge
from core.settings.services import set_value
from core.spec.orders import Stage
from core.testing import factories
from core.testing.signin import sign_in

#: Ten of A-1 at 10.00, freight 20.00, both with 25.5 percent tax.
COUNTED = {"net": "120.00", "net_goods": "100.00", "gross": "150.60", "gross_goods": "125.50"}


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A company with a cost centre, whose orders have freight and tax."""
    found = World(app_with(addons=["approval_chain"]))
    factories.make_tax_rate()
    set_value("orders", "freight", Decimal(20))
    centre(found, "A", "bo")
    return found


def use(how: str, target: str = "") -> None:
    """Count orders that way."""
    set_value("approval_chain", "amount_basis", how, target=target)


def needs_approval(world: World) -> bool:
    """Tell whether Anna's cart of ten would wait."""
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(10))])
        found = {f.code for f in pages.cart_page(Stage.SUBMIT).findings}
        cart.clear()
    return "APPROVAL-NEEDED" in found


def spent(world: World) -> Decimal:
    """Return what Anna has ordered, as her limit counts it."""
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        return spending.mine()[0].spent


@pytest.mark.parametrize(("how", "amount"), COUNTED.items())
def test_rules_limits_and_budgets_count_the_same(world, how, amount):
    use(how, "company:acme")
    rule = world.rule(amount)
    assert not needs_approval(world)
    cent = str(Decimal(amount) - Decimal("0.01"))
    with write() as session:
        session.get_one(Rule, rule).conditions = [{"fact": "total", "op": ">", "value": cent}]
    assert needs_approval(world)
    with write() as session:
        session.delete(session.get_one(Rule, rule))
        row = Limit(company_id=world.company_id, role="orderer", order_limit=Decimal(amount), currency="EUR")
        session.add(row)
        session.flush()
        limit_id = row.id
    assert not needs_approval(world)
    with write() as session:
        session.get_one(Limit, limit_id).order_limit = Decimal(cent)
    assert needs_approval(world)
    with write() as session:
        session.delete(session.get_one(Limit, limit_id))
    limit(world, cent)
    assert needs_approval(world)
    limit(world, "10000")
    budget(world, "10000", "warn")
    world.place(10)
    assert spent(world) == Decimal(amount)
    assert sum(db.session.scalars(select(Entry.reserved + Entry.committed))) == Decimal(amount)


@pytest.mark.parametrize(("how", "back"), [("net", "50.00"), ("net_goods", "50.00"), ("gross", "62.75")])
def test_what_is_cancelled_comes_back_as_it_counted(world, how, back):
    use(how)
    limit(world, "10000")
    budget(world, "10000", "warn")
    number = world.place(10)
    with world.app.test_request_context("/"):
        lifecycle.record(number, "cancelled", {1: Decimal(5)})
    left = Decimal(COUNTED[how]) - Decimal(back)
    assert spent(world) == left
    db.session.expire_all()
    assert sum(e.reserved + e.committed for e in db.session.scalars(select(Entry))) == left


def test_what_is_entered_stays_as_it_was_counted(world):
    budget(world, "1000", "warn")
    first = world.place(10)
    use("gross")
    assert list(budget_checks.wrong()) == []
    world.place(10)
    assert [(e.basis, e.committed) for e in db.session.scalars(select(Entry).order_by(Entry.id)) if e.committed] == [
        ("net", Decimal("120.00")), ("gross", Decimal("150.60")),
    ]  # fmt: skip
    with world.app.test_request_context("/"):
        lifecycle.record(first, "cancelled", {1: Decimal(10)})
    assert stands()[1] == 120 + 150 - 100  # without tax; its freight stays


def test_what_comes_off_the_whole_order_comes_off_its_goods(world):
    order = queries.find(world.place(10))
    with write() as session:
        head = {"order_id": order.id, "company_id": order.company_id, "owner": "promotions", "code": "P", "label": "off"}
        session.add(OrderCharge(**head, net=Decimal(-40)))
        row = session.get_one(Order, order.id)
        row.charges_net, row.tax, row.gross = Decimal(-20), Decimal("20.40"), Decimal("100.40")
    db.session.expire_all()
    draft = stored_draft(queries.find(order.number), queries.lines_of(order.id))
    found = {how: basis.amounts([draft], {draft.company_id: how})[0] for how in basis.BASES}
    assert found == {
        "net": Decimal(80), "net_goods": Decimal(60), "gross": Decimal("100.40"), "gross_goods": Decimal("75.30"),
    }  # fmt: skip


def test_orders_of_several_companies_cost_one_statement_more(world, count_statements):
    number = world.place(10)
    use("net_goods")
    order = queries.find(number)
    draft = stored_draft(order, queries.lines_of(order.id))
    with world.app.test_request_context("/"):
        basis.amounts([draft])
        with count_statements() as counted:
            basis.amounts([draft] * 20)
    assert counted.count == 1  # what comes off whole orders


MONEY = st.decimals(0, 10_000, places=2)
RATES = st.sampled_from([Decimal(0), Decimal(14), Decimal("25.5")])


@given(
    st.lists(st.tuples(st.sampled_from("abc"), MONEY, RATES), min_size=1, max_size=8), MONEY, st.sampled_from(basis.BASES)
)
def test_parts_of_cost_centres_add_up_on_every_basis(lines, charges, how):
    net = sum(amount for _key, amount, _rate in lines)
    tax = sum(round(amount * rate / 100, 2) for _key, amount, rate in lines) + round(charges * Decimal("0.255"), 2)
    order = _Order(net, charges, net + charges + tax)
    counts = basis.part(how, order)
    found = shares([(key, basis.of_line(how, amount, rate)) for key, amount, rate in lines], counts, 2)
    assert sum(found.values()) == counts
    assert all(amount == round(amount, 2) for amount in found.values())


class _Order:
    """The amounts of an order."""

    def __init__(self, net: Decimal, charges_net: Decimal, gross: Decimal) -> None:
        self.net, self.charges_net, self.gross, self.currency = net, charges_net, gross, "EUR"


def test_pages_say_what_counts(world):
    use("gross", "company:acme")
    world.rule("100")
    limit(world, "10000")
    carl = sign_in(world.app, "carl@acme.example")
    shop = "/a/approval_chain"
    for page in ("/approval-rules", "/approval-rules/new", "/spending-limits", "/approval-bench", "/cost-centres/A/budget"):
        assert "Goods and freight with tax." in carl.get(shop + page).text, page
    assert "Total with tax above" in carl.get(f"{shop}/approval-rules").text
    assert "Goods and freight with tax." in sign_in(world.app, "anna@acme.example").get("/").text
    factories.make_staff("boss@seller.example", roles=["admin"])
    admin: Any = sign_in(world.app, "boss@seller.example")
    assert "Goods and freight with tax." in admin.get("/admin/a/approval_chain/companies/acme/limits").text
    assert "Goods and freight without tax." in admin.get("/admin/a/approval_chain/seller-rules/new").text
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(10))])
        order = cart.current_cart()
        (found,) = reasons.findings(stored_draft(order, queries.lines_of(order.id)))
    assert str(found.message).startswith("Total with tax above 100.00")
