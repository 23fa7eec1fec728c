"""Orders that go back, come again, wait too long, or are decided in somebody's place or by the link of a mail."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import (
    absences,
    clockwork,
    deciding,
    links,
    managers,
    notices,
    policies,
    rules,
    services,
    story,
    timing,
)
from addons.approval_chain.models import Approval, Decision, Link, Rule
from addons.approval_chain.tests.test_approval import BUYER, World
from addons.approval_chain.tests.test_budgets import budget
from addons.approval_chain.tests.test_cost_centres import centre
from core.accounts.models import User
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting
from core.data.write import write
from core.i18n import speaking
from core.notifications.models import Notification
from core.orders import lifecycle, queries
from core.orders.pages import timeline
from core.settings.services import set_value
from core.spec.errors import Conflict, Forbidden, Invalid
from core.testing import factories
from core.testing.rivals import rival
from core.testing.signin import sign_in


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    found = World(app_with(addons=["approval_chain"]))
    found.rule()
    factories.make_product("B-1", price="20.00")
    return found


def again(world: World, number: str, quantities: dict[int, int], **values: object) -> str:
    """Change the order as Anna and ask again; return the flow's state."""
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        asked = {p: Decimal(q) for p, q in quantities.items()}
        return deciding.send_again(number, asked, str(values.get("digest") or queries.find(number).digest)).state


def say(world: World, name: str, number: str, outcome: str, proposed: dict[int, Decimal] | None = None) -> str:
    """Decide as a person, with a comment."""
    with world.app.test_request_context("/"), acting(world.actor(name)):
        said = deciding.Said(outcome, queries.find(number).digest, "because", proposed)
        return deciding.decide(number, said).state


def approval(number: str) -> Approval:
    """Return the approval as the database has it."""
    db.session.expire_all()
    return db.session.scalars(select(Approval).where(Approval.order_id == queries.find(number).id)).one()


def test_a_proposal_that_is_accepted_is_an_approval_of_exactly_that(world):
    number = world.place(30)
    with pytest.raises(Invalid, match="less than what was ordered"):
        say(world, "bo", number, "returned", {1: Decimal(40)})
    assert say(world, "bo", number, "returned", {1: Decimal(12)}) == "returned"
    notices.tell_of_decision(
        {"number": number, "decision_id": db.session.scalars(select(Decision.id)).one()}
    )  # who ordered hears of it
    assert db.session.get_one(User, world.people["anna"]).unread == 1
    with pytest.raises(Conflict):  # it waits for Anna now
        say(world, "bo", number, "approved")
    with pytest.raises(Forbidden), world.app.test_request_context("/"), acting(world.actor("carl", BUYER)):
        deciding.send_again(number, {}, queries.find(number).digest)
    buyer = sign_in(world.app, "anna@acme.example")
    page = buyer.get(f"/a/approval_chain/my-orders/{number}").text
    assert 'value="12"' in page
    digest = queries.find(number).digest
    shown = buyer.post(f"/a/approval_chain/my-orders/{number}", data={"digest": digest, "quantity-1": "12"}).text
    total = re.search(r'name="total" value="([\d.]+)"', shown)
    assert total
    sent = {"digest": digest, "quantity-1": "12", "total": "a lot"}
    assert buyer.post(f"/a/approval_chain/my-orders/{number}", data=sent).status_code == 422
    sent = {"digest": digest, "quantity-1": "12", "total": total[1]}
    assert buyer.post(f"/a/approval_chain/my-orders/{number}", data=sent).status_code == 303
    assert world.state(number) == "confirmed"
    order = queries.find(number)
    assert (order.net, queries.lines_of(order.id)[0].quantity) == (Decimal(120), Decimal(12))
    assert buyer.get(f"/a/approval_chain/approvals/{number}/history.pdf").data.startswith(b"%PDF")


def test_less_keeps_approvals_and_more_asks_again(world):
    world.rule("50", who="company_admin", tier=2)
    number = world.place(30)
    assert say(world, "bo", number, "approved") == "waiting"
    seen = queries.find(number).digest
    assert again(world, number, {1: 20}) == "waiting"
    with world.app.test_request_context("/"), acting(world.actor("carl")), pytest.raises(Conflict) as stale:
        deciding.decide(number, deciding.Said("approved", seen))
    assert any("became" in change for change in stale.value.details["changes"])
    assert services.pending(number).flow.tier == 2  # Bo's approval holds for less
    assert again(world, number, {1: 40}) == "waiting"
    assert services.pending(number).flow.tier == 1  # and not for more than he saw
    assert again(world, number, {1: 5}) == "approved"  # 50 is above no limit: nobody is asked any more
    assert world.state(number) == "confirmed"


