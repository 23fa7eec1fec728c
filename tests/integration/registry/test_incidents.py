"""Failures that two processes meet at once are counted, each of them."""

from sqlalchemy import select

from core.data.db import db
from core.registry.incidents import failure_of, store
from core.registry.models import Incident
from core.testing.rivals import rival


def test_failures_of_two_processes_at_once_are_all_counted(data_app):
    one, two = (failure_of("toy", "request", hook, RuntimeError("broken")) for hook in ("first", "second"))
    store([one])
    with rival("core_incident", lambda: store([one, two])):
        store([two, one])
    db.session.rollback()
    found = db.session.execute(select(Incident.hook, Incident.count).order_by(Incident.hook))
    assert [tuple(row) for row in found] == [("first", 3), ("second", 2)]
