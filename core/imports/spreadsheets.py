"""Read spreadsheets (XLSX, XLS, ODS) of others without letting one of them take the shop down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.i18n import _
from core.spec.errors import Invalid

ENDINGS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_WORKER = Path(__file__).with_name("spreadsheet_worker.py")
Row = tuple[int, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading a workbook may take: memory in megabytes (a cell of the table takes 32 bytes), seconds of a processor,
    and characters that its filled rows are written with, for those who keep them all."""

    megabytes: int
    seconds: int
    characters: int = 1 << 40


#: Files of the merchant, read row by row: 200,000 rows of 100 columns. Files that anybody who orders may send: 2,000 rows,
#: and room; as much text as a file of text may have.
IMPORT, ORDER = Limits(2048, 300), Limits(512, 10, 5_000_000)


@dataclass(frozen=True, slots=True)
class Table:
    """The first sheet of a workbook: its name, how many sheets there are, how many rows, and those that are not empty.

    A row is its number in the sheet and its cells: text, numbers (float), yes or no (bool), dates and times as ISO text.
    """

    sheet: str
    sheets: int
    total: int
    rows: Generator[Row, None, None]


def read(path: Path, name: str, limits: Limits) -> Table:
    """Open a workbook, called ``name`` where it is refused; Invalid for one that is none, and, while its rows are read
    too, for one that takes more than ``limits``."""
    given = (path.resolve(), limits.megabytes, limits.seconds, limits.characters)
    worker = subprocess.Popen(  # noqa: S603  (our own interpreter and file; -P: this folder has no modules for it)
        [sys.executable, "-P", str(_WORKER), *map(str, given)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    lines = _lines(worker, name)
    head = next(lines)
    if "error" in head:
        lines.close()
        raise Invalid(
            "IMPORT-FILE-BROKEN",
            _(
                "%(name)s cannot be opened as a spreadsheet (%(reason)s). Save it again as XLSX or CSV.",
                name=name,
                reason=head["error"],
            ),
        )
    return Table(head["sheet"], head["sheets"], head["total"], _rows(lines))


def _rows(lines: Generator[Any, None, None]) -> Generator[Row, None, None]:
    with closing(lines):
        for batch in lines:
            yield from ((number, cells) for number, cells in batch)


def _lines(worker: subprocess.Popen[bytes], name: str) -> Generator[Any, None, None]:
    """Yield what the worker says; it ends with its reader, and must end by itself before that says it is done."""
    assert worker.stdout is not None
    try:
        for line in worker.stdout:
            yield json.loads(line)
        if worker.wait():
            raise _too_large(name)
    finally:
        worker.kill()
        worker.stdout.close()
        worker.wait()


def _too_large(name: str) -> Invalid:
    return Invalid(
        "IMPORT-FILE-TOO-LARGE",
        _(
            "%(name)s takes too much memory or time to be read. Something may stand far below or beside the table: "
            "delete the rows and columns around it, or save the sheet as CSV.",
            name=name,
        ),
    )
