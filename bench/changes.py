"""Measure changes of many contract rows: preparing, publishing, undoing, copying, and how long others wait to write.

    python -m bench.changes [--database sqlite|postgres] [--rows N]

Another thread writes a row of its own all the time, as orders do; the longest that it waited is told for each step.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import update
from werkzeug.datastructures import FileStorage

from addons.pricing_contract import copying, editing, grid, preparing, publishing
from addons.pricing_contract.change_models import Change
from addons.pricing_contract.export import rows_as_csv
from addons.pricing_contract.percents import Rise
from bench import contracts
from core.companies.models import Seller
from core.data import clock
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import write
from core.jobs.runner import run_due
from core.testing.apps import closing, full_app
from core.testing.databases import Databases

PAUSE = 0.01


class Writer(threading.Thread):
    """Writes a small row all the time; ``longest`` is the longest time that a write took, in seconds."""

    def __init__(self, app: Flask) -> None:
        super().__init__(daemon=True)
        self._app, self._over, self.longest = app, threading.Event(), 0.0

    def run(self) -> None:
        """Write until the end."""
        with self._app.app_context():
            set_actor(system("bench"))
            while not self._over.wait(PAUSE):
                start = time.perf_counter()
                with write() as session:
                    session.execute(update(Seller).values(phone=str(clock.now())))
                self.longest = max(self.longest, time.perf_counter() - start)

    def end(self) -> None:
        """Stop writing."""
        self._over.set()
        self.join()


@contextmanager
def measured(app: Flask, name: str) -> Iterator[None]:
    """Say how long the block took, and how long another writer waited at most."""
    writer = Writer(app)
    writer.start()
    start = time.perf_counter()
    yield
    took = time.perf_counter() - start
    writer.end()
    print(f"{name:<18} {took:6.1f} s, another writer waited {writer.longest:.2f} s at most", flush=True)


def main() -> None:
    """Raise every price of one contract, and take it back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    contracts.CONTRACTS = 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        databases = Databases(options.database, folder)
        app = full_app(databases.migrated(["pricing_contract"]).render_as_string(hide_password=False), folder)
        with closing(app), app.test_request_context():
            set_actor(system("bench"))
            contracts.load(options.rows // contracts.BREAKS, 1)
            steps(app)
        databases.close()


def steps(app: Flask) -> None:
    """Prepare by a percentage, publish, undo; prepare a file; copy. What a request does is told apart from the job."""
    contract = editing.contract_by_code("K00")
    with measured(app, "ask for 3 percent"):
        number = preparing.by_percent(contract, Rise(Decimal(3))).id
    with measured(app, "prepare it"):
        run_due(app)
    for name, act, state in (("publish", publishing.publish, "published"), ("undo", publishing.undo, "undone")):
        with measured(app, name):
            _run(app, act, number)
        _expect(number, state)
    with app.test_request_context(), tempfile.NamedTemporaryFile(suffix=".csv") as file:
        set_actor(system("bench"))
        file.write("".join(rows_as_csv(contract.id)).encode())
        file.seek(0)
        with measured(app, "ask for a file"):
            rows = grid.uploaded_rows(contract, FileStorage(file, "rows.csv"), grid.PREPARED)
            number = preparing.by_rows(contract, rows, "rows.csv").id
    with measured(app, "prepare it"):
        run_due(app)
    _expect(number, "open")
    head = {name: getattr(contract, name) for name in ("audience", "company_id", "segment_id", "currency")}
    for percent in (0, 3):
        with measured(app, f"copy, {percent} percent"):
            copying.copy_contract(
                contract, {**head, "code": f"C{percent}", "name": "C", "status": "draft"}, Decimal(percent)
            )
    with measured(app, "raise the copy"):
        run_due(app)


def _expect(number: int, state: str) -> None:
    db.session.rollback()
    change = db.session.get_one(Change, number, populate_existing=True)
    assert change.state == state, change.refused


def _run(app: Flask, act: Callable[..., Any], number: int) -> None:
    db.session.rollback()  # to see what the job wrote
    change = db.session.get_one(Change, number, populate_existing=True)
    act(change.contract, change, change.version)
    run_due(app)


if __name__ == "__main__":
    main()
