"""The toy addon toggled while requests are served, through the dispatcher, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from sqlalchemy import select
from werkzeug.test import Client

from core.data.clock import now as clock_now
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.registry import operations
from core.registry.incidents import report
from core.registry.models import Incident, Process
from core.registry.operations import Tools
from core.registry.processes import alive
from core.runtime import health
from core.runtime.app import bare_app
from core.runtime.config import Config
from core.runtime.dispatcher import Dispatcher
from core.runtime.process import Heartbeat

from .conftest import SECRET, TESTS, Domain

HELLO = "/a/toy_addon/hello"


class Usage(NamedTuple):
    """How full a disk is."""

    total: int
    used: int
    free: int


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def live(database_url, data_dir, monkeypatch) -> Config:
    monkeypatch.setattr("core.runtime.app.core_domains", lambda: (("shop", Domain),))
    return Config(data_dir, database_url, SECRET, addon_paths=(TESTS, TESTS / "zoo"), testing=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dispatcher(live, clock) -> Iterator[Dispatcher]:
    made = Dispatcher(live, clock=clock)
    yield made
    made.close()


@pytest.fixture
def visitor(dispatcher) -> Client:
    return Client(dispatcher)


@pytest.fixture
def operate(live):
    """Enable or disable as another process would, over connections of its own."""

    def run(operation, *names):
        from core.runtime.app import find_addons

        app = bare_app(live)
        tools = Tools(find_addons(live), lambda names, enabled: (), lambda name: ())
        with app.app_context(), acting(system("tests")):
            operation(tools, names, lambda line: None)
            db.session.remove()
            db.engine.dispose()

    return run


def test_toggle_shows_and_hides_the_page(visitor, operate, clock, dispatcher):
    assert visitor.get(HELLO).status_code == 404
    operate(operations.enable, "toy_addon")
    assert visitor.get(HELLO).status_code == 404, "the last reading is trusted for a second"
    clock.now += 1.1
    assert visitor.get(HELLO).text == "hello from the toy"
    operate(operations.disable, "toy_addon")
    clock.now += 1.1
    assert visitor.get(HELLO).status_code == 404
    assert visitor.get("/").text == "the shop is up"
    assert dispatcher.served.generation == 2


def test_what_changes_something_never_runs_on_an_old_set(visitor, operate):
    operate(operations.enable, "toy_addon")
    assert visitor.post(HELLO).status_code == 400, "mounted at once; refused for want of a CSRF token"
    operate(operations.disable, "toy_addon")
    assert visitor.post(HELLO).status_code == 404


def test_page_that_awaits_a_generation_gets_it(visitor, operate):
    operate(operations.enable, "toy_addon")
    assert visitor.get(f"{HELLO}?generation=1").text == "hello from the toy"


def test_request_in_flight_finishes_on_its_app(dispatcher, operate, clock):
    operate(operations.enable, "toy_addon")
    old = dispatcher.refresh()
    assert old.enter()
    operate(operations.disable, "toy_addon")
    assert dispatcher.refresh() is not old
    with old.app.test_request_context(HELLO):
        assert old.app.full_dispatch_request().get_data(as_text=True) == "hello from the toy"
    old.leave()
    assert not old.enter()


def test_broken_addon_leaves_the_shop_up_and_an_incident(visitor, operate, clock, dispatcher):
    operate(operations.enable, "zoo_syntax", "toy_addon")
    clock.now += 2
    assert visitor.get(HELLO).text == "hello from the toy"
    with dispatcher.served.app.app_context():
        incident = db.session.scalars(select(Incident)).one()
        assert (incident.addon, incident.phase, incident.count) == ("zoo_syntax", "build", 1)
        assert "zoo_syntax/plugin.py:3: SyntaxError" in incident.message
        assert report(incident).startswith("zoo_syntax failed in build\n1 times, ")
    dispatcher._swap()
    with dispatcher.served.app.app_context():
        assert db.session.scalars(select(Incident.count)).one() == 2


def test_failing_view_is_an_incident_of_its_addon(visitor, operate, dispatcher):
    operate(operations.enable, "toy_addon")
    answer = visitor.get("/a/toy_addon/broken?generation=1")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"][:12] in answer.text
    assert "the toy broke" not in answer.text
    with dispatcher.served.app.app_context():
        incident = db.session.scalars(select(Incident)).one()
        assert (incident.addon, incident.phase, incident.hook) == ("toy_addon", "request", "toy_addon.broken")
        assert incident.message == "the toy broke"


def test_failed_build_keeps_the_old_app_and_waits(dispatcher, visitor, operate, clock, monkeypatch):
    calls = []

    def fail(*_args):
        calls.append(1)
        raise RuntimeError("core does not build")

    monkeypatch.setattr(dispatcher, "_build", fail)
    operate(operations.enable, "toy_addon")
    clock.now += 2
    assert visitor.get("/").text == "the shop is up"
    clock.now += 2
    assert visitor.get("/").text == "the shop is up"
    assert len(calls) == 1, "no second build within the pause"
    clock.now += 40
    visitor.get("/")
    assert len(calls) == 2


def test_safe_requests_do_not_wait_for_a_build(dispatcher, visitor, operate, clock):
    operate(operations.enable, "toy_addon")
    clock.now += 2
    with dispatcher._building:
        assert visitor.get("/").text == "the shop is up"
        assert visitor.get(HELLO).status_code == 404
    clock.now += 2
    assert visitor.get(HELLO).status_code == 200


def test_toggle_under_load_answers_every_request(dispatcher, operate, clock):
    statuses: list[int] = []
    stop = threading.Event()

    def browse():
        client = Client(dispatcher)
        while not stop.is_set():
            clock.now += 0.6
            statuses.append(client.get(HELLO).status_code)
            statuses.append(client.get("/").status_code)

    threads = [threading.Thread(target=browse) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        operate(operations.enable, "toy_addon")
        operate(operations.disable, "toy_addon")
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 404}
    assert statuses.count(200) > statuses.count(404) / 2


def test_heartbeat_says_what_is_served(dispatcher, operate):
    heartbeat = Heartbeat(dispatcher, "web")
    heartbeat.beat(dispatcher.served)
    operate(operations.enable, "toy_addon")
    with dispatcher.served.app.app_context():
        assert [(p.kind, p.generation, p.addons) for p in alive()] == [("web", 0, "")]
    dispatcher.refresh()
    with dispatcher.served.app.app_context():
        assert [(p.generation, p.addons) for p in alive()] == [(1, "toy_addon")]
        assert db.session.scalars(select(Process)).one().kind == "web"


def test_a_process_that_nobody_asks_follows_too(dispatcher, operate, clock):
    heartbeat, waited = Heartbeat(dispatcher, "web"), iter((False, True))
    heartbeat._stop = SimpleNamespace(wait=lambda _seconds: next(waited))
    operate(operations.enable, "toy_addon")
    clock.now += 2
    heartbeat._run()
    with dispatcher.served.app.app_context():
        assert [(p.generation, p.addons) for p in alive()] == [(1, "toy_addon")]


def test_security_headers_are_on_every_answer(visitor):
    for path in ("/", "/nothing-here"):
        headers = visitor.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def test_foreign_host_is_refused(visitor):
    assert visitor.get("/", base_url="http://evil.example").status_code == 400


def test_supervisors_are_told_whether_it_lives_and_is_ready(dispatcher, visitor, live, monkeypatch):
    assert (visitor.get("/healthz").status_code, visitor.get("/healthz").json) == (200, {"status": "alive"})
    assert (visitor.get("/readyz").status_code, visitor.get("/readyz").json) == (200, {"status": "ready"})
    with bare_app(live).app_context(), acting(system("tests")):
        late = clock_now() - timedelta(minutes=6)
        with write() as session:
            session.add(Job(name="core.x", payload={}, run_at=late, created_at=late))
    monkeypatch.setattr(health.shutil, "disk_usage", lambda path: Usage(100, 97, 3))
    answer = visitor.get("/readyz", headers={"Host": "10.0.0.7"})
    assert (answer.status_code, answer.json) == (503, {"status": "not ready", "failing": ["disk", "jobs"]})
    monkeypatch.setitem(health.CHECKS, "database", lambda: 1 / 0)
    assert visitor.get("/readyz").json["failing"] == ["database", "disk", "jobs"]
    assert visitor.get("/healthz").status_code == 200