def test_time_reminds_passes_on_and_gives_back(world, monkeypatch):
    number = world.place(30)
    asked = approval(number)
    assert asked.remind_at
    assert asked.escalate_at
    ended = asked.expires_at
    assert asked.remind_at < asked.escalate_at < asked.expires_at
    for at, what in ((asked.remind_at, "reminded"), (asked.escalate_at, "escalated"), (asked.expires_at, "expired")):
        monkeypatch.setattr(clock, "now", lambda at=at: at + timedelta(seconds=1))
        clockwork.run({})
        notices.tell_of_time({"number": number, "what": what, "count": 1})
        if what == "escalated":
            with world.app.test_request_context("/"):
                assert str(world.people["carl"]) in services.pending(number).flow.eligible()
    assert approval(number).state == "returned"
    assert db.session.get_one(User, world.people["anna"]).unread == 3  # who ordered heard of all of it
    assert [db.session.get_one(User, world.people[name]).unread for name in ("bo", "carl")] == [2, 1]
    assert again(world, number, {}) == "waiting"
    assert approval(number).expires_at > ended
    with world.app.test_request_context("/"):
        told = [event["text"] for event in story.of(services.pending(number))]
    assert told == ["Reminded", "Passed on to the administrators above", "Nobody decided in time", "Asked again"]
    page = sign_in(world.app, "anna@acme.example").get(f"/a/approval_chain/my-orders/{number}").text
    assert "Passed on to the administrators above" in page


def test_working_hours_know_weekends_closed_days_and_the_clocks():
    calendar = timing.Calendar("Europe/Helsinki", frozenset({"12-25"}), 8, 16)
    friday = datetime(2026, 3, 27, 13, 0, tzinfo=UTC)  # 15:00; the clocks change on Sunday
    assert timing.later(friday, 2, calendar) == datetime(2026, 3, 30, 6, 0, tzinfo=UTC)  # Monday 9:00, summer time
    assert timing.later(datetime(2026, 12, 24, 14, 30, tzinfo=UTC), 1, calendar) == datetime(2026, 12, 28, 7, 0, tzinfo=UTC)


def test_working_hours_are_those_of_the_company(world):
    with write():
        for key, value in (("zone", "Asia/Dubai"), ("weekend", "fri_sat"), ("closed_days", "")):
            set_value("approval_chain", key, value, target="company:acme")
    thursday = datetime(2026, 3, 26, 11, 0, tzinfo=UTC)  # 15:00 in Dubai
    found = timing.deadlines(world.company_id, thursday)
    assert found.remind_at == datetime(2026, 3, 29, 11, 0, tzinfo=UTC)  # Sunday 15:00 there


def test_substitutes_decide_up_to_the_lower_limit(world):
    factories.make_user("dora@acme.example", company=db.session.get_one(Company, world.company_id), roles=["approver"])
    world.people["dora"] = db.session.scalars(select(User.id).where(User.email == "dora@acme.example")).one()
    codes = {n: db.session.get_one(User, i).code for n, i in world.people.items()}
    number = world.place(30)
    with write():
        db.session.scalars(select(Rule)).one().steps = [
            {"above": "", "roles": [], "people": [world.people["bo"]], "need": 1, "tier": 1}
        ]
    day = factories.today()
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        for other, problem in (("bo", "themselves"), ("anna", "may approve")):
            with pytest.raises(Invalid, match=problem):
                absences.add(codes["bo"], codes[other], day, day + timedelta(days=3), "")
        absences.add(codes["bo"], codes["dora"], day - timedelta(days=1), day + timedelta(days=3), "Holiday")
        with pytest.raises(Invalid, match="away in these days"):
            absences.add(codes["dora"], codes["bo"], day, day, "")
    with pytest.raises(Forbidden):
        say(world, "carl", number, "approved")
    assert say(world, "dora", number, "approved") == "approved"
    made = db.session.scalars(select(Decision)).one()
    assert (made.user_id, made.for_id) == (world.people["dora"], world.people["bo"])
    second = world.place(30)
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        rules.set_limit({"whose": f"@{codes['dora']}", "order_limit": None, "approve_limit": Decimal(100)})
    with pytest.raises(Forbidden):  # above the substitute's own limit
        say(world, "dora", second, "approved")
    assert say(world, "carl", second, "approved") == "approved"  # all who were asked are away: passed on at once


