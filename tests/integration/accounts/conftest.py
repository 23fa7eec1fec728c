"""A shop with a buyer, a member of staff, and a company."""

import re

import pytest

from core.testing.factories import make_company, make_staff, make_user


@pytest.fixture
def app(app_with, monkeypatch):
    app = app_with()
    monkeypatch.setenv("TUKKU_ACCOUNTS__STAFF_SECOND_FACTOR", "0")
    acme = make_company("ACME")
    make_user("anna@acme.example", company=acme)
    make_user("boss@acme.example", company=acme, roles=["company_admin"])
    make_staff("admin@tukku.example", ["admin"], tf_totp_secret=None)
    return app


@pytest.fixture
def mails(app, data_dir):
    """Run the outbox and return what was mailed, newest last."""
    from sqlalchemy import select

    from core.data.db import db
    from core.jobs.models import Job

    def read() -> list[dict]:
        db.session.rollback()
        return [job.payload for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail").order_by(Job.id))]

    return read


def sid(client) -> str:
    """Return the session cookie of a browser."""
    return client.get_cookie("sid", domain="127.0.0.1").value


def link_in(mail: dict) -> str:
    """Return the link of a mail."""
    return re.search(r"https?://\S+", mail["text"])[0]


@pytest.fixture(name="sid")
def _sid():
    return sid


@pytest.fixture
def path_of():
    """Return the path of the link in a mail."""
    return lambda mail: link_in(mail).removeprefix("http://127.0.0.1:8000")
