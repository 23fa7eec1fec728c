"""Limits by the period: what counts, what is left, clock changes, two orders at once, and the pages."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from addons.approval_chain import limits, periods, policies, services, spending
from addons.approval_chain.budget_models import SpendLimit
from addons.approval_chain.periods import Calendar, period_at
from addons.approval_chain.tests.test_approval import BUYER, World
from core.companies.models import Company, Membership
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting
from core.orders import cart, lifecycle, pages, placing
from core.orders.merging import NewItem
from core.orders.models import Order
from core.settings.services import set_value
from core.spec.errors import Invalid, NotFound
from core.spec.orders import Stage
from core.testing import factories
from core.testing.signin import sign_in

HELSINKI = Calendar("Europe/Helsinki")


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    return World(app_with(addons=["approval_chain"]))


def limit(world: World, amount: str | None, period: str = "month", whose: str = "orderer", **values: Any) -> None:
    """Set a limit as the company's administrator."""
    company = db.session.get_one(Company, world.company_id)
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        given = None if amount is None else Decimal(amount)
        limits.save(company, {"whose": whose, "period": period, "amount": given, **values})


def left(world: World) -> list[tuple[str, Decimal, Decimal]]:
    """Return Anna's limits: kind, spent, left."""
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        return [(x.period.kind, x.spent, x.left) for x in spending.mine()]


@pytest.mark.parametrize(
    ("kind", "at", "first", "after", "hours"),
    [
        ("day", datetime(2026, 3, 28, 22, 30, tzinfo=UTC), date(2026, 3, 29), date(2026, 3, 30), 23),  # clocks go forward
        ("day", datetime(2026, 10, 25, 12, 0, tzinfo=UTC), date(2026, 10, 25), date(2026, 10, 26), 25),  # and back
        ("week", datetime(2026, 3, 29, 20, 59, tzinfo=UTC), date(2026, 3, 23), date(2026, 3, 30), 7 * 24 - 1),
        ("month", datetime(2026, 10, 31, 21, 59, tzinfo=UTC), date(2026, 10, 1), date(2026, 11, 1), 31 * 24 + 1),
        ("month", datetime(2026, 10, 31, 22, 0, tzinfo=UTC), date(2026, 11, 1), date(2026, 12, 1), 30 * 24),
        ("quarter", datetime(2026, 12, 31, 21, 59, tzinfo=UTC), date(2026, 10, 1), date(2027, 1, 1), 92 * 24 + 1),
        ("year", datetime(2026, 12, 31, 22, 0, tzinfo=UTC), date(2027, 1, 1), date(2028, 1, 1), 365 * 24),
    ],
)
def test_periods_are_those_of_the_companys_clock(kind, at, first, after, hours):
    found = period_at(kind, at, HELSINKI)
    assert (found.first, found.after) == (first, after)
    assert found.end - found.start == timedelta(hours=hours)
    assert found.holds(at)
    assert not found.holds(found.end)


def test_weeks_and_years_begin_as_the_company_says(world):
    sunday = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
    assert period_at("week", sunday, Calendar("UTC", 6)).first == date(2026, 5, 3)
    assert period_at("year", sunday, Calendar("UTC", 0, 7)).first == date(2025, 7, 1)
    assert period_at("quarter", sunday, Calendar("UTC", 0, 2)).first == date(2026, 5, 1)
    assert periods.calendar_of(world.company_id) == HELSINKI
    set_value("approval_chain", "zone", "America/New_York", target="company:acme")
    set_value("approval_chain", "week_starts", "sunday", target="company:acme")
    assert periods.calendar_of(world.company_id) == Calendar("America/New_York", 6)


def test_what_exceeds_the_period_waits_and_what_is_given_back_counts_no_more(world):
    limit(world, "100")
    first = world.place(6)
    assert world.state(first) == "confirmed"
    assert left(world) == [("month", Decimal(60), Decimal(40))]
    waiting = world.place(5)
    assert world.state(waiting) == "submitted"  # 60 + 50 is above 100
    with world.app.test_request_context("/"):
        assert services.pending(waiting).flow.eligible() == [str(world.people["bo"]), str(world.people["carl"])]
    assert left(world) == [("month", Decimal(110), Decimal(-10))]  # what waits is spent already
    with world.app.test_request_context("/"):
        lifecycle.cancel(waiting)
        lifecycle.record(first, "cancelled", {1: Decimal(2)})
    assert left(world) == [("month", Decimal(40), Decimal(60))]
    exact = world.place(6)
    assert world.state(exact) == "confirmed"  # 40 + 60 is not above 100
    with world.app.test_request_context("/"):
        lifecycle.record(exact, "shipped", {1: Decimal(6)})
        lifecycle.record(exact, "returned", {1: Decimal(3)})
    assert left(world) == [("month", Decimal(70), Decimal(30))]


