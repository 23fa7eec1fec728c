"""Two requests at once with one code, or one link: exactly one of them wins, on both databases."""

import threading
from datetime import UTC, datetime, timedelta

from core.accounts import links, passwords, second_factor, users
from core.accounts.engine import engine
from core.data import clock
from core.data.scope import set_actor, system
from core.data.write import write
from core.spec.errors import NotFound

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
