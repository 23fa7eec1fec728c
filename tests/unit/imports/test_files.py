"""Reading files and mappings: encodings, delimiters, cells, expressions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.i18n.numbers import FILE_WITH_COMMAS
from core.imports.attachments import attached, attachment
from core.imports.cells import CellError, Reading, parse
from core.imports.mapping import code_of, read_mapping
from core.imports.names import named
from core.imports.presets import preset, presets
from core.imports.source import open_file
from core.spec.errors import Invalid, NotFound
from core.spec.imports import ImportField


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "noted"),
    [
        ("sku,name\nÄ-1,Pultti Ä\n".encode(), ""),
        (b"\xef\xbb\xbf" + "sku,name\nÄ-1,Pultti Ä\n".encode(), ""),
        ("sku,name\nÄ-1,Pultti Ä\n".encode("cp1252"), "Windows-1252"),
        ("sku;name\nÄ-1;Pultti Ä\n".encode(), ""),
        ('sku\tname\r\nÄ-1\t"Pultti Ä"\r\n'.encode(), ""),
        ('"sku","name"\n\nÄ-1,Pultti Ä\n,\n'.encode(), ""),
        ("sku,name\nÄ-1,Pultti Ä\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_encoding_and_delimiter_are_found(tmp_path: Path, content: bytes, noted: str) -> None:
    source = open_file(written(tmp_path / "products.csv", content))
    assert [dict(cells) for _number, cells in source.rows] == [{"sku": "Ä-1", "name": "Pultti Ä"}]
    assert noted in " ".join(source.notes)
    assert bool(source.notes) is bool(noted)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("", "IMPORT-FILE-EMPTY", "the first row must name the columns"),
        ("sku,name,SKU\n1,2,3\n", "IMPORT-COLUMN-REPEATED", "the column SKU twice"),
    ],
)
def test_file_that_cannot_be_used_is_refused(tmp_path: Path, content: str, code: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        open_file(written(tmp_path / "products.csv", content))
    assert refused.value.code == code
    assert said in str(refused.value.message)


def test_missing_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="There is no file"):
        open_file(tmp_path / "nothing.csv")
    with pytest.raises(Invalid, match=r"cannot be opened as a spreadsheet .* Save it again as XLSX or CSV"):
        open_file(written(tmp_path / "products.xlsx", b"not a workbook"))
    with pytest.raises(Invalid, match="not a table of text"):
        open_file(written(tmp_path / "products.csv", bytes(range(256))))


def test_guarded_formula_loses_its_apostrophe(tmp_path: Path) -> None:
    source = open_file(written(tmp_path / "p.csv", "a,b,c\n'=1+1,'tis,-5\n"))
    assert [tuple(cells.values()) for _number, cells in source.rows] == [("=1+1", "'tis", "-5")]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("decimal", "12.50", Decimal("12.50")),
        ("decimal", "12,5", Decimal("12.5")),
        ("decimal", "1 234,5", Decimal("1234.5")),
        ("decimal", "1.234,50", Decimal("1234.5")),
        ("decimal", "1,234.50", Decimal("1234.5")),
        ("decimal", "-0.5", Decimal("-0.5")),
        ("integer", "7.0", 7),
        ("date", "2026-12-31", date(2026, 12, 31)),
        ("date", "31.12.2026", date(2026, 12, 31)),
        ("date", "20261231", date(2026, 12, 31)),
        ("date", "2026-12-31T08:00:00", date(2026, 12, 31)),
        ("instant", "2026-07-01T09:00", datetime(2026, 7, 1, 6, tzinfo=UTC)),
        ("instant", "2026-07-01T09:00+00:00", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        ("instant", "2026-07-01", datetime(2026, 6, 30, 21, tzinfo=UTC)),
        ("decimal", "1\u202f234\u202f567,5", Decimal("1234567.5")),
        ("decimal", "-1.234.567,8", Decimal("-1234567.8")),
        ("decimal", "1'234.50", Decimal("1234.5")),
        ("boolean", "Kyllä", True),
        ("boolean", "0", False),
        ("list", "gold; marine;gold;", ("gold", "marine")),
    ],
)
def test_cell_is_read(kind: Any, text: str, value: Any) -> None:
    assert parse(ImportField("x", kind), text, Reading(zone="Europe/Helsinki")) == value


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("decimal", "NaN", "is not a number"),
        ("decimal", "-Infinity", "is not a number"),
        ("decimal", "1e5", "“1e5” is not a number: write all its digits instead of an exponent, such as 12000."),
        ("decimal", "1000000000000", "Enter 999,999,999 or less."),
        ("decimal", "0.1234567", "Use at most 6 decimals."),
        ("decimal", "1,234", "write 1234 or 1.234"),
        ("decimal", "1.2.3", "is not a number"),
        ("decimal", "12 EUR", "is not a number"),
        ("decimal", "1.2.3,4", "is not a number"),
        ("decimal", "1,23.4", "is not a number"),
        ("decimal", "1 2 3", "is not a number"),
        ("decimal", "1'2", "is not a number"),
        ("decimal", "1 234'567", "is not a number"),
        ("decimal", "٣", "is not a number"),
        ("integer", "1.5", "is not a whole number"),
        ("date", "31/12/2026", "Write 2026-12-31 or 31.12.2026"),
        ("date", "2026-02-30", "is not a date"),
        ("date", "1066-10-14", "outside 1900 to 2199"),
        ("boolean", "maybe", "is neither yes nor no"),
    ],
)
def test_bad_cell_is_explained(kind: Any, text: str, said: str) -> None:
    with pytest.raises(CellError) as refused:
        parse(ImportField("x", kind), text, Reading())
    assert said in str(refused.value)


def test_comma_is_a_decimal_where_semicolons_part_the_cells() -> None:
    assert parse(ImportField("x", "decimal"), "1,234", Reading(FILE_WITH_COMMAS)) == Decimal("1.234")


MAPPING = """
[[step]]
kind = "products"
file = "goods.csv"
unless_empty = ["id"]
distinct = ["sku"]
[step.columns]
sku = { format = "X-{id}" }
name_en = { column = "name", split = "/", part = -1 }
status = { column = "gone", map = { "1" = "discontinued" }, otherwise = "active" }
country = { column = "country", lookup = "countries" }
price = { column = "price", multiply = "100" }
day = { column = "day", date = "%d/%m/%Y" }
maker = { join = "makers.csv", on = "maker", take = "{first} {last}", case = "upper" }
line = { count_by = "maker" }
shipped = { column = "price", if = { column = "gone", map = { "0" = "" } } }
unit = { column = "unit", default = "pcs" }
[lookups.countries]
Finland = "FI"
"""
GOODS = """id,name,gone,country,price,day,maker,unit
1,Bolts/Hex,1,Finland,0.25,31/12/2026,7,
2,Nut,0,Sweden,,,8,box
2,Again,0,Sweden,,,8,box
,Nothing,0,,,,,
"""


def test_mapping_says_what_columns_mean(tmp_path: Path) -> None:
    written(tmp_path / "goods.csv", GOODS)
    written(tmp_path / "makers.csv", "maker,first,last\n7,Ann,Lee\n")
    mapped = read_mapping(written(tmp_path / "mapping.toml", MAPPING))
    rows = dict(mapped.source(mapped.steps[0], None, tmp_path).rows)
    assert rows[2] == {
        "sku": "X-1", "name_en": "Hex", "status": "discontinued", "country": "FI", "price": "25.00", "day": "2026-12-31",
        "maker": "ANN LEE", "line": "1", "shipped": "0.25", "unit": "pcs",
    }  # fmt: skip
    assert list(rows) == [2, 3]
    assert (rows[3]["maker"], rows[3]["shipped"], rows[3]["unit"], rows[3]["country"]) == ("", "", "box", "Sweden")


def test_mapping_refuses_a_file_that_cannot_be_read_on(tmp_path: Path) -> None:
    written(tmp_path / "makers.csv", "maker,first,last\n7,Ann,Lee\n")
    mapped = read_mapping(written(tmp_path / "mapping.toml", MAPPING))
    written(tmp_path / "goods.csv", GOODS + '3,"1/2" nipple,0,Finland,1,31/12/2026,7,\n')
    rows = dict(mapped.source(mapped.steps[0], None, tmp_path).rows)
    assert list(rows) == [2, 3, 6]
    assert "cannot be read after row 5" in rows[6][""]
    written(tmp_path / "makers.csv", 'maker,first,last\n7,"Ann,Lee\n')
    with pytest.raises(Invalid, match="cannot be read after row 1"):
        mapped.source(mapped.steps[0], None, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns = [", "cannot be read"),
        ("[[step]]\nkind = 'x'\nfiles = 'y'", "a step has no setting files"),
        ("[columns]\nsku = 'nothing'", "has no column “nothing”, only id"),
        ("[columns]\nsku = { column = 'id', colour = 'red' }", "there is no “colour”"),
        ("[columns]\nsku = { column = 'id', lookup = 'none' }", "there is no lookup table “none”"),
        ("[columns]\nsku = { format = '{nothing}' }", "has no column “nothing”"),
    ],
)
def test_broken_mapping_is_explained(tmp_path: Path, text: str, said: str) -> None:
    goods = written(tmp_path / "goods.csv", "id\n1\n")
    with pytest.raises(Invalid) as refused:
        mapped = read_mapping(written(tmp_path / "mapping.toml", text))
        mapped.source(mapped.step("products"), goods)
    assert said in str(refused.value.message)


def test_presets_are_readable() -> None:
    assert "northwind" in presets()
    assert all(preset(name).steps for name in presets())
    with pytest.raises(NotFound, match="There is no preset"):
        preset("nothing")


def test_code_of_a_name() -> None:
    assert code_of("Grains/Cereals & Müsli") == "grains-cereals-musli"


def test_attachments_stay_in_their_folder(tmp_path: Path) -> None:
    (tmp_path / "in" / "images").mkdir(parents=True)
    written(tmp_path / "secret.svg", "<svg/>")
    inside = written(tmp_path / "in" / "images" / "bolt.svg", "<svg/>")
    with attached(tmp_path / "in"):
        assert attachment("bolt.svg") == inside
        assert attachment("../secret.svg") is None
    assert attachment("bolt.svg") is None


def test_a_key_is_told_by_those_of_its_parts_that_say_something() -> None:
    assert named(("KONEPAJA-2026", "M8", "", None, Decimal(10), 0)) == "KONEPAJA-2026 / M8 / 10 / 0"
    assert named(("", None)) == ""
