"""No approval waits for nobody, whatever the company looks like; a plan is the same however its people are ordered."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from addons.approval_chain.engine import Company, Condition, Person, Policy, Rule, Tier, evaluate
from addons.approval_chain.flow import Flow
from addons.approval_chain.plans import Plans
from addons.approval_chain.voluntary import Wish, with_wish

UNITS = ("shop", "country", "group")
ROLES = ("orderer", "approver", "company_admin")
amounts = st.none() | st.integers(0, 2000).map(Decimal)
ids = st.integers(1, 6).map(str)
people = st.lists(
    st.builds(Person, ids, st.frozensets(st.sampled_from(ROLES)), st.sampled_from(UNITS), amounts, amounts, st.booleans()),
    max_size=6,
    unique_by=lambda person: person.id,
).map(tuple)
tiers = st.builds(
    Tier,
    st.integers(1, 3),
    st.lists(ids, max_size=3).map(tuple),
    st.lists(st.sampled_from(ROLES), max_size=2).map(tuple),
    st.integers(0, 3),
)
rules = st.lists(
    st.builds(
        Rule,
        ids,
        st.lists(
            st.builds(Condition, st.just("total"), st.sampled_from([">", ">=", "<"]), st.integers(0, 900)), max_size=1
        ).map(tuple),
        st.sampled_from(["require", "require", "bypass"]),
        st.lists(tiers, min_size=1, max_size=2).map(tuple),
        unit=st.sampled_from(UNITS),
    ),
    max_size=4,
).map(tuple)
companies = st.builds(
    Company, people, rules, st.builds(Policy, st.booleans(), st.booleans(), st.booleans(), st.booleans()), st.just(UNITS)
)


@given(companies, ids, st.integers(0, 3000).map(Decimal))
@settings(max_examples=200, deadline=None)
def test_an_approval_always_reaches_its_end(company: Company, requester: str, total: Decimal) -> None:
    plan = evaluate({"total": total}, requester, company)
    flow = Flow(requester, plan, company.policy)
    acts = 0
    while flow.state == "waiting":
        able = flow.eligible()
        assert able, f"nobody may decide: {plan}"
        assert requester not in able
        flow.decide(able[0], "approved")
        acts += 1
        assert acts <= 30
    assert flow.state == "approved"


@given(companies, ids, st.none() | st.integers(1, 6), st.integers(0, 3000).map(Decimal))
@settings(max_examples=200, deadline=None)
def test_what_no_rule_requires_is_approved_by_somebody_else(
    company: Company, who: str, whom: int | None, total: Decimal
) -> None:
    asked = with_wish(company, Wish(whom, ""), who)
    plan = evaluate({"total": total}, who, asked)
    own_right = company.policy.allow_self and str(whom) == who
    assert plan.needed or own_right, "it is asked whatever the rules say"
    assert {*evaluate({"total": total}, who, company).requirements} <= {*plan.requirements}, "nothing else is asked less"
    flow = Flow(who, plan, company.policy)
    for _act in range(30):
        if flow.state != "waiting":
            break
        able = flow.eligible()
        assert able
        assert who not in able
        flow.decide(able[-1], "approved")
    assert flow.state == "approved"


@given(companies, ids, st.integers(0, 3000).map(Decimal))
@settings(max_examples=50, deadline=None)
def test_the_order_of_people_and_rules_does_not_matter(company: Company, requester: str, total: Decimal) -> None:
    turned = Company(company.people[::-1], company.rules[::-1], company.policy, company.units)
    found = [evaluate({"total": total}, requester, c).requirements for c in (company, turned)]
    plain = [sorted((r.tier, r.rule, sorted(r.people), r.need) for r in one) for one in found]
    assert plain[0] == plain[1]


@example(Company((), (), Policy(limits=True), ("shop",)), [("1", Decimal(0)), ("1", Decimal(1))])  # who has left
@given(companies, st.lists(st.tuples(ids, st.integers(0, 3000).map(Decimal)), min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_plans_of_many_orders_are_those_of_each(company: Company, orders: list[tuple[str, Decimal]]) -> None:
    plans = Plans()
    for requester, total in orders:
        figures = {"total": total, "lines": Decimal(1)}
        assert plans.of(figures, requester, company) == evaluate(figures, requester, company)
