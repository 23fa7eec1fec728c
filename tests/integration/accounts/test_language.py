"""The language: what the browser asks for, what a visitor chooses, and what a signed-in person chooses."""

from core.accounts import users
from core.data.db import db
from core.testing.factories import PASSWORD


def choose(client, locale, **values):
    return client.post("/language", data={"locale": locale, **values})


def test_a_visitor_reads_what_the_browser_asks_for_until_another_language_is_chosen(client):
    finnish = {"Accept-Language": "fi"}
    assert '<html lang="fi"' in client.get("/login", headers=finnish).text
    assert choose(client, "en", next="/login?next=/").location == "/login?next=/"
    assert '<html lang="en"' in client.get("/login", headers=finnish).text


def test_a_signed_in_person_keeps_the_chosen_language_in_any_browser(app, client):
    client.post("/login", data={"email": "anna@acme.example", "password": PASSWORD})
    answer = choose(client, "fi", next="https://elsewhere.example/")
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Omat tiedot" in client.get("/account").text
    db.session.expire_all()
    assert users.find("anna@acme.example").locale == "fi"


def test_a_language_that_the_shop_does_not_speak_is_refused(client):
    assert choose(client, "xx").status_code == 400


def test_who_changes_the_language_is_answered_in_the_new_one(client):
    client.post("/login", data={"email": "anna@acme.example", "password": PASSWORD})
    page = client.post("/account", data={"name": "Anna", "locale": "pl"}, follow_redirects=True).text
    assert "Twoje dane zapisano" in page
    assert "Your details are saved" not in page
    assert "Twoje imię i nazwisko" in page
