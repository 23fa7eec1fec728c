"""Two requests at once with one code, or one link: exactly one of them wins, on both databases."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.accounts import links, passwords, second_factor, users
from core.accounts.engine import engine
from core.accounts.models import StaffRole, User
from core.data import clock
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import write
from core.spec.errors import Forbidden, NotFound
from core.testing.factories import make_staff
from core.testing.rivals import rival

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at_once(app, work):
    """Run ``work`` in two threads that start together; returns what they returned."""
    start, results = threading.Barrier(2), []

    def run():
        with app.app_context():
            set_actor(system("race"))
            start.wait(timeout=10)
            results.append(work())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return sorted(results)


def test_a_code_is_accepted_once(app):
    user_id = users.find("anna@acme.example").id
    secret = second_factor.new_secret()
    token = engine().totp_factory._totp.from_source(secret)
    with clock.frozen(NOON):
        second_factor.enrol(user_id, secret, token.generate(time=NOON.timestamp()).token)
    later = NOON + timedelta(minutes=5)
    code = token.generate(time=later.timestamp()).token

    def work():
        with clock.frozen(later):
            return second_factor.accept(user_id, code)

    assert at_once(app, work) == [False, True]


def test_a_link_sets_one_password(app):
    with write():
        secret = links.issue(users.find("anna@acme.example"), "reset")
    hashed = passwords.hashed("seven green bicycles")

    def work():
        try:
            with write():
                links.redeem(secret, hashed)
        except NotFound:
            return False
        return True

    assert at_once(app, work) == [False, True]


@pytest.mark.parametrize("stop", ["disable", "take the role"])
def test_two_administrators_who_stop_each_other_leave_one(app, stop):
    make_staff("second@tukku.example", ["admin"])

    def stopping(email):
        if stop == "disable":
            users.set_active(users.find(email), False)
        else:
            with write():
                users.set_staff_roles(users.find(email), ["sales"])

    with rival(r"count\(.*\s.*FROM accounts_staff_role", lambda: stopping("admin@tukku.example")) as others:
        stopping("second@tukku.example")
    assert isinstance(others[0], Forbidden)
    db.session.rollback()
    admins = select(User.email).join(StaffRole, StaffRole.user_id == User.id).where(StaffRole.role == "admin", User.active)
    assert list(db.session.scalars(admins)) == ["admin@tukku.example"]