def test_an_order_that_waits_does_not_wait_longer_because_of_later_ones(world):
    world.rule("20")
    limit(world, "100")
    early, late = world.place(5), world.place(9)
    with world.app.test_request_context("/"):
        rules = [[r.rule for r in services.pending(n).flow.plan.requirements] for n in (early, late)]
    assert [("" in found) for found in rules] == [False, True]
    assert world.decide("bo", early) == "approved"


def test_nothing_unlimited_and_the_order_of_limits(world):
    limit(world, "0", "day")
    assert world.state(world.place(1)) == "submitted"  # 0 is nothing
    anna = "@" + db.session.scalars(select(factories.User.code).where(factories.User.id == world.people["anna"])).one()
    limit(world, None, "day", anna)
    assert left(world) == []  # her own comes first: without limit
    factories.make_membership(
        db.session.get_one(factories.User, world.people["anna"]), db.session.get_one(Company, world.company_id), ["approver"]
    )
    limit(world, "50", "month")
    limit(world, "500", "month", "approver")
    assert [(kind, rest) for kind, _spent, rest in left(world)] == [("month", Decimal(490))]  # the highest of her roles
    limit(world, None, "month", "approver")
    assert left(world) == []


def test_a_new_month_begins_at_the_companys_midnight(world, monkeypatch):
    limit(world, "100")
    for at, state in (
        (datetime(2026, 3, 31, 20, 59, tzinfo=UTC), "confirmed"),
        (datetime(2026, 3, 31, 20, 59, 59, tzinfo=UTC), "submitted"),
        (datetime(2026, 3, 31, 21, 0, tzinfo=UTC), "confirmed"),  # 00:00 in Helsinki, summer time
    ):
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        assert world.state(world.place(10)) == state


def group(world: World) -> tuple[int, int]:
    """Put Acme beneath a group with a sister, and let Anna order for both; return the ids of group and sister."""
    parent = factories.make_company("group")
    sister = factories.make_company("sister", parent=parent)
    with factories._writing():
        db.session.get_one(Company, world.company_id).parent_id = parent.id
    with factories._writing() as session:
        session.execute(db.delete(Membership).where(Membership.user_id == world.people["anna"]))
    anna = db.session.get_one(factories.User, world.people["anna"])
    factories.make_membership(anna, parent, ["orderer"])
    with factories._writing() as session:
        session.add(SpendLimit(company_id=parent.id, role="orderer", period="year", currency="EUR", amount=Decimal(100)))
    return parent.id, sister.id


def as_anna(world: World, company_id: int, parent_id: int) -> Actor:
    """Return Anna, who orders for a company of the group."""
    scope = Scope("companies", (company_id,), (company_id,), (company_id, parent_id))
    return Actor(world.people["anna"], "anna", scope, company_id, None, BUYER)


def patiently(place):
    """Place as a person does who is asked to try again, because a busy machine held the lock for over three seconds."""
    for _again in range(3):
        try:
            return place()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != "55P03":
                raise
    return place()


