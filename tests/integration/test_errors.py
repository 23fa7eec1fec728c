"""What a reader is told when the database cannot do what was asked."""

import sqlite3
import threading
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

import pytest
from flask import render_template
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import OperationalError

from core.accounts.models import StaffRole
from core.companies.models import Company
from core.companies.tree import lock_company
from core.data import clock
from core.data.db import db, make_engine
from core.data.scope import acting, system
from core.data.write import write
from core.registry.models import Incident
from core.registry.registry import registry
from core.testing import factories as make
from core.ui.access import public

#: What the session remembers of rows is left as it is.
PAST = {"synchronize_session": False}
BUSY = "Somebody else is changing the same at this moment, so nothing was changed. Try again."


def answered(app, view, **headers):
    """Answer the first page of the shop by ``view``, and ask for it."""
    address = next(rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == "catalog.home")
    app.view_functions["catalog.home"] = public("a test")(view)
    return app.test_client().get(address, headers=headers)


@pytest.fixture
def ask(app):
    """Answer the first page by a function that is given, and ask for it."""
    return partial(answered, app)


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


class Raising:
    """A value that no template can draw."""

    def __str__(self):
        raise RuntimeError("this cannot be drawn")

    __html__ = __str__


def code_of(addon, source):
    """Return the function ``fail`` of a module that would lie in the addon's folder."""
    (found,) = (found for found in registry().plan.order if found.name == addon)
    names = {"RuntimeError": RuntimeError}
    exec(compile(source, found.location / "broken.py", "exec"), names)
    return names["fail"]


RAISES = "def fail(*_given):\n    raise RuntimeError('broken')"
CALLS = "def fail(asked):\n    asked()"


def in_its_code():
    code_of("promotions", RAISES)()


def through_its_code():
    code_of("promotions", CALLS)(lambda: {}["missing"])


def in_its_template():
    render_template("rebates/card_waiting.html", context=SimpleNamespace(), count=Raising(), url="")


def behind_another_error():
    try:
        in_its_code()
    except RuntimeError as error:
        raise ValueError("the page cannot be shown") from error


def nearest_first():
    code_of("promotions", CALLS)(code_of("rebates", RAISES))


def in_core():
    raise RuntimeError("broken")


@pytest.mark.parametrize(
    ("view", "owner"),
    [
        (in_its_code, "promotions"), (through_its_code, "promotions"), (in_its_template, "rebates"),
        (behind_another_error, "promotions"), (nearest_first, "rebates"), (in_core, "catalog"),
    ],
)  # fmt: skip
def test_a_core_page_that_fails_in_an_addons_code_is_the_addons_incident(app_with, view, owner):
    app = app_with(addons=["promotions", "rebates"])
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert answered(app, view, Accept="application/json").status_code == 500
    db.session.rollback()
    assert [(i.addon, i.phase, i.hook) for i in db.session.scalars(select(Incident))] == [(owner, "request", "catalog.home")]


@pytest.mark.database("postgres")
def test_one_of_two_who_wait_for_each_other_is_told_to_try_again(app, ask):
    first, second = (make.make_company(code).id for code in ("first", "second"))
    held, asking = threading.Event(), threading.Event()

    def lock(one, other, ready, wait):
        with acting(system("a test")), write():
            lock_company(one)
            ready.set()
            wait.wait(10)
            lock_company(other)

    def meanwhile():
        with app.app_context(), suppress(OperationalError):  # either of the two is ended
            lock(second, first, held, asking)

    thread = threading.Thread(target=meanwhile)

    def view():
        thread.start()
        lock(first, second, asking, held)
        return "done"

    answer = ask(view)
    thread.join(10)
    assert answer.status_code == 200 or (answer.status_code == 503 and BUSY in answer.text)


def test_a_name_that_somebody_has_just_taken_and_a_row_that_was_just_changed_are_no_faults_of_the_shop(app, ask):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    company = make.make_company("acme")

    def taken():
        with acting(system("a test")), write() as session:
            session.add(Company(code="acme", name="Acme", country="FI", currency="EUR", created_at=clock.now()))

    def changed():
        with acting(system("a test")), write() as session:
            found = session.get_one(Company, company.id)
            session.execute(update(Company).values(version=Company.version + 1), execution_options=PAST)
            found.name = "Other"

    def wrong():
        with acting(system("a test")), write() as session:
            session.execute(insert(StaffRole).values(user_id=0, role="admin"))

    for view in (taken, changed):
        answer = ask(view)
        assert (view, answer.status_code) == (view, 409)
        assert "so nothing was changed. Look at it again." in answer.text
    assert db.session.scalars(select(Incident)).all() == []
    assert ask(wrong).status_code == 500
