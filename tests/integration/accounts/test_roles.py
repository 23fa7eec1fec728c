"""From roles to permissions: visitors by the deployment's switches, administrators, and what is lent to staff."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.accounts import attempts, roles, sessions, users
from core.accounts.commands import users_group
from core.accounts.models import Attempt, LoginSession
from core.data import clock
from core.data.db import db


@pytest.mark.parametrize(
    ("on", "permission"),
    [
        ("guest_sees_products", "catalog.product.view"),
        ("guest_sees_prices", "pricing.price.view"),
        ("guest_may_order", "orders.cart.use"),
    ],
)
def test_each_switch_lets_visitors_do_one_thing(app, monkeypatch, on, permission):
    for key in roles.GUEST_SWITCHES:
        monkeypatch.setenv(f"TUKKU_ACCOUNTS__{key.upper()}", "1" if key == on else "0")
    assert permission in roles.guest_permissions()
    monkeypatch.setenv(f"TUKKU_ACCOUNTS__{on.upper()}", "0")
    assert permission not in roles.guest_permissions()


def test_visitors_never_reach_the_office_or_an_account(app):
    assert not [name for name in roles.guest_permissions() if name.startswith(("accounts.", "companies."))]


def test_administrators_hold_what_any_staff_holds(app):
    assert roles.permissions_of(["sales", "finance", "warehouse"]) <= roles.permissions_of(["admin"])
    assert "companies.member.edit" not in roles.permissions_of(["admin"]), "buyers' rights are not the merchant's"


def test_people_and_decisions_are_not_lent(app):
    lent = roles.acting_permissions(["company_admin", "orderer", "approver"])
    assert "orders.cart.use" in lent
    assert not [name for name in lent if name.startswith(("accounts.", "companies.member", "companies.invitation"))]
    assert not [name for name in lent if name.endswith((".approve", ".decide", ".release"))]


def test_staff_keep_what_is_declared_so_while_they_act(app):
    assert "orders.price.set" not in roles.acting_permissions(["orderer"], ["warehouse"])
    lent = roles.acting_permissions(["orderer"], ["sales"])
    assert "orders.price.set" in lent
    assert not lent & {"orders.desk.view", "orders.order.confirm", "orders.price.below_floor"}
    assert "orders.price.below_floor" in roles.acting_permissions(["orderer"], ["admin"])


def test_commands_make_the_first_administrator_and_stop_people(app, mails):
    runner = app.test_cli_runner()
    made = runner.invoke(users_group, ["create-staff", "First@tukku.example", "First Admin", "--role", "admin"])
    assert made.exit_code == 0, made.output
    assert "http://127.0.0.1:8000/password/new/" in made.output
    listed = json.loads(runner.invoke(users_group, ["list", "--json"]).output)
    assert {"first@tukku.example": ["admin"]}.items() <= {row["email"]: row["staff_roles"] for row in listed}.items()
    assert runner.invoke(users_group, ["disable", "anna@acme.example"]).exit_code == 0
    assert not users.find("anna@acme.example").active
    wrong = runner.invoke(users_group, ["enable", "nobody@acme.example"])
    assert (wrong.exit_code, "There is nobody with the address" in wrong.output) == (1, True)


def test_what_is_over_is_forgotten(app, login, client):
    login("anna@acme.example")
    client.post("/login", data={"email": "anna@acme.example", "password": "wrong password here"})
    with clock.frozen(clock.now() + timedelta(days=15)):
        sessions.prune()
        attempts.prune()
    assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 0
    assert db.session.scalar(select(func.count()).select_from(Attempt)) == 0
