"""Statements compiled once, for what is asked at every request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, FromClause, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from core.data.db import db

#: In the ``info`` of a session: its last transaction and the connection of that.
_HELD = "tukku.connection"


class Prepared:
    """A statement compiled once, run on the session's own connection, whose rows come as the driver's plain tuples.

    What would cost more than the query itself is left out: building and caching the statement anew, and rows as
    objects. Such a statement is not limited by the session's scope, so it names the companies that it may see itself.
    """

    def __init__(self, build: Callable[[str], Any], dialect: Any) -> None:
        compiled = build(dialect.name).compile(dialect=dialect)
        self._sql = str(compiled)
        self._constants = dict(compiled.params)
        self._positions: list[str] | None = compiled.positiontup

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run the statement with ``values``, which the driver must understand, and return its rows."""
        given = {**self._constants, **values}
        connection = _connection()
        parameters: Any = given if self._positions is None else tuple([given[name] for name in self._positions])
        cursor = connection.connection.cursor()
        try:
            for listener in connection.dispatch.before_cursor_execute:  # who counts or logs statements sees these too
                listener(connection, cursor, self._sql, parameters, None, False)
            cursor.execute(self._sql, parameters)
            return cursor.fetchall()  # type: ignore[return-value]
        finally:
            cursor.close()


def _connection() -> Connection:
    """Return the session's connection, which the session itself looks up with some effort each time it is asked."""
    session = db.session()
    transaction = session.get_transaction()
    held: tuple[object, Connection] | None = session.info.get(_HELD)
    if held is not None and held[0] is transaction and transaction is not None:
        return held[1]
    connection = session.connection()
    session.info[_HELD] = (session.get_transaction(), connection)
    return connection


@cache
def prepared(build: Callable[[str], Any], dialect: str) -> Prepared:
    """Return the statement that ``build(dialect)`` makes, compiled for the current database."""
    return Prepared(build, db.engine.dialect)


def id_table(dialect: str, name: str, kind: type[Any] = BigInteger) -> FromClause:
    """Return a table of the ids (or codes: ``kind`` String) bound as ``name``, with the column ``id``."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(name)).table_valued(column("value", kind), name=f"{name}_each")
        return select(each.c.value.label("id")).cte(name)
    ids = func.unnest(cast(bindparam(name), ARRAY(kind))).table_valued(column("id", kind), name=f"{name}_each")
    return select(ids.render_derived().c.id).cte(name)


def id_values(dialect: str, name: str, ids: Iterable[int | str]) -> dict[str, Any]:
    """Return the parameters for ``id_table``."""
    listed = list(ids)
    return {name: json.dumps(listed) if dialect == "sqlite" else listed}


@lru_cache(256)
def instant_value(dialect: str, instant: datetime) -> datetime | str:
    """Return an instant as the driver stores it."""
    moment = instant.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if dialect == "sqlite" else moment
