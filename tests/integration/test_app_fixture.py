"""The fixtures give an app that serves."""

from __future__ import annotations

from core.testing import factories as make


def test_the_app_serves(client):
    assert client.get("/static/nothing").status_code == 404


def test_requests_do_not_share_the_tests_session(app, client):
    make.make_company("A")
    client.get("/")
    make.make_company("B")
