"""The second factor: a code works once, recovery codes work once, staff cannot go without."""

from datetime import UTC, datetime, timedelta

import pytest
from passlib.totp import TOTP

from core.accounts import second_factor, users
from core.accounts.engine import engine
from core.data import clock
from core.settings.services import set_value
from core.testing.factories import PASSWORD, make_company, make_staff, make_user

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def code_at(secret, at):
    return engine().totp_factory._totp.from_source(secret).generate(time=at.timestamp()).token


@pytest.fixture
def enrolled(app):
    """Anna's secret and recovery codes, set up at 11:00."""
    secret, at = second_factor.new_secret(), NOON - timedelta(hours=1)
    with clock.frozen(at):
        return secret, second_factor.enrol(users.find("anna@acme.example").id, secret, code_at(secret, at))


def start(client):
    answer = client.post("/login", data={"email": "anna@acme.example", "password": PASSWORD})
    assert answer.location == "/login/code"


def test_password_alone_is_not_enough(client, enrolled):
    start(client)
    assert client.get("/account").status_code == 303


def test_a_code_signs_in_and_cannot_be_used_again(client, app, enrolled):
    secret, _codes = enrolled
    with clock.frozen(NOON):
        start(client)
        assert client.post("/login/code", data={"code": code_at(secret, NOON)}).status_code == 303
        assert client.get("/account").status_code == 200
        other = app.test_client()
        start(other)
        assert other.post("/login/code", data={"code": code_at(secret, NOON)}).status_code == 422
        assert other.get("/account").status_code == 303


def test_an_older_code_is_refused_after_a_newer_one(client, app, enrolled):
    secret, _codes = enrolled
    with clock.frozen(NOON):
        start(client)
        client.post("/login/code", data={"code": code_at(secret, NOON)})
        other = app.test_client()
        start(other)
        assert other.post("/login/code", data={"code": code_at(secret, NOON - timedelta(seconds=30))}).status_code == 422


@pytest.mark.parametrize(("seconds", "status"), [(-30, 303), (30, 303), (-90, 422), (90, 422)])
def test_the_clock_may_be_one_step_off(client, enrolled, seconds, status):
    with clock.frozen(NOON):
        start(client)
        code = code_at(enrolled[0], NOON + timedelta(seconds=seconds))
        assert client.post("/login/code", data={"code": code}).status_code == status


def test_a_recovery_code_works_once(client, app, enrolled):
    _secret, codes = enrolled
    with clock.frozen(NOON):
        start(client)
        assert client.post("/login/code", data={"code": codes[0].upper()}).status_code == 303
        other = app.test_client()
        start(other)
        assert other.post("/login/code", data={"code": codes[0]}).status_code == 422
        assert second_factor.remaining(users.find("anna@acme.example")) == second_factor.RECOVERY_CODES - 1


def test_recovery_codes_are_not_stored_readable(enrolled):
    assert not set(enrolled[1]) & set(users.find("anna@acme.example").mf_recovery_codes)


def test_five_wrong_codes_stop_even_the_right_one(client, enrolled):
    with clock.frozen(NOON):
        start(client)
        for _ in range(5):
            assert client.post("/login/code", data={"code": "000000"}).status_code == 422
        assert client.post("/login/code", data={"code": code_at(enrolled[0], NOON)}).status_code == 429


def test_the_second_step_ends_after_ten_minutes(client, enrolled):
    with clock.frozen(NOON):
        start(client)
    late = NOON + timedelta(minutes=10)
    with clock.frozen(late):
        assert client.post("/login/code", data={"code": code_at(enrolled[0], late)}).location == "/login"


def test_a_reset_does_not_get_around_the_second_factor(client, app, enrolled, mails, path_of):
    client.post("/password/forgot", data={"email": "anna@acme.example"})
    client.post(path_of(mails()[-1]), data={"password": "seven green bicycles"})
    answer = client.post("/login", data={"email": "anna@acme.example", "password": "seven green bicycles"})
    assert answer.location == "/login/code"


def set_up(client):
    """Set up an authenticator in the browser; return the answer with the recovery codes."""
    client.post("/account/second-factor/begin")
    page = client.get("/account/second-factor").text
    assert "data:image/svg+xml" in page
    key = page.split('class="tk-code">')[1].split("<")[0]
    return client.post("/account/second-factor/confirm", data={"code": TOTP(key=key).generate().token})


def test_staff_set_it_up_before_anything_else(app_with, monkeypatch):
    app = app_with()
    make_staff("new@tukku.example", ["admin"], tf_totp_secret=None)
    client = app.test_client()
    client.post("/login", data={"email": "new@tukku.example", "password": PASSWORD})
    assert client.get("/admin/companies/c/").location == "/account/second-factor"
    assert client.get("/account").location == "/account/second-factor"
    answer = set_up(client)
    assert answer.status_code == 200
    assert "recovery codes" in answer.text
    assert client.get("/admin/companies/c/").status_code == 200


def test_administrators_of_companies_set_it_up_where_the_shop_says_so(app, client):
    set_value("core", "buyer_second_factor", "company_admin")
    client.post("/login", data={"email": "boss@acme.example", "password": PASSWORD})
    for page in ("/", "/account", "/company/members", "/cart"):
        assert client.get(page).location == "/account/second-factor"
    answer = set_up(client)
    assert "recovery codes" in answer.text
    assert client.get("/company/members").status_code == 200
    answer = client.post("/account/second-factor/off")
    assert (answer.status_code, users.find("boss@acme.example").tf_totp_secret is None) == (403, False)


