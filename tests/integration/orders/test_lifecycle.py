"""After placing: the matrix of states, holds, movements, who may do what; one audit row and one event for each."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from core.data.audit import AuditEntry
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.orders import lifecycle, pages, queries
from core.orders.holds import add_hold
from core.orders.models import STATES, Movement, Order
from core.orders.rules import CheckoutRefused
from core.orders.states import TRANSITIONS, find, transition
from core.registry.registry import EXTENSION
from core.settings.services import set_value
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound, WriteError
from core.spec.orders import HoldRequest
from core.testing import factories

from .conftest import buyer_of, staff


@pytest.fixture
def submitted(shop) -> str:
    """The number of an order that waits for its confirmation."""
    with acting(system("tests")):
        set_value("orders", "confirm_automatically", False)
    return shop.place(("A-1", 10), ("B-2", 20))


def state_of(shop, number: str) -> str:
    with shop.request(shop.staff):
        return queries.find(number).state


def hold(shop, number: str, *blocks: str, permission: str = "credit.hold.release") -> int:
    with shop.request(shop.staff), write():
        return add_hold(
            queries.lock(number), "credit", "limit", HoldRequest("Over the limit", blocks or ("confirm",)), permission
        ).id


@pytest.mark.parametrize("source", [s for s in STATES if s != "cart"])
@pytest.mark.parametrize("name", ["confirm", "reject", "cancel", "complete", "place"])
def test_only_what_the_table_names_is_possible(shop, submitted, source, name):
    with acting(system("tests")), write():
        db.session.execute(update(Order).where(Order.number == submitted).values(state=source))
    step = find(name, source)
    with shop.request(shop.staff), write():
        order = queries.lock(submitted)
        if step is None:
            with pytest.raises(Conflict) as refused:
                transition(order, name)
            assert refused.value.code == "ORDER-STATE"
        elif name == "complete":
            with pytest.raises(Conflict) as refused:
                transition(order, name)
            assert refused.value.code == "ORDER-NOT-SHIPPED"
        else:
            transition(order, name)
            assert order.state == step.target


@pytest.mark.parametrize("step", [t for t in TRANSITIONS if t.source != "cart"], ids=lambda t: f"{t.source}-{t.name}")
def test_each_transition_needs_its_permission(shop, submitted, step):
    with acting(system("tests")), write():
        db.session.execute(update(Order).where(Order.number == submitted).values(state=step.source))
    nobody = replace(shop.staff, permissions=shop.staff.permissions - {step.permission})
    with shop.request(nobody), write(), pytest.raises(Forbidden):
        transition(queries.lock(submitted), step.name)


def test_every_transition_is_audited_and_told_once(shop, submitted):
    with shop.request(shop.staff):
        lifecycle.confirm(submitted)
        trail = select(AuditEntry).where(AuditEntry.entity == "order", AuditEntry.entity_id == submitted)
        rows = db.session.scalars(trail.order_by(AuditEntry.id)).all()
        assert [(r.action, (r.before or {}).get("state"), r.actor) for r in rows] == [
            ("submitted", "cart", "anna"),
            ("confirmed", "submitted", "sam"),
        ]
        told = ["order.confirmed/orders.confirmation_mail", "order.submitted/orders.new_order"]
        assert sorted(db.session.scalars(select(Job.name))) == told


def test_a_stale_page_changes_nothing(shop, submitted):
    with shop.request(shop.staff), pytest.raises(Conflict) as refused:
        lifecycle.confirm(submitted, version=1)
    assert refused.value.code == "ORDER-CHANGED"
    assert state_of(shop, submitted) == "submitted"


def test_rejecting_needs_a_reason(shop, submitted):
    with shop.request(shop.staff), pytest.raises(Invalid):
        lifecycle.reject(submitted, "  ")
    with shop.request(shop.staff):
        assert lifecycle.reject(submitted, "not in stock").state == "rejected"


def test_a_buyer_cancels_before_the_confirmation_only(shop, submitted):
    with shop.request(shop.staff):
        lifecycle.confirm(submitted)
    with shop.request(), pytest.raises(Forbidden):
        lifecycle.cancel(submitted)
    other = shop.place(("A-1", 1))
    with shop.request():
        assert lifecycle.cancel(other).state == "cancelled"


def test_orders_of_others_do_not_exist(shop, submitted):
    other = factories.make_company("other")
    eve = buyer_of(other, factories.make_user("eve@other.example", company=other))
    for deed in (lifecycle.cancel, queries.find, lambda n: lifecycle.record(n, "returned", {1: Decimal(1)})):
        with shop.request(eve), pytest.raises(NotFound):
            deed(submitted)


def test_a_hold_stops_the_confirmation_until_its_owner_releases_it(shop, submitted):
    hold_id = hold(shop, submitted)
    with shop.request(shop.staff), pytest.raises(Conflict) as refused:
        lifecycle.confirm(submitted)
    assert refused.value.code == "ORDER-HELD"
    owner = staff(factories.make_staff("fin@tukku.example", ["finance"]), frozenset({"credit.hold.release"}))
    with acting(system("tests")):
        set_value("orders", "confirm_automatically", True)
    with shop.request(owner), pytest.raises(Invalid, match="Give a reason"):
        lifecycle.release(submitted, hold_id, " ")
    with shop.request(owner):
        order = lifecycle.release(submitted, hold_id, "paid")
        assert order.state == "confirmed"


def test_a_hold_is_forced_with_permission_and_reason_only(shop, submitted):
    hold_id = hold(shop, submitted)
    weak = replace(shop.staff, permissions=shop.staff.permissions - {"orders.hold.force_release"})
    with shop.request(weak), pytest.raises(Forbidden):
        lifecycle.release(submitted, hold_id, "because")
    with shop.request(shop.staff), pytest.raises(Invalid):
        lifecycle.release(submitted, hold_id, "")
    with shop.request(shop.staff):
        assert lifecycle.release(submitted, hold_id, "the boss said so").state == "submitted"
        row = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "hold released by force"))
        assert row.reason == "the boss said so"
    with shop.request(shop.staff), pytest.raises(Invalid):
        lifecycle.release(submitted, hold_id, "again")


def test_what_stops_the_confirmation_leaves_the_hold_released(shop, submitted):
    hold_id = hold(shop, submitted)
    with acting(system("tests")):
        set_value("orders", "confirm_automatically", True)
        with write():
            queries.db.session.get(type(shop.company), shop.company.id).status = "blocked"
    with shop.request(shop.staff):
        order = lifecycle.release(submitted, hold_id, "paid")
        assert order.state == "submitted"
    with shop.request(shop.staff), pytest.raises(CheckoutRefused):
        lifecycle.confirm(submitted)


def test_shipping_in_parts_completes_with_the_last(shop, submitted):
    with shop.request(shop.staff):
        lifecycle.confirm(submitted)
        lifecycle.record(submitted, "shipped", {1: Decimal(4)}, label="DN-1")
    assert state_of(shop, submitted) == "confirmed"
    with shop.request(shop.staff):
        with pytest.raises(Invalid) as refused:
            lifecycle.record(submitted, "shipped", {1: Decimal(6), 2: Decimal(21)})
        assert "B-2" in str(refused.value.message)
        assert db.session.scalar(select(func.count(Movement.id))) == 1
        lifecycle.record(submitted, "cancelled", {1: Decimal(6)})
        lifecycle.record(submitted, "shipped", {2: Decimal(20)})
    assert state_of(shop, submitted) == "completed"
    with shop.request(shop.staff), pytest.raises(Conflict):
        lifecycle.record(submitted, "shipped", {1: Decimal(1)})
    with shop.request(shop.staff), pytest.raises(Conflict) as refused:
        lifecycle.cancel(submitted, "too late")
    assert refused.value.code == "ORDER-STATE"


def test_what_was_shipped_cannot_be_cancelled(shop, submitted):
    with shop.request(shop.staff):
        lifecycle.confirm(submitted)
        lifecycle.record(submitted, "shipped", {1: Decimal(1)})
        with pytest.raises(Conflict) as refused:
            lifecycle.cancel(submitted, "no")
    assert refused.value.code == "ORDER-SHIPPED"


def test_a_hold_may_stop_shipping(shop, submitted):
    with shop.request(shop.staff):
        lifecycle.confirm(submitted)
    hold(shop, submitted, "ship", "invoice")
    for kind in ("shipped", "invoiced"):
        with shop.request(shop.staff), pytest.raises(Conflict) as refused:
            lifecycle.record(submitted, kind, {1: Decimal(1)})
        assert refused.value.code == "ORDER-HELD"


def test_movements_are_never_changed(shop, submitted):
    with shop.request(shop.staff):
        lifecycle.confirm(submitted)
        (movement,) = lifecycle.record(submitted, "shipped", {1: Decimal(1)})
        with pytest.raises(WriteError), write():
            movement.quantity = Decimal(2)


def test_a_check_whose_addon_is_out_by_failure_refuses_to_confirm(shop, submitted, monkeypatch):
    with acting(system("tests")), write():
        db.session.execute(
            update(Order).where(Order.number == submitted).values(required_checks=[["credit_terms", "commit:limit"]])
        )
    here = shop.app.extensions[EXTENSION]
    broken = replace(here, plan=replace(here.plan, excluded={"credit_terms": ("credit_terms",)}))
    monkeypatch.setitem(shop.app.extensions, EXTENSION, broken)
    with shop.request(shop.staff), pytest.raises(Conflict) as refused:
        lifecycle.confirm(submitted)
    assert refused.value.code == "CHECK-MISSING"
    monkeypatch.setitem(shop.app.extensions, EXTENSION, here)  # disabled by decision: skipped, and said
    with shop.request(shop.staff):
        lifecycle.confirm(submitted)
        skipped = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "check skipped"))
        assert skipped.after == {"checks": "commit:limit"}


def test_notes_of_staff_are_kept(shop, submitted):
    with shop.request(shop.staff):
        lifecycle.note(submitted, "call before delivery")
        assert db.session.scalar(select(AuditEntry.reason).where(AuditEntry.action == "noted")) == "call before delivery"


def test_what_an_order_went_through_elsewhere_stays_in_its_history(shop):
    factories.make_order(shop.company, [(factories.make_product("OLD", price="1"), 1)], number="ERP-7")
    with shop.request(shop.staff):
        lifecycle.confirm("ERP-7")
        assert [event.text for event in pages.timeline(queries.find("ERP-7"), internal=True)] == [
            "Order confirmed",
            "Order placed",
        ]


def test_half_a_piece_is_not_shipped_but_what_is_left_always_is(shop, submitted):
    with shop.request(shop.staff):
        lifecycle.confirm(submitted)
        with pytest.raises(Invalid) as refused:
            lifecycle.record(submitted, "shipped", {1: Decimal("1.5")})
        assert refused.value.code == "MOVEMENT-FRACTION"
    with acting(system("tests")), write():
        order = queries.find(submitted)
        queries.lines_of(order.id)[0].quantity = Decimal("2.5")
    with shop.request(shop.staff):
        lifecycle.record(submitted, "shipped", {1: Decimal("2.5")})
