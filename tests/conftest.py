"""Project-wide fixtures; those for databases and apps are in core.testing.plugin, which addons use too.

What a machine may lack (sample data, a browser) skips its tests with a sentence; where `TUKKU_REQUIRE` names it,
as in `.ci/run`, the same tests fail instead.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# a busy machine is slow, and that is no fault of what is tested
settings.register_profile("tukku", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tukku")

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def _lacking(what: str, sentence: str) -> None:
    if what in os.environ.get("TUKKU_REQUIRE", "").split(","):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def lacking() -> Callable[[str, str], None]:
    """What a test calls when this machine lacks something: skips, or fails where `TUKKU_REQUIRE` names it."""
    return _lacking


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample data written by others."""
    given = os.environ.get("TUKKU_SAMPLES_DIR", "")
    if not given or not Path(given).is_dir():
        _lacking("samples", f"TUKKU_SAMPLES_DIR ({given or 'not set'}) is not the folder of sample data")
    return Path(given)


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker: that of `TUKKU_TEST_BROKER_URL`, else a Redis server of this run's own."""
    given = os.environ.get("TUKKU_TEST_BROKER_URL", "")
    if given:
        yield given
        return
    path = shutil.which("redis-server")
    if path is None or importlib.util.find_spec("celery") is None:
        _lacking("redis", "there is no Redis server or no Celery on this machine (Debian: apt-get install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path_factory.mktemp("redis"))]
    process = subprocess.Popen([str(path), *options], stdout=subprocess.DEVNULL)
    try:
        _until_it_listens(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(20)


def _until_it_listens(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until, "Redis did not start within 20 seconds"
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive the Chromium of the system; Playwright's own is not downloaded."""
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        _lacking("browser", "there is no Chromium on this machine (on Debian: apt-get install chromium)")
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    return {**browser_type_launch_args, "executable_path": path, "args": flags}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Show pages at the width of a desktop, in English."""
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}, "locale": "en-GB"}
