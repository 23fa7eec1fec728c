"""`tukku report`: the reports of the back-office, for a script or a timer."""

from __future__ import annotations

from pathlib import Path

import click

from core.backoffice.reports import Report, columns_of, form_of, report_named, reports, rows_of
from core.spec.errors import TukkuError
from core.ui.export import csv_lines, write_xlsx


@click.group("report")
def report_group() -> None:
    """Reports as files. Example: tukku report run orders.by_product sales.xlsx --set from=2026-01-01"""


@report_group.command("list")
def list_() -> None:
    """List the reports with their parameters. Example: tukku report list"""
    for report in reports():
        click.echo(f"{report.name}: {report.source.title}")
        for parameter in report.source.parameters:
            needed = "needed" if parameter.required and not parameter.default else "optional"
            click.echo(f"  --set {parameter.name}=…  {parameter.label}, {parameter.kind}, {needed}")


@report_group.command("run")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="An answer to a parameter; may be repeated.")
def run(name: str, path: Path, given: tuple[str, ...]) -> None:
    """Write a report to a CSV or XLSX file. Example: tukku report run pricing.prices p.csv --set company=KONEPAJA"""
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise click.UsageError(f"{path.name} must end in .csv or .xlsx.")
    try:
        report = report_named(name)
        count = _write(report, path, _answers(report, given))
    except (TukkuError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name}: {count} rows written to {path}")


def _answers(report: Report, given: tuple[str, ...]) -> dict[str, object]:
    known = {parameter.name for parameter in report.source.parameters}
    pairs = dict(part.partition("=")[::2] for part in given)
    unknown = [name for name in pairs if name not in known]
    if unknown:
        raise click.UsageError(f"{report.name} has no parameter {unknown[0]}. It has: {', '.join(sorted(known))}.")
    proposed = form_of(report.source, None).data
    typed = form_of(report.source, {**{n: str(v) for n, v in proposed.items() if v}, **pairs})
    if not typed.validate():
        wrong = [f"{name}: {message}" for name, messages in typed.errors.items() for message in messages]
        raise click.UsageError(" ".join(map(str, wrong)))
    return dict(typed.data)


def _write(report: Report, path: Path, answers: dict[str, object]) -> int:
    """Write the file whole, or leave what is there as it is; returns the number of rows."""
    part = path.with_name(f"{path.name}.part")
    try:
        count = _fill(report, part, path.suffix.lower() == ".xlsx", answers)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def _fill(report: Report, path: Path, xlsx: bool, answers: dict[str, object]) -> int:
    rows = rows_of(report, answers)
    if xlsx:
        with path.open("wb") as file:
            return write_xlsx(file, columns_of(report), rows, str(report.source.title))
    count = -1  # the head is a line as well
    with path.open("w", encoding="utf-8", newline="") as text:
        for count, line in enumerate(csv_lines(columns_of(report), rows)):  # noqa: B007 - the count is returned
            text.write(line)
    return count
