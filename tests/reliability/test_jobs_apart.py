"""`tukku serve --no-jobs` beside `tukku worker`, as real processes: one takes orders, the other does what follows.

a server without jobs ── an order by REST ── its jobs wait ── a worker does them ── killed in the midst, another goes on
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy import text as sql

from core.data import clock
from core.data.db import db
from core.data.write import write
from core.jobs.models import Job
from core.registry.processes import alive
from core.restapi import keys
from core.runtime.config import Config
from core.runtime.probe import environment
from core.testing import factories
from core.testing.apps import SECRET
from core.testing.calls import call, wait_until

TESTS = Path(__file__).parents[1]
MAY = ("catalog.product.view", "pricing.price.view", "orders.order.place", "orders.order.view")
LEFT_ALONE = 2.5  # seconds; a runner looks every second
ORDERED = {"lines": [{"sku": "BOLT", "quantity": "3"}]}

pytestmark = [pytest.mark.trust, pytest.mark.timeout(300)]


@dataclass
class Shop:
    """A deployment on whose database this test looks, and which starts processes for it."""

    config: Config
    key: str

    @contextmanager
    def process(self, *words: str, ends: int = 0) -> Iterator[subprocess.Popen[bytes]]:
        """Run `tukku` within the block, then end it as a supervisor does, or by itself with the code ``ends``."""
        log = self.config.data_dir / f"{words[0]}.log"
        with log.open("ab") as output:
            command = [sys.executable, "-m", "core.cli.main", *words]
            process = subprocess.Popen(command, env=environment(self.config), stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            ended = process.wait(60)
        assert ended == ends, log.read_text()[-2000:]

    @contextmanager
    def server(self) -> Iterator[str]:
        """Serve the shop without jobs within the block; yields its address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        with self.process("serve", "--no-jobs", "--port", str(port)) as process:
            wait_until(lambda: process.poll() is not None or call(f"{address}/healthz")[0] == 200, 120)
            yield address


@pytest.fixture
def shop(app_with, data_dir) -> Shop:
    url = app_with(addons=[]).extensions["tukku.config"].database_url
    factories.make_product("BOLT", price="2")
    buyer = factories.make_company("buyer")
    factories.make_user("anna@buyer.example", company=buyer, roles=["orderer"])
    secret = keys.create("a program", MAY, company_id=buyer.id, days=1).secret
    shop = Shop(Config(data_dir, url, SECRET, addon_paths=(TESTS,)), secret)
    with shop.process("addons", "enable", "toy_addon") as enabling:
        assert enabling.wait(120) == 0
    return shop


def _jobs(*conditions) -> list[Job]:
    db.session.rollback()
    found = list(db.session.scalars(select(Job).where(*conditions).order_by(Job.id)))
    db.session.rollback()  # PostgreSQL ends a session that idles in a transaction
    return found


def _alive() -> set[int]:
    """Return the ids of processes that say they are there; such a one heeds signals."""
    db.session.rollback()
    found = {int(process.id.rpartition(":")[2]) for process in alive()}
    db.session.rollback()
    return found


def _enqueue(**payload: str) -> int:
    """Store a job of the addon, as its own code would; this process does not load it."""
    now = clock.now()
    with write() as session:
        job = Job(name="toy_addon.write", addon="toy_addon", payload=payload, run_at=now, created_at=now)
        session.add(job)
        session.flush()
        return job.id


def _notes(text: str) -> int:
    with db.engine.connect() as connection:
        return connection.scalar(sql("SELECT count(*) FROM toy_addon_note WHERE text = :text"), {"text": text}) or 0


def test_the_server_runs_no_jobs_and_the_worker_does(shop):
    with shop.server() as address:
        status, text = call(f"{address}/api/v1/orders", shop.key, ORDERED)
        assert status == 201, text
        waiting = {job.id for job in _jobs()}
        assert waiting, "an order is followed by work"
        time.sleep(LEFT_ALONE)
        assert call(f"{address}/")[0] == 200
        assert {(job.id, job.state, job.worker, job.attempts) for job in _jobs()} == {(i, "waiting", "", 0) for i in waiting}
        with shop.process("worker") as worker:
            wait_until(lambda: all(job.state == "done" for job in _jobs(Job.id.in_(waiting))), 120)
            status, text = call(f"{address}/api/v1/orders", shop.key, ORDERED)
            assert status == 201, text
            one_off = Job.unique_key.is_(None)
            wait_until(lambda: not _jobs(one_off, Job.state != "done"), 60)
            done = {job.worker.partition("/")[0] for job in _jobs(Job.state == "done")}
            assert done == {f"{socket.gethostname()}:{worker.pid}"}, "somebody else worked"
        assert len(_jobs(Job.name == "order.submitted/toy_addon.note")) == 2


@pytest.mark.parametrize("gate", ["before-commit", "after-commit"])
def test_a_worker_killed_in_the_midst_of_a_job_loses_nothing_and_doubles_nothing(shop, tmp_path, gate):
    """Before its commit nothing of the job is there; after it everything is, and its second run adds nothing."""
    shut = tmp_path / gate
    shut.touch()
    job_id = _enqueue(text=gate, gates=str(tmp_path))
    beside = [_enqueue(text=f"{gate} {number}") for number in range(5)]
    with shop.server() as address:
        with shop.process("worker", ends=-signal.SIGKILL) as worker:
            wait_until(shut.with_suffix(".reached").exists, 120)
            os.kill(worker.pid, signal.SIGKILL)
        shut.unlink()
        (job,) = _jobs(Job.id == job_id)
        assert (job.state, job.attempts) == ("running", 1)
        assert _notes(gate) == (gate == "after-commit")
        time.sleep(LEFT_ALONE)
        assert [job.state for job in _jobs(Job.id == job_id)] == ["running"], "the server, or no lease, is not heeded"
        assert call(f"{address}/")[0] == 200
        with write() as session:  # the minute that a dead worker's lease lasts is over
            session.execute(update(Job).where(Job.state == "running").values(lease_until=clock.now()))
        with ExitStack() as two:
            workers = {two.enter_context(shop.process("worker")).pid for _ in range(2)}
            wait_until(lambda: workers <= _alive(), 120)
            wait_until(lambda: all(job.state == "done" for job in _jobs(Job.id.in_([job_id, *beside]))), 120)
        assert [job.attempts for job in _jobs(Job.id == job_id)] == [2]
        assert [_notes(gate), *(_notes(f"{gate} {number}") for number in range(5))] == [1] * 6
