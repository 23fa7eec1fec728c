"""`tukku addons`: see, try, enable and disable addons. None of these commands needs a sound addon."""

from __future__ import annotations

import click

from core.cli.addon_authoring import check, migration, new
from core.cli.addon_operations import disable, enable, purge, uninstall, upgrade
from core.cli.addon_showing import overview_of, row_of, show_problems
from core.cli.context import REFUSED, config_of, emit, json_option, table, working
from core.registry.doctor import examine
from core.registry.overview import AddonRow
from core.registry.problems import errors
from core.registry.sources import iter_problems
from core.runtime.app import bare_app
from core.runtime.operator import Operator


@click.group("addons")
def addons() -> None:
    """See, try, enable and disable addons. Example: tukku addons list

    Exit codes: 0 done, 1 refused or problems found, 2 wrong usage, 3 another operation is running.
    """


for command in (check, new, migration, enable, disable, upgrade, uninstall, purge):
    addons.add_command(command)


@addons.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every installed addon with its state. Example: tukku addons list --json"""
    view = overview_of(Operator(config_of()))
    if as_json:
        emit({"generation": view.generation, "addons": [row.as_dict() for row in view.rows]})
        return
    rows = [(r.name, r.version, r.state, "critical" if r.critical else "", r.title) for r in view.rows]
    table(rows, ("NAME", "VERSION", "STATE", "", "TITLE"))
    for row in view.rows:
        show_problems(row.problems, f"\n{row.name}")


@addons.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show one addon: manifest, state, contributions. Example: tukku addons show pricing_contract"""
    operator = Operator(config_of())
    with working(bare_app(operator.config)):
        row = operator.overview().row(name)
        if row is None:
            raise click.ClickException(f"There is no addon {name}. `tukku addons list` shows all.")
        contributed = operator.trial_contributions(row)
    if as_json:
        emit(row.as_dict() | {"contributions": contributed})
        return
    _show_row(row)
    click.echo("Contributions:" if contributed else "Contributions: none, or the addon does not load.")
    for hook, keys in contributed.items():
        click.echo(f"  {hook}: {', '.join(keys)}" if keys else f"  {hook}")


@addons.command("paths")
@json_option
def paths(as_json: bool) -> None:
    """Say where addons are looked for, and what was found there. Example: tukku addons paths"""
    discovery = Operator(config_of()).discovery
    problems = tuple(iter_problems(discovery))
    if as_json:
        places = [{"source": s.source, "place": s.place, "names": s.names} for s in discovery.searched]
        emit({"searched": places, "problems": [p.as_dict() for p in problems]})
        return
    for place in discovery.searched:
        click.echo(f"{place.source}: {place.place}")
        click.echo(f"  {', '.join(place.names) or 'nothing found'}")
    show_problems(problems, "Problems:")


@addons.command("graph")
@json_option
def graph(as_json: bool) -> None:
    """Show in which order addons are loaded, and what each needs. Example: tukku addons graph"""
    view = overview_of(Operator(config_of()))
    if as_json:
        emit({"order": view.plan.names, "bridges": view.plan.bridges, "excluded": dict(view.plan.excluded)})
        return
    for position, name in enumerate(view.plan.names, 1):
        row = row_of(view, name)
        uses = [other for addon, other in view.plan.bridges if addon == name]
        needs = f" needs {', '.join(row.requires)}" if row.requires else ""
        click.echo(f"{position}. {name}{needs}{' uses ' + ', '.join(uses) if uses else ''}")
    for name, chain in view.plan.excluded.items():
        click.echo(f"-  {name} is left out: {' ← '.join(chain)}")
    if not view.plan.names and not view.plan.excluded:
        click.echo("No addon is enabled.")


@addons.command("doctor")
@json_option
def doctor(as_json: bool) -> None:
    """Say what is wrong with the addons, their tables, operations and processes. Example: tukku addons doctor

    Exit code 1 when something has to be done; what failed lately is only told.
    """
    operator = Operator(config_of())
    with working(bare_app(operator.config)):
        problems = examine(operator.overview())
    if as_json:
        emit({"problems": [p.as_dict() for p in problems]})
    else:
        show_problems(problems, "Findings:")
        if not problems:
            click.echo("All is well.")
    if errors(problems):
        raise SystemExit(REFUSED)


def _show_row(row: AddonRow) -> None:
    click.echo(f"{row.title} ({row.name}) {row.version}, {row.state}{', critical' if row.critical else ''}")
    for label, value in (
        ("Summary", row.summary),
        ("Found in", f"{row.location} ({row.source})" if row.location else ""),
        ("Requires", ", ".join(f"{n} {v}".strip() for n, v in row.requires.items())),
        ("Can use", ", ".join(f"{n} {v}".strip() for n, v in row.optional.items())),
        ("Last changed", f"{row.changed_at} by {row.changed_by}" if row.changed_by else ""),
    ):
        if value:
            click.echo(f"{label}: {value}")
    show_problems(row.problems, "Problems:")
