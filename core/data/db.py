"""The database: one declarative base, one session class, SQLite and PostgreSQL set up alike.

SQLite runs in WAL mode with foreign keys on and explicit BEGIN, so that DDL is transactional and a
writer can say BEGIN IMMEDIATE. Flask-SQLAlchemy binds an engine to each app that is built.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from time import monotonic
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

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


#: In the ``info`` of a session that is inside ``write()``.
WRITING = "tukku.writing"


class Session(FlaskSession):
    """The one session class; scope and write guards are attached to it in core.data.scope and write."""

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """Return the object with primary key ``ident``, or None: also where it is in memory but not in scope."""
        from core.data.scope import visible

        found = super().get(entity, ident, **options)
        return found if found is None or visible(found) else None

    def get_bind(self, *args: Any, **options: Any) -> Engine | Connection:
        """Return the engine; outside ``write()`` one that reads a PostgreSQL without a transaction around it.

        Each statement sees what is committed there anyway, and BEGIN and ROLLBACK would be two round trips a request.
        """
        bind = super().get_bind(*args, **options)
        reads = options.get("bind") is None and not self.info.get(WRITING)
        return _reading(bind) if reads and isinstance(bind, Engine) and bind.dialect.name == "postgresql" else bind


@lru_cache(64)
def _reading(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="AUTOCOMMIT")


@event.listens_for(Session, "do_orm_execute")
def _stream_in_a_transaction(state: ORMExecuteState) -> None:
    """Give a statement whose rows come bit by bit a transaction, which the cursor of a server needs."""
    options = state.execution_options
    if options.get("yield_per") or options.get("stream_results"):
        state.bind_arguments["bind"] = FlaskSession.get_bind(state.session)  # type: ignore[arg-type]


db = SQLAlchemy(model_class=Base, session_options={"class_": Session}, disable_autonaming=True)


def normalise_url(url: str) -> URL:
    """Return ``url`` with psycopg 3 as the PostgreSQL driver."""
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def configure_engine(engine: Engine) -> Engine:
    """Attach pragmas and explicit BEGIN to a SQLite engine, the look whether it still lives to a server's connections."""
    if engine.dialect.name == "sqlite":
        if not event.contains(engine, "connect", _sqlite_connect):
            event.listen(engine, "connect", _sqlite_connect)
            event.listen(engine, "begin", _sqlite_begin)
    elif not event.contains(engine, "checkin", _note_idle):
        event.listen(engine, "checkin", _note_idle)
        event.listen(engine, "checkout", _look_at_idle)
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
    return {"connect_args": {"prepare_threshold": 1, "options": settings}}


def make_engine(url: str | URL) -> Engine:
    """Return a configured engine outside any app (migrations, backup, the dispatcher)."""
    parsed = normalise_url(url) if isinstance(url, str) else url
    return configure_engine(create_engine(parsed, **engine_options(parsed)))


#: How a connection to SQLite is set up. 32 MB of pages for each: prices and facets probe many. No mmap: a fault of the
#: disk would end the process.
PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=10000", "synchronous=FULL", "cache_size=-32768")


def _sqlite_connect(dbapi_connection: Any, _record: Any) -> None:
    dbapi_connection.isolation_level = None  # the begin event says BEGIN, so DDL is transactional too
    cursor = dbapi_connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


#: Seconds in the pool after which a server may have dropped a connection. No server restarts in less, and a look at
#: every use would be a round trip more for each request.
IDLE = 1.0
_SINCE = "tukku.idle_since"


def _note_idle(_dbapi_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_SINCE] = monotonic()


def _look_at_idle(dbapi_connection: Any, record: ConnectionPoolEntry, fairy: PoolProxiedConnection) -> None:
    """Let the pool open a connection anew where the server has dropped it meanwhile."""
    if monotonic() - record.info.get(_SINCE, 0) < IDLE:
        return
    closed = getattr(dbapi_connection, "closed", False)
    try:
        if not closed:
            with dbapi_connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            dbapi_connection.rollback()
    except dbapi_connection.Error:
        closed = True
    if closed:
        raise DisconnectionError("the server has dropped the connection")


def _sqlite_begin(connection: Connection) -> None:
    if connection.get_execution_options().get("tukku_write", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:  # it waits for nothing, so there is no error to wrap: the driver itself takes a tenth of the time
        connection.connection.cursor().execute("BEGIN")


def exact(value: Decimal | int | str) -> Decimal:
    """Return ``value`` as a finite Decimal; ValueError otherwise. Floats are refused by the type."""
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return number


#: PostgreSQL waited for a lock for too long, or ended one of two transactions that waited for each other.
_BUSY = frozenset({"55P03", "40P01", "40001"})


def waited_too_long(error: OperationalError) -> bool:
    """Tell whether a wait for a lock was given up: lock_timeout or a deadlock of PostgreSQL, busy_timeout of SQLite."""
    return getattr(error.orig, "sqlstate", "") in _BUSY or "database is locked" in str(error.orig)


def is_taken(error: IntegrityError) -> bool:
    """Tell whether the database refused a row because there is one of the same name."""
    known = getattr(error.orig, "sqlstate", "") or getattr(error.orig, "sqlite_errorname", "")
    return known in ("23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
