"""Sweeps of `tukku doctor`: a sound shop has nothing to find; what is broken behind the code's back is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.orders import cart, lifecycle, queries
from core.orders.holds import add_hold
from core.orders.merging import NewItem
from core.registry.models import AddonState
from core.registry.registry import EXTENSION, Contribution
from core.runtime.diagnosis import diagnose
from core.runtime.sweeps import sweep
from core.settings.models import Setting
from core.settings.services import SettingUnknown, reset, set_value
from core.spec.app import DataCheck
from core.spec.orders import HoldRequest
from core.testing import factories
from core.testing.sweeping import break_rows, swept


def found(shop):
    """Return what the sweeps find, by code."""
    return swept(shop.app)


@pytest.fixture
def orders(shop):
    """Numbers of orders in every state, with freight, holds, movements and tax."""
    with acting(system("tests")):
        set_value("orders", "confirm_automatically", False)
        set_value("orders", "freight", Decimal("9.90"))
    names = ("submitted", "held", "confirmed", "shipped", "completed", "cancelled", "rejected")
    numbers = {name: shop.place(("A-1", 3), ("B-2", 20)) for name in names}
    with shop.request(shop.staff):
        for name in ("confirmed", "shipped", "completed"):
            lifecycle.confirm(numbers[name])
        lifecycle.cancel(numbers["cancelled"], "ordered twice")
        lifecycle.reject(numbers["rejected"], "not sold any more")
        with write():
            order = queries.find(numbers["held"])
            add_hold(order, "core", "check", HoldRequest("Waits for a check"), "orders.hold.force_release")
    with shop.request(shop.staff):
        lifecycle.record(numbers["shipped"], "shipped", {1: Decimal(1)})
        lifecycle.record(numbers["completed"], "shipped", {1: Decimal(3), 2: Decimal(20)})
        assert queries.find(numbers["completed"]).state == "completed"
    return numbers


def run(shop, *statements, **values):
    """Change rows as no code of the shop would."""
    break_rows(shop.app, *statements, **values)


def test_a_sound_shop_has_nothing_to_find(shop, orders):
    assert found(shop) == {}
    with shop.app.app_context():
        (answer,) = diagnose(shop.app.extensions["tukku.config"], ["data"])
    assert (answer.code, answer.level) == ("DATA", "ok")


BROKEN = {
    "UPDATE orders_order SET gross = gross + 1 WHERE number = :n": ("ORDER-AMOUNTS",),
    "UPDATE orders_order SET charges_net = 0, gross = net + tax WHERE number = :n": ("ORDER-AMOUNTS",),
    "UPDATE orders_charge SET net = net - 100, tax_rate = 0 WHERE order_id = :id": ("ORDER-AMOUNTS", "ORDER-TAX"),
    "UPDATE orders_order SET tax = tax - 100, gross = gross - 100 WHERE number = :n": ("ORDER-TAX",),
    "UPDATE orders_line SET unit_price = unit_price + 10000 WHERE order_id = :id AND position = 1": ("LINE-NET",),
    "DELETE FROM orders_line WHERE order_id = :id": ("ORDER-AMOUNTS", "ORDER-TAX", "ORDER-UNFINISHED"),
    "UPDATE orders_order SET submitted_at = NULL WHERE number = :n": ("ORDER-UNDATED", "ORDER-UNFINISHED"),
    "DELETE FROM core_audit WHERE entity_id = :n AND action = 'submitted'": ("ORDER-UNTOLD",),
    "UPDATE orders_order SET state = 'confirmed', confirmed_at = submitted_at WHERE number = :n": ("ORDER-UNTOLD",),
    "UPDATE orders_charge SET company_id = :other WHERE order_id = :id": ("ORDER-COMPANY",),
    "UPDATE orders_line SET company_id = :other WHERE order_id = :id": ("ORDER-COMPANY",),
}


def test_what_was_changed_behind_the_codes_back_is_named(shop, orders):
    """Each in an order of its own, among others that are sound."""
    other, due = factories.make_company("other").id, {}
    for statement, codes in BROKEN.items():
        number = shop.place(("A-1", 3), ("B-2", 20))
        with shop.request(shop.staff):
            order_id = queries.find(number).id
        run(shop, statement, n=number, id=order_id, other=other)
        due[statement] = {(code, number) for code in codes}
    named = {(code, name.split()[0]) for code, names in found(shop).items() for name in names}
    assert named == set.union(*due.values())


def test_holds_and_movements_that_cannot_be_are_named(shop, orders):
    run(
        shop,
        "UPDATE orders_order SET state = 'confirmed', confirmed_at = submitted_at WHERE number = :held",
        "UPDATE orders_movement SET quantity = quantity * 9 WHERE line_id IN "
        "(SELECT l.id FROM orders_line l JOIN orders_order o ON o.id = l.order_id WHERE o.number = :shipped)",
        "DELETE FROM orders_movement WHERE line_id IN "
        "(SELECT l.id FROM orders_line l JOIN orders_order o ON o.id = l.order_id WHERE o.number = :completed)",
        **{name: orders[name] for name in ("held", "shipped", "completed")},
    )
    assert found(shop) == {
        "ORDER-UNTOLD": [orders["held"]],
        "HOLD-PASSED": [orders["held"]],
        "MOVED-TOO-MUCH": [f"{orders['shipped']} line 1"],
        "COMPLETED-EARLY": [orders["completed"]],
    }


def test_a_hold_without_a_reason_is_named(shop, orders):
    run(shop, "UPDATE orders_hold SET label = ''")
    assert found(shop) == {"HOLD-FOR-NOTHING": [f"{orders['held']} (core.check)"]}


def test_carts_categories_units_companies_and_jobs(shop, orders):
    with shop.request():
        cart.add([NewItem("A-1", Decimal(1))])
    now = clock.now()
    with acting(system("tests")), write() as session:
        job = {"addon": "jobs", "payload": {}, "created_at": now, "run_at": now, "max_attempts": 8}
        session.add_all([
            Job(**job, name="jobs.mail", state="running", lease_until=now - timedelta(minutes=9), attempts=1),
            Job(**job, name="jobs.mail", state="running", lease_until=None, attempts=1),
            Job(**job, name="jobs.male", state="waiting"),
        ])  # fmt: skip
    run(
        shop,
        "DROP INDEX uq_orders_order_cart",
        "UPDATE orders_order SET state = 'cart', number = NULL WHERE number = :rejected",
        "UPDATE catalog_category SET path = '/elsewhere/'",
        "UPDATE catalog_product_unit SET numerator = 3 "
        "WHERE product_id = (SELECT id FROM catalog_product WHERE sku = 'A-1')",
        "UPDATE companies_company SET parent_id = id",
        rejected=orders["rejected"],
    )
    wrong = found(shop)
    assert {code: len(names) for code, names in wrong.items()} == dict.fromkeys(
        ("CART-TWICE", "CATEGORY-PATH", "BASE-UNIT", "COMPANY-CIRCLE", "JOB-STUCK", "JOB-UNLEASED", "JOB-UNKNOWN"), 1
    )
    assert wrong["JOB-UNKNOWN"] == ["jobs.male"]


def test_what_belongs_to_an_addon_that_is_gone_is_named(shop, orders):
    now = clock.now()
    with acting(system("tests")), write() as session:
        job = {"payload": {}, "created_at": now, "run_at": now, "max_attempts": 8}
        session.add_all(
            Job(**job, addon=owner, name=f"{owner}.count", state=state)
            for owner, state in (("loyalty", "held"), ("loyalty", "waiting"), ("loyalty", "done"), ("resting", "held"))
        )
        session.add_all(
            Setting(owner=owner, key=key, target=target, value=3, changed_by="tests", changed_at=now)
            for owner, key, target in (
                ("loyalty", "grace", ""), ("loyalty", "grace", "company:konepaja"), ("orders", "fright", ""),
                ("resting", "grace", ""),
            )
        )  # fmt: skip
        session.add(
            AddonState(name="resting", enabled=False, version="1", critical=False, changed_by="tests", changed_at=now)
        )
    run(shop, "UPDATE orders_hold SET owner = 'loyalty'")
    assert found(shop) == {
        "JOB-GONE": ["loyalty.count"],
        "SETTING-UNREAD": ["loyalty.grace", "loyalty.grace for company:konepaja", "orders.fright"],
        "HOLD-GONE": [f"{orders['held']} (loyalty.check)"],
    }
    run(shop, "UPDATE orders_hold SET owner = 'resting'")
    with acting(system("tests")):
        reset("loyalty", "grace")
        reset("loyalty", "grace", target="company:konepaja")
        reset("orders", "fright")
        with pytest.raises(SettingUnknown, match=r"There is no setting loyalty\.grace"):
            reset("loyalty", "grace")
    assert set(found(shop)) == {"JOB-GONE"}


def test_statements_do_not_grow_with_orders(shop, orders, count_statements):
    def count():
        with count_statements() as seen:
            found(shop)
        return seen.count

    before = count()
    for _ in range(3):
        shop.place(("A-1", 1), ("B-2", 10))
    assert count() == before


def test_each_check_is_asked_and_told_in_short_and_the_database_refuses_it_to_write(shop, orders):
    def writing():
        db.session.connection().execute(text("UPDATE orders_order SET note = 'swept'"))
        yield "written"

    here = shop.app.extensions[EXTENSION]
    checks = [
        DataCheck("MANY", "Slots have numbers.", lambda: (f"slot {n}" for n in range(8)), "Number them.", "warning"),
        DataCheck("ENDLESS", "Slots end.", lambda: (f"slot {n}" for n in range(10**9)), "End them."),
        DataCheck("WRITES", "Slots are read.", writing, "Read them."),
        DataCheck("FAILS", "Slots are there.", lambda: 1 / 0, "Make some."),
        DataCheck("SOUND", "Slots are sound.", lambda: (), "Sound them."),
    ]
    given = {**here.contributed, "data_checks": tuple(Contribution("slots", check) for check in checks)}
    shop.app.extensions[EXTENSION] = replace(here, contributed=given)
    with shop.app.app_context(), acting(system("doctor")):
        many, endless, writes, fails, sound = sweep()
    assert str(many) == "Slots have numbers. Not so: slot 0, slot 1, slot 2, slot 3, slot 4 and 3 more."
    assert str(endless).endswith("slot 4 and more than a thousand more.")
    assert fails.failure == "ZeroDivisionError: division by zero"
    assert (sound.count, sound.failure) == (0, "")
    assert "readonly" in writes.failure or "read-only" in writes.failure
    with shop.request(shop.staff):
        assert queries.find(orders["submitted"]).note == ""
        lifecycle.confirm(orders["submitted"])  # and afterwards the shop writes as before
