"""Budgets: the ledger follows orders whatever happens to them, nothing is overspent, what exceeds one is said or asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from addons.approval_chain import budget_checks, budget_import, budgets, cost_centres, ledger, limits, overruns, services
from addons.approval_chain.centre_models import CostCentre, LineCentre
from addons.approval_chain.ledger_models import Budget, BudgetAmount, Entry
from addons.approval_chain.models import Rule
from addons.approval_chain.tests.test_approval import BUYER, World
from addons.approval_chain.tests.test_cost_centres import HERE, centre
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.orders import amending, cart, lifecycle, pages, placing, queries
from core.orders.draft import stored_draft
from core.orders.merging import NewItem
from core.orders.models import Order, OrderCharge
from core.orders.movements import sums_of
from core.orders.rules import CheckoutRefused
from core.spec.errors import Conflict, Invalid, TukkuError
from core.spec.imports import ImportRow
from core.spec.orders import Stage
from core.testing import factories
from core.testing.signin import sign_in
from core.testing.sweeping import break_rows, swept


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only, a company with a cost centre that Bo owns."""
    found = World(app_with(addons=["approval_chain"]))
    centre(found, "A", "bo")
    return found


def budget(world: World, amount: str, mode: str = "block", code: str = "A", **values: Any) -> Budget:
    """Set a budget as the company's administrator."""
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        company = db.session.get_one(Company, world.company_id)
        found = {"period": "month", "carry_over": "none", "amount": Decimal(amount), "mode": mode, **values}
        return budgets.save(cost_centres.by_code(world.company_id, code), company, found)


def stands(code: str = "A") -> tuple[int, int, int]:
    """Return reserved, committed and left of the budget in force."""
    db.session.expire_all()
    centre_id = db.session.scalars(select(CostCentre.id).where(CostCentre.code == code)).one()
    found = budgets.in_force([centre_id])[centre_id].standing
    return int(found.reserved), int(found.committed), int(found.left)


def test_what_is_returned_gives_back_what_it_cost_after_discounts_on_the_order(world):
    budget(world, "1000")
    number = world.place(20)
    order = queries.find(number)
    with write() as session:
        head = {"order_id": order.id, "company_id": order.company_id, "owner": "promotions", "code": "A", "label": "off"}
        session.add(OrderCharge(**head, net=Decimal(-40)))
        session.get_one(Order, order.id).charges_net = Decimal(-40)
        ledger.post([order.id])
    assert stands()[2] == 840
    with world.app.test_request_context("/"):
        lifecycle.record(number, "shipped", {1: Decimal(20)})
        lifecycle.record(number, "returned", {1: Decimal(5)})
        assert stands()[2] == 880
        lifecycle.record(number, "returned", {1: Decimal(15)})
    assert stands() == (0, 0, 1000)


def kinds() -> list[str]:
    """Return the kinds of all entries."""
    return list(db.session.scalars(select(Entry.kind).order_by(Entry.id)))


def test_the_ledger_follows_an_order_to_its_end(world):
    world.rule("50")
    budget(world, "1000")
    number = world.place(20)
    assert stands() == (200, 0, 800)
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        amending.amend(number, {1: Decimal(10)})
    assert stands() == (100, 0, 900)
    assert world.decide("bo", number) == "approved"
    assert stands() == (0, 100, 900)
    with world.app.test_request_context("/"):
        lifecycle.record(number, "cancelled", {1: Decimal(3)})
        assert stands() == (0, 70, 930)
        lifecycle.record(number, "shipped", {1: Decimal(7)})
        lifecycle.record(number, "returned", {1: Decimal(2)})
    assert stands() == (0, 50, 950)
    rejected, cancelled = world.place(10), world.place(2)
    assert stands() == (100, 70, 830)
    assert world.decide("bo", rejected, "rejected", "No") == "rejected"
    with world.app.test_request_context("/"):
        lifecycle.cancel(cancelled)
    assert stands() == (0, 50, 950)
    assert kinds() == [
        "reserve", "release", "commit", "restore", "restore", "reserve", "reserve", "commit", "release", "restore",
    ]  # fmt: skip
    before = db.session.scalar(select(func.count()).select_from(Entry))
    with write():
        ledger.post(list(db.session.scalars(select(Order.id))))  # an event that comes again adds nothing
    assert db.session.scalar(select(func.count()).select_from(Entry)) == before
    with pytest.raises(Conflict, match="history"), write() as session:
        session.delete(session.scalars(select(Entry)).first())


