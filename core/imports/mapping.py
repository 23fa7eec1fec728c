"""Mapping files: how the columns of somebody else's files become the fields of our imports.

A mapping is TOML. ``[[step]]`` names a ``kind``, a ``file`` (or ``rows`` written in the mapping itself) and
``columns``: for each field either the name of a column or a table of what to do, read in this order:

    column = "price"            the cell          constant = "EUR"     always this
    format = "{first} {last}"   several columns   count_by = "order"   1, 2, 3 … within each value of a column
    join = "orders.csv", on = "order_id", take = "shipped"   a cell of another file (``on`` names both columns;
                                                             ``take`` may be a format as well)
    if = {…}                    an expression of the same form; empty means that this one is empty as well
    split = "," with part = 0   map = {"1" = "yes"} with otherwise = "no"     lookup = "countries" (a table of the
    mapping)   date = "%d/%m/%Y"   multiply = "100"   case = "lower", "upper" or "code"   lines = ", "
    default = "…"               where all this left nothing

``empty`` at the head of the mapping lists what the files write for nothing (``["null", "NULL"]``). Of a step, ``distinct``
names fields whose values come only once, ``unless_empty`` columns without which a row is left out.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.i18n import _
from core.i18n.numbers import read_number
from core.imports.reading import read
from core.imports.seen import SeenKeys
from core.imports.source import Source, open_file
from core.spec.errors import Invalid

Cells = Mapping[str, str]
Expression = Callable[[Cells], str]
_COLUMN = re.compile(r"\{([^}:!]+)")
_WORDS = {
    "column", "constant", "format", "count_by", "join", "on", "take", "if", "split", "part", "map", "otherwise",
    "lookup", "date", "multiply", "case", "lines", "default",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One import of a mapping: its kind, its file or rows, what each field is made of, and rows left out."""

    kind: str
    file: str = ""
    rows: tuple[Cells, ...] = ()
    columns: Mapping[str, Any] = field(default_factory=dict)
    distinct: tuple[str, ...] = ()
    unless_empty: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping file: its steps in the order of import, and its lookup tables."""

    path: Path
    steps: tuple[Step, ...]
    lookups: Mapping[str, Mapping[str, str]]
    title: str = ""
    empty: frozenset[str] = frozenset()

    def step(self, kind: str) -> Step:
        """Return the step for a kind; Invalid where there is none."""
        for step in self.steps:
            if step.kind in (kind, ""):
                return step
        known = ", ".join(step.kind for step in self.steps)
        message = _("%(name)s maps %(known)s, not %(kind)s.", name=self.path.name, known=known, kind=kind)
        raise Invalid("IMPORT-MAPPING-KIND", message)

    def source(self, step: Step, path: Path | None, folder: Path | None = None) -> Source:
        """Return the rows of a step as the importer wants them; joined files lie beside ``path`` or in ``folder``."""
        if step.rows:
            columns = tuple(dict.fromkeys(name for row in step.rows for name in row))
            return Source(self.path.name, columns, tuple(enumerate(step.rows, 1)), len(step.rows))
        origin = open_file(path or (folder or Path()) / step.file)
        maker = _Maker(self, origin, folder or (path.parent if path else Path()))
        expressions = {name: maker.expression(rule, f"{step.kind}.{name}") for name, rule in step.columns.items()}
        for column in step.unless_empty:
            maker.column(column, f"{step.kind}.unless_empty")
        for name in step.distinct:
            maker.field(name, step)
        rows = _distinct(_mapped(self._filled(origin.rows), expressions, step.unless_empty), step.distinct)
        return Source(origin.name, tuple(expressions), rows, origin.total, origin.notes, origin.marks)

    def _filled(self, rows: Iterable[tuple[int, Cells]]) -> Iterable[tuple[int, Cells]]:
        """Return the rows with nothing in the cells that say so."""
        if not self.empty:
            return rows
        return ((n, {name: "" if text in self.empty else text for name, text in cells.items()}) for n, cells in rows)


def read_mapping(path: Path) -> Mapped:
    """Read a mapping file; Invalid says what in it is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = _("The mapping %(name)s cannot be read: %(reason)s.", name=path, reason=error)
        raise Invalid("IMPORT-MAPPING-BROKEN", message) from error
    empty = frozenset(map(str, data.get("empty", ())))
    steps = data.get("step") or [{"kind": data.get("kind", ""), "columns": data.get("columns", {})}]
    return Mapped(path, tuple(_step(path, step) for step in steps), data.get("lookups", {}), data.get("title", ""), empty)


