"""Read pasted order rows: any separator, quantity first or last, with or without header. Pure, drops nothing.

A row such as ``ABC 1,5`` can be read in several ways. The parser lists the readings, likeliest first; whoever
knows the catalogue takes the first whose code exists.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.orders.quantities import read_number

MAX_ROWS = 2000
_CODE = {
    "sku",
    "code",
    "item",
    "item code",
    "item no",
    "article",
    "article no",
    "product",
    "product code",
    "part number",
    "part no",
    "material",
    "gtin",
    "ean",
    "koodi",
    "tuote",
    "tuotekoodi",
    "tuotenumero",
    "nimike",
    "tuotenro",
    "kod",
    "indeks",
    "symbol",
    "ürün",
    "ürün kodu",
}
_QUANTITY = {"quantity", "qty", "pcs", "amount", "count", "määrä", "kpl", "lkm", "tilausmäärä", "ilość", "miktar", "adet"}
_UNIT = {"unit", "uom", "yksikkö", "yks", "jednostka", "birim"}
_REFERENCE = {"reference", "ref", "line reference", "viite", "rivin viite", "merkki"}
_WIDE = re.compile(r"\s{2,}")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a row; ``quantity`` is the text typed ("" where none was), ``amount`` its value if it is one."""

    code: str
    quantity: str = ""
    unit: str = ""
    reference: str = ""
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PastedRow:
    """A row: its line number in the text, the text, and its readings, likeliest first (at least one)."""

    number: int
    text: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was pasted: the rows, and the header line if there was one."""

    rows: tuple[PastedRow, ...]
    header: str = ""


def parse(text: str, *, comma: bool = False) -> Pasted:
    """Return a row for every line of ``text`` that is not blank; ``comma`` is true where commas mark decimals."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip("\ufeff \t;,")]
    return _parse_table(
        [(number, line.strip("\ufeff\r\n"), _split(line.strip("\ufeff\r\n"))) for number, line in lines], comma
    )


def parse_cells(table: Sequence[Sequence[object]], *, comma: bool = False) -> Pasted:
    """Return a row for every row of a spreadsheet or CSV file that is not blank."""
    rows = []
    for number, cells in enumerate(table, start=1):
        fields = [cell_text(cell) for cell in cells]
        if any(fields):
            rows.append((number, "\t".join(fields), fields))
    return _parse_table(rows, comma)


def cell_text(cell: object) -> str:
    """Return a spreadsheet's cell as typed: 99999.0 is the code 99999."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _parse_table(rows: Sequence[tuple[int, str, list[str]]], comma: bool) -> Pasted:
    columns = _header(rows[0][2]) if rows else None
    body = rows[1:] if columns else rows
    parsed = tuple(PastedRow(number, text, _readings(text, fields, columns, comma)) for number, text, fields in body)
    return Pasted(parsed, rows[0][1] if columns else "")


def _split(line: str) -> list[str]:
    for mark in ("\t", ";"):
        if mark in line:
            return [field.strip() for field in next(csv.reader([line], delimiter=mark), [])]
    if _WIDE.search(line.strip()):
        return _WIDE.split(line.strip())
    return [line.strip()]


def _header(fields: Sequence[str]) -> dict[str, int] | None:
    """Return the columns by meaning if ``fields`` are headings (a code column must be named)."""
    if len(fields) == 1:
        fields = re.split(r"[,\s]+", fields[0])
    names = [field.strip(' "*:.').casefold() for field in fields]
    found: dict[str, int] = {}
    for meaning, known in (("code", _CODE), ("quantity", _QUANTITY), ("unit", _UNIT), ("reference", _REFERENCE)):
        for index, name in enumerate(names):
            if name in known and index not in found.values():
                found.setdefault(meaning, index)
    if "code" not in found or any(any(c.isdigit() for c in name) for name in names):
        return None
    return found if len(found) > 1 or len(names) == 1 else None


def _readings(text: str, fields: Sequence[str], columns: dict[str, int] | None, comma: bool) -> tuple[Reading, ...]:
    found: dict[Reading, None] = {}
    if columns and len(fields) > max(columns.values()):
        found[_by_header(fields, columns, comma)] = None
    for parts in _splits(text, fields):
        for reading in _orders(parts, comma):
            found.setdefault(reading)
    found.setdefault(Reading(text.strip().strip('"')))
    return tuple(found)


def _by_header(fields: Sequence[str], columns: dict[str, int], comma: bool) -> Reading:
    values = {meaning: fields[index] for meaning, index in columns.items()}
    quantity = values.get("quantity", "")
    return Reading(
        values["code"], quantity, values.get("unit", ""), values.get("reference", ""), read_number(quantity, comma=comma)
    )


def _splits(text: str, fields: Sequence[str]) -> Iterator[list[str]]:
    """Yield the fields of a row: as its separators say, else by comma, else by single spaces."""
    filled = [field for field in fields if field]
    if len(filled) > 1:
        yield filled
        return
    line = filled[0] if filled else text.strip()
    if "," in line:
        by_comma = [field.strip() for field in next(csv.reader([line], skipinitialspace=True), [])]
        yield [field for field in by_comma if field]
    words = line.split()
    if len(words) > 1:
        yield [" ".join(words[:-1]), words[-1]]
        yield [words[0], " ".join(words[1:])]
    if len(words) > 2:
        yield [" ".join(words[:-2]), words[-2], words[-1]]
        yield [words[0], words[1], " ".join(words[2:])]


def _orders(parts: Sequence[str], comma: bool) -> Iterator[Reading]:
    """Yield readings of fields: code first, then quantity first; a third field is the unit, a fourth a reference."""
    if len(parts) == 1:
        yield Reading(parts[0])
        return
    for code, rest in ((parts[0], list(parts[1:])), (parts[1], [parts[0], *parts[2:]])):
        for index in range(min(2, len(rest))):
            amount = read_number(rest[index], comma=comma)
            if amount is None:
                continue
            others = [*rest[:index], *rest[index + 1 :]]
            unit = others[0] if others else ""
            yield Reading(code, rest[index], unit, " ".join(others[1:]), amount)
    yield Reading(parts[0], parts[1], parts[2] if len(parts) > 2 else "", " ".join(parts[3:]))
