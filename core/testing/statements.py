"""Count SQL statements, and show them when there are too many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

_IGNORED = ("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")


@dataclass
class Statements:
    """The statements that ran, in order."""

    seen: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many statements ran; transaction control is not counted."""
        return len(self.seen)

    def __str__(self) -> str:
        return "\n".join(f"{number:>3}. {' '.join(sql.split())[:500]}" for number, sql in enumerate(self.seen, 1))


@contextmanager
def count_statements(exactly: int | None = None, *, at_most: int | None = None) -> Iterator[Statements]:
    """Record the SQL of the block on every engine; fail with the SQL if there are not ``exactly`` or ``at_most`` so many."""
    statements = Statements()

    def record(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if not sql.lstrip().upper().startswith(_IGNORED):
            statements.seen.append(sql)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", record)
    if exactly is not None and statements.count != exactly:
        raise AssertionError(f"{statements.count} statements instead of {exactly}:\n{statements}")
    if at_most is not None and statements.count > at_most:
        raise AssertionError(f"{statements.count} statements, {at_most} are allowed:\n{statements}")
