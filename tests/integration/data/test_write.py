"""``with write():`` is the only writer: nesting, rollback, refusals, and races on both databases."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from core.companies.models import Segment
from core.data.db import db
from core.data.scope import set_actor, system, unscoped
from core.data.write import after_commit, unhurried, write, writing
from core.orders.models import NumberSeries
from core.pricing.models import CurrencyRate
from core.spec.errors import WriteError
from core.testing import factories as make


def _segment(code):
    segment = Segment(code=code, name={"en": code})
    db.session.add(segment)
    return segment


def _codes():
    return set(db.session.scalars(select(Segment.code)))


def _from_another_session():
    db.session.remove()
    set_actor(system("tests"))
    return _codes()


def test_write_commits_when_the_block_ends(data_app):
    with write():
        _segment("gold")
        assert writing()
    assert not writing()
    assert _from_another_session() == {"gold"}


def test_an_exception_rolls_back_and_is_raised(data_app):
    with pytest.raises(ZeroDivisionError), write():
        _segment("gold")
        db.session.flush()
        1 / 0  # noqa: B018
    assert not writing()
    assert _from_another_session() == set()


def test_an_inner_block_joins_and_only_the_outermost_commits(data_app):
    with pytest.raises(ZeroDivisionError), write():
        with write():
            _segment("inner")
        assert writing()
        1 / 0  # noqa: B018
    assert _from_another_session() == set()


def test_an_exception_caught_inside_the_outer_block_leaves_the_rest(data_app):
    with write():
        _segment("outer")
        try:
            with write():
                raise ValueError
        except ValueError:
            pass
    assert _from_another_session() == {"outer"}


def test_the_block_can_be_used_again_after_a_failure(data_app):
    with pytest.raises(ZeroDivisionError), write():
        1 / 0  # noqa: B018
    with write():
        _segment("gold")
    assert _codes() == {"gold"}


def test_a_write_ends_the_read_transaction_and_sees_what_others_committed(data_app):
    with write():
        db.session.add(NumberSeries(seller_id=make.make_seller().id, kind="order", next_value=1))
    series = db.session.scalar(select(NumberSeries))
    with db.engine.begin() as other:
        other.execute(update(NumberSeries.__table__).values(next_value=7))
    with write():
        assert series.next_value == 7


@pytest.mark.database("sqlite")
def test_a_write_begins_immediately_and_a_read_does_not(data_app):
    begun = []
    with db.engine.connect() as connection:
        connection.connection.driver_connection.set_trace_callback(begun.append)  # the pool gives it to the next one too
    with write():
        _segment("gold")
    _codes()
    assert [sql.strip() for sql in begun if sql.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


@pytest.mark.parametrize(
    "change",
    [
        lambda: db.session.add(Segment(code="x", name={})) or db.session.flush(),
        lambda: db.session.add(Segment(code="x", name={})) or db.session.commit(),
        lambda: db.session.execute(insert(Segment).values(code="x", name={})),
        lambda: db.session.execute(insert(Segment.__table__).values(code="x", name={})),
        lambda: db.session.execute(update(Segment).values(code="x")),
        lambda: db.session.execute(delete(Segment)),
        lambda: db.session.execute(unscoped(text("DELETE FROM companies_segment"), "a test")),
    ],
)
def test_a_change_outside_is_refused(data_app, change):
    with pytest.raises(WriteError):
        change()
    db.session.rollback()
    assert _codes() == set()


def test_objects_changed_before_the_block_are_refused(data_app):
    with write():
        segment = _segment("gold")
    segment.code = "silver"
    with pytest.raises(WriteError, match="inside the block"), write():
        pass
    db.session.rollback()
    assert _codes() == {"gold"}


def test_after_commit_runs_once_the_outermost_block_has_committed(data_app):
    seen = []
    with write():
        with write():
            _segment("gold")
            after_commit(lambda: seen.append(_from_another_session()))
        assert seen == []
    assert seen == [{"gold"}]


def test_after_commit_is_forgotten_on_rollback(data_app):
    seen = []
    with pytest.raises(ZeroDivisionError), write():
        after_commit(lambda: seen.append(1))
        1 / 0  # noqa: B018
    with write():
        pass
    assert seen == []


def test_after_commit_that_fails_does_not_undo_or_hide_the_success(data_app, caplog):
    seen = []
    with write():
        _segment("gold")
        after_commit(lambda: 1 / 0)
        after_commit(lambda: seen.append(1))
    assert _from_another_session() == {"gold"}
    assert seen == [1]
    assert "after the commit" in caplog.text


def test_after_commit_outside_is_refused(data_app):
    with pytest.raises(WriteError):
        after_commit(lambda: None)


def _race(app, work, threads=8):
    errors = []
    start = threading.Barrier(threads)

    def run():
        try:
            with app.app_context():
                set_actor(system("race"))
                start.wait()
                work()
        except Exception as error:
            errors.append(error)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    return errors


def test_eight_threads_that_read_and_write_lose_nothing(data_app):
    seller = make.make_seller()
    with write():
        db.session.add(NumberSeries(seller_id=seller.id, kind="order", next_value=1))
    db.session.remove()

    def take_ten_numbers():
        for _ in range(10):
            # a read first, so that a deferred BEGIN would hold a stale snapshot
            db.session.scalar(select(func.count()).select_from(NumberSeries))
            with write() as session:
                series = session.scalar(select(NumberSeries).with_for_update().execution_options(populate_existing=True))
                series.next_value += 1

    assert _race(data_app, take_ten_numbers) == []
    set_actor(system("tests"))
    assert db.session.scalar(select(NumberSeries.next_value)) == 81


def test_one_writer_at_a_time_and_readers_go_on(data_app):
    """While a block is open, readers of other threads see the old state and do not wait."""
    with write():
        db.session.add(CurrencyRate(source="EUR", target="SEK", day=_day(), rate=Decimal("11.5")))
    seen = []

    def read():
        with data_app.app_context():
            set_actor(system("reader"))
            seen.append(db.session.scalar(select(CurrencyRate.rate)))

    with write() as session:
        session.scalar(select(CurrencyRate)).rate = Decimal(12)
        session.flush()
        thread = threading.Thread(target=read)
        thread.start()
        thread.join(5)
        assert seen == [Decimal("11.5")]


def _day():
    from datetime import date

    return date(2026, 1, 1)


def test_a_lock_outside_a_block_is_refused(data_app):
    """Nothing would hold it: PostgreSQL is read without a transaction there."""
    with write():
        segment = _segment("gold")
    statement = select(Segment).with_for_update()
    with pytest.raises(WriteError, match="FOR UPDATE"):
        db.session.scalar(statement)
    with pytest.raises(WriteError, match="FOR UPDATE"):
        db.session.get(Segment, segment.id, with_for_update=True, populate_existing=True)
    with write() as session:
        assert session.scalar(statement.execution_options(populate_existing=True)).code == "gold"


def test_long_statements_may_take_their_time_for_one_transaction(data_app):
    """PostgreSQL ends a statement after half a minute, but where a transaction says that it takes long."""
    with pytest.raises(WriteError, match="belongs inside"):
        unhurried()
    bounds = []
    for patient in (False, True, False):
        with write() as session:
            if patient:
                unhurried()
            if db.engine.dialect.name == "postgresql":
                bounds.append(session.connection().exec_driver_sql("SHOW statement_timeout").scalar())
    assert bounds in ([], ["30s", "0", "30s"])
