"""What is asked once in a request: kept for its reader and its transaction, never inside write()."""

from __future__ import annotations

import pytest
from flask import Flask

from core.companies.models import Company
from core.data.db import db
from core.data.once import once
from core.data.scope import acting, system
from core.data.write import write
from core.testing.factories import make_company

pytestmark = pytest.mark.database("sqlite")  # it is the session's doing alone


@pytest.fixture
def name(app_with):
    """Ask for the name of a company by ``once``."""
    app: Flask = app_with()
    make_company("ACME", name="Before")
    query = db.select(Company.name).where(Company.code == "ACME")

    with app.test_request_context("/"):
        yield lambda: once("name", lambda: db.session.scalar(query))


def test_is_asked_once(name, count_statements):
    assert name() == "Before"
    with count_statements(at_most=0):
        assert name() == "Before"


def test_a_change_is_seen_within_and_after_the_transaction(name):
    assert name() == "Before"
    with write() as session:
        session.query(Company).update({"name": "After"})
        assert name() == "After"
        session.query(Company).update({"name": "Last"})
        assert name() == "Last"
    assert name() == "Last"


def test_another_actor_asks_anew(name, count_statements):
    name()
    with acting(system("somebody else")), count_statements() as seen:
        name()
    assert seen.count == 1


def test_outside_of_requests_nothing_is_kept(app_with):
    app_with()
    answers = iter([1, 2])
    assert [once("number", lambda: next(answers)) for _ in range(2)] == [1, 2]
