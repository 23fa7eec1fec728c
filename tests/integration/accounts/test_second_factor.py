"""The second factor: a code works once, recovery codes work once, staff cannot go without."""

from datetime import UTC, datetime, timedelta

import pytest

from core.accounts import second_factor, users
from core.accounts.engine import engine
from core.data import clock
from core.testing.factories import PASSWORD, make_staff

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


def test_staff_set_it_up_before_anything_else(app_with, monkeypatch):
    app = app_with()
    make_staff("new@tukku.example", ["admin"], tf_totp_secret=None)
    client = app.test_client()
    client.post("/login", data={"email": "new@tukku.example", "password": PASSWORD})
    assert client.get("/admin/companies/c/").location == "/account/second-factor"
    assert client.get("/account").location == "/account/second-factor"
    client.post("/account/second-factor/begin")
    page = client.get("/account/second-factor").text
    assert "data:image/svg+xml" in page
    key = page.split('class="tk-code">')[1].split("<")[0]
    from passlib.totp import TOTP

    answer = client.post("/account/second-factor/confirm", data={"code": TOTP(key=key).generate().token})
    assert answer.status_code == 200
    assert "recovery codes" in answer.text
    assert client.get("/admin/companies/c/").status_code == 200


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
