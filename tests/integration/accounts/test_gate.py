"""The gate: CSRF, requests of other sites, and what each role may open."""

import re

import pytest

from core.accounts import users
from core.data.scope import acting, system
from core.spec.errors import Forbidden
from core.testing.factories import PASSWORD, make_company, make_staff, make_user


@pytest.fixture
def strict(app):
    app.config["WTF_CSRF_ENABLED"] = True
    return app


def token(client, path="/login"):
    return re.search(r'name="csrf-token" content="([^"]+)"', client.get(path).text)[1]


def test_a_form_without_token_is_refused(strict):
    client = strict.test_client()
    client.get("/login")
    answer = client.post("/login", data={"email": "anna@acme.example", "password": PASSWORD})
    assert answer.status_code == 400


def test_visitors_and_people_have_their_own_tokens(strict):
    client = strict.test_client()
    first = token(client)
    form = {"email": "anna@acme.example", "password": PASSWORD, "csrf_token": first}
    assert client.post("/login", data=form).status_code == 303
    assert client.post("/logout", data={"csrf_token": first}).status_code == 400, "the token changed with the session"
    assert client.post("/logout", data={"csrf_token": token(client, "/account")}).status_code == 303


def test_a_token_of_another_browser_is_refused(strict):
    mine, theirs = strict.test_client(), strict.test_client()
    token(mine)
    form = {"email": "anna@acme.example", "password": PASSWORD, "csrf_token": token(theirs)}
    assert mine.post("/login", data=form).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
)
def test_requests_of_other_sites_are_refused(client, headers):
    answer = client.post("/login", data={"email": "anna@acme.example", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403


def test_own_requests_pass(client):
    headers = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    form = {"email": "anna@acme.example", "password": PASSWORD}
    assert client.post("/login", data=form, headers=headers, base_url="http://127.0.0.1:8000").status_code == 303


def test_a_visitor_is_sent_to_sign_in_and_back(client):
    answer = client.get("/company/addresses?page=2")
    assert answer.location == "/login?next=/company/addresses?page%3D2"
    follow = client.post(
        "/login", data={"email": "anna@acme.example", "password": PASSWORD, "next": "/company/addresses?page=2"}
    )
    assert follow.location == "/company/addresses?page=2"


def test_htmx_is_told_to_load_the_sign_in_page(client):
    answer = client.get("/account", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/login?next=/account")


def test_a_person_without_company_has_an_account_and_nothing_else(app, login):
    make_user("alone@acme.example")
    client = login("alone@acme.example")
    assert client.get("/account").status_code == 200
    assert client.get("/company").status_code == 403


def test_nobody_buys_for_a_closed_company(app, login):
    make_user("late@closed.example", company=make_company("SHUT", status="closed"))
    assert login("late@closed.example").get("/company").status_code == 403


def test_staff_roles_are_given_by_others_and_an_administrator_remains(app):
    admin = users.find("admin@tukku.example")
    with acting(system("test")), pytest.raises(Forbidden, match="LAST-ADMIN"):
        users.set_active(users.find("admin@tukku.example"), False)
    assert admin.id


def test_an_administrator_cannot_change_or_disable_themselves(app, login):
    make_staff("second@tukku.example", ["admin"])
    code = users.find("admin@tukku.example").code
    client = login("admin@tukku.example")
    answer = client.post(
        f"/admin/accounts/users/{code}", data={"name": "Admin", "locale": "en", "roles": ["admin", "sales"]}
    )
    assert (answer.status_code, "You cannot change your own roles" in answer.text) == (403, True)
    assert client.post(f"/admin/accounts/users/{code}/active", data={"active": "0"}).status_code == 403


def test_staff_are_invited_and_choose_their_password(login, client, mails, path_of):
    form = {"email": "Sari@tukku.example", "name": "Sari Sales", "locale": "en", "roles": ["sales"]}
    answer = login("admin@tukku.example").post("/admin/accounts/users/invite", data=form)
    assert answer.status_code == 200
    path = path_of(mails()[-1])
    assert path in answer.text
    client.post(path, data={"password": "seven green bicycles"})
    assert client.post("/login", data={"email": "sari@tukku.example", "password": "seven green bicycles"}).status_code == 303
    assert client.get("/admin/companies/c/").status_code == 200
    assert client.get("/admin/accounts/users").status_code == 403


def test_a_change_of_roles_ends_the_sessions(app, login):
    person = make_staff("sales@tukku.example", ["sales"], tf_totp_secret=None)
    client = login("sales@tukku.example")
    assert client.get("/admin/companies/c/").status_code == 200
    answer = login("admin@tukku.example").post(
        f"/admin/accounts/users/{person.code}", data={"name": "Sales", "locale": "en", "roles": ["warehouse"]}
    )
    assert answer.status_code == 303
    assert client.get("/admin/companies/c/").status_code == 303


def test_the_browsers_session_says_nothing_to_the_api(app, login):
    from flask import Blueprint

    from core.ui.access import requires

    api = Blueprint("probe", __name__)
    api.get("/api/v1/probe")(requires("accounts.profile.edit")(lambda: "secret"))
    app._got_first_request = False
    app.register_blueprint(api)
    assert login("anna@acme.example").get("/api/v1/probe").status_code == 401
