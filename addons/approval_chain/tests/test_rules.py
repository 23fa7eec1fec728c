"""Rules as they are kept: conditions, bands, validity, roles of one's own, and the policy that chooses among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import facts, policies, services
from addons.approval_chain import rules as company_rules
from addons.approval_chain.loading import company_for
from addons.approval_chain.models import Approval, Group, Limit, Policy, Rule
from addons.approval_chain.spending import Asked
from core.data import clock
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.orders import cart
from core.orders.draft import stored_draft
from core.orders.merging import NewItem
from core.orders.queries import find, lines_of
from core.spec.errors import Invalid, NotFound
from core.testing import factories
from core.testing.signin import sign_in

from .test_approval import BUYER, World

NEW = "/a/approval_chain/approval-rules/new"
PLAIN = {"effect": "require", "priority": "0", "active": "y"}


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A shop with approvals only."""
    return World(app_with(addons=["approval_chain"]))


def step(
    who: str, above: str = "", tier: int = 1, need: int = 1, people: tuple[int, ...] = (), limited: bool = False
) -> dict[str, Any]:
    """Return a step of a rule."""
    roles = [who] if who else []
    return {"above": above, "roles": roles, "people": list(people), "need": need, "tier": tier, "limited": limited}


def when(fact: str, op: str, value: Any) -> dict[str, Any]:
    """Return a condition of a rule."""
    return {"fact": fact, "op": op, "value": value}


def asked(world: World, number: str) -> list[tuple[int, list[str]]]:
    """Return turn and names of those whom the order waits for."""
    names = {str(i): name for name, i in world.people.items()}
    with world.app.test_request_context("/"):
        plan = services.pending(number).flow.plan
    return [(r.tier, sorted(names[p] for p in r.people)) for r in plan.requirements]


def policy(world: World, **values: Any) -> None:
    """Set the company's policy."""
    with write() as session:
        session.add(Policy(**{"company_id": world.company_id, **values}))


def test_bands_ask_more_people_as_the_total_grows(world):
    world.rule("", steps=[step("approver", "50"), step("company_admin", "200", tier=2)])
    assert world.state(world.place(5)) == "confirmed"  # 50.00 is not above 50
    assert asked(world, world.place(6)) == [(1, ["bo"])]
    assert asked(world, world.place(21)) == [(1, ["bo"]), (2, ["carl"])]


def test_all_conditions_of_a_rule_must_hold(world):
    world.rule("100", conditions=[when("total", ">", "100"), when("lines", "<", "2"), when("country", "in", ["FI"])])
    world.rule("1", conditions=[when("country", "not_in", ["FI", "SE"])])
    world.rule("1", conditions=[when("sku", "in", ["B-2"])])
    world.rule("1", conditions=[when("nowhere.known", ">", "0")])
    assert asked(world, world.place(11)) == [(1, ["bo"])]
    assert world.state(world.place(10)) == "confirmed"


def test_rules_hold_from_and_until_a_day_and_can_be_switched_off(world):
    day = factories.today()
    world.rule("1", valid_from=day + timedelta(days=2))
    world.rule("1", valid_until=day - timedelta(days=2))
    world.rule("1", active=False)
    assert world.state(world.place(20)) == "confirmed"
    world.rule("1", valid_from=day - timedelta(days=2), valid_until=day + timedelta(days=2))
    assert world.state(world.place(20)) == "submitted"


def test_every_figure_says_what_the_order_is(world):
    world.rule("10000")
    first, second = world.place(3), world.place(4)
    with world.app.test_request_context("/"):
        drafts = [stored_draft(find(number), lines_of(find(number).id)) for number in (first, second)]
        found = facts.of_drafts(drafts, facts.specs())
    one = found[0]
    assert (one["total"], one["goods"], one["gross"], one["freight"]) == (30, 30, Decimal("37.65"), 0)
    assert (one["lines"], one["products"], one["quantity"], one["discount"]) == (1, 1, 3, 0)
    assert (one["sku"], one["ship_to"], one["country"], one["company"]) == ({"A-1"}, {"main"}, {"FI"}, {"acme"})
    assert [f["first"] for f in found] == [{"yes"}, {"no"}]
    assert one["dearer"] == 0  # bought before, at the same price
    assert one["new_products"] == 0
    assert one["category"] == {"goods"}


