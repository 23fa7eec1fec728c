"""Cost centres and budgets of any company, in the back-office: a list of all with what is left, and forms."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import periods
from addons.approval_chain.centre_models import CentreDefault, CostCentre
from addons.approval_chain.ledger_models import Budget
from addons.approval_chain.tests.test_approval import World
from addons.approval_chain.tests.test_budgets import budget
from addons.approval_chain.tests.test_cost_centres import centre, code_of
from core.companies.models import Company
from core.data.db import db
from core.data.write import write
from core.settings.services import set_value
from core.testing import factories
from core.testing.signin import sign_in

OFFICE = "/admin/a/approval_chain"


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only and a member of its staff."""
    found = World(app_with(addons=["approval_chain"]))
    factories.make_staff("sally@tukku.example", roles=["sales"])
    return found


def test_staff_keep_the_cost_centres_of_a_company(world):
    sally = sign_in(world.app, "sally@tukku.example")
    here = f"{OFFICE}/companies/acme/cost-centres"
    assert "No cost centres yet" in sally.get(f"{OFFICE}/cost-centres").text
    assert "No cost centres yet" in sally.get(here).text
    sent = {"code": "4100/A", "name": "Maintenance", "owner": code_of(world, "bo")}
    assert sally.post(f"{here}/new", data={**sent, "code": "a b"}).status_code == 422
    assert sally.post(f"{here}/new", data={**sent, "owner": code_of(world, "anna")}).status_code == 422
    made = sally.post(f"{here}/new", data=sent)
    assert (made.status_code, made.location) == (303, f"{here}/4100/A")
    assert "Orders go on this cost centre without a limit" in sally.get(made.location).text
    money = {"period": "month", "amount": "500", "mode": "block", "carry_over": "none"}
    assert sally.post(f"{here}/4100/A/budget", data={**money, "amount": ""}).status_code == 422
    assert sally.post(f"{here}/4100/A/budget", data=money).status_code == 303
    assert sally.post(f"{OFFICE}/companies/acme/cost-centre-of/{code_of(world, 'anna')}", data={"cost_centre": "4100/A"})
    assert db.session.scalars(select(CentreDefault)).one().user_id == world.people["anna"]
    number = world.place(12)
    assert number in sally.get(f"{here}/4100/A/ledger").text.replace("<wbr>", "")
    assert f"/admin/orders/{number}" in sally.get(f"{here}/4100/A/ledger").text
    row = sally.get(f"{OFFICE}/cost-centres?export=csv").text
    assert "4100/A" in row
    assert re.search(r"500(\.00)?.EUR.380(\.00)?.EUR", row), row
    assert "380.00" in sally.get(f"{OFFICE}/cost-centres").text
    assert f"{here}/4100/A" in sally.get(f"{OFFICE}/cost-centres").text
    assert "4100/A" in sally.get("/admin/companies/c/acme").text
    assert "switch it off instead" in sally.post(f"{here}/4100/A/remove", follow_redirects=True).text
    assert sally.post(f"{here}/4100/A/edit", data={"name": "Repairs", "owner": ""}).status_code == 303
    assert sally.post(f"{here}/4100/A/budget/off").status_code == 303
    db.session.expire_all()
    found = db.session.scalars(select(CostCentre)).one()
    assert (found.name, found.active, found.owner_id) == ("Repairs", False, None)
    assert not db.session.scalars(select(Budget)).one().active
    assert sally.get(f"{OFFICE}/companies/rival/cost-centres/4100/A").status_code == 404
    assert sally.get(f"{OFFICE}/companies/nobody/cost-centres").status_code == 404


def test_only_who_sets_limits_sees_them(world):
    factories.make_staff("wolf@tukku.example", roles=["warehouse"])
    for email in ("wolf@tukku.example", "carl@acme.example"):
        browser = sign_in(world.app, email)
        for path in ("cost-centres", "companies/acme/cost-centres", "companies/acme/cost-centres/new"):
            assert browser.get(f"{OFFICE}/{path}").status_code in (302, 403, 404)


def test_the_list_of_all_narrows_by_what_is_left(world, count_statements):
    for code in ("A", "B", "C"):
        centre(world, code, "bo")
    budget(world, "100", "warn", "A")
    budget(world, "1000", "warn", "B", carry_over="all")
    with write() as session:
        session.add(CentreDefault(company_id=world.company_id, user_id=world.people["anna"], cost_centre_id=_id("A")))
    world.place(9)
    sally = sign_in(world.app, "sally@tukku.example")
    path = f"{OFFICE}/cost-centres"

    def shown(value: str) -> str:
        page = sally.get(f"{path}?approval_chain__standing={value}&export=csv").text
        return "".join(code for code in "ABC" if f"\n{code}," in page or f"\n{code};" in page)

    assert {value: shown(value) for value in ("none", "fits", "nearly", "over")} == {
        "none": "C", "fits": "B", "nearly": "A", "over": "",
    }  # fmt: skip
    with count_statements() as few:
        sally.get(path)
    for name in ("p", "q"):
        add_budget(name)
    sally.get(path)
    with count_statements() as two:
        assert sally.get(path).text.count(">X<") >= 2
    for name in ("r", "s", "t"):
        add_budget(name)
    sally.get(path)
    with count_statements(at_most=two.count):
        assert sally.get(path).text.count(">X<") >= 5
    assert two.count <= few.count + 10


def add_budget(name: str) -> None:
    """Give a new company a cost centre X with a budget by the year, which begins in April there."""
    other = factories.make_company(name)
    like = db.session.scalars(select(Budget)).first()
    with write() as session:
        made = CostCentre(company_id=other.id, code="X", name="X", created_at=like.created_at)
        session.add(made)
        session.flush()
        values = {"period": "year", "currency": "EUR", "mode": "warn", "starts": like.starts, "created_at": like.created_at}
        session.add(Budget(company_id=other.id, cost_centre_id=made.id, **values))
        set_value("approval_chain", "year_starts", 4, target=f"company:{name}")


def _id(code: str) -> int:
    return db.session.scalars(select(CostCentre.id).where(CostCentre.code == code)).one()


def test_each_company_counts_in_its_own_year(world):
    factories.make_company("other")
    with write():
        set_value("approval_chain", "year_starts", 4, target="company:acme")
        set_value("approval_chain", "zone", "Asia/Dubai", target="company:other")
    other = db.session.scalars(select(Company.id).where(Company.code == "other")).one()
    with world.app.test_request_context("/"):
        found = periods.calendars_of([world.company_id, other])
        assert found == {i: periods.calendar_of(i) for i in (world.company_id, other)}
    assert (found[world.company_id].year_starts, found[other].zone) == (4, "Asia/Dubai")