@pytest.mark.parametrize(("mode", "level"), [("block", "block"), ("warn", "warning"), ("require", "info")])
def test_an_order_that_exceeds_it_is_refused_told_or_asked(world, mode, level):
    budget(world, "100", mode)
    assert world.state(world.place(6)) == "confirmed"
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(5))])
        found = pages.cart_page(Stage.SUBMIT).findings
        (budget_finding,) = [f for f in found if f.code.startswith("BUDGET")]
        assert (budget_finding.level, "40.00" in str(budget_finding.message)) == (level, True)
        assert "left this month" in str(budget_finding.message)
        cart.clear()
    if mode == "block":
        with pytest.raises(CheckoutRefused, match="another cost centre"):
            world.place(5)
        assert stands() == (0, 60, 40)
        return
    number = world.place(5)
    if mode == "warn":
        assert (world.state(number), stands()) == ("confirmed", (0, 110, -10))
        return
    assert (world.state(number), stands()) == ("submitted", (50, 60, -10))
    with world.app.test_request_context("/"):
        (asked,) = services.pending(number).flow.plan.requirements
        assert (asked.rule, asked.people) == ("budget:A", (str(world.people["bo"]),))
    bo = sign_in(world.app, "bo@acme.example")
    assert "Budget of A · Centre A: the order takes" in bo.get(f"/a/approval_chain/approvals/{number}").text
    assert world.decide("bo", number) == "approved"
    assert stands() == (0, 110, -10)


def test_one_list_says_everything_that_stops_or_asks_each_with_its_reason(world, count_statements):
    world.rule("20")
    world.rule("30", name="Large orders")
    budget(world, "10", "require")
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        company = db.session.get_one(Company, world.company_id)
        limits.save(company, {"whose": "orderer", "period": "week", "amount": Decimal(5)})
    anna = sign_in(world.app, "anna@acme.example")
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(4))])
        found = pages.cart_page(Stage.SUBMIT).findings
    said = [str(f.message) for f in found]
    assert [f.level for f in found] == ["info"] * 4
    assert "It waits for the approval of bo." in said[0]
    assert "Your limit: 5.00" in said[1].replace("\xa0", " ")
    assert said[2].startswith("Total without tax above 20.00")
    assert said[3].startswith("Large orders. Approval by: bo")
    with count_statements() as two:
        assert "Large orders" in anna.get("/checkout").text
    for above in range(1, 9):
        world.rule(str(above))
    with count_statements() as ten:
        assert anna.get("/checkout").status_code == 200
    assert ten.count <= two.count


def test_later_orders_do_not_make_an_earlier_one_ask(world):
    world.rule("50")
    budget(world, "150", "require")
    early, late = world.place(10), world.place(10)
    with world.app.test_request_context("/"):
        asked = [[r.rule for r in services.pending(n).flow.plan.requirements] for n in (early, late)]
    assert [any(r.startswith("budget") for r in found) for found in asked] == [False, True]


def test_a_rule_that_lifts_approvals_does_not_lift_a_budget(world):
    world.rule("0", effect="bypass")
    budget(world, "10", "require")
    assert world.state(world.place(2)) == "submitted"


def test_each_part_of_a_split_order_counts_on_its_own(world):
    centre(world, "B")
    budget(world, "1000", code="A")
    budget(world, "15", "warn", code="B")
    factories.make_product("B-1", price="20.00")
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(1)), NewItem("B-1", Decimal(1))])
        lines = queries.lines_of(cart.current_cart().id)
        cost_centres.choose_lines(cart.current_cart(), {lines[0].id: "A", lines[1].id: "B"})
        (found,) = [f for f in pages.cart_page(Stage.SUBMIT).findings if f.code == "BUDGET-EXCEEDED"]
        assert "B · Centre B" in str(found.message)
        cost_centres.choose_lines(cart.current_cart(), {lines[0].id: "B", lines[1].id: "A"})
    world.place(1)  # one more of A-1, which makes 20 on B
    assert (stands("A"), stands("B")) == ((0, 20, 980), (0, 20, -5))


