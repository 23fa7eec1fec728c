"""Invitations, switching between companies, staff who act for a buyer, and other companies' people."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from wtforms import StringField
from wtforms.validators import InputRequired

from core.accounts import users
from core.accounts.models import User
from core.companies.models import Address, Invitation, Membership
from core.data import clock
from core.data.db import db
from core.data.models import AuditEntry
from core.registry.registry import EXTENSION, Contribution
from core.spec.ui import FormSection
from core.testing.factories import PASSWORD, make_company, make_membership, make_staff, make_user
from core.ui.forms import TukkuForm

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEW = "seven green bicycles"


@pytest.fixture
def app(app_with, monkeypatch):
    app = app_with()
    monkeypatch.setenv("TUKKU_ACCOUNTS__STAFF_SECOND_FACTOR", "0")
    acme, rival = make_company("ACME"), make_company("RIVAL")
    make_user("boss@acme.example", company=acme, roles=["company_admin"], name="Bea Boss")
    make_user("anna@acme.example", company=acme, roles=["orderer", "approver"], name="Anna Acme")
    make_user("rita@rival.example", company=rival, roles=["company_admin"], name="Rita Rival")
    make_staff("sales@tukku.example", ["sales"], tf_totp_secret=None, name="Sami Sales")
    return app


def invite(client, email="new@acme.example", roles=("orderer",)):
    answer = client.post("/company/members/invite", data={"email": email, "name": "Nelli New", "roles": list(roles)})
    assert answer.status_code == 200, answer.text
    return re.search(r"http://127\.0\.0\.1:8000(/invitation/[\w-]+)", answer.text)[1]


def accept(client, path, **values):
    return client.post(path, data={"name": "Nelli New", "password": NEW, "locale": "fi", **values})


def test_an_invited_person_makes_an_account_and_is_signed_in(client, login):
    path = invite(login("boss@acme.example"), roles=["orderer", "viewer"])
    assert "Orderer" in client.get(path).text
    assert accept(client, path, password="short").status_code == 422
    assert accept(client, path).status_code == 303
    assert "ACME" in client.get("/company").text
    person = users.find("new@acme.example")
    assert (person.locale, person.confirmed_at is not None) == ("fi", True)
    assert set(db.session.scalars(select(Membership.role).where(Membership.user_id == person.id))) == {"orderer", "viewer"}
    assert accept(client, path).status_code == 404, "an invitation works once"


def test_the_secret_is_stored_hashed_and_ends(client, login):
    with clock.frozen(NOON):
        path = invite(login("boss@acme.example"))
    secret = path.rpartition("/")[2]
    assert secret not in str(db.session.scalar(select(Invitation.token_hash)))
    with clock.frozen(NOON + timedelta(days=14, seconds=-1)):
        assert client.get(path).status_code == 200
    with clock.frozen(NOON + timedelta(days=14)):
        assert client.get(path).status_code == 404
        assert accept(client, path).status_code == 404


def test_sending_again_or_withdrawing_ends_the_earlier_link(client, login):
    boss = login("boss@acme.example")
    first = invite(boss)
    reference = db.session.scalar(select(Invitation)).reference
    again = boss.post(f"/company/invitations/{reference}/resend").text
    second = re.search(r"/invitation/[\w-]+", again)[0]
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    reference = next(i for i in db.session.scalars(select(Invitation)) if i.revoked_at is None).reference
    assert boss.post(f"/company/invitations/{reference}/withdraw").status_code == 303
    assert client.get(second).status_code == 404


def test_a_known_person_signs_in_and_joins(client, login):
    path = invite(login("boss@acme.example"), "rita@rival.example", ["viewer"])
    assert "Sign in" in client.get(path).text
    assert accept(client, path).status_code == 409, "an invitation never sets the password of an account"
    wrong = login("anna@acme.example").post(path)
    assert (wrong.status_code, "rita@rival.example" in wrong.text) == (403, True)
    rita = login("rita@rival.example")
    assert rita.post(path).status_code == 303
    assert "ACME" in rita.get("/company").text
    assert rita.post("/company/switch", data={"company": "RIVAL"}).status_code == 303
    assert "RIVAL" in rita.get("/company").text
    assert rita.get("/company/members").status_code == 200
    rita.post("/company/switch", data={"company": "ACME"})
    assert rita.get("/company/members").status_code == 403, "roles belong to a company"


def test_nobody_switches_to_a_company_of_others(login):
    assert login("anna@acme.example").post("/company/switch", data={"company": "RIVAL"}).status_code == 404


def test_members_are_not_invited_again_and_orderers_do_not_invite(login):
    boss = login("boss@acme.example")
    answer = boss.post("/company/members/invite", data={"email": "Anna@acme.example", "name": "", "roles": ["viewer"]})
    assert (answer.status_code, "already belongs" in answer.text) == (409, True)
    answer = boss.post("/company/members/invite", data={"email": "no address", "name": "", "roles": ["viewer"]})
    assert (answer.status_code, "is not an e-mail address" in answer.text) == (422, True)
    assert login("anna@acme.example").post("/company/members/invite", data={"email": "x@acme.example"}).status_code == 403


def test_people_of_another_company_are_not_there(login):
    boss, rita = login("boss@acme.example"), users.find("rita@rival.example").code
    assert boss.get(f"/company/members/{rita}").status_code == 404
    assert boss.post(f"/company/members/{rita}", data={"roles": ["viewer"]}).status_code == 404
    assert boss.get("/company/addresses/depot").status_code == 404
    assert "Rita" not in boss.get("/company/members").text


def test_a_change_of_roles_ends_the_members_sessions(login):
    anna = login("anna@acme.example")
    assert anna.get("/company").status_code == 200
    code = users.find("anna@acme.example").code
    assert login("boss@acme.example").post(f"/company/members/{code}", data={"roles": ["viewer"]}).status_code == 303
    assert anna.get("/company").status_code == 303


def act_for(client, email="anna@acme.example", reason="order by phone"):
    return client.post("/admin/companies/c/ACME/act-for", data={"person": users.find(email).code, "reason": reason})


def test_staff_act_for_a_buyer_under_both_names(login):
    sales, buyer = login("sales@tukku.example"), users.find("anna@acme.example")
    assert act_for(sales).status_code == 303
    page = sales.get("/company").text
    assert "Anna Acme" in page
    assert sales.get("/admin/companies/c/").status_code == 403, "the office is out of reach meanwhile"
    assert sales.get("/account").status_code == 403, "credentials are never lent"
    assert sales.post("/company/switch", data={"company": "ACME"}).status_code == 404
    assert sales.post("/account/acting/stop").status_code == 303
    assert sales.get("/admin/companies/c/").status_code == 200
    staff = db.session.scalar(select(User).where(User.email == "sales@tukku.example"))
    trail = db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("acting%")).order_by(AuditEntry.id)).all()
    assert [(row.action, row.actor_id, row.entity_id) for row in trail] == [
        ("acting_started", staff.id, buyer.code),
        ("acting_ended", staff.id, buyer.code),
    ]
    assert (trail[0].reason, trail[1].on_behalf_of) == ("order by phone", buyer.id)


def test_acting_ends_after_an_hour(login):
    with clock.frozen(NOON):
        sales = login("sales@tukku.example")
        act_for(sales)
    with clock.frozen(NOON + timedelta(minutes=60, seconds=-1)):
        assert sales.get("/company").status_code == 200
    with clock.frozen(NOON + timedelta(minutes=60)):
        assert sales.get("/company").status_code == 403
        assert sales.get("/admin/companies/c/").status_code == 200
        assert act_for(sales).status_code == 303
    actions = list(
        db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("acting%")).order_by(AuditEntry.id))
    )
    assert actions == ["acting_started", "acting_ran_out", "acting_started"]


@pytest.mark.parametrize(
    ("email", "reason", "status"), [("rita@rival.example", "a good reason", 422), ("anna@acme.example", "x", 422)]
)
def test_acting_needs_a_member_and_a_reason(login, email, reason, status):
    sales = login("sales@tukku.example")
    assert act_for(sales, email, reason).status_code == status
    assert sales.get("/company").status_code == 403


def test_a_person_in_two_companies_keeps_the_choice(app, login, client):
    both = users.find("anna@acme.example")
    from core.companies.models import Company

    make_membership(both, db.session.scalar(select(Company).where(Company.code == "RIVAL")), ["viewer"])
    anna = login("anna@acme.example")
    anna.post("/company/switch", data={"company": "RIVAL"})
    client.post("/login", data={"email": "anna@acme.example", "password": PASSWORD})
    assert "RIVAL" in client.get("/company").text


def test_sales_see_their_portfolio_where_the_deployment_says_so(app, login, monkeypatch):
    sami = users.find("sales@tukku.example")
    parent = make_company("MINE", sales_rep_id=sami.id)
    make_company("MINE-SUB", parent=parent)
    sales = login("sales@tukku.example")
    assert "ACME" in sales.get("/admin/companies/c/").text
    monkeypatch.setenv("TUKKU_ACCOUNTS__SALES_SEES_ALL", "0")
    page = sales.get("/admin/companies/c/").text
    assert "MINE-SUB" in page
    assert "ACME" not in page
    assert sales.get("/admin/companies/c/ACME").status_code == 404
    assert sales.get("/admin/companies/c/MINE-SUB").status_code == 200
    form = {
        "code": "EXTRA",
        "name": "Extra",
        "country": "FI",
        "currency": "EUR",
        "locale": "en",
        "status": "active",
        "sales_rep": "",
    }
    assert sales.post("/admin/companies/new", data=form).status_code == 403


def test_the_office_saves_a_company_as_a_whole(login):
    sales = login("sales@tukku.example")
    form = {
        "code": "SUB", "name": "Acme Sub Oy", "parent": "ACME", "country": "FI", "business_id": "01120389",
        "vat_id": "", "currency": "eur", "locale": "fi", "status": "active", "sales_rep": "",
    }  # fmt: skip
    assert sales.post("/admin/companies/new", data=form).location == "/admin/companies/c/SUB"
    page = sales.get("/admin/companies/c/SUB").text
    assert "0112038-9" in page
    wrong = sales.post("/admin/companies/c/SUB/edit", data={**form, "business_id": "01120388", "name": "Changed"})
    assert (wrong.status_code, "Y-tunnus" in wrong.text) == (422, True)
    assert "Acme Sub Oy" in sales.get("/admin/companies/c/SUB").text
    loop = sales.post("/admin/companies/c/ACME/edit", data={**form, "code": "ACME", "parent": "SUB"})
    assert (loop.status_code, "stands below" in loop.text) == (422, True)


class _Depot(TukkuForm):
    """A section of an addon in the form of an address."""

    gate = StringField("Gate", [InputRequired()])


def test_sections_of_addons_are_saved_with_an_address(app, login):
    saved = []
    section = FormSection(
        "depot", "address.edit", _Depot, lambda _id: {}, lambda i, values: saved.append((i, values)), "Depot"
    )
    real = app.extensions[EXTENSION]
    found = (*real.contributed.get("ui_form_sections", ()), Contribution("toy", section))
    app.extensions[EXTENSION] = replace(real, contributed={**real.contributed, "ui_form_sections": found})
    boss = login("boss@acme.example")
    form = {"name": "Depot", "street": "Road 1", "postal_code": "00100", "city": "Helsinki", "country": "FI", "use": "both"}
    assert 'name="toy__gate"' in boss.get("/company/addresses/new").text
    assert boss.post("/company/addresses/new", data=form).status_code == 422
    depot = select(Address).where(Address.name == "Depot")
    assert (saved, db.session.scalar(depot)) == ([], None)
    assert boss.post("/company/addresses/new", data={**form, "toy__gate": "7"}).status_code == 303
    assert saved == [(db.session.scalar(depot).id, {"gate": "7"})]
