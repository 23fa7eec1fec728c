"""The list of companies: found by rule, and kept in their segments whatever the rule says."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from addons.segment_rules import services
from addons.segment_rules.models import Place
from core.data.db import db
from core.data.models import AuditEntry
from core.testing import factories
from core.testing.signin import sign_in

from .test_rules import DAY, NOW, evaluate, members, moves, rule, shop, staff

__all__ = ["shop", "staff"]  # fixtures
LIST = "/admin/companies/c/"
KEEP = "/admin/a/segment_rules/companies/keep"


def listed(client, **asked):
    page = client.get(LIST, query_string=asked).text
    return re.findall(r'name="code" value="([\w-]+)"', page)


def test_companies_are_found_by_the_segment_that_a_rule_put_them_into(staff):
    rule(min_orders=1, countries=("PL",), window_days=10, grace_days=5)
    evaluate()
    assert listed(staff) == ["acme", "acme-sub", "pol"]
    assert listed(staff, segment_rules__placed="gold") == ["pol"]
    assert listed(staff, segment_rules__placed="*") == []
    evaluate(NOW + 11 * DAY)
    assert listed(staff, segment_rules__placed="*") == ["pol"]


def test_companies_that_are_kept_stay_when_the_rule_would_take_them_out(staff):
    rule(min_orders=1, window_days=10)
    evaluate()
    assert "Keep in their segments" in staff.get(LIST).text
    answer = staff.post(KEEP, data={"code": ["acme", "pol", "nobody"], "next": f"{LIST}?q=a"})
    assert (answer.status_code, answer.location) == (303, f"{LIST}?q=a")
    assert "2 companies stay in their segments" in staff.get(LIST).text
    evaluate(NOW + 11 * DAY)
    assert members() == ["acme", "pol"]
    assert moves()[3:] == [("acme-sub", False)]
    kept = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "segments_kept").order_by(AuditEntry.id)).all()
    assert [(row.entity_id, row.after) for row in kept] == [(c, {"segments": ["gold"]}) for c in ("acme", "pol")]
    assert db.session.scalars(select(Place.company_id)).all() == []
    staff.post(KEEP, data={"code": ["acme"]})
    assert "None of them is in a segment by a rule." in staff.get(LIST).text


def test_whoever_sets_no_rules_neither_filters_nor_keeps(shop):
    factories.make_staff("ville@tukku.example", roles=["finance"])
    client = sign_in(shop, "ville@tukku.example")
    assert client.post(KEEP, data={"code": ["acme"]}).status_code == 403
    page = client.get(LIST)
    assert page.status_code == 200
    assert "Keep in their segments" not in page.text
    assert "segment_rules__placed" not in page.text


def test_statements_do_not_grow_with_the_companies_that_are_kept(shop, count_statements):
    rule(min_orders=1)
    evaluate()
    counts = []
    for codes in (["acme"], ["acme-sub", "pol"]):
        with count_statements() as counted:
            assert services.keep(codes) == len(codes)
        counts.append(counted.count)
    assert counts[0] == counts[1]


@pytest.mark.database("sqlite")
def test_the_filter_offers_the_segments_that_have_a_rule(staff):
    assert 'value="gold"' not in staff.get(LIST).text
    rule(min_orders=1)
    assert 'value="gold"' in staff.get(LIST).text
