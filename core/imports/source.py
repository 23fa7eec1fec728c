"""Where rows come from: a file as it is, or a file seen through a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.i18n import _
from core.imports.reading import Sheet, read


@dataclass(slots=True)
class Source:
    """Rows as (number in the file, text by column); a row with too many cells carries the reason under ""."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[tuple[int, Mapping[str, str]]]
    total: int = 0
    notes: tuple[str, ...] = ()
    decimal_comma: bool = False


def open_file(path: Path) -> Source:
    """Return the rows of a CSV, XLSX or ODS file."""
    sheet = read(path)
    return Source(sheet.name, sheet.columns, _cells(sheet), sheet.total, sheet.notes, sheet.decimal_comma)


def _cells(sheet: Sheet) -> Iterator[tuple[int, Mapping[str, str]]]:
    width = len(sheet.columns)
    for number, cells in sheet.rows:
        row = dict(zip(sheet.columns, cells, strict=False))
        if any(cells[width:]):
            row[""] = _(
                "The row has %(cells)s cells, the header has %(columns)s. Put quotation marks round text "
                "that contains the delimiter.",
                cells=len(cells),
                columns=width,
            )
        yield number, row
