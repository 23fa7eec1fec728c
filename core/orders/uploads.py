"""Order rows from a file that a buyer sends: CSV or text as pasted, XLSX, XLS or ODS as a table."""

from __future__ import annotations

import codecs
import io

from werkzeug.datastructures import FileStorage

from core.i18n import _
from core.orders.paste import MAX_ROWS, Pasted, parse, parse_cells
from core.spec.errors import Invalid

SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
LARGEST = 5_000_000


def read(upload: FileStorage) -> Pasted:
    """Return the rows of an uploaded file; Invalid for one that is too large or no table."""
    content = upload.stream.read(LARGEST + 1)
    name = (upload.filename or "").lower()
    if len(content) > LARGEST:
        raise Invalid(
            "FILE-TOO-LARGE", _("The file is too large for an order; send at most %(count)s rows.", count=MAX_ROWS)
        )
    if name.endswith(SPREADSHEETS):
        return parse_cells(_cells(content))
    return parse(_text(content))


def _cells(content: bytes) -> list[list[object]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    except (CalamineError, IndexError, OSError, ValueError) as error:
        raise Invalid(
            "FILE-BROKEN", _("The file cannot be opened as a spreadsheet; save it as XLSX or CSV and try again.")
        ) from error
    return [list(row) for row in sheet.to_python(nrows=MAX_ROWS + 2)]


def _text(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if b"\x00" in content:
        raise Invalid("FILE-BROKEN", _("The file is not a table of text; save it as XLSX or CSV and try again."))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
