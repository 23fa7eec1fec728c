"""Who joins and leaves a segment by its rule, what is remembered of it, and that hands go before rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from addons.segment_rules import checks, services
from addons.segment_rules.deciding import Step, Terms, step
from addons.segment_rules.figures import Bought
from addons.segment_rules.models import Move, Place, Rule
from core.companies.models import Company, CompanySegment, Segment
from core.companies.segments import set_segments
from core.data.clock import frozen
from core.data.db import db
from core.data.write import write
from core.jobs.models import Job
from core.orders.models import Movement, OrderLine
from core.pricing.currency import RateMissing
from core.pricing.models import CurrencyRate
from core.restapi import keys
from core.testing import factories
from core.testing.rivals import rival
from core.testing.signin import sign_in
from core.testing.sweeping import break_rows, swept

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
D = Decimal


@pytest.mark.parametrize(
    ("terms", "bought", "failed"),
    [
        (Terms(min_spend=D(100)), Bought(D(100)), ()),
        (Terms(min_spend=D(100)), Bought(D("99.99")), ("spend",)),
        (Terms(min_orders=2), Bought(D(1), 1), ("orders",)),
        (Terms(min_share=D(50)), Bought(D(100), 1, D(50)), ()),
        (Terms(min_share=D(50)), Bought(D(100), 1, D("49.99")), ("share",)),
        (Terms(min_share=D(0)), Bought(), ()),
        (Terms(countries=("FI", "SE")), Bought(), ()),
        (Terms(countries=("PL",)), Bought(), ("country",)),
        (Terms(min_spend=D(1), min_orders=1, countries=("PL",)), Bought(), ("spend", "orders", "country")),
    ],
)
def test_conditions(terms, bought, failed):
    assert terms.failed(bought, "FI") == failed


@pytest.mark.parametrize(
    ("fulfils", "inside", "until", "grace", "expected"),
    [
        (True, False, None, 0, Step.JOIN),
        (True, True, NOW, 0, Step.STAY),
        (False, False, None, 0, Step.OUT),
        (False, True, None, 0, Step.LEAVE),
        (False, True, None, 7, Step.WAIT),
        (False, True, NOW + DAY, 7, Step.WAIT),
        (False, True, NOW, 7, Step.LEAVE),
    ],
)
def test_steps(fulfils, inside, until, grace, expected):
    assert step(fulfils, inside, until, NOW, grace * DAY) is expected


@pytest.fixture
def shop(app_with):
    """A shop in euros with the segment gold, a company that bought for 600, its subsidiary for 500, and one in Poland."""
    app = app_with(addons=["segment_rules"])
    with frozen(NOW):
        parent = factories.make_company("acme")
        child = factories.make_company("acme-sub", parent=parent)
        other = factories.make_company("pol", country="PL")
        bolt, bearing = factories.make_product("B-1", category="bolts"), factories.make_product("L-1", category="bearings")
        factories.make_order(parent, [(bolt, 40), (bearing, 20)], number="1", state="confirmed")
        factories.make_order(child, [(bolt, 50)], number="2", state="completed")
        factories.make_order(other, [(bolt, 10)], number="3", state="confirmed")
        factories.make_order(other, [(bolt, 900)], number="4", state="cancelled")
        factories.make_order(other, [(bolt, 900)], number="5", state="submitted")
        factories.make_segment("gold")
    return app


def rule(**values):
    segment = db.session.scalar(select(Segment).where(Segment.code == "gold"))
    defaults = {
        "active": True, "window_days": 30, "grace_days": 0, "min_spend": None, "min_orders": None, "category_id": None,
        "min_share": None, "countries": (),
    }  # fmt: skip
    return services.save(segment, services.Wanted(**{**defaults, **values}))


def members():
    query = select(Company.code).join(CompanySegment, CompanySegment.company_id == Company.id)
    return sorted(db.session.scalars(query))


def moves():
    query = select(Company.code, Move.joined).join(Company, Company.id == Move.company_id).order_by(Move.id)
    return [tuple(row) for row in db.session.execute(query)]


def evaluate(at=NOW):
    with frozen(at):
        return services.evaluate()


def test_spend_counts_subsidiaries_with_their_parent(shop):
    rule(min_spend=D(1000))
    outcome = evaluate()[0]
    assert [(one.buyer.code, one.bought.spend) for one in outcome.joined] == [("acme", D(1100))]
    assert members() == ["acme"]
    figures = db.session.scalars(select(Move)).one().figures
    assert (figures["spend"], figures["orders"], figures["failed"]) == ("1100.0000", 2, [])
    assert evaluate()[0].joined == [], "a second run moves nobody"
    assert moves() == [("acme", True)]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"min_orders": 2}, ["acme"]),
        ({"min_orders": 1}, ["acme", "acme-sub", "pol"]),
        ({"countries": ("PL",)}, ["pol"]),
        ({"min_spend": D(100), "countries": ("FI",)}, ["acme", "acme-sub"]),
        ({"min_spend": D("100.01"), "countries": ("PL",)}, []),
    ],
)
def test_each_condition(shop, conditions, expected):
    rule(**conditions)
    evaluate()
    assert members() == expected


def test_the_share_of_a_category(shop):
    bearings = factories.make_category("bearings")
    rule(min_share=D("18.18"), category_id=bearings.id)
    evaluate()
    assert members() == ["acme"]  # 200 of 1,100
    rule(min_share=D("18.19"), category_id=bearings.id)
    evaluate()
    assert members() == []


def test_what_came_back_does_not_count(shop):
    rule(min_spend=D(1000))
    line = db.session.scalars(select(OrderLine).where(OrderLine.quantity == 50)).one()
    with write() as session:
        session.add(Movement(kind="returned", line_id=line.id, company_id=line.company_id, quantity=D(11), at=NOW))
    assert evaluate()[0].joined == []


def test_other_currencies_count_at_their_rate(shop):
    rule(min_spend=D(20), countries=("SE",))
    with frozen(NOW):
        company = factories.make_company("swe", country="SE", currency="SEK")
        product = factories.make_product("S-1", currency="SEK", price="100")
        factories.make_order(company, [(product, 20)], number="9", state="confirmed", currency="SEK")
    with pytest.raises(RateMissing, match="SEK"):
        evaluate()
    with write() as session:
        session.add(CurrencyRate(source="SEK", target="EUR", day=NOW.date(), rate=D("0.1")))
    evaluate()
    assert members() == ["swe"]


def test_a_company_leaves_at_once_or_after_the_grace(shop):
    rule(min_orders=1, countries=("PL",), window_days=10)
    evaluate()
    assert members() == ["pol"]
    evaluate(NOW + 11 * DAY)
    assert (members(), moves()) == ([], [("pol", True), ("pol", False)])
    left = db.session.scalars(select(Move).where(Move.joined.is_(False))).one()
    assert left.figures["failed"] == ["orders"]


def test_grace_is_given_once_and_ends_when_the_rule_is_fulfilled_again(shop):
    rule(min_orders=1, countries=("PL",), window_days=10, grace_days=5)
    evaluate()
    for days, inside in ((11, True), (13, True), (16, False)):
        evaluate(NOW + days * DAY)
        assert (members() == ["pol"]) is inside, days
    rule(min_orders=1, countries=("PL",), window_days=300, grace_days=5)
    evaluate(NOW + 17 * DAY)
    rule(min_orders=5, countries=("PL",), window_days=300, grace_days=5)
    evaluate(NOW + 18 * DAY)
    assert db.session.scalars(select(Place.grace_until)).one() == NOW + 23 * DAY
    rule(min_orders=1, countries=("PL",), window_days=300, grace_days=5)
    evaluate(NOW + 19 * DAY)
    assert db.session.scalars(select(Place.grace_until)).one() is None


def test_who_was_put_there_by_hand_stays(shop):
    company = db.session.scalar(select(Company).where(Company.code == "pol"))
    with write():
        set_segments(company, ["gold"])
    rule(min_spend=D(10**6))
    evaluate()
    assert (members(), moves()) == (["pol"], [])
    services.end("gold", keep=False)
    assert members() == ["pol"]


def test_who_was_taken_out_by_hand_comes_back_while_it_fulfils_the_rule(shop):
    rule(countries=("PL",))
    evaluate()
    with write():
        set_segments(db.session.scalar(select(Company).where(Company.code == "pol")), [])
    evaluate()
    assert members() == ["pol"]


@pytest.mark.parametrize(("keep", "left"), [(True, ["pol"]), (False, [])])
def test_the_end_of_a_rule(shop, keep, left):
    rule(countries=("PL",))
    evaluate()
    assert services.end("gold", keep=keep) == 1
    assert (members(), db.session.scalar(select(Rule.id)), db.session.scalar(select(Place.rule_id))) == (left, None, None)
    assert moves() == [("pol", True)] + ([] if keep else [("pol", False)])


def test_an_inactive_rule_and_one_without_its_category_move_nobody(shop):
    rule(countries=("PL",), active=False)
    assert evaluate() == []
    rule(min_share=D(0))
    assert evaluate()[0].joined == []
    assert [finding.code for finding in checks.incomplete()] == ["SEGMENT-RULE-CATEGORY"]


def test_dry_moves_nobody(shop):
    rule(countries=("PL",))
    with frozen(NOW):
        outcome = services.evaluate(dry=True)
    assert [one.buyer.code for one in outcome[0].joined] == ["pol"]
    assert (members(), moves()) == ([], [])


@pytest.mark.parametrize("dry", [True, False])
def test_statements_do_not_grow_with_companies_and_orders(shop, count_statements, dry):
    bearings = factories.make_category("bearings")
    rule(min_spend=D(1), min_share=D(0), category_id=bearings.id)
    counts = []
    for more in (1, 2, 12):
        with frozen(NOW):
            product = factories.make_product(f"M-{more}")
            for n in range(more):
                company = factories.make_company(f"more-{more}-{n}")
                factories.make_order(company, [(product, 5)], number=f"m{more}-{n}", state="confirmed")
            with count_statements() as counted:
                assert len(services.evaluate(dry=dry)[0].joined) >= more
        counts.append(counted.count)
    assert counts[1] == counts[2], "the first evaluation reads more"


@pytest.fixture
def staff(shop):
    factories.make_staff("admin@tukku.example")
    return sign_in(shop, "admin@tukku.example")


FORM = {"segment": "gold", "min_spend": "1000", "window_days": "30", "grace_days": "0", "active": "y"}
HOME = "/admin/a/segment_rules/"


def test_pages(staff):
    assert "No rule yet" in staff.get(HOME).text
    with frozen(NOW):
        looked = staff.post(f"{HOME}new", data={**FORM, "look": "1"})
        assert looked.status_code == 200
        assert "Company acme" in looked.text
        assert db.session.scalar(select(Rule.id)) is None, "looking saves nothing"
        assert staff.post(f"{HOME}new", data=FORM).status_code == 303
        page = staff.get(f"{HOME}gold").text
        assert "Bought for 1,000.00\xa0€ at least, in the last 30 days" in page
        assert "joins" in page
        services.evaluate()
        assert "Company acme" in staff.get(f"{HOME}moves").text
        assert "bought for 1,100.00\xa0€, 2 orders" in staff.get(f"{HOME}gold").text
        assert "Segments by rule" in staff.get("/admin/companies/c/acme").text
        exported = staff.get(f"{HOME}moves?export=csv").text
        assert "Company,Name,Segment,Move,Why,When" in exported.splitlines()[0]
        assert "acme" in exported.splitlines()[1]
    assert "1,000.00\xa0€" in staff.get(HOME).text
    assert "1 company in a segment by rule" in staff.get("/admin/status").text
    assert staff.post(f"{HOME}gold/delete", data={"companies": "leave"}).status_code == 303
    assert members() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_spend": ""}, "Fill in one condition at least"),
        ({"min_share": "20"}, "A share needs both a percent and a category."),
        ({"countries": "Finland"}, "“FINLAND” is not the code of a country"),
        ({"countries": "QQ"}, "No company is in one of these countries"),
        ({"window_days": "0"}, "between 1 and 3660"),
        ({"min_spend": "-1"}, "between 0 and"),
        ({"min_spend": "NaN"}, "number"),
    ],
)
def test_bad_input(staff, change, message):
    answer = staff.post(f"{HOME}new", data={**FORM, **change})
    assert answer.status_code == 422
    assert message in answer.text
    assert change != {"min_spend": "NaN"} or "between 0 and" not in answer.text, "one sentence at a field is enough"
    assert db.session.scalar(select(Rule.id)) is None


def test_evaluating_from_the_page_is_one_job(staff):
    for _click in range(2):
        assert staff.post(f"{HOME}evaluate").status_code == 303
    assert len(db.session.scalars(select(Job).where(Job.unique_key == "segment_rules.evaluate")).all()) == 1


def test_the_doctor_names_a_company_that_is_placed_and_not_inside(shop):
    rule(min_spend=D(1000))
    evaluate()
    assert swept(shop, "segment_rules") == {}
    break_rows(shop, "DELETE FROM companies_company_segment")
    assert swept(shop, "segment_rules") == {"SEGMENT-PLACE": ["acme in gold"]}


def test_the_api_says_which_segments_a_rule_put_companies_into(shop):
    rule(min_spend=D(1000), grace_days=7)
    evaluate()
    acme = db.session.scalar(select(Company.id).where(Company.code == "acme"))
    ours, theirs = (keys.create("x", keys.offered(of), company_id=of, days=1).secret for of in (None, acme))

    def asked(secret):
        answer = shop.test_client().get("/api/v1/companies", headers={"Authorization": f"Bearer {secret}"})
        return {item["code"]: item["extensions"] for item in answer.json["items"]}

    place = {"code": "gold", "since": NOW.isoformat(), "until": None}
    assert asked(ours) == {"acme": {"segment_rules": {"segments": [place]}}, "acme-sub": {}, "pol": {}}
    assert asked(theirs) == {"acme": {}, "acme-sub": {}}, "places are the seller's"


def test_who_joins_while_a_rule_ends_leaves_with_it(shop):
    rule(countries=("PL",))
    with rival("FROM segment_rules_place", evaluate):
        services.end("gold", keep=False)
    db.session.rollback()
    assert members() == []
