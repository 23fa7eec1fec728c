"""Several real workers while an addon is switched on and off: every request is answered, all agree in the end.

    three gunicorn workers ── 8 clients ── toggles by `Operator` in this process

Also: operations killed with SIGKILL leave a state from which the same command goes on.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.data.db import db
from core.data.scope import acting, system
from core.registry import operations
from core.registry.models import AddonState, Generation, Operation
from core.registry.operations import Tools
from core.registry.processes import alive
from core.runtime.app import bare_app, find_addons
from core.runtime.config import Config
from core.runtime.probe import environment

TESTS = Path(__file__).parents[1]
SECRET = "not-a-secret-but-long-enough-for-the-check"
SECONDS = float(os.environ.get("TUKKU_TRUST_SECONDS", "60"))
CLIENTS, WORKERS = 8, 3
AGREE_WITHIN = 2.0  # seconds, after the build that follows

pytestmark = [pytest.mark.trust, pytest.mark.timeout(600)]


@pytest.fixture
def config(database_url: str, data_dir: Path) -> Config:
    return Config(data_dir, database_url, SECRET, addon_paths=(TESTS,))


@pytest.fixture
def address(config: Config) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "core.runtime.wsgi:application", "--workers", str(WORKERS)]
    command += ["--threads", "4", "--worker-class", "gthread", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    log = config.data_dir / "gunicorn.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, env=environment(config), stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"

    def up() -> bool:
        assert server.poll() is None, log.read_text()[-2000:]
        return _get(f"{address}/")[0] == 200

    try:
        _wait_until(up, 240)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def _wait_until(true, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)


def test_toggling_under_load_never_fails(config, address):
    answers: Counter[int] = Counter()
    wrong: list[str] = []
    stop = threading.Event()

    def browse() -> None:
        while not stop.is_set():
            for path, whole in (("/a/toy_addon/hello", "hello from the toy"), ("/", "")):
                status, text = _get(address + path)
                answers[status] += 1
                if status not in (200, 404) or (whole and status == 200 and text != whole):
                    wrong.append(f"{status} {path} {text[:200]}")

    clients = [threading.Thread(target=browse) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    app = bare_app(config)
    tools = Tools(find_addons(config), lambda names, enabled: (), lambda name: ())
    until, on = time.monotonic() + SECONDS, False
    with app.app_context(), acting(system("trust")):
        while time.monotonic() < until:
            operate = operations.disable if on else operations.enable
            operate(tools, ["toy_addon"], lambda line: None)
            on = not on
            time.sleep(0.5)
        if not on:
            operations.enable(tools, ["toy_addon"], lambda line: None)
        last = db.session.scalar(select(Generation.number))
        stop.set()
        for client in clients:
            client.join()
        _settle(address, last)
        db.session.remove()
        db.engine.dispose()
    assert wrong == []
    assert answers[200] > 0


def _settle(address: str, generation: int) -> None:
    """Ask every worker once more, then all must say that they serve the last generation."""

    def agreed() -> bool:
        for _ in range(4 * WORKERS):
            _get(f"{address}/a/toy_addon/hello")
        db.session.rollback()
        return [p.generation for p in alive()] == [generation] * WORKERS

    started = time.monotonic()
    _wait_until(agreed, 60)
    settled = time.monotonic() - started
    assert [_get(f"{address}/a/toy_addon/hello")[0] for _ in range(30)] == [200] * 30
    assert settled < AGREE_WITHIN * (os.getloadavg()[0] + 1), f"the workers agreed after {settled:.1f} s"


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
