"""Workbooks of others: what stands in them, and that none of them takes the shop down."""

from __future__ import annotations

import resource
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from xlsxwriter import Workbook

from core.imports import spreadsheet_worker, spreadsheets
from core.imports.reading import read
from core.spec.errors import Invalid

CORNER = (1_048_575, 16_383)


def workbook(path: Path, cells: dict[tuple[int, int], Any], *, sheets: int = 1) -> Path:
    with Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        for number in range(sheets):
            sheet = book.add_worksheet(f"Sheet {number + 1}")
            for (row, column), value in cells.items():
                sheet.write(row, column, value)
    return path


def test_rows_keep_their_numbers_and_cells_their_kinds(tmp_path: Path) -> None:
    given = [date(2026, 3, 1), datetime(2026, 3, 1, 14, 30), 99999, 1.5, True, "Ä ż ş"]
    path = workbook(tmp_path / "x.xlsx", {(2, 1): "sku", **{(4, 1 + n): value for n, value in enumerate(given)}}, sheets=2)
    table = spreadsheets.read(path, "x.xlsx", spreadsheets.ORDER)
    assert (table.sheet, table.sheets) == ("Sheet 1", 2)
    assert list(table.rows) == [
        (3, ["sku", "", "", "", "", ""]),
        (5, ["2026-03-01", "2026-03-01T14:30:00", 99999, 1.5, True, "Ä ż ş"]),
    ]


@pytest.mark.parametrize("limits", [spreadsheets.ORDER, spreadsheets.IMPORT])
def test_a_cell_far_outside_of_its_table_is_refused_and_ends_nothing_else(
    tmp_path: Path, limits: spreadsheets.Limits
) -> None:
    path = workbook(tmp_path / "corner.xlsx", {(0, 0): "sku", CORNER: "x"})
    with pytest.raises(Invalid, match=r"corner\.xlsx takes too much memory or time .* delete the rows and columns around"):
        spreadsheets.read(path, "corner.xlsx", limits)


def test_a_workbook_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "long.xlsx", {(row, column): "x" for row in range(4000) for column in range(100)})
    with pytest.raises(Invalid) as refused:
        list(spreadsheets.read(path, "long.xlsx", spreadsheets.Limits(512, 0)).rows)
    assert refused.value.code == "IMPORT-FILE-TOO-LARGE"


def test_a_workbook_with_more_text_than_an_order_has_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "wide.xlsx", {(row, column): 1.5 for row in range(2000) for column in range(600)})
    with pytest.raises(Invalid, match=r"wide\.xlsx takes too much memory or time"):
        list(spreadsheets.read(path, "wide.xlsx", spreadsheets.ORDER).rows)
    assert len(list(spreadsheets.read(path, "wide.xlsx", spreadsheets.IMPORT).rows)) == 2000


def test_limits_of_the_machine_below_ours_hold_and_do_not_refuse_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    hard = {resource.RLIMIT_AS: 400 << 20, resource.RLIMIT_CPU: resource.RLIM_INFINITY, resource.RLIMIT_CORE: 0}
    was_set = {}

    def set_limit(what: int, limits: tuple[int, int]) -> None:
        if hard[what] != resource.RLIM_INFINITY and limits[1] > hard[what]:
            raise ValueError("not allowed to raise maximum limit")
        was_set[what] = limits

    monkeypatch.setattr(resource, "getrlimit", lambda what: (hard[what], hard[what]))
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    spreadsheet_worker.limit(512, 10)
    assert was_set == {
        resource.RLIMIT_AS: (400 << 20, 400 << 20), resource.RLIMIT_CPU: (10, 10), resource.RLIMIT_CORE: (0, 0),
    }  # fmt: skip


def test_a_workbook_is_read_where_packages_are_found_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python_calamine.py").write_text(
        "class CalamineError(Exception): pass\n"
        "class CalamineWorkbook:\n"
        "    def from_filelike(file): raise CalamineError('told by the environment')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(Invalid, match="told by the environment"):
        spreadsheets.read(workbook(tmp_path / "x.xlsx", {}), "x.xlsx", spreadsheets.ORDER)


def test_a_stray_cell_below_the_table_does_no_harm(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "stray.xlsx", {(0, 0): "sku", (0, 1): "quantity", (1, 0): "A-1", (1, 1): 5, (900_000, 1): " "}
    )
    rows = list(spreadsheets.read(path, "stray.xlsx", spreadsheets.ORDER).rows)
    assert rows[:2] == [(1, ["sku", "quantity"]), (2, ["A-1", 5])]


def test_what_is_read_in_part_is_let_go(tmp_path: Path) -> None:
    path = workbook(tmp_path / "part.xlsx", {(row, 0): row for row in range(50_000)})
    table = spreadsheets.read(path, "part.xlsx", spreadsheets.IMPORT)
    assert next(table.rows) == (1, [0])
    table.rows.close()
    assert list(table.rows) == []


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_known_by_its_letters(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "wide.csv"
    path.write_bytes("sku,name\nÄ-1,Łożysko\n".encode(codec))
    sheet = read(path)
    assert sheet.columns == ("sku", "name")
    assert list(sheet.rows) == [(2, ["Ä-1", "Łożysko"])]
    assert "UTF-16" in sheet.notes[0]


def test_bars_may_part_the_cells(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("sku|name\nA-1|Bolt, hexagon\n")
    assert list(read(path).rows) == [(2, ["A-1", "Bolt, hexagon"])]
