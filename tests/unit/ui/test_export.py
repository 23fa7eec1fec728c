"""Files that people open in a spreadsheet: nothing in them may run, numbers stay numbers."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook

from core.ui.export import ExportColumn, csv_lines, guard, write_xlsx

COLUMNS = (ExportColumn("Name"), ExportColumn("Net", "money"), ExportColumn("Day", "day"))
HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0")


@pytest.mark.parametrize("text", HOSTILE)
def test_guard_text_like_a_formula_gets_an_apostrophe(text):
    assert guard(text) == "'" + text


@pytest.mark.parametrize("text", ["", "DIN 933", "a=b", " =1", "Zakłady"])
def test_guard_other_text_stays(text):
    assert guard(text) == text


def test_csv_types_numbers_as_numbers_and_guards_text():
    rows = [("=1+1", Decimal("-1234.500000"), date(2026, 11, 22)), ("Teräs, Oy", Decimal("1E+3"), None)]
    text = "".join(csv_lines(COLUMNS, rows))
    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text[1:]))) == [
        ["Name", "Net", "Day"],
        ["'=1+1", "-1234.5", "2026-11-22"],
        ["Teräs, Oy", "1000", ""],
    ]


def test_csv_instants_are_minutes_without_zone():
    rows = [(datetime(2026, 11, 22, 9, 30, 15, tzinfo=UTC),)]
    assert "2026-11-22 09:30" in "".join(csv_lines((ExportColumn("At", "instant"),), rows))


@pytest.mark.parametrize("text", HOSTILE)
def test_xlsx_text_is_never_a_formula(text):
    target = io.BytesIO()
    write_xlsx(target, (ExportColumn("Name"),), [(text,)])
    assert b"<f>" not in _sheet(target)
    assert CalamineWorkbook.from_filelike(io.BytesIO(target.getvalue())).get_sheet_by_index(0).to_python()[1] == [text]


def test_xlsx_numbers_and_dates_are_typed():
    target = io.BytesIO()
    count = write_xlsx(target, COLUMNS, [("A", Decimal("12.50"), date(2026, 11, 22))], title="Orders: [all]")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(target.getvalue())).get_sheet_by_index(0)
    assert count == 1
    assert sheet.name == "Orders all"
    assert sheet.to_python()[1] == ["A", 12.5, date(2026, 11, 22)]


def _sheet(target: io.BytesIO) -> bytes:
    import zipfile

    return zipfile.ZipFile(io.BytesIO(target.getvalue())).read("xl/worksheets/sheet1.xml")
