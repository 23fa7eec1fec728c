"""``with write():`` is the only writer: nesting, rollback, refusals, and races on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update

from core.companies.models import Segment
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import after_commit, write, writing
from core.jobs.models import Job
from core.spec.errors import WriteError

AT = datetime(2026, 1, 1, tzinfo=UTC)


def _segment(code):
    segment = Segment(code=code, name={"en": code})
    db.session.add(segment)
    return segment


def _count():
    return db.session.scalar(select(func.count()).select_from(Segment))


def test_write_commits_at_the_end(data_app):
    with write():
        _segment("gold")
        assert writing()
    assert not writing()
    db.session.remove()
    set_actor(system("tests"))
    assert _count() == 1