def test_two_orders_at_once_do_not_both_fit(world):
    """Anna orders for two companies of the group in the same moment: one order is confirmed, the other one waits."""
    parent_id, sister_id = group(world)
    places = [(company_id, as_anna(world, company_id, parent_id)) for company_id in (world.company_id, sister_id)]
    asked = []
    for _c, actor in places:
        with world.app.test_request_context("/"), acting(actor):
            cart.add([NewItem("A-1", Decimal(6))])
            page = pages.cart_page(Stage.SUBMIT)
            asked.append(placing.Placement(page.priced.totals.gross, cart_key=page.order.client_reference))
    db.session.rollback()
    start, failures = threading.Barrier(2), []

    def work(actor: Actor, placement: placing.Placement) -> None:
        with world.app.test_request_context("/"), acting(actor):
            start.wait(timeout=10)
            try:
                patiently(lambda: placing.place(placement))
            except Exception as error:
                failures.append(error)
            finally:
                db.session.remove()

    threads = [
        threading.Thread(target=work, args=(actor, placement)) for (_c, actor), placement in zip(places, asked, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failures
    db.session.rollback()
    assert sorted(db.session.scalars(select(Order.state))) == ["confirmed", "submitted"]
    found = spending.left_of(spending.Asked(world.people["anna"], sister_id))
    assert [(x.spent, x.left) for x in found] == [(Decimal(120), Decimal(-20))]


def test_refused_amounts_and_currencies(world):
    for values, problem in (
        ({"amount": "1", "currency": "SEK"}, "in EUR"),
        ({"amount": "-1"}, "0 or more"),
        ({"amount": "0.001"}, "0 or more"),
        ({"amount": "1", "whose": "nobody"}, "no such role"),
        ({"amount": "1", "whose": "@nobody"}, "no such person"),
    ):
        with pytest.raises((Invalid, NotFound), match=problem):
            limit(world, **values)
    assert db.session.scalar(select(func.count()).select_from(SpendLimit)) == 0


def test_pages_of_administrators_buyers_and_staff(world, count_statements):
    carl = sign_in(world.app, "carl@acme.example")
    address = "/a/approval_chain/spending-limits"
    assert "No limit by the period yet" in carl.get(address).text
    assert carl.post(address, data={"whose": "orderer", "period": "month", "amount": "-5"}).status_code == 422
    assert carl.post(address, data={"whose": "@x", "period": "month", "amount": "5"}).status_code == 422
    assert carl.post(address, data={"whose": "orderer", "period": "month", "amount": "1000"}).status_code == 303
    assert "1,000.00" in carl.get(address).text
    world.place(20)
    anna = sign_in(world.app, "anna@acme.example")
    for page in ("/account", "/"):
        assert "left this month" in anna.get(page).text
    assert anna.get(address).status_code == 403
    world.rule("1")
    world.place(1)
    bo = sign_in(world.app, "bo@acme.example")
    with count_statements() as one:
        bo.get("/a/approval_chain/approvals")
    for _more in range(4):
        world.place(2)
    with count_statements() as more:
        bo.get("/a/approval_chain/approvals")
    assert more.count <= one.count
    factories.make_staff("sales@tukku.example", ["sales"])
    factories.make_staff("stock@tukku.example", ["warehouse"])
    sales = sign_in(world.app, "sales@tukku.example")
    here = "/admin/a/approval_chain/companies/acme/limits"
    assert "1,000.00" in sales.get(here).text
    assert sales.post(here, data={"whose": "approver", "period": "week", "amount": ""}).status_code == 303
    assert "without limit" in sales.get(here).text
    assert "Spending limits" in sales.get("/admin/companies/c/acme").text
    first = db.session.scalars(select(SpendLimit.id)).first()
    assert sign_in(world.app, "stock@tukku.example").post(f"{here}/{first}/remove").status_code == 403
    assert sign_in(world.app, "rita@rival.example").post(f"{address}/{first}/remove").status_code == 303
    assert db.session.scalar(select(func.count()).select_from(SpendLimit)) == 2  # another company's stays
    for _twice in range(2):
        assert sales.post(f"{here}/{first}/remove").status_code == 303
    assert db.session.scalar(select(func.count()).select_from(SpendLimit)) == 1


def test_a_companys_own_role_has_limits_by_the_period(world):
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        code = db.session.get_one(factories.User, world.people["anna"]).code
        group_id = policies.save_group("Fitters", [code]).id
    carl = sign_in(world.app, "carl@acme.example")
    sent = {"whose": f"group:{group_id}", "period": "month", "amount": "250"}
    assert carl.post("/a/approval_chain/spending-limits", data=sent).status_code == 303
    assert re.search(r"Fitters.*by the month.*250", carl.get("/a/approval_chain/spending-limits").text, re.DOTALL)
    limit(world, "200")  # of several roles the highest holds
    assert left(world) == [("month", Decimal(0), Decimal(250))]
    assert world.state(world.place(25)) == "confirmed"
    assert world.state(world.place(1)) == "submitted"
    assert carl.post(f"/a/approval_chain/approval-roles/{group_id}/remove").status_code == 303
    assert "Rules or limits name this role" in carl.get("/a/approval_chain/approval-rules").text
    factories.make_staff("sales@tukku.example", roles=["sales"])
    staff = sign_in(world.app, "sales@tukku.example")
    assert "Fitters" in staff.get("/admin/a/approval_chain/companies/acme/limits").text
    with pytest.raises(Invalid, match="no such role"):
        limit(world, "1", whose="group:999")
