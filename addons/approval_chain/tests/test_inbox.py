"""The inbox: its lists with counts, filters and exports, however much waits or is past; many decisions at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select

from addons.approval_chain import absences, bulk, deciding, inbox
from addons.approval_chain.bulk_models import Bulk
from addons.approval_chain.models import Approval, Decision, Version
from addons.approval_chain.tests.test_approval import BUYER, World
from addons.approval_chain.tests.test_cost_centres import centre, code_of
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.orders import queries
from core.orders.models import Hold, Order, OrderLine
from core.spec.errors import Forbidden, Invalid, NotFound
from core.testing.signin import sign_in

HERE = "/a/approval_chain"


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only, where Bo approves what is above 100."""
    found = World(app_with(addons=["approval_chain"]))
    found.rule(name="More than a hundred")
    return found


def bo(world: World) -> FlaskClient:
    """Return the approver's browser."""
    return sign_in(world.app, "bo@acme.example")


def more(number: str, count: int) -> list[str]:
    """Make orders like the one with ``number``, that wait as it does; return their numbers."""

    def like(row: Any, **values: Any) -> dict[str, Any]:
        return {c.key: getattr(row, c.key) for c in row.__table__.columns if c.key != "id"} | values

    order = db.session.scalars(select(Order).where(Order.number == number)).one()
    approval = db.session.scalars(select(Approval).where(Approval.order_id == order.id)).one()
    hold = db.session.scalars(select(Hold).where(Hold.order_id == order.id)).one()
    version = db.session.scalars(select(Version).where(Version.approval_id == approval.id)).one()
    lines = db.session.scalars(select(OrderLine).where(OrderLine.order_id == order.id)).all()
    ids = [10_000 + i for i in range(count)]
    rows: Iterable[tuple[Any, list[dict[str, Any]]]] = (
        (Order, [like(order, id=i, number=f"X-{i}", client_reference=f"x{i}") for i in ids]),
        (OrderLine, [like(line, order_id=i) for i in ids for line in lines]),
        (Approval, [like(approval, id=i, order_id=i) for i in ids]),
        (Hold, [like(hold, order_id=i) for i in ids]),
        (Version, [like(version, approval_id=i) for i in ids]),
    )
    with write() as session:
        for model, values in rows:
            session.execute(insert(model), values)
    return [f"X-{i}" for i in ids]


def counts(page: str) -> dict[str, int]:
    """Return the counts that stand at the tabs."""
    found = re.findall(r'href="[^"]*approvals/list/(\w+)"[^>]*>[^<]*<span class="tk-count[^>]*>(\d+)<', page)
    return {key: int(count) for key, count in found}


def test_lists_counts_and_what_narrows_them(world):
    centre(world, "4100", "bo")
    small, large = world.place(20), world.place(90)
    page = bo(world).get(f"{HERE}/approvals").text
    assert counts(page) == {"mine": 2, "all": 2, "ordered": 0}
    assert "More than a hundred" in page
    assert "1,100.00" in page, "the sum of what is listed"

    def shown(query: str, tab: str = "mine") -> set[str]:
        text = bo(world).get(f"{HERE}/approvals/list/{tab}?{query}").text
        return {number for number in (small, large) if f">{number}<" in text.replace("<wbr>", "")}

    rule = next(value for value, text in _choices(world) if text == "More than a hundred")
    assert shown("net=>%3D500") == {large}
    assert shown("q=" + small) == {small}
    assert shown("buyer=anna") == {small, large}
    assert shown("buyer=nobody") == set()
    assert shown("state=overdue") == set()
    assert shown("submitted=%3C2020-01-01") == set()
    assert shown("due=%3E2020-01-01") == {small, large}
    assert shown(f"approval_chain__why={rule}") == {small, large}
    assert shown("approval_chain__why=limit") == set()
    assert shown("approval_chain__cost_centre=4100") == {small, large}
    assert shown("approval_chain__cost_centre=other") == set()
    assert shown("", "ordered") == set()
    csv = bo(world).get(f"{HERE}/approvals/list/mine?sort=-net&export=csv").text
    assert csv.index(large) < csv.index(small)
    assert "More than a hundred" in csv
    assert bo(world).get(f"{HERE}/approvals/list/mine?export=xlsx").data.startswith(b"PK")
    assert bo(world).get(f"{HERE}/approvals/list/nothing").status_code == 404
    assert sign_in(world.app, "anna@acme.example").get(f"{HERE}/approvals/list/mine").status_code == 404
    anna = sign_in(world.app, "anna@acme.example").get(f"{HERE}/approvals").text
    assert (counts(anna), small in anna.replace("<wbr>", "")) == ({"ordered": 2}, True)
    world.decide("bo", small)
    assert counts(bo(world).get(f"{HERE}/approvals").text)["mine"] == 1
    assert small in bo(world).get(f"{HERE}/approvals/list/past?outcome=approved").text.replace("<wbr>", "")
    assert "Nothing matches" in bo(world).get(f"{HERE}/approvals/list/past?outcome=rejected").text