def test_statements_do_not_grow_with_rules_and_lines(world, count_statements):
    number = world.place(1)
    for i in range(3):
        world.rule(str(100 + i))
    with world.app.test_request_context("/"), count_statements() as few:
        services.plan_now(find(number), Approval())
    for i in range(60):
        world.rule(str(200 + i), conditions=[when("category", "in", ["x"]), when("lines", ">", str(i))])
    with world.app.test_request_context("/"), count_statements() as more:
        services.plan_now(find(number), Approval())
    assert more.count <= few.count + 1  # the categories are asked for now


def test_only_the_first_by_priority_counts(world):
    policy(world, selection="first")
    world.rule("10", who="approver", priority=1)
    world.rule("100", who="company_admin", priority=5)
    assert asked(world, world.place(5)) == [(1, ["bo"])]
    assert asked(world, world.place(11)) == [(1, ["carl"])]


def test_the_most_specific_rule_counts(world):
    policy(world, selection="most_specific")
    world.rule("10", who="approver")
    assert asked(world, world.place(5)) == [(1, ["bo"])]
    world.rule("10", steps=[step("approver"), step("company_admin", tier=2)], for_roles=["orderer"])
    assert asked(world, world.place(5)) == [(1, ["bo"]), (2, ["carl"])]
    world.rule("10", who="company_admin", for_people=[world.people["anna"]])
    assert asked(world, world.place(5)) == [(1, ["carl"])]


def test_the_highest_threshold_counts_and_those_above_it(world):
    policy(world, selection="highest")
    world.rule("10", who="approver")
    world.rule("100", steps=[step("", people=(world.people["carl"],))])
    assert asked(world, world.place(5)) == [(1, ["bo", "carl"])]
    assert asked(world, world.place(20)) == [(1, ["carl"])]
    assert world.state(world.place(1)) == "confirmed"


def test_where_no_rule_fits_the_policy_says_what_holds(world):
    world.rule("1000")
    policy(world, otherwise="ask", fallback_role="company_admin")
    assert asked(world, world.place(5)) == [(1, ["carl"])]
    with write():
        db.session.scalar(select(Policy)).otherwise = "deny"
    with pytest.raises(Invalid, match="does not allow"):
        world.place(1)


def test_parents_rules_count_beside_those_of_a_subsidiary_whatever_its_policy(world):
    with write() as session:
        group = factories.make_company("group")
        session.get_one(type(group), world.company_id).parent_id = group.id
        group_id = group.id
    world.people["hugo"] = factories.make_user(
        "hugo@group.example", company=db.session.get(type(group), group_id), roles=["company_admin"]
    ).id
    world.rule("50", steps=[step("", people=(world.people["hugo"],), tier=2)], company_id=group_id)
    world.rule("1", company_id=group_id, inherit=False)
    world.rule("10", who="approver", priority=9)
    assert asked(world, world.place(6)) == [(1, ["bo"]), (2, ["hugo"])]
    policy(world, company_id=group_id, selection="first")  # holds for both: one of all the rules counts
    assert asked(world, world.place(6)) == [(1, ["bo"])]
    policy(world, selection="first", allow_self=True)  # its own: the parent's rules are chosen by the parent's policy
    assert asked(world, world.place(6)) == [(1, ["bo"]), (2, ["hugo"])]
    with world.app.test_request_context("/"):
        assert not company_for(world.company_id, "EUR").policy.allow_self


