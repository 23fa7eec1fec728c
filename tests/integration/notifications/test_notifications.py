"""People are told once, in their language, in the way they chose; nobody reads what others were told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.accounts.models import User
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.jobs.models import Job
from core.notifications import digest, kinds, services
from core.notifications.kinds import Way
from core.notifications.models import Notification
from core.notifications.services import Message, notify
from core.testing import factories

KIND = "orders.confirmed"
TUESDAY = datetime(2026, 6, 2, 4, tzinfo=UTC)


@pytest.fixture
def people(app_with):
    app = app_with()
    company = factories.make_company("ACME")
    anna = factories.make_user("anna@acme.example", company=company)
    ulla = factories.make_user("ulla@acme.example", company=company, locale="fi")
    return app, anna.id, ulla.id


def say(subject="News", **values):
    from core.i18n import current_locale

    return lambda: Message(f"{subject} ({current_locale()})", **values)


def mails():
    db.session.rollback()
    return [job.payload for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail").order_by(Job.id))]


def unread(user_id):
    db.session.rollback()
    return db.session.scalar(select(User.unread).where(User.id == user_id))


def test_people_are_told_once_in_their_language_and_way(people):
    _app, anna, ulla = people
    kinds.choose(ulla, {KIND: Way("none", True)})
    assert notify(KIND, [anna, ulla], say(text="More.", url="/orders/1"), key="order:1") == 2
    assert notify(KIND, [anna, ulla], say("Again"), key="order:1") == 0
    rows = db.session.scalars(select(Notification).order_by(Notification.user_id)).all()
    assert [(row.subject, row.mail) for row in rows] == [("News (en)", "now"), ("News (fi)", "none")]
    assert [(m["to"], m["subject"]) for m in mails()] == [("anna@acme.example", "News (en)")]
    assert "/orders/1" in mails()[0]["text"]
    assert "/notifications/choices" in mails()[0]["text"]
    assert (unread(anna), unread(ulla)) == (1, 1)
    services.mark_read(anna)
    assert (unread(anna), unread(ulla)) == (0, 1)


def test_nobody_is_told_of_a_deed_that_was_undone_nor_who_may_not_sign_in(people):
    _app, anna, ulla = people
    with write() as session:
        session.get(User, ulla).active = False
    with pytest.raises(ZeroDivisionError), write():
        notify(KIND, [anna], say(), key="order:1")
        1 / 0  # noqa: B018
    assert (unread(anna), mails()) == (0, [])
    assert notify(KIND, [anna, ulla], say(), key="order:1") == 1
    with pytest.raises(LookupError, match=r"did you mean orders\.confirmed"):
        notify("orders.confirmd", [anna], say(), key="x")


def test_a_digest_says_everything_once(people):
    _app, anna, ulla = people
    with clock.frozen(TUESDAY):
        kinds.choose(anna, {KIND: Way("daily", False)})
        kinds.choose(ulla, {KIND: Way("weekly", True)})
        for number in range(3):
            notify(KIND, [anna, ulla], say(f"Order {number}"), key=f"order:{number}")
        assert (mails(), unread(anna), unread(ulla)) == ([], 0, 3)
        digest.send({})
        digest.send({})
        assert [m["to"] for m in mails()] == ["anna@acme.example"]
        assert all(f"Order {number} (en)" in mails()[0]["text"] for number in range(3))
    with clock.frozen(datetime(2026, 6, 8, 4, tzinfo=UTC)):  # Monday
        digest.send({})
        digest.send({})
        assert [m["to"] for m in mails()] == ["anna@acme.example", "ulla@acme.example"]
    with clock.frozen(datetime(2027, 12, 1, 4, tzinfo=UTC)):
        services.prune()
        assert (db.session.scalars(select(Notification)).all(), unread(ulla)) == ([], 0)


@pytest.mark.database("sqlite")
def test_the_page_shows_marks_and_keeps_to_its_person(people, count_statements):
    from core.testing.signin import sign_in

    app, anna, _ulla = people
    for number in range(35):
        notify(KIND, [anna], say(f"Order {number}", url="/orders"), key=f"order:{number}")
    client, other = sign_in(app, "anna@acme.example"), sign_in(app, "ulla@acme.example")
    client.get("/notifications/")  # settings and seller are kept from the first page on
    with count_statements() as with_bell:
        page = client.get("/notifications/").text
    assert "Order 34 (en)" in page
    assert "Order 4 (en)" not in page
    assert "35 unread notifications" in page
    first = db.session.scalar(select(Notification.id).order_by(Notification.id.desc()))
    assert other.post(f"/notifications/{first}/open").status_code == 404
    assert client.post(f"/notifications/{first}/open").location == "/orders"
    assert unread(anna) == 34
    client.post("/notifications/read")
    assert unread(anna) == 0
    with count_statements() as without:
        assert "You have read everything" in client.get("/notifications/?show=unread").text
    assert with_bell.count == without.count
    page = client.get("/notifications/choices").text
    assert "Order confirmed" in page
    assert "New order of my companies" not in page
    names = kinds.kinds_for(is_staff=False)
    answer = client.post("/notifications/choices", data={f"{name}:mail": "weekly" for name in names})
    assert answer.status_code == 303
    assert kinds.choices_of(anna, names)[KIND] == Way("weekly", False)
    assert client.post("/notifications/choices", data={f"{name}:mail": "hourly" for name in names}).status_code == 400
    assert app.test_client().get("/notifications/").status_code == 303
