"""Order rows from a file that a buyer sends: CSV or text as pasted, XLSX, XLS or ODS as a table."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from werkzeug.datastructures import FileStorage

from core.i18n import _
from core.imports import spreadsheets
from core.imports.reading import utf_16
from core.orders.paste import MAX_ROWS, Pasted, parse, parse_cells
from core.spec.errors import Invalid

LARGEST = 5_000_000


def read(upload: FileStorage) -> Pasted:
    """Return the rows of an uploaded file; Invalid for one that is too large or no table."""
    content = upload.stream.read(LARGEST + 1)
    name = upload.filename or ""
    if len(content) > LARGEST:
        raise Invalid(
            "FILE-TOO-LARGE", _("The file is too large for an order; send at most %(count)s rows.", count=MAX_ROWS)
        )
    if name.lower().endswith(spreadsheets.ENDINGS):
        return parse_cells(_cells(content, name))
    return parse(_text(content))


def _cells(content: bytes, name: str) -> list[Sequence[object]]:
    """Return the rows of a workbook, the empty ones between them too, as far as an order may have any."""
    with tempfile.NamedTemporaryFile(prefix="tukku-order-") as file:
        file.write(content)
        file.flush()
        table = spreadsheets.read(Path(file.name), name, spreadsheets.ORDER)
        rows: list[Sequence[object]] = []
        with closing(table.rows):
            for number, cells in islice(table.rows, MAX_ROWS + 2):
                rows += [()] * (number - len(rows) - 1)
                rows.append(cells)
    return rows


def _text(content: bytes) -> str:
    if wide := utf_16(content):
        return content.decode(wide, errors="replace")
    if b"\x00" in content:
        raise Invalid("FILE-BROKEN", _("The file is not a table of text; save it as XLSX or CSV and try again."))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
