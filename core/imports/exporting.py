"""Write a kind's rows to CSV or XLSX so that the same import would read them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from core.i18n import _
from core.spec.errors import Invalid
from core.spec.imports import DataImport
from core.ui.export import ExportColumn, csv_lines, write_xlsx


def export(kind: DataImport, path: Path) -> int:
    """Write every row of a kind to ``path`` and return how many; the ending says the format."""
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise Invalid("EXPORT-FORMAT", _("%(name)s must end in .csv or .xlsx.", name=path.name))
    columns, rows = table(kind)
    if path.suffix.lower() == ".xlsx":
        with path.open("wb") as file:
            return write_xlsx(file, columns, rows, kind.kind)
    count = -1  # the header is a line as well
    with path.open("w", encoding="utf-8", newline="") as text:
        for count, line in enumerate(csv_lines(columns, rows)):  # noqa: B007 - the count is returned
            text.write(line)
    return count


def table(kind: DataImport) -> tuple[list[ExportColumn], Iterable[Sequence[Any]]]:
    """Return the columns and rows of a kind's export; Invalid where it has none."""
    if kind.export is None:
        raise Invalid("EXPORT-KIND", _("%(kind)s cannot be exported.", kind=kind.kind))
    rows: Iterable[Mapping[str, Any]] = kind.export()
    names = [field.name for field in kind.fields]
    if kind.open_fields:
        rows = list(rows)
        extra = dict.fromkeys(name for row in rows for name in row if name.startswith(kind.open_fields))
        names += [name for name in extra if name not in names]
    kinds = {field.name: "day" for field in kind.fields if field.type == "date"}
    return [ExportColumn(name, kinds.get(name, "text")) for name in names], _cells(names, rows)


def _cells(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[Any]]:
    for row in rows:
        yield [_plain(row.get(name)) for name in names]


def _plain(value: Any) -> Any:
    """Write what the shared exporter would shorten or does not know: instants exactly, lists with semicolons."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ";".join(str(part) for part in value)
    return value
