"""The pytest plugin: the fixtures for tests of core and of addons.

A test that asks for ``database_url`` (or ``app``, ``client``, …) runs once on SQLite and once on PostgreSQL.
``@pytest.mark.database("sqlite")`` asks for one of them; ``--database sqlite`` narrows a whole run, and says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.testing import guards
from core.testing.statements import count_statements

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from core.testing.databases import Databases

_BACKENDS = ("sqlite", "postgres")
#: Environment variables that a test run may see; every other TUKKU_ variable of the developer is put aside.
_KEPT = ("TUKKU_SAMPLES_DIR", "TUKKU_CASES_DIR", "TUKKU_REQUIRE", "TUKKU_TEST_BROKER_URL")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--database`` and ``--addon``."""
    parser.getgroup("tukku").addoption("--addon", default="", help="the folder of the addon that check_addon.py checks")
    parser.getgroup("tukku").addoption(
        "--database", choices=(*_BACKENDS, "both"), default="both", help="run on one database only (default: both)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and look for addons around what is to be run."""
    from core.registry.loader import extend_path, extend_sys_path
    from core.testing import places

    places.search_around(Path(argument.partition("::")[0]) for argument in config.args)
    if config.getoption("--addon"):
        places.check(Path(config.getoption("--addon")))
    found = places.discovery()
    extend_path(found.folders())
    extend_sys_path(found.projects())
    config.addinivalue_line("markers", "database(*names): run on these databases only (sqlite, postgres)")


def pytest_report_header(config: pytest.Config) -> str:
    """Say on which databases the tests run."""
    chosen = config.getoption("--database")
    if chosen == "both":
        return "databases: sqlite and postgres"
    return f"databases: {chosen} ONLY (--database {chosen}); the other one is not tested"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a database once for each."""
    if "database_backend" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("database")
    chosen = metafunc.config.getoption("--database")
    names = [n for n in (marker.args if marker else _BACKENDS) if chosen in ("both", n)]
    metafunc.parametrize("database_backend", names, scope="session", indirect=False)


@pytest.fixture(scope="session", autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    """Refuse the network, so that no test can send mail or call another machine."""
    guards.refuse_network()
    yield
    guards.allow_network()


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Put the developer's own TUKKU_ variables aside."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("TUKKU_") and name not in _KEPT:
                patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def _wait_for_no_disk() -> Iterator[None]:
    """Let SQLite of this process not wait for the disk, as the PostgreSQL of tests does not: no test pulls a plug."""
    from core.data import db

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "PRAGMAS", tuple(pragma.replace("=FULL", "=OFF") for pragma in db.PRAGMAS))
        yield


@pytest.fixture(scope="session", autouse=True)
def hashing_policy() -> Iterator[dict[str, int]]:
    """Hash passwords with parameters too weak for real use, as the factories do; gives those of real use."""
    from core.accounts import engine

    policy = engine.ARGON2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "ARGON2", {**policy, "argon2__memory_cost": 8, "argon2__time_cost": 1})
        yield policy


@pytest.fixture(scope="session")
def _template_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("databases")
    from core.testing import postgres

    postgres.drop_taken()


@pytest.fixture
def databases(database_backend: str, _template_folder: Path) -> Iterator[Databases]:
    """Makes databases on the backend at hand; they are removed after the test."""
    from core.testing.databases import Databases

    made = Databases(database_backend, _template_folder)
    yield made
    made.close()


@pytest.fixture
def database_url(databases: Databases) -> str:
    """The URL of a fresh database with core's tables."""
    return databases.migrated().render_as_string(hide_password=False)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The data directory (uploads, mail, generated files) of the test."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def data_app(database_url: str, data_dir: Path) -> Iterator[Flask]:
    """A bare Flask app on the database, in an app context as the system actor: for tests of core.data."""
    from core.data.scope import set_actor, system
    from core.testing.apps import bare_app, closing

    app = bare_app(database_url, data_dir)
    with closing(app), app.app_context():
        set_actor(system("tests"))
        yield app


@pytest.fixture
def app_with(databases: Databases, data_dir: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Flask]]:
    """Give an app with a set of addons: ``app = app_with(addons=["pricing_contract"])``.

    Its context is entered as the system actor, there is a seller, and Finland's standard tax rate. The app is as new; it
    is built anew where a test has patched something before, serves the app, or says how it is configured.
    """
    from core.data.scope import set_actor, system
    from core.restapi import gate
    from core.testing import factories
    from core.testing.apps import closing, full_app
    from core.testing.lending import lent

    with ExitStack() as stack:

        def build(addons: Sequence[str] = (), **config: object) -> Flask:
            url = databases.migrated(addons).render_as_string(hide_password=False)
            anew = config or "live_server" in request.fixturenames or _patched(request)
            made = closing(full_app(url, data_dir, **config)) if anew else lent(url, data_dir, addons)
            app = stack.enter_context(made)
            stack.enter_context(app.app_context())
            set_actor(system("tests"))
            factories.make_seller()
            factories.make_tax_rate()
            return app

        yield build
    gate._taken.clear()  # it counts by the address of a database, which another test's may have


def _patched(request: pytest.FixtureRequest) -> bool:
    """Tell whether the test has patched anything by now."""
    return "monkeypatch" in request.fixturenames and any(vars(request.getfixturevalue("monkeypatch")).values())


@pytest.fixture
def app(app_with: Callable[..., Flask]) -> Flask:
    """The app with every bundled addon enabled."""
    from core.testing.apps import bundled_addons

    return app_with(addons=bundled_addons())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a session."""
    return app.test_client()


@pytest.fixture
def login(app: Flask) -> Callable[[str], FlaskClient]:
    """Sign in: ``login("anna@acme.example")`` returns a client of that person, made by the factories."""
    from core.testing.signin import sign_in

    return lambda email: sign_in(app, email)


@pytest.fixture
def live_server(app: Flask) -> Iterator[str]:
    """Serve ``app`` on this machine; gives its address. Forms take CSRF tokens there, as they do in real life."""
    from core.testing.server import serving

    app.config["WTF_CSRF_ENABLED"] = True
    with serving(app) as address:
        yield address


@pytest.fixture(name="count_statements")
def _count_statements() -> Callable[..., object]:
    """Give `core.testing.statements.count_statements`."""
    return count_statements