@pytest.mark.parametrize(
    ("asked", "owing"),
    [
        ("nobody", set()),
        ("company_admin", {"boss"}),
        ("approver", {"boss", "approver"}),
        ("everybody", {"boss", "approver", "anna", "viewer"}),
    ],
)
def test_the_setting_says_which_roles_need_it(app, login, asked, owing):
    from core.companies.services import company_by_code

    acme = company_by_code("ACME")
    for role in ("approver", "viewer"):
        make_user(f"{role}@acme.example", company=acme, roles=[role])
    set_value("core", "buyer_second_factor", asked)
    found = {
        name for name in ("boss", "approver", "anna", "viewer") if login(f"{name}@acme.example").get("/").status_code == 303
    }
    assert found == owing


def test_it_may_be_asked_of_one_company_and_its_subsidiaries(app, login):
    from core.companies.services import company_by_code

    daughter = make_company("DAUGHTER", parent=company_by_code("ACME"))
    make_user("boss@daughter.example", company=daughter, roles=["company_admin"])
    make_user("boss@other.example", company=make_company("OTHER"), roles=["company_admin"])
    set_value("core", "buyer_second_factor", "company_admin", target="company:ACME")
    asked = [
        login(f"boss@{name}.example").get("/company/members").location == "/account/second-factor"
        for name in ("acme", "daughter", "other")
    ]
    assert asked == [True, True, False]


def test_who_has_set_it_up_is_not_asked_again(app, client, enrolled):
    set_value("core", "buyer_second_factor", "everybody")
    with clock.frozen(NOON):
        start(client)
        client.post("/login/code", data={"code": code_at(enrolled[0], NOON)})
        assert client.get("/").status_code == 200


def test_an_administrator_takes_a_lost_one_from_a_member(app, login, enrolled, mails):
    anna = users.find("anna@acme.example")
    boss = login("boss@acme.example")
    page = boss.get(f"/company/members/{anna.code}").text
    assert "Remove the second factor" in page
    assert boss.post(f"/company/members/{anna.code}/second-factor").location == f"/company/members/{anna.code}"
    assert users.find("anna@acme.example").tf_totp_secret is None
    assert "Not set up" in boss.get(f"/company/members/{anna.code}").text
    (told,) = mails()
    assert (told["to"], "second factor" in told["subject"]) == ("anna@acme.example", True)
    assert "removed the second factor" in told["text"]


def test_a_member_with_other_companies_is_for_the_seller(app, login, enrolled):
    from core.companies import memberships
    from core.data.write import write

    anna = users.find("anna@acme.example")
    with write():
        memberships.set_memberships(anna, make_company("OTHER"), ["orderer"])
    boss = login("boss@acme.example")
    answer = boss.post(f"/company/members/{anna.code}/second-factor")
    assert answer.status_code == 403
    assert "Ask the seller" in answer.text
    assert users.find("anna@acme.example").tf_totp_secret


def test_it_is_taken_from_a_member_only_soon_after_the_password(app, login, enrolled):
    anna = users.find("anna@acme.example")
    with clock.frozen(NOON):
        boss = login("boss@acme.example")
    with clock.frozen(NOON + timedelta(minutes=20)):
        answer = boss.post(f"/company/members/{anna.code}/second-factor")
    assert answer.location == f"/account/prove?next=/company/members/{anna.code}"
    assert users.find("anna@acme.example").tf_totp_secret


def test_staff_cannot_switch_it_off_where_it_is_required(app, login, monkeypatch, enrolled):
    second = users.find("admin@tukku.example")
    secret = second_factor.new_secret()
    second_factor.enrol(second.id, secret, code_at(secret, clock.now()))
    monkeypatch.setenv("TUKKU_ACCOUNTS__STAFF_SECOND_FACTOR", "1")
    answer = login("admin@tukku.example").post("/account/second-factor/off")
    assert answer.status_code == 403
    assert users.find("admin@tukku.example").tf_totp_secret


def test_credentials_are_touched_only_soon_after_the_password(app, enrolled):
    client = app.test_client()
    with clock.frozen(NOON):
        start(client)
        client.post("/login/code", data={"code": code_at(enrolled[0], NOON)})
    with clock.frozen(NOON + timedelta(minutes=15)):
        answer = client.post("/account/second-factor/off")
        assert answer.location == "/account/prove?next=/account/security"
        assert client.post("/account/prove", data={"password": "not the password"}).status_code == 422
        assert client.post("/account/prove", data={"password": PASSWORD}).location == "/account/security"
        assert client.post("/account/second-factor/off").location == "/account/security"
    assert users.find("anna@acme.example").tf_totp_secret is None


def test_a_password_that_is_changed_between_the_two_steps_ends_them(client, enrolled):
    secret, _codes = enrolled
    with clock.frozen(NOON):
        start(client)
        users.change_password(users.find("anna@acme.example"), PASSWORD, "seven green bicycles")
        assert client.post("/login/code", data={"code": code_at(secret, NOON)}).location == "/login"
        assert client.get("/account").status_code == 303
