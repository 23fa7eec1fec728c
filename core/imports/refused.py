"""Every refused row of an import, written to a file as it comes: a report of any length takes no memory."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType

from core.i18n import _
from core.spec.imports import RowResult
from core.ui.export import guard

NAME = "refused.csv"


class RefusedRows:
    """A CSV file of the rows that were refused; ``with RefusedRows(path) as rows:`` it is a listener of an import."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow([_("Content"), _("Row"), _("Key"), _("Column"), _("Value"), _("What is wrong")])

    def __enter__(self) -> RefusedRows:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def note(self, kind: str, result: RowResult) -> None:
        """Write a result if it is a refusal."""
        if result.outcome == "error":
            texts = (result.key, result.field, result.value, str(result.message))
            self._writer.writerow([kind, result.number, *map(guard, texts)])
