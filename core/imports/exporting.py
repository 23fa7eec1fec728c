"""Write a kind's rows to CSV or XLSX so that the same import would read them, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.i18n import _
from core.spec.errors import Invalid
from core.spec.imports import DataImport

_RISKY = ("=", "+", "-", "@", "\t", "\r")
_MAX_SHEET_ROWS = 1_048_576


def export(kind: DataImport, path: Path) -> int:
    """Write every row of a kind to ``path`` and return how many; the ending says the format."""
    if kind.export is None:
        raise Invalid("EXPORT-KIND", _("%(kind)s cannot be exported.", kind=kind.kind))
    writer = {".csv": write_csv, ".xlsx": write_xlsx}.get(path.suffix.lower())
    if writer is None:
        raise Invalid("EXPORT-FORMAT", _("%(name)s must end in .csv or .xlsx.", name=path.name))
    rows: Iterable[Mapping[str, Any]] = kind.export()
    columns = [field.name for field in kind.fields]
    if kind.open_fields:
        rows = list(rows)
        extra = dict.fromkeys(name for row in rows for name in row if name.startswith(kind.open_fields))
        columns += [name for name in extra if name not in columns]
    return writer(path, columns, rows)


def write_csv(path: Path, columns: list[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as CSV (UTF-8 with a BOM, which spreadsheets need)."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for count, row in enumerate(rows, 1):  # noqa: B007 - the count is returned
            writer.writerow([guarded(row.get(column)) for column in columns])
    return count


def write_xlsx(path: Path, columns: list[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as one sheet; numbers stay numbers, text is never a formula."""
    from xlsxwriter import Workbook

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
        count = 0
        for count, row in enumerate(rows, 1):
            if count >= _MAX_SHEET_ROWS:
                raise Invalid("EXPORT-TOO-LONG", _("A sheet holds %(limit)s rows; export to CSV.", limit=_MAX_SHEET_ROWS))
            for column, value in _filled(columns, row):
                _write_cell(sheet, count, column, value)
    return count


def _filled(columns: list[str], row: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    return ((place, row[name]) for place, name in enumerate(columns) if row.get(name) not in (None, ""))


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    """Keep as numbers only those that a spreadsheet shows unchanged: it has 15 digits."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and len(str(abs(value))) <= 15:
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, text_of(value))


def text_of(value: Any) -> str:
    """Write a value as our imports read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        plain = f"{value:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ";".join(str(part) for part in value)
    return str(value)


def guarded(value: Any) -> str:
    """Return a CSV cell that no spreadsheet runs as a formula; numbers keep their sign."""
    text = text_of(value)
    if isinstance(value, str) and text.startswith(_RISKY):
        return f"'{text}"
    return text
