"""Tables as JSON Lines: written, read again and compared, before anything is removed.

One file for each table, one row a line, and ``dump.json`` with columns, counts and checksums. Values are the driver's own:
scaled decimals stay integers, instants are ISO texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, inspect

_PART = 1_000


class DumpFailed(Exception):
    """What was written is not what the tables hold; nothing may be removed."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """Where the dump lies, and how many rows of each table it holds."""

    folder: Path
    rows: Mapping[str, int]


def reflected(connection: Connection, names: Sequence[str]) -> tuple[Table, ...]:
    """Return the tables as the database has them, those that others refer to first; names that are gone are left out."""
    present = set(inspect(connection).get_table_names())
    metadata = MetaData()
    metadata.reflect(connection, only=[name for name in names if name in present])  # with the tables they refer to
    return tuple(table for table in metadata.sorted_tables if table.name in names)


def dump(connection: Connection, tables: Sequence[Table], folder: Path, about: Mapping[str, Any]) -> Dumped:
    """Write ``tables`` into the new ``folder``, read the files again, and compare; `DumpFailed` where they differ."""
    folder.mkdir(parents=True)
    described = {}
    for table in tables:
        described[table.name] = {
            "columns": {column.name: str(column.type) for column in table.columns},
            **_write(connection, table, folder / f"{table.name}.jsonl"),
        }
    (folder / "dump.json").write_text(json.dumps({**about, "tables": described}, indent=2, ensure_ascii=False) + "\n")
    for table in tables:
        _compare(connection, table, folder)
    return Dumped(folder, {name: one["rows"] for name, one in described.items()})


def _write(connection: Connection, table: Table, path: Path) -> dict[str, Any]:
    digest, count = hashlib.sha256(), 0
    with path.open("wb") as file:
        for line in _lines(connection, table):
            file.write(line)
            digest.update(line)
            count += 1
    return {"rows": count, "sha256": digest.hexdigest()}


def _compare(connection: Connection, table: Table, folder: Path) -> None:
    """Read the file as somebody would who restores it, against its checksum, its count and the table itself."""
    known = json.loads((folder / "dump.json").read_text())["tables"][table.name]
    digest, count, present = hashlib.sha256(), 0, 0
    with (folder / f"{table.name}.jsonl").open("rb") as file:
        for written, held in zip_longest(file, _lines(connection, table)):
            present += held is not None
            if written is None:
                continue
            digest.update(written)
            count += 1
            if held is not None and json.loads(written) != json.loads(held):
                raise DumpFailed(f"{table.name}: row {count} of the export differs from the table's.")
    if count != present or (count, digest.hexdigest()) != (known["rows"], known["sha256"]):
        raise DumpFailed(f"{table.name}: the export was read back with {count} rows instead of {present}.")


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield the rows in the order of the primary key, as the driver gives them."""
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    order = ", ".join(quote(column.name) for column in table.primary_key) or columns
    found = connection.exec_driver_sql(f"SELECT {columns} FROM {quote(table.name)} ORDER BY {order}")  # noqa: S608
    for rows in found.partitions(_PART):
        for row in rows:
            yield json.dumps(dict(row._mapping), ensure_ascii=False, default=_plain).encode() + b"\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} cannot be exported")
