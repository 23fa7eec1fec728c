"""The one exporter of tables: CSV and XLSX of exactly what a list shows, safe to open in a spreadsheet.

A text that begins like a formula is given a leading apostrophe in CSV, and is written as text in XLSX.
Numbers are typed as numbers, dates as dates; CSV is UTF-8 with a byte order mark, comma separated, with points
as decimal marks, so that the importers read it back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Literal
from zoneinfo import ZoneInfo

from flask import Response, send_file, stream_with_context

from core.data import clock
from core.data.scope import Actor, acting, current_actor
from core.i18n import _
from core.spec.errors import Invalid
from core.ui.formats import display_zone, plain

Format = Literal["csv", "xlsx"]
#: characters with which a spreadsheet begins a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r")
XLSX_ROWS = 200_000
XLSX_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NUMBER_FORMATS = {
    "money": "#,##0.00",
    "price": "#,##0.00####",
    "percent": "0.00##",
    "day": "yyyy-mm-dd",
    "instant": "yyyy-mm-dd hh:mm",
}


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of an export: its head, and the kind of its values (as ``core.ui.resource.Kind``)."""

    label: str
    kind: str = "text"


def guard(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def csv_lines(columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the file line by line, the byte order mark and the head first."""
    yield "\ufeff" + _csv_line([guard(column.label) for column in columns])
    for row in rows:
        yield _csv_line([_csv_cell(value) for value in row])


def write_xlsx(target: BinaryIO, columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]], title: str = "") -> int:
    """Write a workbook of one sheet and return the number of rows; memory does not grow with them.

    Raises Invalid beyond ``XLSX_ROWS`` rows.
    """
    from xlsxwriter import Workbook

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(target, options) as book:
        sheet = book.add_worksheet(_sheet_name(title))
        bold = book.add_format({"bold": True})
        formats = {kind: book.add_format({"num_format": text}) for kind, text in NUMBER_FORMATS.items()}
        for at, column in enumerate(columns):
            sheet.set_column(at, at, min(40, max(12, len(column.label) + 2)))
            sheet.write_string(0, at, column.label, bold)
        sheet.freeze_panes(1, 0)
        count = 0
        for count, row in enumerate(rows, start=1):
            if count > XLSX_ROWS:
                raise Invalid(
                    "EXPORT-TOO-LONG",
                    _(
                        "A workbook takes at most %(count)s rows. Narrow the list by filters, or export CSV.",
                        count=XLSX_ROWS,
                    ),
                )
            for at, (column, value) in enumerate(zip(columns, row, strict=True)):
                _xlsx_cell(sheet, count, at, value, formats.get(column.kind))
    return count


def export_response(
    name: str, kind: Format, columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]], title: str = ""
) -> Response:
    """Return a download called ``<name>-<date>.<kind>``; CSV is streamed, XLSX is written to disk first."""
    filename = f"{name}-{clock.today(display_zone()).isoformat()}.{kind}"
    if kind == "csv":
        response = Response(stream_with_context(_as(current_actor(), csv_lines(columns, rows))), mimetype="text/csv")
        response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
        return response
    target = SpooledTemporaryFile(max_size=4_000_000)  # noqa: SIM115  (closed by the response)
    write_xlsx(target, columns, rows, title or name)  # type: ignore[arg-type]
    target.seek(0)
    return send_file(target, XLSX_MIME, as_attachment=True, download_name=filename)  # type: ignore[arg-type]


def _as(actor: Actor, lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines as ``actor``: a stream outlives its request, whose session ends with it."""
    with acting(actor):
        yield from lines


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal | int):
        return plain(Decimal(value))
    if isinstance(value, datetime):
        return _local(value).isoformat(" ", "minutes")
    return value.isoformat() if isinstance(value, date) else guard(str(value))


def _xlsx_cell(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    write: Callable[..., Any]
    if value is None or value == "":
        return
    if isinstance(value, bool):
        write = sheet.write_boolean
    elif isinstance(value, Decimal | int):
        write = sheet.write_number
    elif isinstance(value, datetime):
        value, write = _local(value), sheet.write_datetime
    elif isinstance(value, date):
        write = sheet.write_datetime
    else:
        value, write = str(value)[:32_767], sheet.write_string
    write(row, column, value, style)


def _local(value: datetime) -> datetime:
    return value.astimezone(ZoneInfo(display_zone())).replace(tzinfo=None)


def _sheet_name(title: str) -> str:
    """Return a name that Excel accepts: at most 31 characters, none of []:*?/\\ ."""
    return "".join(c for c in title if c not in "[]:*?/\\'")[:31] or "Sheet1"
