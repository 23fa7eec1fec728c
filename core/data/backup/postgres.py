"""A PostgreSQL database in a backup: its tables as COPY wrote them, in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, inspect, text

_BLOCK = 1 << 20


def member(table: str) -> str:
    """Return the name of a table's member."""
    return f"tables/{table}"


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one instant, however long it takes."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        _without_limits(connection)
        yield connection


def tables(connection: Connection) -> list[str]:
    """Return the names of all tables."""
    return sorted(inspect(connection).get_table_names())


def dump(connection: Connection, table: str, target: Path) -> int:
    """Write the rows of ``table`` to a file, and return how many there are."""
    names = [column["name"] for column in inspect(connection).get_columns(table)]
    rows = 0
    with target.open("wb") as file, _cursor(connection).copy(f"COPY {_list(table, names)} TO STDOUT") as copy:
        for block in copy:
            rows += bytes(block).count(b"\n")  # a line end within a value is written as \n, two characters
            file.write(block)
    return rows


def load(connection: Connection, folder: Path, columns: dict[str, list[str]]) -> None:
    """Fill the empty tables from their files, parents first, and set the sequences."""
    _without_limits(connection)
    for table in _parents_first(connection):
        if table not in columns:
            continue
        connection.execute(text(f'DELETE FROM "{table}"'))  # noqa: S608  (what the migrations put in)
        with (
            (folder / member(table)).open("rb") as file,
            _cursor(connection).copy(f"COPY {_list(table, columns[table])} FROM STDIN") as copy,
        ):
            while block := file.read(_BLOCK):
                copy.write(block)
        _set_sequences(connection, table)


def counts(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Return the number of rows by table."""
    return {name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names}  # noqa: S608


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()


def _list(table: str, names: Sequence[str]) -> str:
    return f'"{table}" ({", ".join(f""" "{name}" """.strip() for name in names)})'


def _parents_first(connection: Connection) -> list[str]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table.name for table in metadata.sorted_tables]


def _set_sequences(connection: Connection, table: str) -> None:
    for column in inspect(connection).get_columns(table):
        if column.get("autoincrement"):
            values = {"table": f'"{table}"', "column": column["name"]}
            sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), values)
            if sequence:
                highest = f'SELECT setval(:sequence, coalesce(max("{column["name"]}"), 0) + 1, false) FROM "{table}"'  # noqa: S608
                connection.execute(text(highest), {"sequence": sequence})


def _without_limits(connection: Connection) -> None:
    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {limit} = 0"))
