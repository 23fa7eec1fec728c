"""Where rows come from: a file as it is, or a file seen through a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from core.i18n import _
from core.i18n.numbers import FILE, Marks
from core.imports.reading import Sheet, read
from core.imports.spreadsheets import ENDINGS as SPREADSHEETS
from core.spec.errors import Invalid

ENDINGS = (".csv", ".txt", ".tsv", *SPREADSHEETS)


@dataclass(slots=True)
class Source:
    """Rows as (number in the file, text by column); a row that cannot be taken carries the reason under ""."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[tuple[int, Mapping[str, str]]]
    total: int = 0
    notes: tuple[str, ...] = ()
    marks: Marks = FILE


def open_file(path: Path) -> Source:
    """Return the rows of a CSV, XLSX or ODS file."""
    sheet = read(path)
    return Source(sheet.name, sheet.columns, _cells(sheet), sheet.total, sheet.notes, sheet.marks)


def _cells(sheet: Sheet) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the rows; where the file cannot be read on, the last one says so, and those before it stand."""
    width, number = len(sheet.columns), 1
    rows = iter(sheet.rows)
    while True:
        try:
            number, cells = next(rows)
        except StopIteration:
            return
        except Invalid as broken:
            yield number + 1, {"": str(broken.message)}
            return
        row = dict(zip(sheet.columns, cells, strict=False))
        if any(cells[width:]):
            row[""] = _(
                "The row has %(cells)s cells, the header has %(columns)s. Put quotation marks round text "
                "that contains the delimiter.",
                cells=len(cells),
                columns=width,
            )
        yield number, row


def read_upload(upload: FileStorage, most: int) -> list[dict[str, str]]:
    """Return the rows of an uploaded CSV, XLSX or ODS file by column, in lower case; Invalid where there are too many."""
    name = secure_filename(upload.filename or "")
    if Path(name).suffix.lower() not in ENDINGS:
        raise Invalid("IMPORT-FILE-TYPE", _("Choose a CSV, XLSX or ODS file."), details={"field": "file"})
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        upload.save(path)
        rows = [cells for _number, cells in islice(open_file(path).rows, most + 1)]
    if len(rows) > most:
        raise Invalid("IMPORT-FILE-LONG", _("The file has more than %(count)s rows: import it instead.", count=most))
    broken = next((cells[""] for cells in rows if cells.get("")), None)
    if broken:
        raise Invalid("IMPORT-FILE-BROKEN", broken)
    return [{column.strip().lower(): text for column, text in cells.items()} for cells in rows]
