"""What an addon's data look like to people: CSV files beside the export at uninstalling, written by the addon's own code.

The export that is compared is the tables themselves; these files are a courtesy. An addon that cannot write one is
removed all the same, and the log says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from core.data.db import db
from core.imports.exporting import export
from core.registry.operations import Echo
from core.registry.registry import registry
from core.spec.app import ExportFile
from core.ui.export import ExportColumn, csv_lines

_NAME = re.compile(r"[a-z0-9_-]{1,60}")


def write_readable(name: str, folder: Path, echo: Echo) -> None:
    """Write the exports of the addon's imports and its `addon_export` files; inside an app in which it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in registry().contributions("data_imports"):
        if kind.owner == name and kind.value.export is not None:
            _try(name, "data_imports", kind.value.kind, echo, export, kind.value, folder / f"{kind.value.kind}.csv")
    for _owner, files in registry().batch("addon_export", only=name, addon=name):
        for file in files:
            _try(name, "addon_export", file.name, echo, _write, file, folder)


def _try(name: str, hook: str, file: str, echo: Echo, function: Callable[..., int], *args: object) -> None:
    attempt = registry().attempt(name, hook, function, *args)
    if attempt.failed:
        db.session.rollback()
        echo(f"{name} could not write {file}.csv; the tables are exported all the same.")
    else:
        echo(f"Written for people: {file}.csv, {attempt.value} rows.")


def _write(file: ExportFile, folder: Path) -> int:
    if not _NAME.fullmatch(file.name):
        raise ValueError(f"an ExportFile is named by a-z, 0-9, _ and -, not {file.name!r}")
    count = -1  # the head is a line as well
    with (folder / f"{file.name}.csv").open("w", encoding="utf-8", newline="") as text:
        for count, line in enumerate(_lines(file)):  # noqa: B007 - the count is returned
            text.write(line)
    return count


def _lines(file: ExportFile) -> Iterator[str]:
    return csv_lines([ExportColumn(column) for column in file.columns], file.rows())
