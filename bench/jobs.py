"""Measure background work: jobs a second through the threads inside a server, from a thousand that wait.

    python -m bench.jobs [--jobs 1000] [--threads 2] [--url DATABASE_URL]

Without ``--url`` a SQLite file in a temporary folder is used. Each job is as real as its row: claimed under a lease, run in an
app context of its own, and marked as done. The target is 200 a second.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from core.data.db import db, make_engine, normalise_url
from core.data.migrate import core_history, upgrade
from core.data.scope import set_actor, system
from core.data.write import write
from core.jobs import services
from core.jobs.models import Job
from core.jobs.runner import EmbeddedRunner
from core.spec.app import JobSpec
from core.testing.apps import bare_app, closing
from core.testing.registries import give_registry


def main() -> None:
    """Fill the table, run it empty, print jobs a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--url", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/bench.sqlite"
        engine = make_engine(normalise_url(url))
        upgrade(engine, core_history())
        engine.dispose()
        app = bare_app(url, Path(folder))
        with closing(app), app.app_context():
            set_actor(system("bench"))
            give_registry(app, {"app_jobs": [("bench", JobSpec("nothing", lambda _payload: None))]}, domains=("bench",))
            with write():
                for _ in range(options.jobs):
                    services.enqueue("bench.nothing", {})
            runner = EmbeddedRunner(lambda: app, options.threads)
            began = time.perf_counter()
            runner.start()
            while _waiting():
                time.sleep(0.05)
            seconds = time.perf_counter() - began
            runner.stop()
    print(f"{options.jobs} jobs, {options.threads} threads: {seconds:.2f} s, {options.jobs / seconds:.0f} a second")


def _waiting() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count(Job.id)).where(Job.state != "done")) or 0


if __name__ == "__main__":
    main()
