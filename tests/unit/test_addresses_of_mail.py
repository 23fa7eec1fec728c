"""Addresses of people: those that no mail can be sent to are refused when they are typed, not when mail is due."""

from __future__ import annotations

from email.headerregistry import Address

import pytest

from core.accounts.users import normal_email
from core.spec.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" ANNA@X.FI ", "anna@x.fi"),
        ("o'brien@x.ie", "o'brien@x.ie"),
        ("a+b_c-d@sub.x.co.uk", "a+b_c-d@sub.x.co.uk"),
        ("anna@ääkkö.example", "anna@ääkkö.example"),
        ("x" * 64 + "@x.fi", "x" * 64 + "@x.fi"),
    ],
)
def test_addresses_are_taken(typed, stored):
    assert normal_email(typed) == stored
    local, _at, domain = stored.partition("@")
    assert Address(addr_spec=f"{local}@{domain.encode('idna').decode()}").domain


@pytest.mark.parametrize(
    "typed",
    [
        "", "anna", "a@b", "äiti@x.example", "ı@x.example", "a..b@x.example", ".a@x.example", "a.@x.example", "a@x..fi",
        "a@.x.fi", "a@-x.fi", "a@x.f", "a@b@c.fi", "<a@x.fi>", "a,b@x.fi", '"a b"@x.fi', "a@x.fi\nBcc: b@x.fi",
        "x" * 65 + "@x.fi", "a@" + "x" * 64 + ".fi",
    ],
)  # fmt: skip
def test_what_mail_cannot_be_sent_to_is_refused_with_an_example(typed):
    with pytest.raises(Invalid, match="is not an e-mail address"):
        normal_email(typed)