def test_roles_of_a_companys_own(world):
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        code = db.session.scalar(select(policies.User.code).where(policies.User.id == world.people["bo"]))
        heads = policies.save_group("Heads", [code])
        with pytest.raises(Invalid, match="this name"):
            policies.save_group("Heads", [])
        heads_id, role = heads.id, heads.role
    world.rule("10", who=role)
    assert asked(world, world.place(5)) == [(1, ["bo"])]
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        assert "Heads" in company_rules.sentences()[0].text
        with pytest.raises(Invalid, match="name this role"):
            policies.remove_group(heads_id)
        company_rules.remove(Rule, db.session.scalar(select(Rule.id)))
        policies.remove_group(heads_id)
        with pytest.raises(NotFound):
            policies.remove_group(heads_id)


def test_pages_of_rules(world):
    admin = sign_in(world.app, "carl@acme.example")
    assert "No rule yet" in admin.get("/a/approval_chain/approval-rules").text
    sent = {
        **PLAIN, "name": "Tools", "inherit": "y", "valid_from": "2020-01-31", "valid_until": "2090-01-31", "priority": "3",
        "conditions-0-fact": "gross", "conditions-0-op": ">=", "conditions-0-value": "1,000.50",
        "conditions-1-fact": "country", "conditions-1-op": "in", "conditions-1-value": "fi, se",
        "steps-0-who": "approver", "steps-0-need": "2", "steps-0-tier": "1",
        "steps-1-who": "company_admin", "steps-1-need": "2", "steps-1-tier": "1",
        "steps-2-who": "company_admin", "steps-2-above": "5000", "steps-2-need": "0", "steps-2-tier": "2",
        "orderers": ["orderer"],
    }  # fmt: skip
    for field, value, said in (
        ("conditions-0-op", "in", "cannot be compared"),
        ("conditions-1-value", "Finland", "knows no"),
        ("conditions-1-value", "", "at least one"),
        ("conditions-0-fact", "", "what the value is about"),
        ("steps-2-who", "", "from this total on"),
        ("valid_until", "2019-01-01", "before the first"),
    ):
        answer = admin.post(NEW, data={**sent, field: value})
        assert answer.status_code == 422
        assert said in answer.text, (field, value)
    for few in ({"effect": "require"}, {"effect": "require", "orderers": "nobody"}):
        assert admin.post(NEW, data=few).status_code == 422
    assert admin.post(NEW, data=sent).status_code == 303
    rule = db.session.scalar(select(Rule))
    assert rule.conditions == [when("gross", ">=", "1000.50"), when("country", "in", ["FI", "SE"])]
    assert [(s["roles"], s["above"], s["need"], s["tier"]) for s in rule.steps] == [
        (["approver", "company_admin"], "", 2, 1),
        (["company_admin"], "5000", 0, 2),
    ]
    page = admin.get("/a/approval_chain/approval-rules").text
    assert "Total with tax at least 1,000.50\xa0€ and Country of delivery: FI, SE, ordered by: Orderer: 2 of them" in page
    assert "Total without tax above 5,000.00\xa0€" in page
    assert "Priority 3" in page
    assert "Until" in page
    own = f"/a/approval_chain/approval-rules/{rule.id}"
    shown = admin.get(own).text
    assert 'value="1,000.5"' in shown or 'value="1000.5"' in shown
    assert admin.post(own, data={**sent, "effect": "deny", "name": "Never", "active": ""}).status_code == 303
    db.session.expire_all()
    assert (rule.name, rule.effect, rule.steps, rule.active) == ("Never", "deny", [], False)
    assert "Switched off" in admin.get("/a/approval_chain/approval-rules").text
    assert sign_in(world.app, "rita@rival.example").get(own).status_code == 404
    assert sign_in(world.app, "anna@acme.example").get(own).status_code == 403


