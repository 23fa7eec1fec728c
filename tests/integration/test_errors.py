"""What a reader is told when the database cannot do what was asked."""

import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.companies.tree import lock_company
from core.data.db import db, make_engine
from core.data.scope import acting, system
from core.data.write import write
from core.testing import factories as make
from core.ui.access import public

BUSY = "Somebody else is changing the same at this moment, so nothing was changed. Try again."


@pytest.fixture
def ask(app):
    """Answer the first page by a function that is given, and ask for it."""
    address = next(rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == "catalog.home")

    def asked(view, **headers):
        app.view_functions["catalog.home"] = public("a test")(view)
        return app.test_client().get(address, headers=headers)

    return asked


@pytest.mark.database("postgres")
def test_a_lock_that_somebody_holds_too_long(ask):
    """The real thing: another connection holds the company's row for longer than ``lock_timeout``."""
    company = make.make_company("acme").id

    def view():
        with acting(system("a test")), write():
            lock_company(company)

    other = make_engine(db.engine.url)
    with other.connect() as connection:
        connection.execute(text("SELECT 1 FROM companies_company FOR UPDATE"))
        answer = ask(view)
    other.dispose()
    assert answer.status_code == 503
    assert BUSY in answer.text


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("said", "status", "code", "wait"),
    [("database is locked", 503, "BUSY", "2"), ("no such table: nothing", 500, "INTERNAL", None)],
)
def test_a_busy_file_is_no_fault_of_the_shop(app, ask, said, status, code, wait):
    def view():
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError(said))

    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = ask(view, Accept="application/json")
    assert (answer.status_code, answer.json["code"], answer.headers.get("Retry-After")) == (status, code, wait)