@pytest.mark.parametrize(("carry", "left"), [("none", 100), ("left", 170), ("all", 120)])
def test_what_is_carried_over(world, monkeypatch, carry, left):
    def at(month: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime(2026, month, 15, 12, 0, tzinfo=UTC))

    at(1)
    budget(world, "100", "warn", carry_over=carry)
    world.place(15)  # 50 over
    at(2)
    world.place(3)
    at(3)
    assert stands()[2] == left
    restored = db.session.scalars(select(Order.number).order_by(Order.id)).first()
    with world.app.test_request_context("/"):
        lifecycle.record(restored, "cancelled", {1: Decimal(15)})  # comes back into January
    assert stands()[2] == {"none": 100, "left": 270, "all": 270}[carry]
    budget(world, "500", "warn", carry_over=carry)  # from March on
    assert stands()[2] == {"none": 500, "left": 670, "all": 670}[carry]
    assert [row.since for row in budgets.amounts_of(db.session.scalars(select(Budget.id)))] == [
        date(2026, 3, 1), date(2026, 1, 1),
    ]  # fmt: skip


def test_a_new_budget_counts_what_its_period_has_seen_and_an_old_one_follows_to_the_end(world):
    world.rule("50")
    earlier = world.place(10)
    budget(world, "1000")
    assert db.session.scalars(select(Budget.starts)).one() == clock.today("Europe/Helsinki").replace(day=1)
    assert stands() == (100, 0, 900)
    budget(world, "5000", period="year")
    assert stands() == (0, 0, 5000)  # the order stands in the monthly one
    assert world.decide("bo", earlier) == "approved"
    assert [(e.kind, e.committed) for e in db.session.scalars(select(Entry).order_by(Entry.id))][-1] == ("commit", 100)
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        budgets.switch_off(cost_centres.by_code(world.company_id, "A"))
    count = db.session.scalar(select(func.count()).select_from(Entry))
    world.place(1)
    assert db.session.scalar(select(func.count()).select_from(Entry)) == count
    assert list(budget_checks.wrong()) == []


def test_two_orders_at_once_do_not_overspend(world):
    """Two people order in the same moment, each would fit alone: one is refused."""
    budget(world, "100")
    factories.make_user("dan@acme.example", company=db.session.get_one(Company, world.company_id), roles=["orderer"])
    world.people["dan"] = db.session.scalars(
        select(factories.User.id).where(factories.User.email == "dan@acme.example")
    ).one()
    asked = []
    for name in ("anna", "dan"):
        with world.app.test_request_context("/"), acting(world.actor(name, BUYER)):
            cart.add([NewItem("A-1", Decimal(6))])
            page = pages.cart_page(Stage.SUBMIT)
            asked.append((name, placing.Placement(page.priced.totals.gross, cart_key=page.order.client_reference)))
    db.session.rollback()
    start, refused = threading.Barrier(2), []

    def work(name: str, placement: placing.Placement) -> None:
        with world.app.test_request_context("/"), acting(world.actor(name, BUYER)):
            start.wait(timeout=10)
            try:
                placing.place(placement)
            except CheckoutRefused as error:
                refused.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work, args=each) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    db.session.rollback()
    assert len(refused) == 1
    assert sorted(db.session.scalars(select(Order.state))) == ["cart", "confirmed"]
    assert stands() == (0, 60, 40)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["place", "amend", "approve", "reject", "cancel", "drop", "ship", "return"]), st.integers(1, 9)
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_the_ledger_agrees_with_the_orders(world, steps):
    """Property: after any sequence the sums are those of the orders, and no budget that blocks is overspent."""
    _start_anew(world)
    numbers: list[str] = []
    for what, count in steps:
        number = numbers[count % len(numbers)] if numbers else ""
        with suppress(TukkuError):  # what cannot be done in the order's state changes nothing
            if what == "place":
                numbers.append(world.place(count))
            elif number:
                _do(world, what, number, count)
    assert list(budget_checks.wrong()) == []
    reserved, committed = _expected()
    assert stands() == (reserved, committed, 200 - reserved - committed)
    assert reserved + committed <= 200
    columns = (func.sum(Entry.reserved), func.sum(Entry.committed))
    for sums in db.session.execute(select(*columns).group_by(Entry.order_id)):
        assert min(sums) >= 0


