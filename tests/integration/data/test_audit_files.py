"""The trail says who, for whom, what; files are kept once and shown to their company."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from core.data import audit, files
from core.data.db import db
from core.data.models import AuditEntry, StoredFile
from core.data.scope import Actor, Scope, set_actor
from core.data.write import write
from core.spec.errors import WriteError
from core.testing import factories as make


def test_an_entry_names_both_people_and_keeps_exact_values(data_app):
    set_actor(Actor(7, "Sam Sales", Scope("merchant"), company_id=3, on_behalf_of=9))
    with write():
        audit.record(
            "order",
            "SO-1",
            "changed",
            before={"net": Decimal("1.10")},
            after={"day": date(2026, 1, 1), "n": 1},
            reason="asked",
        )
    entry = db.session.scalar(select(AuditEntry))
    assert (entry.actor_id, entry.actor, entry.on_behalf_of, entry.company_id) == (7, "Sam Sales", 9, 3)
    assert (entry.before, entry.after) == ({"net": "1.10"}, {"day": "2026-01-01", "n": 1})
    assert entry.reason == "asked"


def test_an_entry_is_undone_with_its_deed(data_app):
    with pytest.raises(ZeroDivisionError), write():
        audit.record("order", "SO-1", "changed")
        1 / 0  # noqa: B018
    assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == 0


def test_an_entry_outside_a_transaction_is_refused(data_app):
    audit.record("order", "SO-1", "changed")
    with pytest.raises(WriteError):
        db.session.commit()


def test_equal_bytes_are_kept_once_under_a_name_without_folders(data_app, data_dir):
    with write():
        one = files.store(b"drawing", "../../etc/M8.pdf", "application/pdf")
        two = files.store(b"drawing", "copy.pdf", "application/pdf")
    assert one.key != two.key
    assert one.name == "M8.pdf"
    assert files.read(one) == files.read(two) == b"drawing"
    assert [p.name for p in data_dir.rglob("*") if p.is_file()] == [one.sha256]


def test_a_file_is_found_by_its_company_and_by_staff_only(data_app):
    a, b = make.make_company("A").id, make.make_company("B").id
    with write():
        stored = files.store(b"price list", "prices.pdf", "application/pdf", company_id=a)
    key = stored.key
    for company, found in ((a, True), (b, False)):
        own = (company,)
        set_actor(Actor(1, "x", Scope("companies", own, own, own), company_id=company))
        assert (files.find(key) is not None) is found
    set_actor(Actor(2, "sam", Scope("merchant")))
    assert files.find(key) is not None
    assert files.find("no such key") is None


def test_the_bytes_lie_there_before_the_row(data_app, data_dir):
    with pytest.raises(ZeroDivisionError), write():
        stored = files.store(b"x", "x", "text/plain")
        assert files.path_of(stored).exists()
        1 / 0  # noqa: B018
    assert db.session.scalar(select(func.count()).select_from(StoredFile)) == 0
