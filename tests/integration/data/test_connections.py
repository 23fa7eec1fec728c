"""A connection that the server has dropped while it lay in the pool is opened anew, unnoticed."""

import pytest
from sqlalchemy import text

from core.data import db as database
from core.data.db import make_engine

pytestmark = pytest.mark.database("postgres")


@pytest.fixture
def engines(database_url):
    made = [make_engine(database_url), make_engine(database_url)]
    yield made
    for engine in made:
        engine.dispose()


def pid(engine):
    with engine.connect() as connection:
        return connection.scalar(text("SELECT pg_backend_pid()"))


def test_a_dropped_connection_is_opened_anew(engines, monkeypatch):
    mine, other = engines
    first = pid(mine)
    assert pid(mine) == first, "it is used again"
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
    monkeypatch.setattr(database, "IDLE", 0)
    second = pid(mine)
    assert second != first
    assert pid(mine) == second


def test_one_in_steady_use_is_not_looked_at(engines, monkeypatch):
    mine, _other = engines
    pid(mine)
    monkeypatch.setattr(database.DisconnectionError, "__init__", lambda *_: pytest.fail("nobody looks"))
    seen = []
    monkeypatch.setattr(database, "monotonic", lambda: seen.append(1) or 0.0)
    pid(mine)
    assert len(seen) == 2  # on the way out and on the way back
