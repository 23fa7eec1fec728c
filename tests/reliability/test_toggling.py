"""Several real workers while an addon is switched on and off: every request is answered, all agree in the end.

    three gunicorn workers, a job worker ── 16 clients that read and order ── toggles by operations in this process

Also: operations killed with SIGKILL leave a state from which the same command goes on.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.data.db import db
from core.data.scope import acting, system
from core.jobs.models import Job
from core.orders.models import Order
from core.registry import operations
from core.registry.models import AddonState, Generation, Incident, Operation
from core.registry.operations import Tools
from core.registry.processes import alive
from core.restapi import keys
from core.runtime.app import bare_app, find_addons
from core.runtime.config import Config
from core.runtime.probe import environment
from core.settings.services import set_value
from core.testing import factories
from core.testing.apps import SECRET
from core.testing.calls import call, wait_until

TESTS = Path(__file__).parents[1]
SECONDS = float(os.environ.get("TUKKU_TRUST_SECONDS", "60"))
CLIENTS, WORKERS = 16, 3
AGREE_WITHIN = 2.0  # seconds, after the build that follows
MAY = ("catalog.product.view", "pricing.price.view", "orders.order.place", "orders.order.view")
HELLO = "/a/toy_addon/hello"

pytestmark = [pytest.mark.trust, pytest.mark.alone, pytest.mark.timeout(600)]


@pytest.fixture
def config(database_url: str, data_dir: Path) -> Config:
    return Config(data_dir, database_url, SECRET, addon_paths=(TESTS,))


@dataclass
class Shop:
    """A served shop and the keys of its buyers."""

    config: Config
    address: str
    keys: list[str]


@pytest.fixture
def shop(app_with, data_dir) -> Iterator[Shop]:
    """A shop with a buyer for each client, on three workers and a job worker."""
    url = app_with(addons=[]).extensions["tukku.config"].database_url
    factories.make_product("BOLT", price="2")
    set_value("core", "api_calls_per_minute", 100_000)
    companies = [factories.make_company(f"buyer-{number}") for number in range(CLIENTS)]
    secrets = [keys.create("a program", MAY, company_id=company.id, days=1).secret for company in companies]
    db.session.rollback()
    config = Config(data_dir, url, SECRET, addon_paths=(TESTS,))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    web = ["gunicorn", "core.runtime.wsgi:application", "--workers", str(WORKERS), "--threads", "4"]
    web += ["--worker-class", "gthread", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    address = f"http://127.0.0.1:{port}"
    log = data_dir / "processes.log"
    with log.open("w") as output:
        processes = [
            subprocess.Popen([sys.executable, "-m", *words], env=environment(config), stdout=output, stderr=output)
            for words in (web, ["core.cli.main", "worker"])
        ]

    def up() -> bool:
        assert [process.poll() for process in processes] == [None, None], log.read_text()[-2000:]
        return call(f"{address}/")[0] == 200 and len(_alive()) == WORKERS + 1

    try:
        wait_until(up, 240)
        yield Shop(config, address, secrets)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def _alive() -> list[int]:
    """Return the generations of the processes that serve or work."""
    db.session.rollback()
    found = [process.generation for process in alive()]
    db.session.rollback()  # PostgreSQL ends a session that idles in a transaction
    return found


@dataclass
class Load:
    """What the clients saw: answers by kind and status, what should not be, numbers of the orders that were placed."""

    shop: Shop
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> list[threading.Thread]:
        """Start the clients."""
        clients = [threading.Thread(target=self._client, args=(key,)) for key in self.shop.keys]
        for client in clients:
            client.start()
        return clients

    def wait_for_orders(self) -> None:
        """Let some orders be placed while nothing is switched."""
        enough = len(self.placed) + CLIENTS
        wait_until(lambda: len(self.placed) >= enough, 120)

    def _client(self, key: str) -> None:
        while not self.stop.is_set():
            self._ask("page", (200,), "/")
            status, text = self._ask("addon", (200, 404), HELLO)
            if status == 200 and text != "hello from the toy":
                self.wrong.append(f"half a page: {text[:200]}")
            asked = {"lines": [{"sku": "BOLT", "quantity": "3"}]}
            status, text = self._ask("order", (201, 409), "/api/v1/orders", key, asked)
            if status == 201:
                self.placed.append(json.loads(text)["number"])
            elif status == 409 and '"SHOP-CHANGED"' not in text:
                self.wrong.append(f"refused for another reason: {text[:300]}")

    def _ask(self, kind: str, allowed: tuple[int, ...], path: str, key: str = "", body: object = None) -> tuple[int, str]:
        status, text = call(self.shop.address + path, key, body)
        self.answers[kind, status] += 1
        if status not in allowed:
            self.wrong.append(f"{status} {path} {text[:300]}")
        return status, text


def test_toggling_under_load_never_fails(shop):
    load = Load(shop)
    clients = load.run()
    app = bare_app(shop.config)
    with app.app_context(), acting(system("trust")):
        try:
            load.wait_for_orders()
            with_toy = _toggle(shop.config)
            load.wait_for_orders()
        finally:
            load.stop.set()
            for client in clients:
                client.join()
        _settle(shop.address, max(with_toy))
        with suppress(AssertionError):
            wait_until(lambda: not _unfinished(), 120)
        assert _unfinished() == [], (shop.config.data_dir / "processes.log").read_text()[-2000:]
        assert load.wrong == []
        assert min(load.answers["addon", 200], load.answers["addon", 404]) > 0, load.answers
        orders = db.session.execute(select(Order.number, Order.generation, Order.required_checks)).all()
        assert sorted(order.number for order in orders) == sorted(load.placed)
        checked = {order.number: ["toy_addon", "submit:agree"] in order.required_checks for order in orders}
        assert checked == {order.number: order.generation in with_toy for order in orders}, "checked by another set"
        assert set(checked.values()) == {True, False}
        assert _count(Job, Job.state == "failed") == _count(Incident) == 0
        noted = _count(Job, Job.name == "order.submitted/toy_addon.note", Job.state == "done")
        assert noted == sum(checked.values())
        db.session.remove()
        db.engine.dispose()


def _toggle(config: Config) -> set[int]:
    """Switch the addon for a minute, at last on; return the generations in which it ran."""
    tools = Tools(find_addons(config), lambda names, enabled: (), lambda name: ())
    until, with_toy, on = time.monotonic() + SECONDS, set[int](), False
    while time.monotonic() < until or not on:
        (operations.disable if on else operations.enable)(tools, ["toy_addon"], lambda line: None)
        on = not on
        number = db.session.scalar(select(Generation.number))
        with_toy |= {number} if on else set()
        time.sleep(0.5)
    return with_toy


def _count(model, *conditions) -> int:
    db.session.rollback()
    found = db.session.scalar(select(func.count()).select_from(model).where(*conditions))
    db.session.rollback()
    return found


def _unfinished() -> list[tuple[object, ...]]:
    """Return the jobs that are still to be run."""
    columns = Job.name, Job.state, Job.worker, Job.attempts, Job.run_at, Job.lease_until, Job.error
    left = select(*columns).where(Job.state.in_(("waiting", "running", "held")), Job.unique_key.is_(None)).limit(20)
    db.session.rollback()
    found = [tuple(row) for row in db.session.execute(left)]
    db.session.rollback()
    return found


def _settle(address: str, generation: int) -> None:
    """Ask every worker once more, then all must say that they serve the last generation."""

    def agreed() -> bool:
        for _ in range(4 * WORKERS):
            call(address + HELLO)
        return _alive() == [generation] * (WORKERS + 1)

    started = time.monotonic()
    wait_until(agreed, 60)
    settled = time.monotonic() - started
    assert [call(address + HELLO)[0] for _ in range(30)] == [200] * 30
    assert settled < AGREE_WITHIN * (os.getloadavg()[0] + 1), f"the processes agreed after {settled:.1f} s"


@pytest.mark.parametrize("after", [0.5, 1.5, 3.0, 5.0, 8.0])
def test_killed_enable_can_be_repeated(config, after):
    command = [sys.executable, "-m", "core.cli.main", "addons", "enable", "toy_addon"]
    process = subprocess.Popen(
        command, env=environment(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    app = bare_app(config)
    with app.app_context(), acting(system("trust")):
        before = db.session.scalar(select(Generation.number)) or 0
        decided = db.session.get(AddonState, "toy_addon") is not None
        assert before == int(decided), "the decision and the generation are written together or not at all"
        tools = Tools(find_addons(config), lambda names, enabled: (), lambda name: ())
        operations.enable(tools, ["toy_addon"], lambda line: None)
        assert db.session.scalar(select(Generation.number)) == 1
        assert "running" not in set(db.session.scalars(select(Operation.state)))
        db.session.remove()
        db.engine.dispose()
