"""Sessions end when they must, and a GET never writes."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.accounts import users
from core.accounts.models import LoginSession
from core.data import clock
from core.data.db import db
from core.runtime.app import build_app
from core.runtime.config import Config
from core.testing.apps import closing
from core.testing.factories import PASSWORD

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def signed_in_at(app, email, at):
    client = app.test_client()
    with clock.frozen(at):
        assert client.post("/login", data={"email": email, "password": PASSWORD}).status_code == 303
    return client


def alive(client, at):
    with clock.frozen(at):
        return client.get("/account").status_code == 200


@pytest.mark.parametrize(("email", "idle"), [("admin@tukku.example", 3), ("anna@acme.example", 12)])
def test_a_session_ends_by_idleness(app, email, idle):
    idle = timedelta(hours=idle)
    assert alive(signed_in_at(app, email, NOON), NOON + idle - timedelta(seconds=1))
    assert not alive(signed_in_at(app, email, NOON), NOON + idle)


def test_reading_keeps_a_session_alive_without_writing(app, count_statements):
    client = signed_in_at(app, "admin@tukku.example", NOON)
    with count_statements() as seen:
        for hours in (2, 4, 6, 8, 10):
            assert alive(client, NOON + timedelta(hours=hours))
    assert not [sql for sql in seen.seen if sql.split()[0] in ("INSERT", "UPDATE", "DELETE")]


@pytest.mark.parametrize(("email", "whole", "step"), [("admin@tukku.example", 12, 2), ("anna@acme.example", 14 * 24, 11)])
def test_a_session_ends_at_its_age_however_busy(app, email, whole, step):
    client, end = signed_in_at(app, email, NOON), NOON + timedelta(hours=whole)
    at = NOON
    while at < end - timedelta(hours=step):
        at += timedelta(hours=step)
        assert alive(client, at)
    assert alive(client, end - timedelta(seconds=1))
    assert not alive(client, end)


def test_an_old_cookie_does_not_prolong_a_session(app, sid):
    client = signed_in_at(app, "admin@tukku.example", NOON)
    kept = sid(client)
    assert alive(client, NOON + timedelta(hours=2))
    thief = app.test_client()
    thief.set_cookie("sid", kept, domain="127.0.0.1")
    assert not alive(thief, NOON + timedelta(hours=4))
    assert alive(client, NOON + timedelta(hours=4))


def test_visitors_have_no_row_until_something_is_kept(client):
    client.get("/login")
    client.post("/login", data={"email": "anna@acme.example", "password": "wrong password here"})
    assert not db.session.scalars(select(LoginSession)).all()


def test_a_message_is_shown_once(client):
    client.post("/logout")
    assert "You have signed out." in client.get("/login").text
    assert "You have signed out." not in client.get("/login").text


def test_one_browser_ends_the_session_of_another(login):
    here, there = login("anna@acme.example"), login("anna@acme.example")
    there.get("/account")
    here.post("/account/sessions/end", data={"session": "others"})
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(login):
    anna, boss = login("anna@acme.example"), login("boss@acme.example")
    reference = db.session.scalar(
        select(LoginSession.token_hash).where(LoginSession.user_id == users.find("boss@acme.example").id)
    )[:16]
    anna.post("/account/sessions/end", data={"session": reference})
    assert boss.get("/account").status_code == 200


def test_changing_the_password_ends_the_other_sessions(login):
    here, there = login("anna@acme.example"), login("anna@acme.example")
    answer = here.post("/account/password", data={"old": PASSWORD, "password": "seven green bicycles"})
    assert answer.status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_who_is_asking_takes_a_constant_number_of_statements(login, count_statements):
    client = login("anna@acme.example")
    client.get("/account/second-factor")
    with count_statements() as seen:
        client.get("/account/second-factor")
    asked = [sql for sql in seen.seen if "accounts_" in sql or "companies_company" in sql or "companies_membership" in sql]
    assert len(asked) <= 5, str(seen)


def test_pages_of_a_person_are_not_kept_by_caches(login):
    answer = login("anna@acme.example").get("/account")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


def test_cookies_are_closed_to_scripts_and_other_sites(client):
    answer = client.post("/login", data={"email": "anna@acme.example", "password": PASSWORD})
    cookies = {c.split("=")[0]: c for c in answer.headers.getlist("Set-Cookie")}
    assert "HttpOnly" in cookies["sid"]
    assert "SameSite=Lax" in cookies["sid"]


def test_https_gives_host_bound_cookies(database_url, data_dir):
    config = Config(
        data_dir=data_dir, database_url=database_url, secret_key="k" * 40, url="https://shop.example",
        trusted_hosts=("shop.example",), testing=True,
    )  # fmt: skip
    with closing(build_app(config)) as app:
        answer = app.test_client().get("/login", base_url="https://shop.example")
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    assert all(c.startswith("__Host-") and "Secure" in c and "Path=/" in c and "Domain" not in c for c in cookies)