def test_managers_lead_in_no_circle():
    managers.refuse_circle({2: 3}, 1, 2)
    with pytest.raises(Invalid, match="circle"):
        managers.refuse_circle({2: 3, 3: 1}, 1, 2)


def test_the_page_of_a_link_has_no_menu_of_its_person_and_says_what_a_budget_lacks(world):
    """Whoever holds the link is not signed in: what leads elsewhere would only ask them to."""
    centre(world, "A", "bo")
    budget(world, "100", "require")
    number = world.place(30)
    with world.app.test_request_context("/"), write():
        secret = links.issue(services.pending(number), world.people["bo"])
    page = world.app.test_client().get(f"/a/approval_chain/decide/{secret}").text
    assert "the order takes 300.00\xa0€, and 100.00\xa0€ of 100.00\xa0€ are left" in page
    for place in ("/cart", "/orders", "/a/approval_chain/approvals"):
        assert f'href="{place}"' not in page, place
    assert world.decide("bo", number, "rejected", "No") == "rejected"
    assert "On hold" not in sign_in(world.app, "anna@acme.example").get(f"/orders/{number}").text


def test_a_link_of_a_mail_shows_and_a_button_decides_once(world):
    number = world.place(30)
    with world.app.test_request_context("/"), write():
        secrets = [links.issue(services.pending(number), world.people[name]) for name in ("bo", "bo", "carl")]
    visitor = world.app.test_client()
    page = visitor.get(f"/a/approval_chain/decide/{secrets[0]}")
    assert number in page.text
    assert "A-1" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert visitor.head(f"/a/approval_chain/decide/{secrets[0]}").status_code == 200
    assert world.state(number) == "submitted"
    assert visitor.post(f"/a/approval_chain/decide/{secrets[0]}", data={"outcome": "rejected"}).status_code == 422
    assert visitor.post(f"/a/approval_chain/decide/{secrets[2]}", data={"outcome": "approved"}).status_code == 403
    assert again(world, number, {1: 20}) == "waiting"
    old = visitor.get(f"/a/approval_chain/decide/{secrets[0]}").text
    assert "has changed" in old
    assert "A-1" not in old, "the link was for another version"
    assert "A-1" not in visitor.get(f"/a/approval_chain/decide/{secrets[2]}").text, "its person does not decide"
    assert visitor.post(f"/a/approval_chain/decide/{secrets[0]}", data={"outcome": "approved"}).status_code == 409
    with world.app.test_request_context("/"):
        notices.tell(number)
        text = db.session.scalars(select(Notification.text).where(Notification.user_id == world.people["bo"])).one()
    secret = re.search(r"/decide/(\S+)", text)
    assert secret
    address = f"/a/approval_chain/decide/{secret[1]}"
    assert visitor.post(address, data={"outcome": "approved"}).status_code == 200
    assert world.state(number) == "confirmed"
    assert visitor.get(address).status_code == 404  # used
    assert db.session.scalars(select(Decision.through)).one() == "mail"
    with write():
        db.session.execute(db.update(Link).values(expires_at=clock.now() - timedelta(days=30)))
    assert visitor.post(f"/a/approval_chain/decide/{secrets[1]}", data={"outcome": "approved"}).status_code == 404


def test_what_is_typed_is_read_once_and_kept_whole(world):
    number = world.place(30)
    bo = sign_in(world.app, "bo@acme.example")
    bo.post("/language", data={"locale": "fi", "next": "/"})
    digest = queries.find(number).digest
    sent = {"outcome": "returned", "comment": "vähemmän", "digest": digest, "quantity-1": "1.000"}
    page = bo.post(f"/a/approval_chain/approvals/{number}", data=sent)
    assert page.status_code == 422, "one, or a thousand: nobody guesses"
    assert world.state(number) == "submitted"
    with pytest.raises(Invalid, match="at most 2000"):
        world.decide("bo", number, "rejected", "x" * 2001)


