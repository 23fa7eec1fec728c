"""Run an import: parse rows, load them in batches, report every row; or try it and undo everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from itertools import islice
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm.exc import StaleDataError

from core.data import audit
from core.data.db import db
from core.data.write import write
from core.i18n import _, _l
from core.i18n.characters import cleaned
from core.imports.cells import CellError, Reading, parse
from core.imports.names import named
from core.imports.report import Report
from core.imports.seen import SeenKeys
from core.imports.source import Source
from core.spec.errors import Invalid
from core.spec.imports import DataImport, ImportField, ImportRow, RowResult

BATCH = 500
#: Longer files are tried batch by batch, so that a trial does not keep everybody else from writing.
WHOLE_TRIAL = 5000
#: Seconds after each batch of such a file in which others get to write: SQLite lets them try in turns, not in a queue.
GIVE_WAY = 0.05
Progress = Callable[[int], None]
#: Called with the kind of import and each row's result.
Listener = Callable[[str, RowResult], None]


_LONG_TRIAL = _l(
    "The file is long, so it was tried in groups of %(count)s rows: a row that refers to a new one far above it "
    "is reported as an error here, and accepted when the file is imported."
)


_file: ContextVar[str] = ContextVar("tukku_import_file", default="")
_tried: ContextVar[datetime | None] = ContextVar("tukku_import_tried", default=None)


def file_name() -> str:
    """Return the name of the file whose rows are being imported ("API /…" for a program's rows), '' outside of imports."""
    return _file.get()


def tried_at() -> datetime | None:
    """Return when the file that is being imported was tried, where a person has seen its report; None for any other import.

    What somebody else changed since then, that person has not seen.
    """
    return _tried.get()


@contextmanager
def _told(name: str, tried: datetime | None) -> Iterator[None]:
    tokens = _file.set(name), _tried.set(tried)
    try:
        yield
    finally:
        _file.reset(tokens[0])
        _tried.reset(tokens[1])


class _Undo(Exception):
    """Leaves a dry run's transaction so that nothing of it remains."""


@contextmanager
def trial(dry_run: bool) -> Iterator[None]:
    """Run the block; where ``dry_run``, in one transaction that is undone at its end."""
    if not dry_run:
        yield
        return
    try:
        with write():
            yield
            raise _Undo
    except _Undo:
        db.session.expunge_all()


class Stopped(Exception):
    """Raised by ``progress`` where somebody stopped the import: what went in stays, with all that follows from it."""


def run(
    kind: DataImport,
    source: Source,
    *,
    dry_run: bool = False,
    zone: str = "UTC",
    progress: Progress | None = None,
    listener: Listener | None = None,
    tried: datetime | None = None,
) -> Report:
    """Import ``source`` as ``kind`` and return the report; Invalid where the file as a whole cannot be used.

    Rows with errors are left out, the others go in, in batches that are a transaction each. ``progress`` is
    called with the number of rows done since the last call (it may raise ``Stopped``), ``listener`` with each row's
    result. ``tried`` is when the file was tried, where somebody has seen what it would do (see `tried_at`).
    What follows from a change (an index written anew, the audit) is left out of a trial.
    """
    report = Report(kind.kind, source.name, dry_run, notes=list(source.notes))
    parser = RowParser(kind, source, zone)
    report.notes.extend(parser.notes)

    def note(results: Sequence[RowResult]) -> None:
        for result in results:
            report.add(result)
            if listener:
                listener(kind.kind, result)
        if progress:
            progress(len(results))

    whole = source.total <= WHOLE_TRIAL
    if dry_run and not whole:
        report.notes.append(_LONG_TRIAL % {"count": BATCH})
    with trial(dry_run and whole), _told(source.name, tried):
        rows = iter(source.rows)
        try:
            while numbered := list(islice(rows, BATCH)):
                note(_run_batch(kind, parser, numbered, undone=dry_run and not whole))
                db.session.expunge_all()
                if not whole:
                    time.sleep(GIVE_WAY)
        except Stopped:
            report.stopped = True
        if not dry_run:
            _finish(kind, report)
    return report


def _run_batch(
    kind: DataImport, parser: RowParser, numbered: Sequence[tuple[int, Mapping[str, str]]], *, undone: bool
) -> list[RowResult]:
    """Read and load a batch; nobody else waits while its cells are read."""
    parsed = [parser.parse(number, cells) for number, cells in numbered]
    rows = [row for row in parsed if isinstance(row, ImportRow)]
    results = {row.number: row for row in parsed if isinstance(row, RowResult)}
    if rows:
        with trial(undone), write():
            results.update((result.number, result) for result in _load(kind, rows))
    return [parser.told(results[number], cells) for number, cells in numbered]


def _load(kind: DataImport, rows: Sequence[ImportRow], tries: int = 5) -> list[RowResult]:
    """Load rows; where the database refuses one, halve the batch until that one stands alone.

    Where somebody changed one between the look and the write, they are read anew.
    """
    try:
        with db.session.begin_nested():
            return list(kind.load(rows))
    except StaleDataError:
        if tries == 0:
            raise
        db.session.expunge_all()
        return _load(kind, rows, tries - 1)
    except StatementError as error:
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
            raise  # no row is to blame: a lock, a lost connection, tables that are behind the code
        db.session.expunge_all()
        if len(rows) > 1:
            middle = len(rows) // 2
            return [*_load(kind, rows[:middle]), *_load(kind, rows[middle:])]
        reason = str(error.orig or error).splitlines()[0]
        message = _("The database refused the row: %(reason)s.", reason=reason)
        return [RowResult(rows[0].number, "error", message=message)]


def _finish(kind: DataImport, report: Report) -> None:
    """Once per import that changed something: what follows from it, and one row of audit."""
    if not report.changed:
        return
    with write():
        if kind.after:
            kind.after()
        counts = {outcome: count for outcome, count in report.counts.items() if count}
        audit.record("import", kind.kind, "imported", after={"file": report.name, **counts})


class RowParser:
    """Parses the cells of a file by the fields of a kind; finds keys that come twice."""

    def __init__(self, kind: DataImport, source: Source, zone: str) -> None:
        self._kind = kind
        self._reading = Reading(source.marks, zone)
        self._fields = {field.name: field for field in kind.fields}
        self._names = {column: self._name(column) for column in source.columns}
        self._keys = SeenKeys()
        self._open = ImportField(kind.open_fields or "", max_length=250)
        self.notes = self._check(source)

    def _name(self, column: str) -> str:
        """Return the field that a column means: "Name EN" is name_en."""
        name = column.strip().lower().replace(" ", "_")
        if self._kind.open_fields and column.lower().startswith(self._kind.open_fields):
            return column.strip().lower()
        return name if name in self._fields else ""

    def _check(self, source: Source) -> list[str]:
        used = set(self._names.values())
        missing = [name for name, field in self._fields.items() if field.required and name not in used]
        if missing:
            raise Invalid("IMPORT-COLUMN-MISSING", self._missing(source, missing))
        ignored = [column for column, name in self._names.items() if column and not name]
        return [
            _("The column %(column)s was not used.%(hint)s", column=column, hint=_close(column, self._fields))
            for column in ignored
        ]

    def _missing(self, source: Source, missing: Sequence[str]) -> str:
        return _(
            "%(name)s has no column %(missing)s, which %(kind)s needs. Its columns are: %(columns)s. "
            "Rename a column, or give a mapping file.",
            name=source.name,
            missing=", ".join(missing),
            kind=self._kind.kind,
            columns=", ".join(source.columns),
        )

    def parse(self, number: int, cells: Mapping[str, str]) -> ImportRow | RowResult:
        """Return the typed row, or the result that refuses it."""
        if extra := cells.get(""):
            return RowResult(number, "error", self._written_key(cells), message=extra)
        values: dict[str, Any] = {}
        for column, text in cells.items():
            name = self._names.get(column)
            if name and text:
                try:
                    values[name] = parse(self._fields.get(name, self._open), text, self._reading)
                except CellError as error:
                    return RowResult(number, "error", self._written_key(cells), column, str(error))
        return self._complete(number, values)

    def told(self, result: RowResult, cells: Mapping[str, str]) -> RowResult:
        """Note with a refusal what the file has in the field that is wrong, and the key where the refusal has none."""
        if result.outcome != "error":
            return result
        texts = [text for column, text in cells.items() if column and result.field in (column, self._names.get(column))]
        value = cleaned(texts[0])[:250] if texts and texts[0] else ""
        return replace(result, key=result.key or self._written_key(cells), value=value)

    def _written_key(self, cells: Mapping[str, str]) -> str:
        """Return the key as the file has it, for a row that could not be read."""
        written = {self._names.get(column): cleaned(text)[:80] for column, text in cells.items()}
        return named(written.get(name) for name in self._kind.key)

    def _complete(self, number: int, values: dict[str, Any]) -> ImportRow | RowResult:
        key = tuple(values.get(name) for name in self._kind.key)
        shown = named(key)
        for name, field in self._fields.items():
            if field.required and name not in values:
                return RowResult(number, "error", shown, name, _("The cell is empty; a value is needed."))
        first = self._keys.first(key, number)
        if first != number:
            message = _("This key is already in row %(row)s of the file; keep one of the two.", row=first)
            return RowResult(number, "error", shown, self._kind.key[0], message)
        return ImportRow(number, values)


def _close(column: str, names: Mapping[str, object]) -> str:
    close = get_close_matches(column.lower(), names, 1)
    return " " + _("Did you mean %(name)s?", name=close[0]) if close else ""
