"""Jobs: written with the deed, run after it, at least once, whatever dies."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from core.data import clock
from core.data.db import db
from core.data.scope import current_actor, set_actor, system
from core.data.write import write
from core.jobs import queue, services
from core.jobs.models import Job
from core.jobs.runner import EmbeddedRunner, run_due, run_next
from core.jobs.work import find
from core.registry.models import Incident
from core.spec.app import JobSpec, Subscriber
from core.spec.errors import Conflict, NotFound, WriteError
from core.testing.apps import bare_app, closing
from core.testing.registries import give_registry
from core.testing.rivals import rival

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Shop:
    """An app whose domain ``shop`` has jobs; what they did is in ``seen``."""

    def __init__(self, app):
        self.app, self.seen, self.failures = app, [], 0
        self.registry = self.give()

    def give(self, *jobs, domains=("shop",), subscribers=()):
        specs = [
            JobSpec("note", self.note),
            JobSpec("fail", self.fail, max_attempts=3),
            JobSpec("who", lambda payload: self.seen.append(current_actor().name)),
            *jobs,
        ]
        return give_registry(
            self.app,
            {"app_jobs": [("shop", s) for s in specs], "app_subscribers": [("shop", s) for s in subscribers]},
            domains=domains,
        )

    def note(self, payload):
        self.seen.append(payload)

    def fail(self, payload):
        self.seen.append(payload)
        if len(self.seen) <= self.failures:
            raise RuntimeError("the machine is on fire")


@pytest.fixture
def shop(data_app):
    return Shop(data_app)


def _rows():
    db.session.rollback()
    return list(db.session.scalars(select(Job).order_by(Job.id)))


def test_a_job_runs_after_its_transaction_as_the_system(shop):
    services.enqueue("shop.note", {"order": "SO-1"})
    services.enqueue("shop.who", {})
    assert run_due(shop.app) == 2
    assert shop.seen == [{"order": "SO-1"}, "job shop.who"]
    assert [job.state for job in _rows()] == ["done", "done"]


def test_a_job_of_a_transaction_that_rolled_back_never_runs(shop):
    with pytest.raises(ZeroDivisionError), write():
        services.enqueue("shop.note", {})
        1 / 0  # noqa: B018
    assert run_due(shop.app) == 0


def test_an_event_becomes_a_job_for_each_of_its_subscribers(shop):
    shop.give(subscribers=[
        Subscriber("order.submitted", "mail", shop.note),
        Subscriber("order.submitted", "stock", shop.note),
        Subscriber("order.cancelled", "mail", shop.note),
    ])  # fmt: skip
    with write():
        services.emit("order.submitted", {"id": 1})
    assert [job.name for job in _rows()] == ["order.submitted/shop.mail", "order.submitted/shop.stock"]
    assert run_due(shop.app) == 2
    assert shop.seen == [{"id": 1}, {"id": 1}]


def test_an_event_outside_its_transaction_is_refused(shop):
    with pytest.raises(WriteError, match=r"order\.submitted"):
        services.emit("order.submitted", {})


def test_an_unknown_job_is_refused_with_a_suggestion(shop):
    with pytest.raises(LookupError, match=r"did you mean shop\.note"):
        services.enqueue("shop.notes", {})


def test_a_failing_job_waits_longer_each_time_then_fails_with_an_incident(shop):
    shop.failures = 99
    with clock.frozen(NOON):
        services.enqueue("shop.fail", {})
        assert run_due(shop.app) == 1
        job = _rows()[0]
        assert (job.state, job.attempts) == ("waiting", 1)
        assert timedelta(seconds=10) <= job.run_at - NOON <= timedelta(seconds=15)
        assert "the machine is on fire" in job.error
    with clock.frozen(NOON + timedelta(seconds=16)):
        assert run_due(shop.app) == 1
        assert timedelta(seconds=20) <= _rows()[0].run_at - clock.now() <= timedelta(seconds=30)
    with clock.frozen(NOON + timedelta(hours=1)):
        assert run_due(shop.app) == 1
    job = _rows()[0]
    assert (job.state, job.attempts) == ("failed", 3)
    shop.registry.incidents.flush()
    assert db.session.scalar(select(Incident.count).where(Incident.addon == "shop")) == 3


def test_a_job_that_asks_to_leave_fails_and_its_thread_goes_on(shop):
    shop.give(JobSpec("leave", lambda _payload: sys.exit(3), max_attempts=1))
    services.enqueue("shop.leave", {})
    services.enqueue("shop.note", {"n": 1})
    runner = EmbeddedRunner(lambda: shop.app, threads=1)
    runner.start()
    try:
        until = time.monotonic() + 10
        while _count("done") < 1 and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        runner.stop()
    assert [(job.state, job.attempts) for job in _rows()] == [("failed", 1), ("done", 1)]
    assert "SystemExit: 3" in _rows()[0].error


def test_a_job_that_fails_once_succeeds_at_its_second_attempt(shop):
    shop.failures = 1
    with clock.frozen(NOON):
        services.enqueue("shop.fail", {})
        run_due(shop.app)
    with clock.frozen(NOON + timedelta(minutes=1)):
        run_due(shop.app)
    job = _rows()[0]
    assert (job.state, job.attempts, job.error) == ("done", 2, "")


def test_a_failed_job_is_retried_by_hand_and_no_other(shop):
    shop.failures = 3
    services.enqueue("shop.fail", {})
    with write() as session:
        session.execute(update(Job).values(attempts=2))
    run_due(shop.app)
    job_id = _rows()[0].id
    shop.failures = 0
    services.retry(job_id)
    run_due(shop.app)
    assert _rows()[0].state == "done"
    with pytest.raises(Conflict, match="is done"):
        services.retry(job_id)
    with pytest.raises(NotFound):
        services.retry(0)


def test_a_future_job_waits(shop):
    with clock.frozen(NOON):
        services.enqueue("shop.note", {}, run_at=NOON + timedelta(minutes=5))
        assert run_due(shop.app) == 0
    with clock.frozen(NOON + timedelta(minutes=5)):
        assert run_due(shop.app) == 1


def test_a_unique_key_holds_until_the_job_has_ended(shop):
    assert services.enqueue("shop.note", {"n": 1}, unique_key="k") is not None
    assert services.enqueue("shop.note", {"n": 2}, unique_key="k") is None
    run_due(shop.app)
    assert services.enqueue("shop.note", {"n": 3}, unique_key="k") is not None
    run_due(shop.app)
    assert shop.seen == [{"n": 1}, {"n": 3}]


def test_a_job_of_a_dead_worker_comes_back_after_its_lease(shop):
    with clock.frozen(NOON):
        services.enqueue("shop.note", {})
        assert queue.claim("dead worker") is not None
        assert run_due(shop.app) == 0
    with clock.frozen(NOON + queue.LEASE + timedelta(seconds=1)):
        assert run_due(shop.app) == 1
    assert _rows()[0].attempts == 2


def test_a_worker_that_comes_to_late_leaves_the_jobs_to_who_took_them_over(shop):
    """A process that was suspended for longer than a lease has jobs in hand which others run, or have run, by now."""
    with clock.frozen(NOON):
        for _job in range(3):
            services.enqueue("shop.note", {})
        finished, failed, handed = queue.claim_some("suspended", 3)
    with clock.frozen(NOON + queue.LEASE + timedelta(seconds=1)):
        *_others, done = queue.claim_some("other", 3)
        queue.finish([(done, find(done.name))])
        queue.finish([(finished, find(finished.name))])
        queue.give_up_or_retry(failed, "the connection is gone", find(failed.name))
        queue.hand_back([handed])
    rows = [(job.state, job.worker, job.attempts) for job in _rows()]
    assert rows == [("running", "other", 2), ("running", "other", 2), ("done", "other", 2)]


def test_a_periodic_job_that_was_taken_over_comes_again_once(shop):
    shop.give(JobSpec("often", shop.note, every=timedelta(minutes=10)))
    with clock.frozen(NOON):
        queue.schedule()
        late = queue.claim("suspended")
    with clock.frozen(NOON + queue.LEASE + timedelta(seconds=1)):
        other = queue.claim("other")
        queue.finish([(late, find(late.name))])
        assert [job.state for job in _rows()] == ["running"]
        queue.finish([(other, find(other.name))])
    assert [job.state for job in _rows()] == ["done", "waiting"]


def test_of_two_people_who_retry_a_job_one_is_told_that_it_waits_already(shop):
    services.enqueue("shop.note", {})
    with write() as session:
        session.execute(update(Job).values(state="failed"))
    job_id = _rows()[0].id

    def retry_and_run():
        services.retry(job_id)
        return queue.claim("a worker").id

    with rival("FROM core_job", retry_and_run) as others:
        services.retry(job_id)
    assert isinstance(others[0], Conflict)
    assert _rows()[0].state == "waiting"


def test_an_extended_lease_keeps_the_job_and_a_process_never_takes_its_own_again(shop):
    with clock.frozen(NOON):
        services.enqueue("shop.note", {})
        claimed = queue.claim("me")
    with clock.frozen(NOON + timedelta(seconds=50)):
        queue.extend("me", [claimed.id])
    with clock.frozen(NOON + timedelta(seconds=100)):
        assert queue.claim("other") is None
    with clock.frozen(NOON + timedelta(hours=1)):
        assert queue.claim("other", running=[claimed.id]) is None
        assert queue.claim("other") is not None


def test_jobs_of_an_addon_that_is_off_are_held_and_run_when_it_is_on_again(shop):
    services.enqueue("shop.note", {"n": 1})
    shop.give(domains=())
    assert run_due(shop.app) == 0
    assert _rows()[0].state == "held"
    shop.give()
    queue.release_held()
    assert run_due(shop.app) == 1
    assert shop.seen == [{"n": 1}]


def test_a_job_held_by_a_thread_that_lags_behind_runs_on_the_app_that_others_have_prepared(
    shop, database_url, data_dir, monkeypatch
):
    """One thread takes jobs as of the app without the addon, another meanwhile prepares the app that has it."""
    with closing(bare_app(database_url, data_dir)) as old:
        give_registry(old, {})
        served = [old]
        runner = EmbeddedRunner(lambda: served[-1], threads=0)
        claim_some = queue.claim_some

        def claim_late(*given, **how):
            if served == [old]:
                served.append(shop.app)
                runner._prepare(shop.app)
            return claim_some(*given, **how)

        monkeypatch.setattr(queue, "claim_some", claim_late)
        services.enqueue("shop.note", {"n": 1})
        assert not runner._step("lags behind")
        assert [job.state for job in _rows()] == ["held"]
        assert runner._step("has the new app")
    assert shop.seen == [{"n": 1}]
    assert [job.state for job in _rows()] == ["done"]


def test_a_job_whose_code_is_gone_fails_and_says_so(shop):
    services.enqueue("shop.note", {})
    give_registry(shop.app, {}, domains=("shop",))
    assert run_due(shop.app) == 1
    job = _rows()[0]
    assert job.state == "failed"
    assert "there is no job shop.note" in job.error


def test_a_periodic_job_runs_at_once_then_at_its_interval_in_one_row(shop):
    shop.give(JobSpec("tick", shop.note, every=timedelta(minutes=10)))
    with clock.frozen(NOON):
        queue.schedule()
        queue.schedule()
        assert run_due(shop.app) == 1
        queue.schedule()
        assert run_due(shop.app) == 0
    with clock.frozen(NOON + timedelta(minutes=10)):
        assert run_due(shop.app) == 1
    assert [job.state for job in _rows()] == ["done", "done", "waiting"]


def test_a_daily_job_runs_at_its_time_in_the_sellers_zone(shop):
    from core.jobs.work import use_zone

    use_zone(shop.app, lambda: "Europe/Helsinki")
    shop.give(JobSpec("night", shop.note, at="03:40"))
    with clock.frozen(NOON):
        queue.schedule()
    assert _rows()[0].run_at == datetime(2026, 6, 2, 0, 40, tzinfo=UTC)
    with clock.frozen(datetime(2026, 6, 2, 0, 41, tzinfo=UTC)):
        assert run_due(shop.app) == 1
    assert _rows()[1].run_at == datetime(2026, 6, 3, 0, 40, tzinfo=UTC)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("now", "run_at"),
    [
        # 03:30 for the second time that night: 03:40 is over, whatever the clock on the wall says
        (datetime(2026, 10, 25, 1, 45, tzinfo=UTC), datetime(2026, 10, 26, 1, 40, tzinfo=UTC)),
        # 03:40 does not exist that night: an hour later, not never and not twice
        (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 1, 40, tzinfo=UTC)),
        (datetime(2026, 3, 29, 1, 41, tzinfo=UTC), datetime(2026, 3, 30, 0, 40, tzinfo=UTC)),
    ],
)
def test_a_daily_job_runs_once_on_the_days_when_the_clock_is_changed(shop, now, run_at):
    from core.jobs.work import use_zone

    use_zone(shop.app, lambda: "Europe/Helsinki")
    shop.give(JobSpec("night", shop.note, at="03:40"))
    with clock.frozen(now):
        queue.schedule()
    assert _rows()[0].run_at == run_at


def test_a_job_is_discarded_and_says_how_far_it_has_come(shop):
    def long(payload):
        for done in range(1, 4):
            services.progress(done, 3)
            shop.seen.append(_rows()[1].progress)

    shop.give(JobSpec("long", long))
    first = services.enqueue("shop.note", {}, unique_key="k")
    services.discard(first)
    assert services.enqueue("shop.long", {}, unique_key="k") is not None
    run_due(shop.app)
    assert shop.seen == [1, 1, 3]
    assert [job.state for job in _rows()] == ["discarded", "done"]
    for job_id, error in ((first, Conflict), (0, NotFound)):
        with pytest.raises(error):
            services.discard(job_id)


def test_a_periodic_job_that_fails_comes_again(shop):
    def broken(payload):
        raise RuntimeError

    shop.give(JobSpec("tick", broken, every=timedelta(minutes=10), max_attempts=1))
    queue.schedule()
    run_due(shop.app)
    assert [job.state for job in _rows()] == ["failed", "waiting"]


def test_old_jobs_are_pruned(shop):
    with clock.frozen(NOON):
        services.enqueue("shop.note", {})
        run_due(shop.app)
    with clock.frozen(NOON + queue.KEEP_DONE - timedelta(hours=1)):
        queue.prune()
        assert len(_rows()) == 1
    with clock.frozen(NOON + queue.KEEP_DONE + timedelta(hours=1)):
        queue.prune()
        assert _rows() == []


def test_a_job_committed_by_a_late_transaction_runs_too(shop):
    """The row with the lower id may commit later: jobs are taken by status, never by cursor."""
    services.enqueue("shop.note", {"n": 1}, run_at=clock.now() + timedelta(hours=1))
    services.enqueue("shop.note", {"n": 2})
    run_due(shop.app)
    with write() as session:
        session.execute(update(Job).where(Job.state == "waiting").values(run_at=clock.now()))
    run_due(shop.app)
    assert shop.seen == [{"n": 2}, {"n": 1}]


def test_the_runner_wakes_at_once_and_each_job_runs_once(shop):
    runner = EmbeddedRunner(lambda: shop.app, threads=3)
    runner.start()
    try:
        time.sleep(0.2)
        started = time.monotonic()
        with write():
            for n in range(30):
                services.enqueue("shop.note", {"n": n})
        while len(shop.seen) < 30 and time.monotonic() - started < 10:
            time.sleep(0.01)
        first = time.monotonic() - started
    finally:
        runner.stop()
    assert sorted(p["n"] for p in shop.seen) == list(range(30))
    assert first < 10
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(Job.state == "done")) == 30


@pytest.mark.database("sqlite")
def test_a_slow_job_delays_none_that_was_taken_with_it(shop):
    gate = threading.Event()
    shop.give(JobSpec("slow", lambda _payload: gate.wait(20)))
    with write():
        for name in ("shop.slow", "shop.slow", *["shop.note"] * 4):
            services.enqueue(name, {})
    runner = EmbeddedRunner(lambda: shop.app, threads=2)
    runner.start()
    try:
        until = time.monotonic() + 10  # both threads are busy: what was taken with the slow ones is given back
        while (_count("running"), _count("waiting")) != (2, 4) and time.monotonic() < until:
            time.sleep(0.05)
        assert (_count("running"), _count("waiting")) == (2, 4)
        assert run_due(shop.app) == 4
    finally:
        gate.set()
        runner.stop()
    assert _count("done") == 6


def _count(state):
    db.session.rollback()
    return db.session.scalar(select(func.count(Job.id)).where(Job.state == state))


def test_rival_workers_never_take_the_same_job(shop):
    with write():
        for n in range(40):
            services.enqueue("shop.note", {"n": n})
    taken, lock = [], threading.Lock()

    def work(name):
        with shop.app.app_context():
            set_actor(system(name))
            while (claimed := queue.claim(name)) is not None:
                with lock:
                    taken.append(claimed.id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(taken) == 40
    assert len(set(taken)) == 40


def test_an_idle_look_costs_one_statement(shop, count_statements):
    with count_statements(1):
        assert not run_next(shop.app)
