"""`tukku import` and `tukku export`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from core.imports.exporting import export
from core.imports.kinds import kind_named, kinds
from core.imports.mapping import read_mapping
from core.imports.presets import preset, presets
from core.imports.refused import RefusedRows
from core.imports.report import OUTCOMES, Report
from core.imports.running import Progress
from core.imports.services import import_file, import_steps
from core.spec.errors import TukkuError
from core.spec.imports import RowResult

#: How many rows with errors are written out.
SHOWN = 20
_PATH = click.Path(path_type=Path)


class Bars:
    """A progress bar for each file; on a terminal only."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, kind: str, name: str, total: int) -> Progress | None:
        """Begin the bar of a file, ending the one before."""
        self._stack.close()
        if not sys.stderr.isatty():
            return None
        bar = self._stack.enter_context(click.progressbar(length=total, label=f"{kind:<16}", file=sys.stderr))
        return bar.update


@click.command("import")
@click.argument("kind", required=False)
@click.argument("path", type=_PATH, required=False)
@click.option("--dry-run", is_flag=True, help="Try everything, report every row, keep nothing.")
@click.option("--mapping", type=_PATH, help="A TOML file that says what the columns mean.")
@click.option("--preset", "name", metavar="NAME", help=f"A mapping that comes with Tukku: {', '.join(presets())}.")
@click.option("--refused", type=_PATH, metavar="CSV", help="A file to write every refused row to, with what is wrong.")
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def import_command(
    kind: str | None,
    path: Path | None,
    dry_run: bool,
    mapping: Path | None,
    name: str | None,
    refused: Path | None,
    as_json: bool,
) -> None:
    """Import a CSV, XLSX or ODS file; the same file again changes nothing.

    Rows that cannot be taken are reported and left out; the exit code is then 1.

    \b
    Examples: tukku import products products.csv --dry-run
              tukku import --preset northwind DIR
              tukku import --mapping theirs.toml DIR
    """
    if path is None and kind is not None and (name or mapping):  # all steps of a mapping, over the files of a folder
        kind, path = None, Path(kind)
    if path is None or (kind is None and not (name or mapping)):
        raise click.UsageError(f"Say what to import: KIND FILE, --preset NAME DIR, or --mapping FILE DIR. Kinds: {_names()}")
    try:
        with ExitStack() as stack:
            how: dict[str, Any] = {"dry_run": dry_run, "starter": Bars(stack.enter_context(ExitStack()))}
            how["listener"] = stack.enter_context(RefusedRows(refused)).note if refused else None
            if kind is None or name:
                reports = import_steps(preset(name) if name else read_mapping(mapping), path, **how)
            else:
                reports = [import_file(kind or "", path, mapping=mapping, **how)]
    except (TukkuError, OSError) as error:
        raise click.ClickException(str(error)) from error
    show(reports, as_json)
    if any(report.failed for report in reports):
        raise SystemExit(1)


def show(reports: Sequence[Report], as_json: bool) -> None:
    """Write what became of the rows."""
    if as_json:
        click.echo(json.dumps([report.plain() for report in reports], indent=2, ensure_ascii=False))
        return
    for report in reports:
        counts = ", ".join(f"{report.counts[outcome]} {outcome}" for outcome in OUTCOMES if report.counts[outcome])
        click.echo(f"{report.kind} ({report.name}): {counts or 'no rows'}")
        for note in report.notes:
            click.echo(f"  note: {note}")
        for error in report.errors[:SHOWN]:
            told = (f"row {error.number}", error.key, _place(error), str(error.message))
            click.echo("  " + " · ".join(filter(None, told)))
        for notice in report.notices[:SHOWN]:
            click.echo("  " + " · ".join(filter(None, (f"row {notice.number}", notice.key, str(notice.message)))))
        if report.noticed > SHOWN:
            click.echo(f"  … and {report.noticed - SHOWN} more notices; --json tells the first thousand.")
        if report.failed > SHOWN:
            click.echo(f"  … and {report.failed - SHOWN} more rows with errors; --refused FILE writes them all.")
    if any(report.dry_run for report in reports):
        click.echo("Dry run: nothing was kept.")


def _place(error: RowResult) -> str:
    """Return the column that is wrong, with what it has where neither the key nor the sentence tells that."""
    told = not error.value or error.value in error.key or error.value in str(error.message)
    return error.field if told else f"{error.field} = {error.value}"


@click.command("export")
@click.argument("kind")
@click.argument("path", type=_PATH)
def export_command(kind: str, path: Path) -> None:
    """Write every row of KIND to a CSV or XLSX file that the import reads back.

    Example: tukku export products products.xlsx
    """
    try:
        count = export(kind_named(kind), path)
    except (TukkuError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{kind}: {count} rows written to {path}")


def _names() -> str:
    return ", ".join(kind.kind for kind in kinds())
