"""The shop as a newcomer starts it: `tukku init --demo` and `tukku serve` in processes of their own."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import URL

from core.demo.loading import PASSWORD
from core.testing import postgres

START = 60  # seconds a server may take to answer, and the demo a few times as long


@dataclass(frozen=True, slots=True)
class Shop:
    """A running shop: its address, and its command line."""

    address: str
    environment: dict[str, str]

    def tukku(self, *words: str) -> str:
        """Run a command of the shop and return what it printed."""
        return _tukku(self.environment, *words)


def _tukku(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "core.cli.main", *words], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"tukku {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def _served(environment: dict[str, str]) -> Iterator[str]:
    """Serve on a free port; yields the address once it listens."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "core.cli.main", "serve", "--port", "0"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"listening on ([\d.]+:\d+)", said)
        assert found, f"the server did not start: {said}{process.stdout.read() if process.poll() is not None else ''}"
        yield f"http://{found[1]}"
    finally:
        process.terminate()
        process.wait(START)


def _environment(data: Path, url: URL) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("TUKKU_")},
        "TUKKU_DATA_DIR": str(data),
        "TUKKU_DATABASE_URL": url.render_as_string(hide_password=False),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def _copy_of_the_demo(backend: str, folder: Path, shared: Path) -> tuple[Path, URL]:
    """Return data folder and database of a demo shop of one's own; the first process of a run loads it for all."""
    loaded = shared / f"demo-{backend}"
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", os.getpid())  # so that no other run takes this one's

    def load(url: URL) -> None:
        _tukku(_environment(loaded, url), "init", "--demo")

    with (shared / f"demo-{backend}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if backend == "sqlite" and not loaded.exists():
            load(URL.create("sqlite", database=str(shared / "demo.sqlite")))
        template = postgres.template(uuid5(NAMESPACE_URL, f"{loaded} {run}").hex, load) if backend == "postgres" else ""
    shutil.copytree(loaded, folder / "data")
    if template:
        return folder / "data", postgres.clone(template)
    shutil.copy(shared / "demo.sqlite", folder / "shop.sqlite")
    return folder / "data", URL.create("sqlite", database=str(folder / "shop.sqlite"))


@pytest.fixture(scope="module")
def shop(database_backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The demo merchant's shop, on each database; shared by a module's tests, which tell one story in order."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    data, url = _copy_of_the_demo(database_backend, tmp_path_factory.mktemp(f"shop-{database_backend}"), shared)
    environment = _environment(data, url)
    try:
        with _served(environment) as address:
            yield Shop(address, environment)
    finally:
        if database_backend == "postgres":
            postgres.drop(url)


@pytest.fixture
def sign_in(shop: Shop, browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Callable[..., Page]]:
    """Sign a person in with a browser of its own; the test fails if any page reported an error to the console."""
    complaints: list[str] = []
    contexts = []

    def enter(email: str, **arguments: Any) -> Page:
        context = browser.new_context(**{**browser_context_args, **arguments})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(f"{page.url}: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.goto(f"{shop.address}/login")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login" not in url)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not complaints
