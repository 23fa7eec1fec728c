"""Messages about budgets: who answers for one and the administrators hear once a period and threshold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import budget_notices
from addons.approval_chain.tests.test_approval import World
from addons.approval_chain.tests.test_budgets import budget
from addons.approval_chain.tests.test_cost_centres import centre
from core.data.db import db
from core.data.write import write
from core.jobs.models import Job
from core.notifications.models import Notification
from core.orders import lifecycle
from core.settings.services import set_value
from core.settings.values import SettingInvalid
from core.testing.prices import hide_prices
from core.testing.signin import sign_in


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A company with a cost centre that Bo owns and a budget of 1,000 by the month."""
    found = World(app_with(addons=["approval_chain"]))
    centre(found, "A", "bo")
    budget(found, "1000", "warn")
    return found


def told(world: World) -> dict[str, list[str]]:
    """Carry out the jobs that wait, twice each, and return the subjects that people got, newest last."""
    names = {user_id: name for name, user_id in world.people.items()}
    with world.app.test_request_context("/"):
        for payload in db.session.scalars(select(Job.payload).where(Job.name.endswith("tell_of_budget"))).all():
            for _twice in range(2):
                budget_notices.tell(payload)
    found: dict[str, list[str]] = {}
    rows = select(Notification).where(Notification.kind == "approval_chain.budget").order_by(Notification.id)
    for row in db.session.scalars(rows):
        found.setdefault(names[row.user_id], []).append(row.subject.replace("\u202f", "").replace("\xa0", " "))
    return found


def test_each_threshold_is_told_of_once(world):
    world.place(70)
    assert told(world) == {}
    number = world.place(15)
    subject = "Budget of A · Centre A: 85 % used this month, 850.00 € of 1,000.00 €"
    assert told(world) == {"bo": [subject], "carl": [subject]}, "who answers for it and the administrator, not the buyer"
    world.place(1)
    assert len(told(world)["bo"]) == 1
    world.place(40)
    assert told(world)["bo"][1:] == ["Budget of A · Centre A: used up this month, 1,260.00 € of 1,000.00 €"]
    with world.app.test_request_context("/"):
        lifecycle.cancel(number)
    world.place(1)
    assert len(told(world)["bo"]) == 2, "what was said of more is not said again of less"


def test_one_leap_is_one_message_and_a_smaller_budget_counts(world):
    world.place(30)
    assert told(world) == {}
    budget(world, "200", "block")
    assert [len(subjects) for subjects in told(world).values()] == [1, 1]
    assert "used up" in told(world)["carl"][0]


def test_thresholds_are_set(world):
    with write():
        set_value("approval_chain", "budget_thresholds", "50", target="company:acme")
        with pytest.raises(SettingInvalid):
            set_value("approval_chain", "budget_thresholds", "most of it")
    world.place(51)
    assert list(told(world)) == ["bo", "carl"]
    with write():
        set_value("approval_chain", "budget_thresholds", "", target="company:acme")
    world.place(60)
    assert len(told(world)["bo"]) == 1


def test_who_may_not_see_prices_hears_of_no_budget_and_finds_none(world):
    client = sign_in(world.app, "carl@acme.example")
    assert client.get("/a/approval_chain/cost-centres").status_code == 200
    world.place(85)
    hide_prices(world.app)
    assert told(world) == {}
    assert client.get("/a/approval_chain/cost-centres").status_code == 403
    home = client.get("/").text
    assert "1,000.00" not in home
    assert "850.00" not in home
