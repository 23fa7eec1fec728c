"""A worker that is killed loses no job: each mail is laid down, under its own name however often it was tried."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import func, select, update

from core.data import clock
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import write
from core.jobs.mail import send_mail
from core.jobs.models import Job
from core.testing.apps import SECRET, closing, full_app

MAILS, KILLS = 60, 3


@pytest.mark.trust
@pytest.mark.parametrize("broker", ["none", "celery"])
def test_killed_workers_lose_nothing_and_double_nothing(database_url, data_dir, broker, request):
    extra = {"TUKKU_BROKER_URL": request.getfixturevalue("broker_url")} if broker == "celery" else {}
    app = full_app(database_url, data_dir)
    with closing(app), app.app_context():
        set_actor(system("tests"))
        with write():
            for number in range(MAILS):
                send_mail(f"m{number}@example.com", f"Mail {number}", "text")
        for _ in range(KILLS):
            process = _worker(database_url, data_dir, extra)
            _wait_until_some_more_are_done(process)
            process.send_signal(signal.SIGKILL)
            process.wait()
        _end_leases()
        process = _worker(database_url, data_dir, extra)
        try:
            _wait(lambda: _count("done") == MAILS)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    assert len(list((data_dir / "mail").glob("*.eml"))) == MAILS


def _worker(database_url, data_dir, extra):
    environment = {
        **os.environ, "TUKKU_DATABASE_URL": database_url, "TUKKU_DATA_DIR": str(data_dir), "TUKKU_SECRET_KEY": SECRET,
        **extra,
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "core.cli.main", "worker"], env=environment, stdout=subprocess.DEVNULL)


def _wait_until_some_more_are_done(process):
    before = _count("done")
    _wait(lambda: _count("done") > min(before + 5, MAILS - 1) or process.poll() is not None)
    assert process.poll() is None


def _count(state):
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Job.state == state, Job.name == "jobs.mail"))


def _end_leases():
    """Let the test not wait for the minute that the leases of killed workers, and what they were sent, last."""
    with write() as session:
        session.execute(update(Job).where(Job.state == "running").values(lease_until=clock.now()))
        session.execute(update(Job).values(sent_at=None))


def _wait(condition, seconds=90):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the jobs did not end in time"
        time.sleep(0.02)
