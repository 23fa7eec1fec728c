"""Measure the addon platform: rebuild, generation, memory of an idle worker, a batch hook, embedded jobs.

    python -m bench.platform [--addons 30]

The addons are made by `tukku addons new` with every part, so each has tables, pages, a resource of the REST API, rules, prices,
settings and a job. Everything is on a SQLite file in a temporary folder. Each figure stands beside a floor of the same run.
Targets: rebuild under 1 s, generation under 0.2 ms, memory under 150 MB, a batch of 1,000 lines under 1 ms over direct
calls, 200 jobs a second.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask

from core.cli.scaffolding import PARTS, make, plan
from core.data.db import make_engine
from core.data.migrate import addon_history, core_history, upgrade
from core.registry.incidents import IncidentLog
from core.registry.loader import extend_path
from core.registry.plugins import hook_infos, make_manager
from core.registry.registry import Implementation, Registry
from core.registry.resolver import Plan
from core.registry.sources import Discovery
from core.registry.state import glance, read_snapshot
from core.runtime.app import build_app, find_addons
from core.runtime.config import Config
from core.runtime.probe import environment
from core.spec.catalog import QuantityLine, QuantityRule
from core.testing.apps import SECRET, bundled_addons
from core.testing.databases import _enable

LINES, OWNERS = 1_000, 8
_MEMORY = """
import sys
from pathlib import Path
{imports}
print(next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")))
"""
_FLOOR = "import flask, sqlalchemy, sqlalchemy.orm, wtforms, marshmallow"
_WORKER = """
from werkzeug.test import Client
from core.runtime.config import load_config
from core.runtime.dispatcher import Dispatcher
assert Client(Dispatcher(load_config())).get("/login").status_code == 200
"""


def main() -> None:
    """Set a shop up and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--addons", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = shop(Path(folder), options.addons)
        rebuild(config)
        generation(config)
        memory(config)
    batch()
    print("-- jobs", flush=True)
    subprocess.run([sys.executable, "-m", "bench.jobs"], check=True)


def shop(folder: Path, count: int) -> Config:
    """Make the addons and a database in which they and the bundled ones run."""
    for number in range(count):
        make(plan(f"made_{number:02}", "", "folder", list(PARTS)), folder)
    config = Config(folder, f"sqlite:///{folder / 'shop.sqlite'}", SECRET, addon_paths=(folder,))
    discovery = find_addons(config)
    extend_path(discovery.folders())
    engine = make_engine(config.database_url)
    names = (*bundled_addons(), *(f"made_{number:02}" for number in range(count)))
    upgrade(engine, core_history())
    for name in names:
        upgrade(engine, addon_history(name, discovery.by_name(name)[0].location))
    _enable(engine, names)
    engine.dispose()
    return config


def rebuild(config: Config) -> None:
    """Build the app anew, as a worker does when the generation rose; the floor mounts equal addresses on a bare app."""
    engine, discovery = make_engine(config.database_url), find_addons(config)
    app = _built(config, engine, discovery)
    seconds = _median(lambda: _built(config, engine, find_addons(config)), 5)
    rules = [(rule.rule, rule.endpoint) for rule in app.url_map.iter_rules()]
    floor = _median(lambda: _bare(rules), 5)
    running = len(app.extensions["tukku.registry"].addons)
    print(f"rebuild with {running} addons, {len(rules)} addresses: {seconds:.2f} s; bare Flask: {floor:.2f} s")
    engine.dispose()


def _built(config: Config, engine: Any, discovery: Discovery) -> Flask:
    return build_app(config, read_snapshot(engine, discovery), discovery)


def _bare(rules: Sequence[tuple[str, str]]) -> None:
    app = Flask("bare")
    for rule, endpoint in rules:
        app.add_url_rule(f"/{endpoint.replace('.', '/')}/{abs(hash(rule))}", endpoint + rule, lambda: "")


def generation(config: Config) -> None:
    """Read the generation, as each request that changes something does; the floor is the driver alone."""
    engine = make_engine(config.database_url)
    connection = sqlite3.connect(config.data_dir / "shop.sqlite")
    read = _median(lambda: [glance(engine) for _ in range(1000)], 5)
    floor = _median(lambda: [connection.execute("SELECT 1").fetchone() for _ in range(1000)], 5)
    print(f"reading the generation: {read:.3f} ms; SELECT 1 by the driver: {floor:.3f} ms")
    engine.dispose()


def memory(config: Config) -> None:
    """Start a worker, let it serve one page, and ask for its memory; the floor is the libraries without a shop."""
    own = _memory(config, _WORKER)
    floor = _memory(config, _FLOOR)
    bundled = Config(config.data_dir, config.database_url, SECRET)
    few = _memory(bundled, _WORKER)
    print(f"idle worker: {few} MB with the bundled addons, {own} MB with all; the libraries alone: {floor} MB")


def _memory(config: Config, imports: str) -> int:
    given = environment(config) | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", _MEMORY.format(imports=imports)]
    said = subprocess.run(command, env=given, capture_output=True, text=True, check=True).stdout
    return round(int(said.split()[-1]) / 1024)


def batch() -> None:
    """Ask a batch hook of eight owners for 1,000 lines, and the same functions directly."""
    lines = [QuantityLine(str(n), n, "pcs", Decimal(1)) for n in range(LINES)]

    def rules(lines: Sequence[QuantityLine], company_id: int | None) -> list[QuantityRule]:
        return [QuantityRule(line.key, minimum=Decimal(1)) for line in lines]

    asked = tuple(Implementation(f"addon_{n}", rules, ("lines", "company_id")) for n in range(OWNERS))
    found = Registry(
        generation=1, plan=Plan((), (), {}, ()), domains=(), hooks=hook_infos(make_manager()), contributed={},
        implementations={"quantity_rules": asked}, incidents=IncidentLog(),
    )  # fmt: skip
    hooked = _median(lambda: found.batch("quantity_rules", lines=lines, company_id=1), 50)
    direct = _median(lambda: [tuple(one.function(lines=lines, company_id=1)) for one in asked], 50)
    over = (hooked - direct) * 1000
    print(
        f"batch of {LINES} lines, {OWNERS} owners: {hooked * 1000:.2f} ms; direct calls: {direct * 1000:.2f} ms; over: {over:.2f} ms"
    )


def _median(act: Callable[[], object], times: int) -> float:
    """Return the median of some runs, in seconds (or milliseconds a piece, where a run has a thousand)."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