def _do(world: World, what: str, number: str, count: int) -> None:
    """Do what a step says with an order, as whoever may."""
    if what in ("approve", "reject"):
        world.decide("bo", number, "approved" if what == "approve" else "rejected", "because")
    elif what == "amend":
        with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
            amending.amend(number, {1: Decimal(count)})
    else:
        kind: Any = {"drop": "cancelled", "ship": "shipped", "return": "returned"}.get(what)
        with world.app.test_request_context("/"):
            lifecycle.record(number, kind, {1: Decimal(count)}) if kind else lifecycle.cancel(number)


def _start_anew(world: World) -> None:
    """Forget the orders and budgets of the example before; orders above 50 wait for Bo."""
    with write() as session:
        for kind in (Entry, LineCentre, Order, Rule, BudgetAmount, Budget):
            session.execute(delete(kind))
    world.rule("50")
    budget(world, "200")


def _expected() -> tuple[int, int]:
    """Return what orders reserve and use by another way than the ledger's: from their lines and movements."""
    db.session.expire_all()
    reserved = committed = Decimal(0)
    for order in db.session.scalars(select(Order).where(Order.state.in_(("submitted", "confirmed", "completed")))):
        amount = sum((x.ordered - x.cancelled - x.returned) * 10 for x in sums_of([order.id]).values())
        if order.state == "submitted":
            reserved += amount
        else:
            committed += amount
    return int(reserved), int(committed)


def test_the_check_finds_what_went_past_the_ledger_and_mends_it(world):
    budget(world, "100")
    world.place(3)
    assert list(budget_checks.check()) == []
    with factories._writing() as session:
        session.execute(db.update(Order).where(Order.state == "confirmed").values(state="cancelled"))
    (found,) = budget_checks.check()
    assert (found.level, "1 order" in str(found.message)) == ("error", True)
    runner = world.app.test_cli_runner()
    assert "-30" in runner.invoke(budget_checks.command).output
    assert budget_checks.mend() == 1
    assert stands() == (0, 0, 100)
    assert budget_checks.mend() == 0


def test_figures_for_rules(world):
    budget(world, "25", "warn")
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(4))])
        order = cart.current_cart()
        draft = stored_draft(order, queries.lines_of(order.id))
        (found,) = overruns.of_drafts([draft])
    assert [c.code for c in found.centres] == ["A"]
    assert overruns.total_over(draft, found) == Decimal(15)
    assert found.owners == {world.people["bo"]}


def test_pages_of_budgets(world, count_statements):
    carl, bo = sign_in(world.app, "carl@acme.example"), sign_in(world.app, "bo@acme.example")
    here = f"{HERE}/cost-centres/A"
    assert "No budget yet" in carl.get(here).text
    sent = {"period": "month", "amount": "1000", "mode": "require", "carry_over": "left"}
    for wrong in ({"amount": ""}, {"amount": "-1"}, {"mode": "x"}, {"period": "day"}):
        assert carl.post(f"{here}/budget", data={**sent, **wrong}).status_code == 422
    assert bo.post(f"{here}/budget", data=sent).status_code == 403
    assert carl.post(f"{here}/budget", data=sent).status_code == 303
    world.place(20)
    for page in (carl.get(here).text, bo.get(here).text, carl.get(f"{HERE}/cost-centres").text):
        assert "800.00" in page
    for reader, seen in ((carl, True), (bo, True), (sign_in(world.app, "anna@acme.example"), False)):
        assert ("All cost centres" in reader.get("/").text) is seen
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(1))])
    assert "of 1,000.00" in sign_in(world.app, "anna@acme.example").get("/cart").text.replace("\xa0", " ")
    listed = carl.get(f"{here}/ledger").text
    assert "Reserved" in listed
    exported = carl.get(f"{here}/ledger?export=csv").text.splitlines()
    assert len(exported) == 3
    assert carl.get(f"{here}/ledger?export=xlsx").data.startswith(b"PK")
    with count_statements() as one:
        carl.get(f"{HERE}/cost-centres")
    for code in ("B", "C", "D"):
        centre(world, code)
        budget(world, "10", code=code)
    with count_statements() as more:
        carl.get(f"{HERE}/cost-centres")
    assert more.count <= one.count
    assert sign_in(world.app, "rita@rival.example").get(f"{here}/ledger").status_code == 404
    assert "1000" in carl.get(f"{here}/budget").text
    staff = sign_in(world.app, factories.make_staff("sales@tukku.example", ["sales"]).email)
    assert "Centre A" in staff.get("/admin/companies/c/acme").text
    assert carl.post(f"{HERE}/cost-centres/D/remove").status_code == 303  # never used: it goes with its budget
    assert db.session.scalar(select(func.count()).select_from(Budget)) == 3
    assert carl.post(f"{here}/budget/off").status_code == 303
    assert "No budget yet" in carl.get(here).text
    with pytest.raises(Invalid, match="in EUR"):
        budget(world, "1", currency="SEK")


