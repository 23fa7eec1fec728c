"""A SQLite database in a backup: a copy made while it is written to, and checked."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from core.data.backup.archive import BackupFailed

MEMBER = "database.sqlite"


def copy(source: Path, target: Path) -> None:
    """Copy a live database as it is at one instant; writers go on."""
    if not source.is_file():
        raise BackupFailed("NO-DATABASE", f"There is no database {source}. `tukku init` creates one.")
    with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(target)) as made:
        live.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def check(path: Path) -> None:
    """Raise BackupFailed if the copy is damaged or rows lack their parents."""
    with closing(sqlite3.connect(path)) as connection:
        for pragma, good in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
            found = connection.execute(f"PRAGMA {pragma}").fetchmany(3)
            if found != good:
                raise BackupFailed("DATABASE-DAMAGED", f"the copy of the database fails {pragma}: {found}.")


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """Open a copy for reading."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def tables(connection: Connection) -> list[str]:
    """Return the names of all tables."""
    names = text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    return list(connection.scalars(names))


def counts(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """Return the number of rows by table."""
    return {name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names}  # noqa: S608
