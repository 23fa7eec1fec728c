"""Apps for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from core.data import schema
from core.data.db import configure_engine, db, engine_options, normalise_url


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