def _step(path: Path, data: Mapping[str, Any]) -> Step:
    unknown = set(data) - {"kind", "file", "rows", "columns", "distinct", "unless_empty"}
    if unknown:
        message = _("%(name)s: a step has no setting %(word)s.", name=path.name, word=", ".join(sorted(unknown)))
        raise Invalid("IMPORT-MAPPING-BROKEN", message)
    rows = tuple({key: str(value) for key, value in row.items()} for row in data.get("rows", ()))
    return Step(
        data.get("kind", ""),
        data.get("file", ""),
        rows,
        data.get("columns", {}),
        tuple(data.get("distinct", ())),
        tuple(data.get("unless_empty", ())),
    )


def _mapped(
    rows: Iterable[tuple[int, Cells]], expressions: Mapping[str, Expression], needed: tuple[str, ...]
) -> Iterator[tuple[int, Cells]]:
    for number, cells in rows:
        if "" in cells:
            yield number, {"": cells[""]}
        elif all(cells.get(column) for column in needed):
            yield number, {name: expression(cells) for name, expression in expressions.items()}


def _distinct(rows: Iterator[tuple[int, Cells]], fields: tuple[str, ...]) -> Iterator[tuple[int, Cells]]:
    """Leave out rows whose values in ``fields`` have come before; what is refused stays."""
    seen = SeenKeys()
    for number, cells in rows:
        if not fields or "" in cells or seen.first([cells[name] for name in fields], number) == number:
            yield number, cells


class _Maker:
    """Builds the expressions of one step over the columns of its file."""

    def __init__(self, mapped: Mapped, origin: Source, folder: Path) -> None:
        self._mapped = mapped
        self.marks = origin.marks
        self._origin = origin
        self._folder = folder
        self._joined: dict[tuple[str, str], dict[str, Cells]] = {}

    def expression(self, rule: Any, place: str) -> Expression:
        """Return the function from a row's cells to the text of a field."""
        if isinstance(rule, str):
            rule = {"column": rule}
        if unknown := set(rule) - _WORDS:
            raise self._broken(place, _("there is no “%(word)s”", word=", ".join(sorted(unknown))))
        take = self._start(rule, place)
        for name, make in _CHANGES.items():
            if name in rule:
                take = make(self, rule, take, place)
        condition = self.expression(rule["if"], f"{place}.if") if "if" in rule else None
        default = str(rule.get("default", ""))

        def value(cells: Cells) -> str:
            text = take(cells) if condition is None or condition(cells) else ""
            return text or default

        return value

    def _start(self, rule: Mapping[str, Any], place: str) -> Expression:
        if "constant" in rule:
            return lambda cells: str(rule["constant"])
        if "format" in rule:
            for column in _COLUMN.findall(rule["format"]):
                self.column(column, place)
            return lambda cells: str(rule["format"]).format_map(cells)
        if "count_by" in rule:
            return self._counter(self.column(rule["count_by"], place))
        if "join" in rule:
            return self._join(rule, place)
        column = self.column(rule.get("column", ""), place)
        return lambda cells: cells.get(column, "")

    def column(self, column: str, place: str) -> str:
        """Return the name of a column that the file has; Invalid if it has none so named."""
        if column not in self._origin.columns:
            known = ", ".join(self._origin.columns)
            text = _(
                "%(file)s has no column “%(column)s”, only %(known)s", file=self._origin.name, column=column, known=known
            )
            raise self._broken(place, text)
        return column

    def field(self, name: str, step: Step) -> None:
        """Refuse a name that is no field of the step."""
        if name not in step.columns:
            text = _("“%(name)s” is none of its fields: %(known)s", name=name, known=", ".join(step.columns))
            raise self._broken(f"{step.kind}.distinct", text)

    def _counter(self, column: str) -> Expression:
        counts: Counter[str] = Counter()

        def count(cells: Cells) -> str:
            counts[cells[column]] += 1
            return str(counts[cells[column]])

        return count

    def _join(self, rule: Mapping[str, Any], place: str) -> Expression:
        on = self.column(rule.get("on", ""), place)
        key = (str(rule["join"]), on)
        if key not in self._joined:
            sheet = read(self._folder / rule["join"])
            empty = self._mapped.empty
            texts = ([("" if text in empty else text) for text in cells] for _number, cells in sheet.rows)
            cut = (dict(zip(sheet.columns, cells, strict=False)) for cells in texts)
            self._joined[key] = {row[on]: row for row in cut}
        rows, take = self._joined[key], str(rule.get("take", ""))
        pattern = take if "{" in take else f"{{{take}}}"
        for column in _COLUMN.findall(pattern) if rows else ():
            if column not in next(iter(rows.values())):
                raise self._broken(place, _("%(file)s has no column “%(column)s”", file=rule["join"], column=column))
        return lambda cells: pattern.format_map(rows[cells[on]]) if cells[on] in rows else ""

    def lookup(self, name: str, place: str) -> Mapping[str, str]:
        """Return a lookup table of the mapping."""
        if name not in self._mapped.lookups:
            raise self._broken(place, _("there is no lookup table “%(name)s”", name=name))
        return self._mapped.lookups[name]

    def _broken(self, place: str, reason: str) -> Invalid:
        message = _("The mapping %(name)s, %(place)s: %(reason)s.", name=self._mapped.path.name, place=place, reason=reason)
        return Invalid("IMPORT-MAPPING-BROKEN", message)


