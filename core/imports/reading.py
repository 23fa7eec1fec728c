"""Read tables out of CSV, XLSX and ODS files as rows of text, streaming, and say what was guessed."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.i18n import _
from core.i18n.numbers import FILE, FILE_WITH_COMMAS, Marks
from core.imports import spreadsheets
from core.spec.errors import Invalid

_CHUNK = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(slots=True)
class Sheet:
    """A table: its columns as written, its rows (number in the file, cells), and notes for the report.

    ``marks`` are those of its numbers: where the delimiter is not the comma, "1,234" can only mean a decimal.
    """

    name: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[str]]]
    total: int
    notes: tuple[str, ...] = ()
    marks: Marks = FILE


def read(path: Path) -> Sheet:
    """Open a file by its ending; Invalid where it is missing, empty, or not a table."""
    if not path.is_file():
        raise Invalid("IMPORT-FILE-MISSING", _("There is no file %(name)s.", name=path))
    if path.suffix.lower() in spreadsheets.ENDINGS:
        return _read_spreadsheet(path)
    return _read_csv(path)


def _read_csv(path: Path) -> Sheet:
    encoding, notes, lines = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
    delimiter = max(_DELIMITERS, key=lambda mark: _outside_quotes(first, mark))
    marks = FILE if delimiter == "," else FILE_WITH_COMMAS
    rows = _csv_rows(path, encoding, delimiter)
    _number, columns = next(rows, (1, ()))
    return Sheet(path.name, _header(path.name, columns), rows, max(lines - 1, 0), notes, marks)


def _csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows that are not empty; the number is that of the record, as spreadsheets count.

    Strict, because a quotation mark that stands alone would swallow the rows up to the next one without a word.
    """
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        number = 0
        try:
            for number, cells in enumerate(reader, 1):
                if any(cells):
                    yield number, [_unguarded(cell.strip()) for cell in cells]
        except csv.Error as error:
            raise Invalid(
                "IMPORT-FILE-BROKEN",
                _(
                    "%(name)s cannot be read after row %(row)s: %(reason)s. Look for a quotation mark that is not closed.",
                    name=path.name,
                    row=number,
                    reason=error,
                ),
            ) from error


class Formula(str):
    """The text of a formula where its value should stand: a file that no spreadsheet has computed."""

    __slots__ = ()


def _unguarded(cell: str) -> str:
    """Take off the apostrophe that our own exports put before what a spreadsheet would compute; mark what lacks it."""
    if cell.startswith("="):
        return Formula(cell)
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@" else cell


def _outside_quotes(line: str, mark: str) -> int:
    return sum(part.count(mark) for part in line.split('"')[::2])


def _encoding(path: Path) -> tuple[str, tuple[str, ...], int]:
    """Return the encoding, a note where it is not UTF-8, and the number of lines."""
    with path.open("rb") as file:
        if wide := utf_16(file.read(_CHUNK)):
            return wide, (_("The file is UTF-16; it was read as such."),), 0
        decoder = codecs.getincrementaldecoder("utf-8")()
        file.seek(0)
        lines, valid, western, text = 0, True, True, True
        while chunk := file.read(_CHUNK):
            lines += chunk.count(b"\n")
            valid = valid and _decodes(decoder, chunk)
            text = text and b"\x00" not in chunk
            western = western and not any(code in chunk for code in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))
    if valid:
        return "utf-8-sig", (), lines
    if not text:
        message = _("%(name)s is not a table of text: save it as CSV or XLSX and send that.", name=path.name)
        raise Invalid("IMPORT-FILE-BROKEN", message)
    note = _(
        "The file is not UTF-8; it was read as Western European (Windows-1252, Latin-1). "
        "Check letters such as ä, ö and é, or save it as UTF-8."
    )
    return "cp1252" if western else "latin-1", (note,), lines


def utf_16(start: bytes) -> str:
    """Return the codec of a text that begins in UTF-16, with its mark or without one; '' where it does not."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    high, low = start[:2000:2], start[1:2000:2]  # without a mark it shows where most letters are ASCII
    for codec, zeros, letters in (("utf-16-le", low, high), ("utf-16-be", high, low)):
        if zeros and zeros.count(0) * 2 > len(zeros) and 0 not in letters:
            return codec
    return ""


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _read_spreadsheet(path: Path) -> Sheet:
    table = spreadsheets.read(path, path.name, spreadsheets.IMPORT)
    rows = ((number, [text_of(cell) for cell in cells]) for number, cells in table.rows)
    _number, columns = next(rows, (1, ()))
    notes: tuple[str, ...] = ()
    if table.sheets > 1:
        notes = (_("Only the first sheet, %(sheet)s, was read.", sheet=table.sheet),)
    return Sheet(path.name, _header(path.name, columns), rows, max(table.total - 1, 0), notes)


def text_of(cell: Any) -> str:
    """Write a spreadsheet's cell as text: 99999.0 is a code "99999", a date is ISO, a formula its value."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{Decimal(f'{cell:.15g}'):f}"
    return str(cell).strip()


def _header(name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the header without empty cells at its end; Invalid for an empty file or a repeated column."""
    header = list(columns)
    while header and not header[-1]:
        header.pop()
    if not header:
        raise Invalid("IMPORT-FILE-EMPTY", _("%(name)s is empty: the first row must name the columns.", name=name))
    seen: set[str] = set()
    for column in header:
        if column and column.lower() in seen:
            message = _("%(name)s has the column %(column)s twice; remove or rename one.", name=name, column=column)
            raise Invalid("IMPORT-COLUMN-REPEATED", message)
        seen.add(column.lower())
    return tuple(header)
