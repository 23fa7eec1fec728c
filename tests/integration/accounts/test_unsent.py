"""A form that came after its session had ended, or was made for another: where its sender is led, what the page is told."""

from __future__ import annotations

import re

import pytest

from core.testing import factories as make
from core.testing.signin import sign_in


@pytest.fixture
def shop(app):
    app.config["WTF_CSRF_ENABLED"] = True
    first, second = make.make_company("first"), make.make_company("second")
    eva = make.make_user("eva@first.example", company=first)
    make.make_membership(eva, second)
    return app


def from_account(shop) -> dict[str, str]:
    return {"Referer": f"http://{shop.config['SERVER_NAME']}/account"}


def unsent(answer) -> bool:
    return any(cookie.startswith("unsent=1;") for cookie in answer.headers.getlist("Set-Cookie"))


def test_without_a_session_the_way_leads_over_the_sign_in_back_to_the_page(shop):
    visitor = shop.test_client()
    answer = visitor.post("/account", data={"name": "Anna"}, headers=from_account(shop))
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/login?next=/account")
    assert unsent(answer)
    assert "nothing was sent" in visitor.get("/login").text


@pytest.mark.parametrize("came", ["", "http://evil.example/account", "http://{host}/logout", "http://{host}//evil.example"])
def test_another_page_is_never_led_to(shop, came):
    came = came.format(host=shop.config["SERVER_NAME"])
    answer = shop.test_client().post("/account", data={"name": "Anna"}, headers={"Referer": came} if came else {})
    assert answer.headers["Location"].endswith("/login")


def test_a_form_of_an_earlier_session_is_not_taken_but_not_lost_either(shop):
    anna = sign_in(shop, "eva@first.example")
    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.get("/account").text)[1]
    anna.post("/company/switch", data={"csrf_token": token, "company": "second"})
    answer = anna.post("/account", data={"csrf_token": token, "name": "Somebody"}, headers=from_account(shop))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert unsent(answer)
    page = anna.get("/account").text
    assert "in another window, so nothing was sent" in page
    assert "Somebody" not in page
    assert anna.post("/account", data={"csrf_token": token, "name": "Somebody"}).status_code == 400


def test_pages_tell_one_reader_and_company_from_another(shop):
    anna = sign_in(shop, "eva@first.example")
    page = anna.get("/account").text
    first = re.search(r'data-reader="(\d+\.\d+)"', page)[1]
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)[1]
    anna.post("/company/switch", data={"csrf_token": token, "company": "second"})
    assert re.search(r'data-reader="([^"]*)"', anna.get("/account").text)[1] != first
    assert re.search(r'data-reader="([^"]*)"', shop.test_client().get("/login").text)[1] in (".", "")
