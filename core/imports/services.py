"""Import a file, a mapped file, or every step of a preset; export a kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.imports.attachments import attached
from core.imports.kinds import kind_named
from core.imports.mapping import Mapped, read_mapping
from core.imports.report import Report
from core.imports.running import Listener, Progress, run, trial
from core.imports.source import Source, open_file
from core.spec.imports import DataImport
from core.ui.formats import display_zone

#: Called before each step with its kind, file and number of rows; returns what is told of the rows done.
Starter = Callable[[str, str, int], Progress | None]


@dataclass(frozen=True, slots=True)
class Task:
    """One file to be imported as one kind."""

    kind: DataImport
    source: Source


def task(kind: str, path: Path, mapping: Path | None = None) -> Task:
    """Return the import of a file, through a mapping file if there is one."""
    found = kind_named(kind)
    if mapping is None:
        return Task(found, open_file(path))
    mapped = read_mapping(mapping)
    return Task(found, mapped.source(mapped.step(kind), path))


def import_file(
    kind: str,
    path: Path,
    *,
    mapping: Path | None = None,
    dry_run: bool = False,
    starter: Starter | None = None,
    listener: Listener | None = None,
    tried: datetime | None = None,
) -> Report:
    """Import one file and return its report; nothing is kept where ``dry_run``; ``tried`` is when the file was tried."""
    one = task(kind, path, mapping)
    with attached(path.parent):
        return _run(one, dry_run, starter, listener, tried)


def import_steps(
    mapped: Mapped, folder: Path, *, dry_run: bool = False, starter: Starter | None = None, listener: Listener | None = None
) -> list[Report]:
    """Import every step of a mapping from the files of ``folder``; a dry run tries them all, then undoes them."""
    tasks = [Task(kind_named(step.kind), mapped.source(step, None, folder)) for step in mapped.steps]
    return import_all(tasks, folder, dry_run=dry_run, starter=starter, listener=listener)


def import_all(
    tasks: Sequence[Task],
    folder: Path,
    *,
    dry_run: bool = False,
    starter: Starter | None = None,
    listener: Listener | None = None,
) -> list[Report]:
    """Import several files one after the other; those after one that cannot be used at all are not begun."""
    with attached(folder), trial(dry_run):
        reports = [_run(one, False, starter, listener) for one in tasks]
    for report in reports:
        report.dry_run = dry_run
    return reports


def _run(
    one: Task, dry_run: bool, starter: Starter | None, listener: Listener | None, tried: datetime | None = None
) -> Report:
    progress = starter(one.kind.kind, one.source.name, one.source.total) if starter else None
    how: dict[str, Any] = {"dry_run": dry_run, "progress": progress, "listener": listener, "tried": tried}
    return run(one.kind, one.source, zone=display_zone(), **how)
