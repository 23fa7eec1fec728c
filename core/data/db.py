"""The database: one declarative base, one session class, SQLite and PostgreSQL set up alike.

SQLite runs in WAL mode with foreign keys on and explicit BEGIN, so that DDL is transactional and a
writer can say BEGIN IMMEDIATE. Flask-SQLAlchemy binds an engine to each app that is built.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import DeclarativeBase

from core.data.types import Instant

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Declarative base of core and of every addon; names every constraint after its table."""

    metadata = MetaData(naming_convention=NAMING)


Base.registry.update_type_annotation_map({datetime: Instant})


class Session(FlaskSession):
    """The one session class; scope and write guards are attached to it in core.data.scope and write."""

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """Return the object with primary key ``ident``, or None: also where it is in memory but not in scope."""
        from core.data.scope import visible

        found = super().get(entity, ident, **options)
        return found if found is None or visible(found) else None


db = SQLAlchemy(model_class=Base, session_options={"class_": Session}, disable_autonaming=True)


def normalise_url(url: str) -> URL:
    """Return ``url`` with psycopg 3 as the PostgreSQL driver."""
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def configure_engine(engine: Engine) -> Engine:
    """Attach pragmas and explicit BEGIN to a SQLite engine; PostgreSQL needs its options at connect."""
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _sqlite_connect):
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def engine_options(url: URL) -> dict[str, Any]:
    """Return the options of ``create_engine`` for ``url``."""
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 10}}
    # short statements on data that are in memory: compiling a plan, or shunning indexes, would cost more than they do
    settings = (
        "-c jit=off -c random_page_cost=1.1 "
        "-c lock_timeout=3s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
    )
    return {"pool_pre_ping": True, "connect_args": {"prepare_threshold": 1, "options": settings}}


def make_engine(url: str | URL) -> Engine:
    """Return a configured engine outside any app (migrations, backup, the dispatcher)."""
    parsed = normalise_url(url) if isinstance(url, str) else url
    return configure_engine(create_engine(parsed, **engine_options(parsed)))


#: 32 MB of pages for each connection: prices and facets probe many. No mmap: a fault of the disk would end the process.
_MEMORY = "cache_size=-32768"


def _sqlite_connect(dbapi_connection: Any, _record: Any) -> None:
    dbapi_connection.isolation_level = None  # the begin event says BEGIN, so DDL is transactional too
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=10000", "synchronous=FULL", _MEMORY):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("tukku_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def exact(value: Decimal | int | str) -> Decimal:
    """Return ``value`` as a finite Decimal; ValueError otherwise. Floats are refused by the type."""
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return number
