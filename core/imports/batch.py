"""The rows of one batch under work: results in the order of the rows, errors that keep a row out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.i18n import _
from core.imports.names import named
from core.spec.imports import ImportRow, Outcome, RowResult


class Batch:
    """Collects the result of each row; a row with an error is not offered again."""

    def __init__(self, rows: Sequence[ImportRow], *key: str) -> None:
        self.rows = rows
        self._key = key
        self._results: dict[int, RowResult] = {}

    def __iter__(self) -> Iterator[ImportRow]:
        """Yield the rows that have no error yet."""
        return (row for row in self.rows if row.number not in self._results)

    def all(self, name: str) -> set[Any]:
        """Return every value that the rows hold in a field."""
        return {row.values[name] for row in self.rows if name in row.values}

    def fail(self, row: ImportRow, field: str, message: object) -> None:
        """Refuse a row: what is wrong in which field, and how to mend it."""
        self._results[row.number] = RowResult(row.number, "error", self.key(row), field, message)

    def unknown(self, row: ImportRow, field: str, thing: object) -> None:
        """Refuse a row whose reference leads nowhere."""
        message = _(
            "There is no %(thing)s “%(value)s”. Import it first, or correct the code.",
            thing=thing,
            value=row.values.get(field, ""),
        )
        self.fail(row, field, message)

    def require(self, row: ImportRow, *fields: str) -> bool:
        """Refuse a new row in which one of the fields is empty; True where all are there."""
        for field in fields:
            if field not in row.values:
                self.fail(row, field, _("A new row needs a value here."))
                return False
        return True

    def done(self, row: ImportRow, outcome: Outcome, message: object = "") -> None:
        """Note what became of a row, and what there is to tell of it."""
        self._results[row.number] = RowResult(row.number, outcome, self.key(row), message=message)

    def key(self, row: ImportRow) -> str:
        """Return the row's natural key as text, for the report."""
        return named(row.values.get(name) for name in self._key)

    def results(self) -> list[RowResult]:
        """Return a result for each row, in their order."""
        return [self._results.get(row.number) or RowResult(row.number, "unchanged", self.key(row)) for row in self.rows]