def _choices(world: World) -> list[tuple[str, object]]:
    with world.app.test_request_context("/"), acting(world.actor("bo")):
        return list(inbox._rules())


def test_in_somebodys_place_and_overdue(world, monkeypatch):
    number = world.place(20)
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        today = clock.today("UTC")
        absences.add(code_of(world, "bo"), code_of(world, "carl"), today - timedelta(days=1), today + timedelta(days=9), "")
    carl = sign_in(world.app, "carl@acme.example")
    assert counts(carl.get(f"{HERE}/approvals").text) == {"mine": 0, "instead": 1, "all": 1, "ordered": 0}
    assert number in carl.get(f"{HERE}/approvals/list/instead").text.replace("<wbr>", "")
    with write():
        db.session.scalars(select(Approval)).one().reminded = 1
    page = carl.get(f"{HERE}/approvals").text
    assert counts(page)["overdue"] == 1
    assert "Overdue" in carl.get(f"{HERE}/approvals/list/overdue").text


def test_the_home_page_says_what_waits(world, count_statements):
    asked = "Waits for your decision"
    assert asked not in bo(world).get("/").text  # nothing waits
    number = world.place(20)
    page = bo(world).get("/").text
    assert all(text in page for text in (asked, number, "Show the 1 order that waits"))
    assert asked not in sign_in(world.app, "anna@acme.example").get("/").text
    browser = bo(world)
    browser.get("/")
    with count_statements() as few:
        browser.get("/")
    more(number, 12)
    with count_statements(at_most=few.count):
        page = browser.get("/").text
    assert "Show all 13 orders that wait" in page
    assert len(re.findall(r'approvals/(?!list)[^"/]+"', page)) == 5  # the first of them


def test_statements_grow_neither_with_what_waits_nor_with_what_is_past(world, count_statements):
    done, number = world.place(21), world.place(20)
    world.decide("bo", done)
    browser = bo(world)
    paths = [f"{HERE}/approvals", f"{HERE}/approvals/list/past", f"{HERE}/approvals/list/mine?export=csv"]
    few = []
    for path in paths:
        browser.get(path)
        with count_statements() as found:
            assert browser.get(path).status_code == 200
        few.append(found.count)
    past = more_decisions(world, done, 1_000) + 1
    waits = more(number, 120)
    for path, most in zip(paths, few, strict=True):
        with count_statements(at_most=most):
            page = browser.get(path)
            assert page.status_code == 200
        if path.endswith("csv"):
            assert page.text.count("\n") == len(waits) + 2
    assert "50 of 121" in browser.get(paths[0]).text
    assert f"50 of {past:,}" in browser.get(paths[1]).text


def more_decisions(world: World, number: str, count: int) -> int:
    """Let Bo have decided ``count`` times in rounds that are over."""
    approval = db.session.scalars(select(Approval).where(Approval.order_id == queries.find(number).id)).one()
    row = {
        "approval_id": approval.id, "company_id": world.company_id, "user_id": world.people["bo"], "user_name": "Bo",
        "tier": 1, "outcome": "returned", "comment": "why", "digest": "d", "proposed": {}, "at": clock.now(),
        "through": "page", "for_name": "", "senior": False,
    }  # fmt: skip
    with write() as session:
        session.execute(insert(Decision), [{**row, "round": 1000 + i} for i in range(count)])
    return count


