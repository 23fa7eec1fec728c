"""Every page of accounts and companies answers for those who may open it, and for nobody else."""

import re

import pytest

from core.testing.factories import make_company, make_segment, make_staff, make_user

PUBLIC = ("/login", "/password/forgot")
OWN = ("/account", "/account/security", "/account/second-factor")
BUYER = ("/company", "/company/addresses")
COMPANY_ADMIN = ("/company/members", "/company/members/invite", "/company/addresses/new", "/company/addresses/main")
OFFICE = (
    "/admin/accounts/users", "/admin/accounts/users/invite", "/admin/accounts/sessions",
    "/admin/companies/c/", "/admin/companies/new", "/admin/companies/c/ACME", "/admin/companies/c/ACME/edit",
    "/admin/companies/c/ACME/addresses/new", "/admin/companies/c/ACME/addresses/main",
    "/admin/companies/c/ACME/people/invite", "/admin/companies/c/ACME/act-for", "/admin/companies/buyers",
    "/admin/companies/segments",
    "/admin/companies/segments/new", "/admin/companies/segments/s/gold", "/admin/companies/seller",
)  # fmt: skip


@pytest.fixture
def app(app_with, monkeypatch):
    app = app_with()
    monkeypatch.setenv("TUKKU_ACCOUNTS__STAFF_SECOND_FACTOR", "0")
    make_segment("gold")
    acme = make_company("ACME", segments=["gold"])
    make_user("orderer@acme.example", company=acme)
    make_user("boss@acme.example", company=acme, roles=["company_admin"])
    make_staff("admin@tukku.example", ["admin"], tf_totp_secret=None)
    return app


def test_public_pages_are_there(client):
    assert {path: client.get(path).status_code for path in PUBLIC} == dict.fromkeys(PUBLIC, 200)


def test_visitors_are_sent_to_sign_in(client):
    for path in (*OWN, *BUYER, *COMPANY_ADMIN, *OFFICE):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (303, f"/login?next={path}"), path


def test_orderer_sees_own_pages_only(login):
    client = login("orderer@acme.example")
    assert {path: client.get(path).status_code for path in (*OWN, *BUYER)} == dict.fromkeys((*OWN, *BUYER), 200)
    refused = (*COMPANY_ADMIN, *OFFICE)
    assert {path: client.get(path).status_code for path in refused} == dict.fromkeys(refused, 403)


def test_company_admin_sees_the_company(login):
    client = login("boss@acme.example")
    pages = (*OWN, *BUYER, *COMPANY_ADMIN)
    assert {path: client.get(path).status_code for path in pages} == dict.fromkeys(pages, 200)


def test_admin_sees_the_office(login):
    client = login("admin@tukku.example")
    answers = {path: client.get(path) for path in (*OWN, *OFFICE)}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys((*OWN, *OFFICE), 200)
    listed = client.get("/admin/companies/buyers").text
    code = re.search(r"/admin/companies/buyers/(\w+)", listed)[1]
    assert client.get(f"/admin/companies/buyers/{code}").status_code == 200
    assert client.get(f"/admin/companies/c/ACME/people/{code}").status_code == 200


def test_pages_carry_no_inline_script_or_style(login):
    client = login("admin@tukku.example")
    for path in (*OWN, *OFFICE):
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon\w+=\"", text), path
