"""Statements compiled once, for what is asked at every request."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from core.data.db import db


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
        connection = db.session.connection()
        parameters: Any = given if self._positions is None else tuple([given[name] for name in self._positions])
        cursor = connection.connection.cursor()
        try:
            for listener in connection.dispatch.before_cursor_execute:  # who counts or logs statements sees these too
                listener(connection, cursor, self._sql, parameters, None, False)
            cursor.execute(self._sql, parameters)
            return cursor.fetchall()  # type: ignore[return-value]
        finally:
            cursor.close()


@cache
def prepared(build: Callable[[str], Any], dialect: str) -> Prepared:
    """Return the statement that ``build(dialect)`` makes, compiled for the current database."""
    return Prepared(build, db.engine.dialect)