def test_many_at_once_have_an_outcome_each(world):
    first, second = world.place(30), world.place(31)
    browser = bo(world)
    page = browser.post(f"{HERE}/approvals/choose", data={"code": [first, second, "X-0"]}).text
    assert "Approve 2 orders" in page
    assert "610.00" in page
    assert "More than a hundred" in browser.get(f"{HERE}/approvals/{first}").text
    orders = re.search(r'name="orders" value="([^"]+)"', page)[1]
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        deciding.send_again(second, {1: Decimal(25)}, queries.find(second).digest)
    refused = browser.post(f"{HERE}/approvals/many", data={"orders": orders, "outcome": "rejected"})
    assert (refused.status_code, "Say why you reject" in refused.text) == (422, True)
    answer = browser.post(f"{HERE}/approvals/many", data={"orders": orders, "outcome": "approved"})
    assert answer.status_code == 303
    told = browser.get(answer.location).text
    assert "The order is approved." in told
    assert "The order has changed since you looked" in told
    assert (world.state(first), world.state(second)) == ("confirmed", "submitted")
    assert sign_in(world.app, "carl@acme.example").get(answer.location).status_code == 404
    assert browser.post(f"{HERE}/approvals/choose", data={"code": first}).status_code == 303


def test_all_that_a_list_shows_are_decided_on_by_a_job(world):
    number = world.place(20)
    large = world.place(99)
    numbers = [number, *more(number, bulk.AT_ONCE + 5)]
    browser = bo(world)
    page = browser.get(f"{HERE}/approvals/list/mine/choose?net=%3C500").text
    assert f"Approve {len(numbers)} orders" in page
    assert f">{large}<" not in page.replace("<wbr>", "")
    orders = re.search(r'name="orders" value="([^"]+)"', page)[1]
    answer = browser.post(f"{HERE}/approvals/many", data={"orders": orders, "outcome": "rejected", "comment": "No money"})
    waits = browser.get(answer.location, headers={"HX-Request": "true"}).text
    assert f"0 of {len(numbers)}" in waits
    job = db.session.scalars(select(Job).where(Job.name == "approval_chain.decide_many")).one()
    with world.app.app_context(), acting(system("jobs")):
        bulk.work(job.payload)
        bulk.work(job.payload)  # a job may run twice
    assert f"{len(numbers)} orders are decided on" in browser.get(answer.location).text
    assert {world.state(n) for n in numbers} == {"rejected"}
    assert world.state(large) == "submitted"
    assert db.session.scalar(select(func.count()).select_from(Decision)) == len(numbers)


def test_what_many_at_once_refuses(world):
    number = world.place(20)
    seen = [(number, queries.find(number).digest)]
    with world.app.test_request_context("/"), acting(world.actor("bo")):
        for outcome, comment, orders in (("maybe", "", seen), ("approved", "", []), ("rejected", " ", seen)):
            with pytest.raises(Invalid):
                bulk.start(outcome, comment, orders)
        with pytest.raises(Invalid, match="at most"):
            bulk.start("approved", "", seen * (bulk.MOST + 1))
        with pytest.raises(NotFound):
            bulk.find("none")
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        assert bulk.start("approved", "", seen).results[0][1:] == [
            "You are not among those who decide on this order now.", "refused",
        ]  # fmt: skip
    assert world.state(number) == "submitted"
    rita = sign_in(world.app, "rita@rival.example")
    answer = rita.post(f"{HERE}/approvals/many", data={"orders": " ".join(seen[0]), "outcome": "approved"})
    assert answer.status_code in (303, 422)
    assert world.state(number) == "submitted"
    assert not any(row.orders for row in db.session.scalars(select(Bulk).where(Bulk.company_id != world.company_id)))


def test_who_acts_for_somebody_decides_nothing(world):
    number = world.place(20)
    actor = world.actor("bo")
    staff = type(actor)(99, "staff", actor.scope, actor.company_id, actor.user_id, actor.permissions)
    with world.app.test_request_context("/"), acting(staff), pytest.raises(Forbidden):
        bulk.start("approved", "", [(number, queries.find(number).digest)])