def test_pages_of_absences(world):
    bo, carl = (sign_in(world.app, f"{name}@acme.example") for name in ("bo", "carl"))
    codes = {n: db.session.get_one(User, i).code for n, i in world.people.items()}
    assert "Nobody is away" in bo.get("/a/approval_chain/absences").text
    sent = {"person": codes["bo"], "since": "2030-01-02", "until": "2030-01-01", "substitute": codes["carl"]}
    assert "before the first" in bo.post("/a/approval_chain/absences", data=sent).text
    assert bo.post("/a/approval_chain/absences", data={**sent, "until": "2030-01-09"}).status_code == 303
    assert bo.post(f"/a/approval_chain/managers/{codes['anna']}", data={"manager": codes["bo"]}).status_code == 403
    assert carl.post(f"/a/approval_chain/managers/{codes['anna']}", data={"manager": codes["bo"]}).status_code == 303
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        row = absences.of_company()[0][0]
        assert (row.since, managers.managers()) == (date(2030, 1, 2), {world.people["anna"]: world.people["bo"]})
    assert bo.post(f"/a/approval_chain/absences/{row.id}/remove").status_code == 303


def test_the_manager_of_whoever_orders_decides(world):
    codes = {n: db.session.get_one(User, i).code for n, i in world.people.items()}
    with write():
        rule = db.session.scalar(select(Rule))
        rule.steps = [{**rule.steps[0], "roles": ["manager"]}]
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        managers.set_manager(codes["anna"], codes["bo"])
    number = world.place(30)
    with world.app.test_request_context("/"):
        assert services.pending(number).flow.eligible() == [str(world.people["bo"])]
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        managers.set_manager(codes["anna"], "")
    assert say(world, "carl", number, "approved") == "approved"  # nobody leads Anna: her company's administrator


def test_where_nobody_may_decide_the_seller_hears_of_it(world):
    sales_id = factories.make_staff("sally@tukku.example", roles=["sales"]).id
    with write():
        for name in ("bo", "carl"):
            db.session.get_one(User, world.people[name]).active = False
    number = world.place(30)
    for _twice in range(2):
        notices.tell_approvers({"owner": "approval_chain", "number": number})
    assert db.session.get_one(User, sales_id).unread == 1
    with world.app.test_request_context("/"):
        lifecycle.cancel(number)
        clockwork.close({"number": number})
    assert approval(number).state == "withdrawn"


