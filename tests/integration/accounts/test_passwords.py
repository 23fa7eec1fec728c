"""Passwords: the policy, and links by mail that set one."""

from datetime import UTC, datetime, timedelta

import pytest

from core.accounts import engine, passwords, users
from core.data import clock
from core.spec.errors import Invalid
from core.testing.factories import PASSWORD, password_hash

NEW = "seven green bicycles"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


WEAK = (
    "", "short", "elevenchars", "Password1234", "123456789012", "aaaaaaaaaaaaaaa", "abababababababab",
    "annavirtanen1", "Konepaja12345", "x" * 257,
)  # fmt: skip
STRONG = (PASSWORD, "x7#kP9!qLm2$", "lyhyt lause joka riittää", "ż" * 6 + "ółęąćń", "word of " * 20)
ABOUT = ("Anna Virtanen", "anna", "Konepaja Virtanen Oy")


def test_weak_passwords_are_refused_with_a_reason():
    for password in WEAK:
        with pytest.raises(Invalid) as refused:
            passwords.check(password, about=ABOUT)
        assert refused.value.code == "PASSWORD-WEAK", password


def test_long_and_unguessable_passwords_are_taken():
    for password in STRONG:
        passwords.check(password, about=ABOUT)


def test_argon2_has_the_parameters_of_the_policy(app_with, hashing_policy, monkeypatch):
    monkeypatch.setattr(engine, "ARGON2", hashing_policy)  # tests hash with weaker ones
    app_with()
    assert passwords.hashed(NEW).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(NEW, passwords.hashed(NEW))
    assert not passwords.matches(NEW, password_hash())
    assert not passwords.matches(NEW, None)


def ask(client, email="anna@acme.example", **kwargs):
    return client.post("/password/forgot", data={"email": email}, **kwargs)


def test_a_link_sets_the_password_once_and_ends_all_sessions(client, login, mails, path_of):
    elsewhere = login("anna@acme.example")
    ask(client)
    path = path_of(mails()[-1])
    assert client.get(path).status_code == 200
    assert client.post(path, data={"password": "short"}).status_code == 422
    assert client.post(path, data={"password": NEW}).location == "/login"
    assert elsewhere.get("/account").status_code == 303
    assert client.get("/account").status_code == 303, "the link does not sign in"
    assert client.post(path, data={"password": NEW + "!"}).status_code == 404
    assert client.post("/login", data={"email": "anna@acme.example", "password": PASSWORD}).status_code == 422
    assert client.post("/login", data={"email": "anna@acme.example", "password": NEW}).status_code == 303


def test_nobody_learns_from_it_who_has_an_account(client, mails):
    known, unknown = ask(client), ask(client, "nobody@acme.example")
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.text.replace("anna@", "").split("<main")[1] == unknown.text.replace("nobody@", "").split("<main")[1]
    assert [mail["to"] for mail in mails()] == ["anna@acme.example"]


def test_the_link_has_the_host_of_the_configuration(client, mails):
    ask(client, headers={"Host": "localhost"})
    assert "http://127.0.0.1:8000/password/new/" in mails()[-1]["text"]


def test_a_link_lives_for_half_an_hour(client, mails, path_of):
    with clock.frozen(NOON):
        ask(client)
    path = path_of(mails()[-1])
    with clock.frozen(NOON + timedelta(minutes=30, seconds=-1)):
        assert client.get(path).status_code == 200
    with clock.frozen(NOON + timedelta(minutes=30)):
        assert client.get(path).status_code == 404


def test_a_newer_link_ends_the_older(client, mails, path_of):
    ask(client)
    ask(client)
    first, second = mails()[-2:]
    assert client.get(path_of(first)).status_code == 404
    assert client.get(path_of(second)).status_code == 200


def test_a_changed_password_ends_open_links(client, login, mails, path_of):
    ask(client)
    login("anna@acme.example").post("/account/password", data={"old": PASSWORD, "password": NEW})
    assert client.get(path_of(mails()[-1])).status_code == 404


def test_a_disabled_person_gets_no_link(client, mails):
    users.set_active(users.find("anna@acme.example"), False)
    ask(client)
    assert mails() == []


def test_asking_is_limited(client, mails):
    for _ in range(5):
        ask(client)
    assert ask(client).status_code == 429
    assert len(mails()) == 5


def test_the_present_password_is_needed_to_change_it(login):
    client = login("anna@acme.example")
    answer = client.post("/account/password", data={"old": "not the password", "password": NEW})
    assert answer.status_code == 422
    assert "The present password is not right." in answer.text


def test_guessing_the_present_password_is_limited(login):
    client = login("anna@acme.example")
    for _ in range(5):
        assert client.post("/account/password", data={"old": "not the password", "password": NEW}).status_code == 422
    assert client.post("/account/password", data={"old": PASSWORD, "password": NEW}).status_code == 429
