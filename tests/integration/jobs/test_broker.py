"""Jobs on Celery with a real broker: what the broker loses is sent again, what it doubles is dropped."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.data import clock
from core.data.db import db
from core.data.write import write
from core.jobs import broker, queue, services
from core.jobs.models import Job

from .test_jobs import Shop


@pytest.fixture
def shop(data_app):
    return Shop(data_app)


@pytest.fixture
def celery(broker_url):
    app = broker.make_celery(broker_url)
    app.control.purge()
    return app


def _states():
    db.session.rollback()
    return [tuple(row) for row in db.session.execute(select(Job.state, Job.attempts).order_by(Job.id))]


def _messages(celery):
    with celery.connection_for_read() as connection:
        return connection.default_channel.queue_declare(broker.QUEUE, passive=True).message_count


def test_what_is_due_is_sent_once_and_again_when_the_broker_lost_it(shop, celery):
    runner = broker.BrokerRunner(lambda: shop.app, celery)
    services.enqueue("shop.note", {"n": 1})
    services.enqueue("shop.note", {"n": 2}, run_at=clock.now() + timedelta(hours=1))
    assert (broker.hand_over(shop.app, celery), broker.hand_over(shop.app, celery)) == (1, 0)
    assert _messages(celery) == 1
    celery.control.purge()  # the broker lost it
    with clock.frozen(clock.now() + broker.RESEND + timedelta(seconds=1)):
        assert broker.hand_over(shop.app, celery) == 1
        first = db.session.scalar(select(Job.id).order_by(Job.id))
        runner.run(first)
        runner.run(first)  # and delivered it twice
    assert shop.seen == [{"n": 1}]
    assert _states() == [("done", 1), ("waiting", 0)]


def test_a_job_of_a_killed_worker_is_sent_again_after_its_lease(shop, celery):
    services.enqueue("shop.note", {})
    broker.hand_over(shop.app, celery)
    assert queue.claim("killed") is not None
    assert broker.hand_over(shop.app, celery) == 0
    with clock.frozen(clock.now() + queue.LEASE + timedelta(seconds=1)):
        assert broker.hand_over(shop.app, celery) == 1
        broker.BrokerRunner(lambda: shop.app, celery).run(db.session.scalar(select(Job.id)))
    assert _states() == [("done", 2)]


@pytest.mark.database("sqlite")
def test_a_broker_that_is_down_leaves_the_jobs_unsent_and_a_backlog_stays_here(shop, celery, monkeypatch):
    gone = broker.make_celery("redis://127.0.0.1:1/0")
    services.enqueue("shop.note", {})
    with pytest.raises(Exception, match=r"refused|connect"):
        broker.hand_over(shop.app, gone)
    assert broker.hand_over(shop.app, celery) == 1
    monkeypatch.setattr(broker, "WINDOW", 3)
    with write():
        for n in range(5):
            services.enqueue("shop.note", {"n": n})
    assert (broker.hand_over(shop.app, celery), broker.hand_over(shop.app, celery)) == (2, 0)


@pytest.mark.database("sqlite")
def test_a_celery_worker_runs_what_waits_and_holds_what_is_off(shop, celery):
    runner = broker.BrokerRunner(lambda: shop.app, celery)
    with write() as session:
        for n in range(20):
            services.enqueue("shop.note", {"n": n})
        held = services.enqueue("shop.note", {"n": 99})
        session.execute(update(Job).where(Job.id == held).values(addon="off"))
    worker = celery.Worker(
        pool="threads", concurrency=3, without_gossip=True, without_mingle=True, loglevel="ERROR", quiet=True
    )
    thread = threading.Thread(target=worker.start, daemon=True)
    runner.start()
    thread.start()
    try:
        until = time.monotonic() + 30
        while len(shop.seen) < 20 and time.monotonic() < until:
            time.sleep(0.05)
        while "held" not in dict(_states()) and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        runner.stop()
        worker.stop()
        thread.join(20)
    assert sorted(p["n"] for p in shop.seen) == list(range(20))
    assert sorted(state for state, _attempts in _states()) == ["done"] * 20 + ["held"]
