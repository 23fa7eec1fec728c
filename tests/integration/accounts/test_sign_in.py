"""Signing in: what is accepted, what is refused and how it looks, and how much may be tried."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.accounts import users
from core.accounts.models import Attempt, LoginSession, User
from core.data import clock
from core.data.db import db
from core.data.models import AuditEntry
from core.testing.factories import PASSWORD
from core.testing.rivals import rival
from core.ui.links import safe_next

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def sign_in(client, email, password=PASSWORD, **values):
    return client.post("/login", data={"email": email, "password": password, **values})


def actions(email):
    code = db.session.scalar(select(User.code).where(User.email == email))
    return list(db.session.scalars(select(AuditEntry.action).where(AuditEntry.entity_id == code).order_by(AuditEntry.id)))


def test_right_password_signs_in_whatever_the_case_of_the_address(client):
    answer = sign_in(client, "Anna@ACME.example")
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/account").status_code == 200
    assert actions("anna@acme.example") == ["signed_in"]


def test_wrong_password_unknown_address_and_disabled_person_get_the_same_answer(client):
    users.set_active(users.find("boss@acme.example"), False)
    answers = [
        sign_in(client, "anna@acme.example", "not the password at all"),
        sign_in(client, "nobody@acme.example"),
        sign_in(client, "boss@acme.example"),
    ]
    assert {answer.status_code for answer in answers} == {422}
    texts = {a.text.replace("nobody@", "anna@").replace("boss@", "anna@").split("<main")[1] for a in answers}
    texts = {t.split("csrf_token")[0] for t in texts}
    assert len(texts) == 1
    assert "The address or the password is not right." in answers[0].text


def test_ten_failures_in_five_minutes_stop_an_account_even_for_the_right_password(client):
    with clock.frozen(NOON):
        for _ in range(10):
            assert sign_in(client, "anna@acme.example", "wrong password here").status_code == 422
        assert sign_in(client, "anna@acme.example").status_code == 429
    with clock.frozen(NOON + timedelta(minutes=5, seconds=1)):
        assert sign_in(client, "anna@acme.example").status_code == 303


def test_failures_of_one_account_leave_the_office_that_shares_the_address_alone(app, client):
    for _ in range(10):
        sign_in(client, "boss@acme.example", "wrong password here")
    assert sign_in(client, "boss@acme.example").status_code == 429
    assert sign_in(app.test_client(), "anna@acme.example").status_code == 303


def test_failures_of_many_accounts_stop_an_address(client):
    for number in range(50):
        sign_in(client, f"nobody{number}@acme.example")
    answer = sign_in(client, "anna@acme.example")
    assert answer.status_code == 429
    assert "Too many attempts" in answer.text


def test_success_forgets_the_failures_of_the_account(client):
    sign_in(client, "anna@acme.example", "wrong password here")
    sign_in(client, "anna@acme.example")
    assert not db.session.scalars(select(Attempt).where(Attempt.key == "user:anna@acme.example")).all()


SAFE = ("/company", "/company/addresses?page=2", "/")
UNSAFE = (
    "", "//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example/", "%2f%2fevil.example",
    "/\tevil", "/%0d%0aevil", "http://a@b/", "/no/such/page", "/logout", "javascript:alert(1)", "company",
)  # fmt: skip


def test_next_leads_only_to_pages_of_this_shop(app, client):
    with app.test_request_context("/"):
        assert {target: safe_next(target, "/start") for target in SAFE} == {target: target for target in SAFE}
        assert {target: safe_next(target, "/start") for target in UNSAFE} == dict.fromkeys(UNSAFE, "/start")
    assert sign_in(client, "anna@acme.example", next="/company").location == "/company"
    assert sign_in(client, "anna@acme.example", next="//evil.example").location == "/"


def test_a_preset_session_is_not_taken_over(client, sid):
    client.set_cookie("sid", "chosen-by-somebody-else", domain="127.0.0.1")
    sign_in(client, "anna@acme.example")
    assert "chosen-by-somebody-else" not in sid(client)


def test_signing_in_gives_a_new_token_and_a_new_row(client, app, sid):
    sign_in(client, "anna@acme.example")
    first = sid(client)
    sign_in(client, "anna@acme.example")
    assert sid(client) != first
    stale = app.test_client()
    stale.set_cookie("sid", first, domain="127.0.0.1")
    assert stale.get("/account").status_code == 303
    assert len(db.session.scalars(select(LoginSession)).all()) == 1


def test_the_token_is_stored_only_as_a_hash(client, sid):
    sign_in(client, "anna@acme.example")
    token = sid(client).split(".")[0]
    assert token not in str(db.session.scalar(select(LoginSession.token_hash)))


def test_a_session_that_was_signed_out_cannot_be_replayed(client, app, sid):
    sign_in(client, "anna@acme.example")
    cookie = sid(client)
    assert client.post("/logout").status_code == 303
    again = app.test_client()
    again.set_cookie("sid", cookie, domain="127.0.0.1")
    assert again.get("/account").status_code == 303
    assert actions("anna@acme.example") == ["signed_in", "signed_out"]


def test_disabling_ends_every_session(login):
    client = login("anna@acme.example")
    assert client.get("/account").status_code == 200
    users.set_active(users.find("anna@acme.example"), False)
    assert client.get("/account").status_code == 303


def test_another_persons_session_leaves_nothing_behind(client):
    sign_in(client, "admin@tukku.example")
    sign_in(client, "anna@acme.example")
    assert client.get("/admin/companies/c/").status_code == 403


NEW = "seven green bicycles"


def change_password(email):
    users.change_password(users.find(email), PASSWORD, NEW)


@pytest.mark.parametrize("at", ["FROM accounts_user", "INSERT INTO accounts_session"])
def test_a_password_that_is_changed_while_it_is_looked_at_signs_nobody_in(app, client, at):
    """Changing it ends all sessions; one that begins in that moment would live on by a password that is none any more."""
    with rival(at, lambda: change_password("anna@acme.example")) as others:
        answer = sign_in(client, "anna@acme.example")
    assert others == [None]
    begun = (answer.status_code, client.get("/account").status_code == 200)
    assert begun in ((422, False), (303, False))  # refused, or ended by the change that came after
    assert db.session.scalar(select(LoginSession.id).where(LoginSession.user_id.is_not(None))) is None
    assert sign_in(client, "anna@acme.example", NEW).status_code == 303
