"""`tukku doctor`: one command that asks everything an operator would look at, and says what to do."""

from __future__ import annotations

import click

from core.cli.context import REFUSED, config_of, emit, json_option
from core.runtime.diagnosis import AREAS, diagnose

_MARKS = {"ok": "ok     ", "notice": "notice ", "warning": "warning", "error": "ERROR  "}


@click.command("doctor")
@click.option("--area", "areas", multiple=True, type=click.Choice(AREAS), help="Only this area; may be repeated.")
@json_option
def doctor(areas: tuple[str, ...], as_json: bool) -> None:
    """Check settings, database, tables, addons, processes, jobs, mail, files, clock and set-up. Example: tukku doctor

    Reads only. Exit code 1 where something is out of order (ERROR); warnings and notices alone end with 0.
    """
    findings = diagnose(config_of(), areas or AREAS)
    if as_json:
        emit({"healthy": not any(f.level == "error" for f in findings), "findings": [f.as_dict() for f in findings]})
    else:
        for area in dict.fromkeys(finding.area for finding in findings):
            click.echo(area)
            for finding in (f for f in findings if f.area == area):
                click.echo(f"  {_MARKS[finding.level]} {finding.message}")
                if finding.remedy:
                    click.echo(f"          {finding.remedy}")
    if any(finding.level == "error" for finding in findings):
        raise SystemExit(REFUSED)
