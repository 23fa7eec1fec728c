"""Who may not see prices reads no amount of an approval: on no page, in no file, in no mail; nor do they decide."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from addons.approval_chain import deciding, history, lesser, limits, notices, overruns, reasons, seller, services, versions
from addons.approval_chain.models import Limit, SellerRule
from addons.approval_chain.services import Trial
from addons.approval_chain.spending import Asked
from addons.approval_chain.tests.test_approval import BUYER, World
from addons.approval_chain.tests.test_budgets import budget
from addons.approval_chain.tests.test_cost_centres import centre
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import acting
from core.data.write import write
from core.jobs.models import Job
from core.notifications.models import Notification
from core.orders import queries
from core.orders.draft import stored_draft
from core.testing import factories
from core.testing.prices import hide_prices
from core.testing.signin import sign_in

#: Amounts as pages write them, and as the HTML of forms would carry them.
AMOUNT = re.compile(r"\d[.,]\d\d|€|\bEUR\b(?! of)")
UNPRICED = BUYER - {"pricing.price.view"}
HERE = "/a/approval_chain"


@pytest.fixture
def world(app_with: Callable[..., Flask]) -> World:
    """A company in which everything that names amounts asks for approval: a rule, both kinds of limits, a budget."""
    found = World(app_with(addons=["approval_chain"]))
    found.rule("100")
    centre(found, "A", "bo")
    budget(found, "50", "require")
    with write() as session:
        session.add(Limit(company_id=found.company_id, role="orderer", currency="EUR", order_limit=Decimal(80)))
    company = session.get_one(Company, found.company_id)
    limits.save(company, {"whose": "orderer", "period": "month", "amount": Decimal(90), "currency": "EUR"})
    return found


def read(response: object) -> str:
    """Return what a page says and what its forms carry, without what is no text (icons, styles, tokens)."""
    page = re.sub(r"<svg.*?</svg>|<script.*?</script>|<link[^>]*>|<head>.*?</head>", " ", response.text, flags=re.S)
    values = re.findall(r'value="([^"]*)"', page)
    return re.sub(r"<[^>]+>", " ", page) + " ".join(v for v in values if len(v) < 20)


def test_who_ordered_reads_no_amount_on_any_page_or_mail(world, monkeypatch):
    number = world.place(30)
    hide_prices(world.app, "orderer")
    with world.app.test_request_context("/"):
        notices.tell_approvers({"owner": "approval_chain", "number": number})
    told = {n.user_id: f"{n.subject} {n.text}" for n in db.session.scalars(select(Notification))}
    mine = told[world.people["anna"]]
    assert "Total without tax above a set amount" in mine
    assert not AMOUNT.search(mine), mine
    assert "300.00" in told[world.people["bo"]].replace("\xa0", " "), "who decides sees what it costs"
    mails = [job.payload for job in db.session.scalars(select(Job)) if job.payload.get("to") == "anna@acme.example"]
    assert mails
    assert not [mail for mail in mails if AMOUNT.search(mail["subject"] + mail["text"])]

    anna = sign_in(world.app, "anna@acme.example")
    urls = ("/", "/cart", f"/orders/{number}", f"/orders/{number}/thanks", f"{HERE}/my-orders/{number}",
            f"{HERE}/approvals", f"{HERE}/approvals?sort=-net", f"{HERE}/approvals?net=1..999", "/account")  # fmt: skip
    for url in urls:
        page = anna.get(url)
        assert page.status_code == 200, url
        assert not AMOUNT.search(read(page)), (url, AMOUNT.search(read(page)))
    assert number in anna.get(f"{HERE}/approvals").text
    assert not re.search(r"\d\.\d\d", anna.get(f"{HERE}/approvals?export=csv", buffered=True).text)
    told_pdf: list[dict] = []
    monkeypatch.setattr(history, "compile_pdf", lambda _template, data, **_more: told_pdf.append(data) or b"%PDF")
    assert anna.get(f"{HERE}/approvals/{number}/history.pdf").status_code == 200
    assert not AMOUNT.search(str(told_pdf)), told_pdf
    for url in (f"{HERE}/approvals/{number}", f"{HERE}/approval-rules", f"{HERE}/spending-limits", f"{HERE}/cost-centres"):
        assert anna.get(url).status_code == 403, url


def test_who_ordered_changes_an_order_and_reads_no_amount(world):
    number = world.place(30)
    with world.app.test_request_context("/"), acting(world.actor("bo")):
        said = deciding.Said("returned", queries.find(number).digest, "less", {1: Decimal(20)})
        deciding.decide(number, said)
    hide_prices(world.app, "orderer")
    anna = sign_in(world.app, "anna@acme.example")
    page = anna.get(f"{HERE}/my-orders/{number}")
    assert not AMOUNT.search(read(page)), AMOUNT.search(read(page))
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', page.text)[1]
    shown = anna.post(f"{HERE}/my-orders/{number}", data={"digest": digest, "quantity-1": "20"})
    assert not AMOUNT.search(read(shown)), AMOUNT.search(read(shown))
    stale = anna.post(f"{HERE}/my-orders/{number}", data={"digest": "0" * 64})
    assert stale.status_code == 409
    assert not AMOUNT.search(read(stale)), AMOUNT.search(read(stale))


def test_sentences_of_checkout_and_cart_say_the_same_without_amounts(world):
    number = world.place(30)
    order = queries.find(number)
    draft = replace(stored_draft(order, queries.lines_of(order.id)), order_id=0)
    said = {}
    for rights in (BUYER, UNPRICED):
        with world.app.test_request_context("/"), acting(world.actor("anna", rights)):
            trial = Trial(draft, Asked(draft.user_id or 0, draft.company_id))
            found = trial.of([draft])[0]
            ways = lesser.ways(trial, draft, found, {})
            texts = [f.message for f in (*reasons.findings(draft), *overruns.findings(draft))]
            said[rights] = [
                str(text) for text in (*texts, *ways, *reasons.short(r.rule for r in found.plan.requirements).values())
            ]
    assert [bool(AMOUNT.search(text)) for text in said[BUYER]].count(True) >= 3
    assert not [text for text in said[UNPRICED] if AMOUNT.search(text)], said[UNPRICED]
    assert len(said[UNPRICED]) == len(said[BUYER]), "nothing is left out"
    text = "\n".join(said[UNPRICED])
    for words in ("Total without tax above a set amount. Approval by: bo", "It is above your limit. Approval by: bo"):
        assert words in text


def test_what_is_different_is_told_without_amounts(world):
    old = {"currency": "EUR", "net": "300", "charges_net": "5", "lines": [line("10")]}
    new = {"currency": "EUR", "net": "330", "charges_net": "6", "lines": [line("11")]}
    with world.app.test_request_context("/"), acting(world.actor("anna", UNPRICED)):
        assert versions.differences(old, new) == ["Bolt: the price is another.", "The total is another."]
    with world.app.test_request_context("/"), acting(world.actor("anna", BUYER)):
        assert len([text for text in versions.differences(old, new) if AMOUNT.search(text)]) == 3


def line(price: str) -> dict[str, object]:
    """A line of a version."""
    return {"position": 1, "name": "Bolt", "quantity": "30", "unit": "pcs", "unit_price": price}


def test_an_approver_without_prices_is_not_asked_and_the_next_in_line_is(world):
    first = world.place(30)
    with world.app.test_request_context("/"):
        notices.tell_approvers({"owner": "approval_chain", "number": first})
    sent = db.session.scalars(select(Notification.text).where(Notification.user_id == world.people["bo"])).one()
    link = re.search(r"/a/approval_chain/decide/\S+", sent)[0]
    hide_prices(world.app, "approver")
    number = world.place(30)
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        for one in (first, number):
            eligible = services.pending(one).flow.eligible()
            assert eligible == [str(world.people["carl"])], "the administrator decides in their place"
        notices.tell_approvers({"owner": "approval_chain", "number": number})
    subjects = [n.subject for n in db.session.scalars(select(Notification)) if n.user_id == world.people["bo"]]
    assert not [s for s in subjects if number in s]
    bo = sign_in(world.app, "bo@acme.example")
    assert bo.get(f"{HERE}/approvals/{number}").status_code == 403
    for url in ("/", f"{HERE}/approvals", f"/orders/{number}", link):
        page = read(bo.get(url))
        assert not AMOUNT.search(page), (url, AMOUNT.search(page))
    assert world.decide("carl", number) == "approved"


def test_where_nobody_of_the_company_sees_prices_the_seller_decides(world):
    hide_prices(world.app, "approver", "company_admin")
    number = world.place(30)
    with world.app.test_request_context("/"), acting(world.actor("carl")):
        assert services.pending(number).flow.eligible() == ["seller"]


def test_staff_without_prices_are_not_asked_for_the_seller(world):
    factories.make_staff("sam@shop.example", ["sales"])
    chief = str(factories.make_staff("chief@shop.example").id)
    with write() as session:
        step = {"above": "", "roles": ["sales"], "people": [], "need": 1, "tier": 1}
        conditions = [{"fact": "total", "op": ">", "value": "100"}]
        row = SellerRule(currency="EUR", steps=[step], conditions=conditions, created_at=clock.now(), name="")
        session.add(row)
    hide_prices(world.app, "sales")
    order = queries.find(world.place(30))
    with world.app.test_request_context("/"):
        plan = seller.plan_of(stored_draft(order, queries.lines_of(order.id)))
        assert [r.people for r in plan.requirements] == [(chief,)]