def test_pages_of_policy_and_roles(world):
    admin = sign_in(world.app, "carl@acme.example")
    assert "All rules that fit count" in admin.get("/a/approval_chain/approval-rules").text
    page = "/a/approval_chain/approval-policy"
    assert admin.get(page).status_code == 200
    assert admin.post(page, data={"selection": "some", "otherwise": "nobody", "fallback": "approver"}).status_code == 422
    sent = {"selection": "first", "otherwise": "ask", "fallback": "approver", "once": "y"}
    assert admin.post(page, data=sent).status_code == 303
    shown = admin.get("/a/approval_chain/approval-rules").text
    assert "largest priority" in shown
    assert "one of them approves: Approver" in shown
    assert admin.post(f"{page}/remove").status_code == 303
    assert db.session.scalar(select(Policy)) is None
    role = "/a/approval_chain/approval-roles/new"
    assert admin.post(role, data={"name": ""}).status_code == 422
    code = db.session.scalar(select(policies.User.code).where(policies.User.id == world.people["bo"]))
    assert admin.post(role, data={"name": "Heads", "people": [code]}).status_code == 303
    assert "this name" in admin.post(role, data={"name": "Heads"}).text
    shown = admin.get("/a/approval_chain/approval-rules").text
    assert "<strong>Heads</strong>: bo" in shown
    group = db.session.scalar(select(Group))
    assert "checked" in admin.get(f"/a/approval_chain/approval-roles/{group.id}").text
    limit = {"whose": group.role, "order_limit": "5", "approve_limit": "50"}
    assert admin.post("/a/approval_chain/approval-rules", data=limit).status_code == 303
    assert db.session.scalar(select(Limit.role)) == group.role
    assert "Heads: orders alone" in admin.get("/a/approval_chain/approval-rules").text
    admin.post(f"/a/approval_chain/approval-roles/{group.id}/remove")
    assert db.session.scalar(select(Group)) is not None
    assert sign_in(world.app, "rita@rival.example").post(f"/a/approval_chain/approval-roles/{group.id}").status_code == 404


def test_the_cart_says_what_would_make_an_approval_unnecessary(world):
    world.rule("", steps=[step("approver", "50"), step("company_admin", "200", tier=2)])
    buyer = sign_in(world.app, "anna@acme.example")
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        cart.add([NewItem("A-1", Decimal(30))])
    page = buyer.get("/cart").text
    assert "Up to 50.00\xa0€ no approval is needed." in page
    world.rule("", conditions=[when("total", ">=", "40")])
    assert "Below 40.00\xa0€ no approval is needed." in buyer.get("/cart").text
    world.rule("")
    assert "no approval is needed" not in buyer.get("/cart").text


def test_a_product_that_the_company_never_bought_asks(world):
    world.rule("", conditions=[when("new_products", ">", "0")])
    first = world.place(1)
    assert world.state(first) == "submitted"
    assert world.decide("bo", first) == "approved"
    assert world.state(world.place(1)) == "confirmed"


def test_a_rule_asks_how_soon_delivery_is_wished(world):
    """Counted from the day of the order, so that waiting does not bring anybody's turn."""
    world.rule("", conditions=[when("wished", "<", "3")])
    assert world.state(world.place(1)) == "confirmed"  # whenever it may be
    number = world.place(1)
    order, today = find(number), factories.today()
    with world.app.test_request_context("/"):
        for wished, placed, days in ((2, 0, 2), (3, 0, 3), (3, 2, 5), (None, 0, None)):
            day = today + timedelta(days=wished) if wished is not None else None
            with write() as session:
                session.get_one(type(order), order.id).submitted_at = clock.now() - timedelta(days=placed)
            draft = replace(stored_draft(order, lines_of(order.id)), wished_date=day)
            (figures,) = facts.of_drafts([draft], ["wished"])
            assert figures["wished"] == days
            plan = services.Trial(draft, Asked(world.people["anna"], world.company_id)).of([draft])[0].plan
            assert plan.needed is (days == 2)
