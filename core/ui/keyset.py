"""Page through a sorted SELECT by keyset: the last row's group, sort value and id, never an offset.

Rows without a value come last in both directions. A cursor that is not one of ours means the first page.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_

_READ: dict[str, Any] = {
    "s": str,
    "i": int,
    "b": bool,
    "d": Decimal,
    "t": datetime.fromisoformat,
    "y": date.fromisoformat,
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: the sort value (None for rows without one), the id and the group of the row beside it."""

    value: Any
    id: int
    group: str = ""

    def encode(self) -> str:
        """Return the cursor as text for an address."""
        body = json.dumps([*_tag(self.value), self.id, *([self.group] if self.group else [])], separators=(",", ":"))
        return urlsafe_b64encode(body.encode()).decode().rstrip("=")


def decode(text: str) -> Cursor | None:
    """Return the cursor in `text`, or None where it is not one."""
    try:
        tag, value, row, *group = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return Cursor(None if tag == "n" else _READ[tag](value), int(row), *(str(word) for word in group))
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return None


def _tag(value: Any) -> tuple[str, Any]:
    if value is None:
        return "n", None
    if isinstance(value, bool):
        return "b", value
    if isinstance(value, int):
        return "i", value
    if isinstance(value, Decimal):
        return "d", str(value)
    if isinstance(value, datetime):
        return "t", value.isoformat()
    return ("y", value.isoformat()) if isinstance(value, date) else ("s", str(value))


@dataclass(frozen=True, slots=True)
class Sort:
    """By what a list is sorted: an SQL expression and the id that makes the order total.

    ``group`` comes before both, always ascending: amounts are compared within a currency, never across.
    """

    expression: Any
    id: Any
    descending: bool = False
    group: Any = None

    def columns(self) -> tuple[Any, ...]:
        """Return what a row has to say for ``window``."""
        groups = () if self.group is None else (self.group.label("group_"),)
        return (self.id.label("id_"), self.expression.label("sort_"), *groups)

    def order(self, statement: Select[Any], *, backwards: bool = False) -> Select[Any]:
        """Return the statement sorted; `backwards` turns everything round, for the page before."""
        down = self.descending != backwards
        empty = self.expression.is_(None)
        groups = () if self.group is None else (self.group.desc() if backwards else self.group.asc(),)
        return statement.order_by(
            *groups,
            empty.desc() if backwards else empty.asc(),
            self.expression.desc() if down else self.expression.asc(),
            self.id.desc() if down else self.id.asc(),
        )

    def beyond(self, cursor: Cursor, *, backwards: bool = False) -> ColumnElement[bool]:
        """Return the condition for rows after the cursor (before it if `backwards`)."""
        within = self._beyond(cursor, backwards)
        if self.group is None:
            return within
        next_groups = self.group < cursor.group if backwards else self.group > cursor.group
        return or_(next_groups, and_(self.group == cursor.group, within))

    def _beyond(self, cursor: Cursor, backwards: bool) -> ColumnElement[bool]:
        down = self.descending != backwards
        after_id = self.id < cursor.id if down else self.id > cursor.id
        empty = self.expression.is_(None)
        if cursor.value is None:
            same = and_(empty, after_id)
            return or_(self.expression.is_not(None), same) if backwards else same
        further = self.expression < cursor.value if down else self.expression > cursor.value
        found = or_(further, and_(self.expression == cursor.value, after_id))
        return found if backwards else or_(found, empty)


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of a page and the cursors of its neighbours, None where there is no neighbour."""

    rows: tuple[Any, ...]
    before: Cursor | None
    after: Cursor | None


def window(rows: Sequence[Any], size: int, *, after: Cursor | None, before: Cursor | None) -> Window:
    """Cut the page out of `size` + 1 rows fetched with ``order`` and ``beyond``.

    Each row has the sort value as ``sort_``, the id as ``id_`` and, where there is one, the group as ``group_``.
    """
    more = len(rows) > size
    kept = list(rows[:size])
    if before:
        kept.reverse()
    if not kept:
        return Window((), None, None)
    first, last = (Cursor(row.sort_, row.id_, getattr(row, "group_", "")) for row in (kept[0], kept[-1]))
    has_before = more if before else after is not None
    has_after = True if before else more
    return Window(tuple(kept), first if has_before else None, last if has_after else None)
