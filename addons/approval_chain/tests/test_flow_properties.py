"""No order waits for nobody: whoever is away, stands in for whom, leads whom, or was passed over."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from addons.approval_chain import absences, managers
from addons.approval_chain.engine import SELLER, Company, Plan, Policy, Requirement, Tier, evaluate
from addons.approval_chain.flow import Flow
from addons.approval_chain.tests.test_properties import companies, ids

by_manager = st.builds(Tier, st.integers(1, 3), roles=st.just((managers.MANAGER,)))
away_people = st.dictionaries(ids, ids | st.just(""), max_size=6)


@given(companies, by_manager, ids, ids, away_people, st.booleans(), st.integers(0, 3000).map(Decimal))
@settings(max_examples=200, deadline=None)
def test_an_approval_reaches_its_end_whoever_is_away(company, tier, requester, manager, away, late, total) -> None:
    rules = tuple(replace(rule, tiers=(*rule.tiers, tier)) for rule in company.rules)
    company = managers.with_manager(replace(company, rules=rules), requester, manager)
    flow = _flow(company, requester, total)
    acts = 0
    while flow.state == "waiting":
        flow.substitutes = absences.substitutes(flow.plan, away, company, total)
        gone = absences.nobody_there(flow, away)
        flow.seniors = absences.seniors(flow, company, total) if late or gone else ()
        able = flow.eligible()
        assert able
        assert requester not in able
        there = [person for person in able if person not in away]
        assert there or company.people, "somebody is there, or it is passed on to the seller"
        if gone:
            assert flow.seniors
        for others in flow.substitutes.values():
            assert all(company.person(other).may_approve and other not in away for other in others)
        made = flow.decide((there or able)[-1], "approved")
        assert made is not None
        acts += 1
        assert acts <= 40
    assert flow.state == "approved"


@given(companies, ids, st.integers(0, 3000).map(Decimal))
@settings(max_examples=50, deadline=None)
def test_whoever_gets_it_passed_on_ends_its_turn_alone(company, requester, total) -> None:
    flow = _flow(company, requester, total)
    while flow.state == "waiting":
        tier = flow.tier
        flow.seniors = absences.seniors(flow, company, total)
        assert set(flow.seniors) - {SELLER} <= {p.id for p in company.people if p.may_approve}
        flow.decide(flow.seniors[0], "approved")
        assert flow.tier is None or flow.tier > (tier or 0)


def _flow(company: Company, requester: str, total: Decimal) -> Flow:
    return Flow(requester, evaluate({"total": total}, requester, company), company.policy)


def test_the_seller_who_is_asked_and_gets_it_passed_on_acts_once() -> None:
    flow = Flow("1", Plan((Requirement(1, ("2",), 1, "a"), Requirement(1, (SELLER,), 1, "b"))), Policy(once=False))
    flow.seniors = (SELLER,)
    flow.decide(SELLER, "approved")
    assert flow.state == "approved"
