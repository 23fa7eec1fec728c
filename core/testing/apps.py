"""Apps for tests, and a client that keeps its requests apart from the test."""

from __future__ import annotations

import contextvars
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, has_app_context
from flask.globals import _cv_app
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Dialect
from sqlalchemy.util import LRUCache

from core.data import schema
from core.data.db import configure_engine, db, engine_options, normalise_url
from core.data.write import writing
from core.testing import places

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

ADDONS = Path(__file__).parents[2] / "addons"
SECRET = "a secret key for tests, long enough to be taken"


def bundled_addons() -> tuple[str, ...]:
    """Return the names of the addons that come with Tukku."""
    return tuple(sorted(manifest.parent.name for manifest in ADDONS.glob("*/addon.toml")))


class Client(FlaskClient):
    """A test client whose requests have a context, a session and an actor of their own.

    Flask would let them share the test's app context. After a request the test's own session starts anew, so
    that it sees what the request committed.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response: TestResponse = contextvars.copy_context().run(self._open_apart, *args, **kwargs)
        if has_app_context() and not writing():
            db.session.rollback()
        return response

    def set_cookie(self, key: str, value: str = "", *, domain: str = "", **kwargs: Any) -> None:
        """Set a cookie for the deployment's own host, unless another is asked for."""
        host = str(self.application.config["SERVER_NAME"] or "localhost").partition(":")[0]
        super().set_cookie(key, value, domain=domain or host, **kwargs)

    def _open_apart(self, *args: Any, **kwargs: Any) -> TestResponse:
        _cv_app.set(None)  # type: ignore[arg-type]
        return super().open(*args, **{"buffered": True, **kwargs})  # a stream ends in the context it began in


@cache
def _templates() -> FileSystemBytecodeCache:
    """Keep compiled templates between apps: the source's digest is part of the name, so that none is stale."""
    folder = Path(tempfile.gettempdir()) / f"tukku-test-templates-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


def full_app(url: str, data_dir: Path, **config: Any) -> Flask:
    """Return the whole app on the database, built as a server builds it; forms take no CSRF token."""
    from core.runtime.app import build_app
    from core.runtime.config import Config

    Flask.jinja_options = {"bytecode_cache": _templates()}
    usual = tuple(places.PATHS)
    paths = config.setdefault("addon_paths", usual)
    settings = Config(data_dir=data_dir, database_url=url, secret_key=SECRET, testing=True, **config)
    app = build_app(settings, discovery=places.discovery() if paths == usual else None)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Client
    share_compiled(app)
    return app


#: By database: the dialect and the compiled statements of the first engine, for all that follow.
_compiled: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}


def share_compiled(app: Flask) -> None:
    """Let the engines of all apps share what SQLAlchemy compiles, which it would keep for one engine only."""
    with app.app_context():
        engine = db.engine
    first = (engine.dialect, LRUCache(2000))
    engine.dialect, engine._compiled_cache = _compiled.setdefault(engine.dialect.name, first)  # type: ignore[assignment]


def bare_app(url: str, data_dir: Path) -> Flask:
    """Return a Flask app that has the database and nothing else."""
    schema.load()
    app = Flask("bare")
    parsed = normalise_url(url)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=parsed,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(parsed),
        TUKKU_DATA_DIR=str(data_dir),
        TESTING=True,
    )
    db.init_app(app)
    with app.app_context():
        configure_engine(db.engine)
    share_compiled(app)
    return app


@contextmanager
def closing(app: Flask) -> Iterator[Flask]:
    """Close the app's connections at the end, so that its database can be dropped."""
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
