"""The fixtures give an app that serves."""

from __future__ import annotations

import http.client

import pytest

from core.data import clock
from core.testing import factories as make


def test_the_app_serves(client):
    assert client.get("/static/nothing").status_code == 404


def test_requests_do_not_share_the_tests_session(app, client):
    make.make_company("A")
    client.get("/")
    make.make_company("B")


def test_a_signed_in_person_is_known_to_requests(app, login):
    make.make_user("anna@a.example", company=make.make_company("A"))
    make.make_staff("sam@tukku.example")
    for email in ("anna@a.example", "sam@tukku.example"):
        seen = []
        app.before_request_funcs.setdefault(None, []).append(lambda seen=seen: seen.append(_name()))
        login(email).get("/")
        assert seen[0] == email.split("@")[0]


def test_a_frozen_clock_reaches_requests(app, client):
    seen = []
    app.before_request(lambda: seen.append(clock.now()))
    with clock.frozen(make.EARLY):
        client.get("/")
    assert seen == [make.EARLY]


@pytest.mark.parametrize("number", [1, 2])
def test_several_apps_of_a_test_are_lent_to_the_next(app_with, number):
    for addons in ([], ["promotions"], []):
        app = app_with(addons=addons)
        assert "seen" not in app.extensions
        app.extensions["seen"] = number
        app.config["TESTING"] = app.config["SEEN"] = number
        make.make_company("A")
    assert app_with(addons=["promotions"]).config["TESTING"] is True


@pytest.mark.parametrize("number", [1, 2])
def test_an_app_is_built_for_a_test_that_patched_something_before(app_with, monkeypatch, number):
    monkeypatch.setattr("core.restapi.document._ABOUT", f"patched {number}")
    assert app_with().extensions["tukku.api"].spec.to_dict()["info"]["description"] == f"patched {number}"
    monkeypatch.undo()
    assert "patched" not in app_with().extensions["tukku.api"].spec.to_dict()["info"]["description"]


def test_the_live_server_answers(live_server):
    connection = http.client.HTTPConnection(live_server.removeprefix("http://"), timeout=10)
    connection.request("GET", "/no-such-page")
    assert connection.getresponse().status == 404


def _name():
    from core.data.scope import current_actor

    return current_actor().name