def _split(maker: _Maker, rule: Mapping[str, Any], take: Expression, place: str) -> Expression:
    def part(cells: Cells) -> str:
        parts = take(cells).split(rule["split"])
        wanted = int(rule.get("part", 0))
        return parts[wanted].strip() if -len(parts) <= wanted < len(parts) else ""

    return part


def _map(maker: _Maker, rule: Mapping[str, Any], take: Expression, place: str) -> Expression:
    def mapped(cells: Cells) -> str:
        text = take(cells)
        return str(rule["map"].get(text, rule.get("otherwise", text)))

    return mapped


def _lookup(maker: _Maker, rule: Mapping[str, Any], take: Expression, place: str) -> Expression:
    table = maker.lookup(rule["lookup"], place)
    return lambda cells: table.get(take(cells), take(cells))


def _date(maker: _Maker, rule: Mapping[str, Any], take: Expression, place: str) -> Expression:
    def iso(cells: Cells) -> str:
        text = take(cells)
        try:
            return datetime.strptime(text, rule["date"]).date().isoformat() if text else ""  # noqa: DTZ007 - a date
        except ValueError:
            return text

    return iso


def _multiply(maker: _Maker, rule: Mapping[str, Any], take: Expression, place: str) -> Expression:
    factor = Decimal(str(rule["multiply"]))

    def product(cells: Cells) -> str:
        text = take(cells)
        try:
            return f"{read_number(text, maker.marks) * factor:f}" if text else ""
        except Invalid:  # the cell is refused where its field is read
            return text

    return product


def _case(maker: _Maker, rule: Mapping[str, Any], take: Expression, place: str) -> Expression:
    change = {"lower": str.lower, "upper": str.upper, "code": code_of}.get(rule["case"])
    if change is None:
        raise Invalid("IMPORT-MAPPING-BROKEN", _("%(place)s: case is lower, upper or code.", place=place))
    return lambda cells: change(take(cells))


def _lines(maker: _Maker, rule: Mapping[str, Any], take: Expression, place: str) -> Expression:
    return lambda cells: rule["lines"].join(part.strip() for part in take(cells).splitlines())


_CHANGES = {
    "split": _split, "map": _map, "lookup": _lookup, "date": _date, "multiply": _multiply, "case": _case, "lines": _lines,
}  # fmt: skip


def code_of(text: str) -> str:
    """Return a plain code for a name: "Grains/Cereals" becomes grains-cereals."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
