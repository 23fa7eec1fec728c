"""A code in an address comes back as it was, whatever characters somebody's ERP put into it."""

from urllib.parse import unquote, urlsplit

import pytest
from flask import Flask, url_for
from hypothesis import given
from hypothesis import strategies as st

from core.ui.incoming import init_incoming

CODES = ("1000/2", "ZS/123/2026", "/lead", "trail/", "a//b", "..", ".", "a/../b", "50%", "%2F", "%252F", "a?b#c &d", "Ä/ı")


def made() -> Flask:
    app = Flask(__name__)
    init_incoming(app)
    app.add_url_rule("/orders/<code>/edit", "edit", lambda code: f"<{code}>")
    app.add_url_rule("/p/<path:code>", "product", lambda code: f"<{code}>")
    app.add_url_rule("/p/<path:code>/prices", "prices", lambda code: f"prices of <{code}>")
    return app


APP = made()


def shown(endpoint: str, code: str) -> str:
    """Follow the link to `code` as a browser does, which takes . and .. out of a path itself."""
    with APP.test_request_context():
        address = url_for(endpoint, code=code)
    path = urlsplit(address).path
    assert not {"", ".", "..", "%2e", "%2E"} & set(path.split("/")[1:])
    answer = APP.test_client().get(address)
    assert answer.status_code == 200, (address, unquote(address))
    return answer.text


@pytest.mark.parametrize("endpoint", ["edit", "product"])
@pytest.mark.parametrize("code", CODES)
def test_a_link_to_a_code_leads_to_that_code(endpoint, code):
    assert shown(endpoint, code) == f"<{code}>"


@given(code=st.text(alphabet="aÄ/.%25EF? ", min_size=1, max_size=12))
def test_any_code_comes_back(code):
    assert shown("edit", code) == f"<{code}>"
    assert shown("product", code) == f"<{code}>"


def test_common_codes_keep_plain_addresses():
    with APP.test_request_context():
        assert url_for("edit", code="M8x40-ZN") == "/orders/M8x40-ZN/edit"
        assert url_for("product", code="R1/2") == "/p/R1/2"
        assert url_for("prices", code="R1/2") == "/p/R1/2/prices"
    assert APP.test_client().get("/p/R1/2/prices").text == "prices of <R1/2>"
