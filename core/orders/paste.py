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

from core.i18n.numbers import Marks, marks_of, read_number
from core.spec.errors import Invalid
from core.ui.formats import plain

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
#: Between a quantity and a code: "3 x ABC", "3x ABC", "ABC x3".
_TIMES = frozenset("xX×*")
_COUNT = re.compile(r"[xX×*]?(\d+)[xX×*]?")
#: Digits in groups, with a unit behind them: "1 000 pcs".
_GROUPS = re.compile(r"(?<!\S)\d{1,3}(?: \d{3})+(?= [^\s\d]+$)")
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


def parse(text: str, marks: Marks | None = None) -> Pasted:
    """Return a row for every line of ``text`` that is not blank; numbers are read with ``marks`` (the reader's)."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip("\ufeff \t;,")]
    return _parse_table(
        [(number, line.strip("\ufeff\r\n"), _split(line.strip("\ufeff\r\n"))) for number, line in lines], marks or marks_of()
    )


def parse_cells(table: Sequence[Sequence[object]], marks: Marks | None = None, *, first: int = 1) -> Pasted:
    """Return a row for every row of a spreadsheet or CSV file that is not blank; the first one has the number ``first``."""
    rows, marks = [], marks or marks_of()
    for number, cells in enumerate(table, start=first):
        fields = [cell_text(cell, marks) for cell in cells]
        if any(fields):
            rows.append((number, "\t".join(fields), fields))
    return _parse_table(rows, marks)


def filled_row(number: int, text: str, cells: tuple[str, str, str, str], marks: Marks) -> PastedRow:
    """Return a row whose code, quantity, unit and reference stand in fields of their own: it has one reading."""
    code, quantity, unit, reference = (cell.strip() for cell in cells)
    return PastedRow(number, text, (Reading(code, quantity, unit, reference, _amount(quantity, marks)),))


def cell_text(cell: object, marks: Marks) -> str:
    """Return a spreadsheet's cell as ``marks`` write it: 99999.0 is the code 99999, 1.125 may be 1,125."""
    if isinstance(cell, float):
        return plain(Decimal(f"{cell:.15g}")).replace(".", marks.decimal[0])
    return "" if cell is None else str(cell).strip()


def _parse_table(rows: Sequence[tuple[int, str, list[str]]], marks: Marks) -> Pasted:
    columns = _header(rows[0][2]) if rows else None
    body = rows[1:] if columns else rows
    parsed = tuple(PastedRow(number, text, _readings(text, fields, columns, marks)) for number, text, fields in body)
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


def _readings(text: str, fields: Sequence[str], columns: dict[str, int] | None, marks: Marks) -> tuple[Reading, ...]:
    found: dict[Reading, None] = {}
    if columns and len(fields) > max(columns.values()):
        told = _by_header(fields, columns, marks)
        if not told.code:  # the columns are named, so a quantity that stands alone is no code
            return (told,)
        found[told] = None
    others = [reading for parts in _splits(text, fields) for reading in _orders(parts, marks)]
    # A quantity that is a number says more than one that is not: "ABC 3 box" is three boxes, not "3 box" pieces.
    for reading in sorted(others, key=lambda reading: reading.amount is None):
        found.setdefault(reading)
    found.setdefault(Reading(text.strip().strip('"')))
    return tuple(found)


def _amount(text: str, marks: Marks) -> Decimal | None:
    try:
        return read_number(text, marks)
    except Invalid:
        return None


def _by_header(fields: Sequence[str], columns: dict[str, int], marks: Marks) -> Reading:
    values = {meaning: fields[index] for meaning, index in columns.items()}
    quantity = values.get("quantity", "")
    return Reading(values["code"], quantity, values.get("unit", ""), values.get("reference", ""), _amount(quantity, marks))


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
    if grouped := _GROUPS.search(" ".join(words)):
        yield [field for field in (grouped.string[: grouped.start()].strip(), *_behind(grouped)) if field]
    yield from _by_words(words)
    without = [counted[1] if (counted := _COUNT.fullmatch(word)) else word for word in words if word not in _TIMES]
    if without != words:
        yield from _by_words(without)


def _behind(grouped: re.Match[str]) -> tuple[str, str]:
    """Return a number in groups, and the unit that stands behind it."""
    return grouped[0], grouped.string[grouped.end() :].strip()


def _by_words(words: Sequence[str]) -> Iterator[list[str]]:
    if len(words) > 1:
        yield [" ".join(words[:-1]), words[-1]]
        yield [words[0], " ".join(words[1:])]
    if len(words) > 2 and _TIMES.isdisjoint(words):
        yield [" ".join(words[:-2]), words[-2], words[-1]]
        yield [words[0], words[1], " ".join(words[2:])]


def _orders(parts: Sequence[str], marks: Marks) -> Iterator[Reading]:
    """Yield readings of fields: code first, second, third; the others are quantity, unit and reference."""
    if len(parts) == 1:
        yield Reading(parts[0])
        return
    places = [(parts[0], list(parts[1:])), (parts[1], [parts[0], *parts[2:]])]
    if len(parts) > 2:
        places.append((parts[2], [parts[0], parts[1], *parts[3:]]))
    for code, rest in places:
        for index in range(min(2, len(rest))):
            amount = _amount(rest[index], marks)
            if amount is None:
                continue
            others = [*rest[:index], *rest[index + 1 :]]
            unit = others[0] if others else ""
            yield Reading(code, rest[index], unit, " ".join(others[1:]), amount)
    yield Reading(parts[0], parts[1], parts[2] if len(parts) > 2 else "", " ".join(parts[3:]))