def test_imports_of_budgets_and_of_orders_placed_elsewhere(world):
    row = {"company": "acme", "cost_centre": "A", "amount": Decimal(100), "mode": "warn"}

    def load(kind: Any, *rows: dict[str, Any]) -> list[str]:
        with write():
            found = kind([ImportRow(i, r) for i, r in enumerate(rows, 2)])
        return [f"{r.outcome} {r.field}".strip() for r in found]

    loading = budget_import.load_budgets
    wrong = (
        {**row, "company": "x"},
        {**row, "cost_centre": "x"},
        {**row, "currency": "SEK"},
        {**row, "amount": Decimal(-1)},
    )
    assert load(loading, *wrong) == ["error company", "error cost_centre", "error currency", "error amount"]
    assert load(loading, {"company": "acme", "cost_centre": "A"}) == ["error amount"]
    assert load(loading, row) == ["created"]
    assert load(loading, row) == ["unchanged"]
    assert load(loading, {**row, "amount": Decimal(500)}) == ["updated"]
    assert [(r["amount"], r["mode"]) for r in budget_import.export_budgets()] == [(Decimal(500), "warn")]
    company, product = db.session.get_one(Company, world.company_id), factories.make_product("B-1", price="20.00")
    factories.make_order(company, [(product, 2), (product, 3)], number="OLD-1", state="confirmed")
    centre(world, "B")
    loading = budget_import.load_order_centres
    one = {"order": "OLD-1", "cost_centre": "A"}
    assert load(loading, {**one, "order": "x"}, {**one, "cost_centre": "x"}, {**one, "line": 9}) == [
        "error order", "error cost_centre", "error line",
    ]  # fmt: skip
    assert load(loading, one) == ["created"]
    assert stands() == (0, 50, 450)
    assert load(loading, one) == ["unchanged"]
    assert load(loading, {**one, "line": 2, "cost_centre": "B"}) == ["updated"]
    assert stands() == (0, 20, 480)
    assert [r["cost_centre"] for r in budget_import.export_order_centres()] == ["A", "B"]


def test_the_doctor_names_ledgers_holds_and_versions_that_do_not_agree_with_orders(world):
    world.rule("50")
    budget(world, "1000")
    number = world.place(20)
    assert swept(world.app) == {}
    broken = {
        "BUDGET-LEDGER": "UPDATE approval_chain_budget_entry SET reserved = reserved + 100",
        "APPROVAL-VERSION": "UPDATE approval_chain_version SET digest = 'of another order'",
        "APPROVAL-GONE": "UPDATE approval_chain_approval SET state = 'approved'",
    }
    for statement in broken.values():
        break_rows(world.app, statement)
    assert swept(world.app) == {"BUDGET-LEDGER": [number], "APPROVAL-GONE": [number]}
    break_rows(world.app, "UPDATE approval_chain_approval SET state = 'waiting'")
    assert swept(world.app) == {"BUDGET-LEDGER": [number], "APPROVAL-VERSION": [number]}
    break_rows(world.app, "DELETE FROM approval_chain_approval")
    assert swept(world.app) == {"BUDGET-LEDGER": [number], "APPROVAL-GONE": [number]}
    db.session.rollback()  # what this test had read before
    budget_checks.mend()
    assert swept(world.app) == {"APPROVAL-GONE": [number]}
