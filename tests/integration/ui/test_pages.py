"""The frames, homes, settings and error pages, as people of each kind see them."""

from __future__ import annotations

import pytest

from core.settings.services import get
from core.testing import factories as make


@pytest.fixture
def admin(app, login):
    """A signed-in administrator."""
    make.make_staff("admin@tukku.example")
    return login("admin@tukku.example")


@pytest.fixture
def buyer(app, login):
    """A signed-in buyer of one company."""
    company = make.make_company("ACME")
    make.make_user("anna@acme.example", company=company)
    return login("anna@acme.example")


def test_a_visitor_sees_the_way_in(client):
    page = client.get("/").get_data(as_text=True)
    assert "Sign in to see the prices of your company" in page
    assert '<main class="tk-main" id="main"' in page


def test_no_page_has_inline_script_or_style(client, admin):
    for page in (client.get("/"), admin.get("/admin/"), admin.get("/admin/settings")):
        text = page.get_data(as_text=True)
        assert page.status_code == 200
        assert " style=" not in text
        assert "<script>" not in text
        assert " onclick=" not in text


def test_static_files_are_immutable_under_their_digest(client):
    page = client.get("/").get_data(as_text=True)
    url = next(part.split('"')[0] for part in page.split('href="') if "tukku.css" in part.split('"')[0])
    response = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Encoding"] == "gzip"
    other = client.get(url.replace(url.split("/")[3], "0" * 12))
    assert other.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["../../config.py", "%2e%2e/ui/assets.py", "vendor/none.js", "a/core/x.css"])
def test_static_files_do_not_leave_their_folder(client, path):
    assert client.get(f"/static/t/000000000000/{path}").status_code == 404


def test_a_buyer_sees_the_company_and_no_back_office(buyer):
    page = buyer.get("/").get_data(as_text=True)
    assert "Company ACME" in page
    assert 'href="/admin/"' not in page
    assert buyer.get("/admin/").status_code == 403


def test_staff_find_by_a_few_letters(admin):
    make.make_company("NORTH")
    assert "Company NORTH" in admin.get("/admin/find?q=nort").get_data(as_text=True)
    fragment = admin.get("/admin/find?q=nort", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in fragment
    assert "NORTH" in fragment


def test_settings_are_saved_and_said(admin):
    answer = admin.post(
        "/admin/settings/storefront", data={"shop_name": "Rautakauppa", "accent": "aa0000"}, follow_redirects=True
    )
    assert "Saved." in answer.get_data(as_text=True)
    assert get("storefront", "shop_name") == "Rautakauppa"
    page = admin.get("/").get_data(as_text=True)
    assert "Rautakauppa" in page
    assert "/static/accent/aa0000.css" in page


def test_settings_of_an_unknown_owner_are_not_found(admin):
    assert admin.get("/admin/settings/nobody").status_code == 404


def test_theme_comes_from_its_cookie_and_from_nothing_else(client):
    client.set_cookie("theme", "dark")
    assert 'data-bs-theme="dark"' in client.get("/").get_data(as_text=True)
    client.set_cookie("theme", '"><script>')
    assert "data-bs-theme" not in client.get("/").get_data(as_text=True)


def test_an_accent_that_is_no_colour_is_not_found(client):
    assert client.get("/static/accent/zzzzzz.css").status_code == 404
    assert "light-dark(" in client.get("/static/accent/0b6170.css").get_data(as_text=True)