def test_two_decisions_at_once_and_one_that_comes_too_late(world, monkeypatch):
    with write():
        db.session.scalars(select(Rule)).one().steps = [
            {"above": "", "roles": ["company_admin"], "people": [], "need": 1, "tier": 1}
        ]
    company = db.session.get_one(Company, world.company_id)
    world.people["dora"] = factories.make_user("dora@acme.example", company=company, roles=["company_admin"]).id
    number, start, said = world.place(30), threading.Barrier(2), []

    def work(name: str, outcome: str) -> None:
        start.wait(timeout=10)
        try:
            said.append(say(world, name, number, outcome))
        except Conflict as error:
            said.append(error.code)

    threads = [threading.Thread(target=work, args=pair) for pair in (("carl", "approved"), ("dora", "rejected"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    db.session.rollback()
    assert sorted(said) in (["APPROVAL-DECIDED", "approved"], ["APPROVAL-DECIDED", "rejected"])
    assert len(db.session.scalars(select(Decision)).all()) == 1
    late = world.place(30)
    ends = approval(late).expires_at
    monkeypatch.setattr(clock, "now", lambda: ends + timedelta(hours=1))
    with pytest.raises(Conflict):  # though the job has not been there yet
        say(world, "carl", late, "approved")
    clockwork.run({})
    with pytest.raises(Conflict):
        say(world, "carl", late, "approved")
    assert approval(late).state == "returned"


def test_an_edit_between_looking_and_deciding_never_slips_through(world):
    """Who ordered makes the order larger in the moment in which it is approved: one of the two is refused."""
    number = world.place(20)
    seen, start, said = queries.find(number).digest, threading.Barrier(2), []

    def tell(work: Callable[[], str]) -> None:
        start.wait(timeout=10)
        try:
            said.append(work())
        except Conflict as error:
            said.append(error.code)

    works = (
        lambda: world.decide("bo", number, digest=seen),
        lambda: again(world, number, {1: 40}, digest=seen),
    )
    threads = [threading.Thread(target=tell, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    db.session.rollback()
    quantity = queries.lines_of(queries.find(number).id)[0].quantity
    assert (sorted(said), quantity, world.state(number)) in (
        (["APPROVAL-DECIDED", "approved"], 20, "confirmed"),
        (["APPROVAL-STALE", "waiting"], 40, "submitted"),
    )


def test_the_seller_releases_what_a_disabled_addon_left(world):
    number = world.place(30)
    staff = Actor(None, "sally", Scope("merchant"), permissions=frozenset({"orders.hold.force_release"}))
    with world.app.test_request_context("/"), acting(staff):
        hold = queries.holds_of(queries.find(number).id)[0]
        with pytest.raises(Invalid, match="reason"):
            lifecycle.release(number, hold.id, "")
        lifecycle.release(number, hold.id, "The addon is off; agreed by phone")
    clockwork.close({"number": number})
    assert (world.state(number), approval(number).state) == ("confirmed", "released")


@pytest.mark.database("postgres")
def test_a_decision_by_mail_and_new_references_at_once_do_not_wait_for_each_other(world):
    """Both lock the company first: who decided by mail locked the link before, which new references change."""
    number = world.place(20)
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        values = {"selection": "all", "otherwise": "nobody", "fallback": "company_admin", "allow_self": False, "once": False}
        policies.save_policy({**values, "all_see": True, "references_free": True, "voluntary": True})
    with world.app.test_request_context("/"), acting(world.actor("bo")), write():
        secret = links.issue(services.pending(number), world.people["bo"])
    anna, visitor = sign_in(world.app, "anna@acme.example"), world.app.test_client()
    sent = {"po_number": "PO-7", "note": "", "digest": queries.find(number).digest}

    def decide():
        return visitor.post(f"/a/approval_chain/decide/{secret}", data={"outcome": "approved"}).status_code

    with rival(r"FROM companies_company[\s\S]*FOR UPDATE", decide) as others:
        assert anna.post(f"/a/approval_chain/my-orders/{number}/references", data=sent).status_code == 303
    assert others[0] < 400
    assert world.state(number) == "confirmed"


def test_references_that_the_policy_leaves_free_change_while_an_order_waits(world):
    world.rule(who="company_admin", tier=2)
    number = world.place(20)
    with world.app.test_request_context("/"), acting(world.actor("bo")), write():
        secret = links.issue(services.pending(number), world.people["bo"])
    anna = sign_in(world.app, "anna@acme.example")
    page = f"/a/approval_chain/my-orders/{number}"
    digest = queries.find(number).digest
    sent = {"po_number": " PO-7 ", "note": "At the gate", "digest": digest}
    assert "Your references" not in anna.get(page).text
    assert anna.post(f"{page}/references", data=sent).status_code == 409
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        values = {"selection": "all", "otherwise": "nobody", "fallback": "company_admin", "allow_self": False, "once": False}
        policies.save_policy({**values, "all_see": True, "references_free": True, "voluntary": True})
    assert world.decide("bo", number) == "waiting"
    assert "Your references" in anna.get(page).text
    assert anna.post(f"{page}/references", data=sent).status_code == 303
    assert anna.post(f"{page}/references", data=sent).status_code == 409  # of an order that is another meanwhile
    db.session.expire_all()
    order = queries.find(number)
    now = order.digest
    assert (order.po_number, order.note, now != digest) == ("PO-7", "At the gate", True)
    with world.app.test_request_context("/"):
        flow = services.pending(number).flow
        assert (flow.tier, flow.eligible()) == (2, [str(world.people["carl"])])  # what Bo said holds
    assert sign_in(world.app, "carl@acme.example").post(f"{page}/references", data=sent).status_code == 404
    with links.opened(secret) as (link, _number):
        assert link.digest == now
    assert world.decide("carl", number) == "approved"
    assert anna.post(f"{page}/references", data={**sent, "digest": now}).status_code == 409


def test_staff_read_in_their_language_why_an_order_is_held(world, monkeypatch):
    usual = world.actor
    monkeypatch.setattr(world, "actor", lambda *who: replace(usual(*who), locale="tr"))
    number = world.place(20)
    (hold,) = queries.holds_of(queries.find(number).id)
    told = {}
    for locale in ("en", "fi", "pl", "tr"):
        with speaking(locale):
            events = [str(event.text) for event in timeline(queries.find(number), internal=True)]
            told[locale] = hold.told
            assert any(hold.told in event for event in events), events
    assert told["en"] == "Waits for approval by the company"
    assert len({*told.values()}) == 4


def test_the_audit_tells_what_the_addon_keeps_in_the_readers_language(world):
    number = world.place(30)
    world.decide("bo", number)
    staff = sign_in(world.app, factories.make_staff("sales@tukku.example", ["sales"]).email)
    page = staff.get(f"/admin/orders/{number}").text
    assert page.count(">Approved<") == 2  # the approval's own story, and what the audit keeps
    assert "pproval approved" not in page
