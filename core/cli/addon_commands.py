"""`tukku addons`: see, try, enable and disable addons. None of these commands needs a sound addon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from core.cli.context import REFUSED, config_of, emit, json_option, table, working
from core.registry import operations
from core.registry.doctor import examine
from core.registry.lint import lint
from core.registry.manifest import FILE_NAME
from core.registry.operations import Kind, Proposal, Tools
from core.registry.oplog import OperationRefused
from core.registry.overview import AddonRow, Overview
from core.registry.problems import Problem, errors
from core.registry.removal import Removal, RemovalKind, propose, remove
from core.registry.sources import iter_problems
from core.runtime.app import bare_app
from core.runtime.config import Config
from core.runtime.operator import Operator
from core.runtime.probe import probe


@click.group("addons")
def addons() -> None:
    """See, try, enable and disable addons. Example: tukku addons list

    Exit codes: 0 done, 1 refused or problems found, 2 wrong usage, 3 another operation is running.
    """


@addons.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every installed addon with its state. Example: tukku addons list --json"""
    view = _overview(Operator(config_of()))
    if as_json:
        emit({"generation": view.generation, "addons": [row.as_dict() for row in view.rows]})
        return
    rows = [(r.name, r.version, r.state, "critical" if r.critical else "", r.title) for r in view.rows]
    table(rows, ("NAME", "VERSION", "STATE", "", "TITLE"))
    for row in view.rows:
        _show_problems(row.problems, f"\n{row.name}")


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


@addons.command("check")
@click.argument("names", nargs=-1)
@json_option
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Read addons and try them in a process apart: those named (or a folder), else the enabled ones.

    Example: tukku addons check pricing_contract ./my_addons/delivery_slots
    """
    operator = Operator(_with_folders(names))
    wanted = tuple(Path(n).resolve().name if _is_folder(n) else n for n in names)
    view = _overview(operator)
    enabled = {row.name for row in view.rows if row.wanted}
    wanted = wanted or tuple(sorted(enabled))
    unknown = [n for n in wanted if view.row(n) is None]
    if unknown:
        raise click.ClickException(f"There is no addon {unknown[0]}. `tukku addons list` shows all.")
    required = {n for name in wanted for n in _row(view, name).requires}
    problems = [p for name in wanted for p in _row(view, name).problems if p.level == "error"]
    problems += probe(operator.config, wanted, enabled | set(wanted) | required) if wanted else ()
    problems += [p for name in wanted for found in operator.discovery.by_name(name) for p in lint(found)]
    problems = list(dict.fromkeys(problems))
    _answer_check(wanted, problems, as_json)


def _answer_check(wanted: Sequence[str], problems: Sequence[Problem], as_json: bool) -> None:
    if as_json:
        emit({"checked": wanted, "problems": [p.as_dict() for p in problems]})
    else:
        _show_problems(problems, "Problems:")
        if not problems:
            click.echo(f"{', '.join(wanted) or 'No addon is enabled'}: no problems.")
    if problems:
        raise SystemExit(REFUSED)


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
    _show_problems(problems, "Problems:")


@addons.command("graph")
@json_option
def graph(as_json: bool) -> None:
    """Show in which order addons are loaded, and what each needs. Example: tukku addons graph"""
    view = _overview(Operator(config_of()))
    if as_json:
        emit({"order": view.plan.names, "bridges": view.plan.bridges, "excluded": dict(view.plan.excluded)})
        return
    for position, name in enumerate(view.plan.names, 1):
        row = _row(view, name)
        uses = [other for addon, other in view.plan.bridges if addon == name]
        needs = f" needs {', '.join(row.requires)}" if row.requires else ""
        click.echo(f"{position}. {name}{needs}{' uses ' + ', '.join(uses) if uses else ''}")
    for name, chain in view.plan.excluded.items():
        click.echo(f"-  {name} is left out: {' ← '.join(chain)}")
    if not view.plan.names and not view.plan.excluded:
        click.echo("No addon is enabled.")


_names = click.argument("names", nargs=-1, required=True)
_dry_run = click.option("--dry-run", is_flag=True, help="Show the plan and the impact, and change nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask before a change that also concerns other addons.")
_operation = click.option("--operation", "identity", default="", hidden=True)
_actor = click.option("--actor", default="", hidden=True)


@addons.command("enable")
@_names
@_dry_run
@_yes
@json_option
@_operation
@_actor
def enable(names: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool, identity: str, actor: str) -> None:
    """Enable addons, with what they require. Example: tukku addons enable pricing_contract --dry-run"""
    operator = Operator(config_of())
    with working(bare_app(operator.config), actor):
        tools = operator.tools()
        proposal = operations.propose_enable(tools, names)
        if dry_run or (proposal.problems and not identity):
            _answer(proposal, as_json)
            return
        if proposal.added and not yes:
            _show_proposal(proposal)
            click.confirm("Go on?", abort=True)
        _answer(_run(operations.enable, tools, names, identity, as_json), as_json, done=True)


@addons.command("disable")
@_names
@_dry_run
@_yes
@click.option("--confirm", default="", help="The names again, needed when users lose something important.")
@json_option
@_operation
@_actor
def disable(
    names: tuple[str, ...], dry_run: bool, yes: bool, confirm: str, as_json: bool, identity: str, actor: str
) -> None:
    """Disable addons; their data stay. Example: tukku addons disable pricing_contract --dry-run"""
    operator = Operator(config_of())
    with working(bare_app(operator.config), actor):
        tools = operator.tools()
        proposal = operations.propose_disable(tools, names)
        if dry_run or (proposal.problems and not identity):
            _answer(proposal, as_json)
            return
        if proposal.severe and confirm.split() != list(names):
            _show_proposal(proposal)
            if click.prompt("Type the names of the addons to go on", default="", show_default=False).split() != list(names):
                raise click.ClickException("The names differ. Nothing was changed.")
        known = replace(tools, impact=lambda _name: ())  # it was shown; asking again would build the app again
        _answer(_run(operations.disable, known, names, identity, as_json), as_json, done=True)


@addons.command("upgrade")
@_operation
@_actor
def upgrade(identity: str, actor: str) -> None:
    """Bring the tables of core and of enabled addons to their code, as `tukku upgrade`. Example: tukku addons upgrade"""
    operator = Operator(config_of())
    with working(bare_app(operator.config), actor):
        operations.upgrade_all(operator.discovery, click.echo, identity)


_one = click.argument("name")
_confirm = click.option("--confirm", default="", help="The name again; without it, it is asked for.")


@addons.command("uninstall")
@_one
@click.option("--purge", "with_settings", is_flag=True, help="Remove its settings too.")
@_dry_run
@_confirm
@json_option
@_operation
@_actor
def uninstall(name: str, with_settings: bool, dry_run: bool, confirm: str, as_json: bool, identity: str, actor: str) -> None:
    """Export an addon's data, compare the export, then remove its tables. Example: tukku addons uninstall x --dry-run"""
    _remove("uninstall", name, with_settings, dry_run, confirm, as_json, identity, actor)


@addons.command("purge")
@_one
@_dry_run
@_confirm
@json_option
@_operation
@_actor
def purge(name: str, dry_run: bool, confirm: str, as_json: bool, identity: str, actor: str) -> None:
    """Remove what an addon left whose files are gone, after an export. Example: tukku addons purge x --dry-run"""
    _remove("purge", name, True, dry_run, confirm, as_json, identity, actor)


def _remove(
    kind: RemovalKind, name: str, with_settings: bool, dry_run: bool, confirm: str, as_json: bool, identity: str, actor: str
) -> None:
    operator = Operator(config_of())
    with working(bare_app(operator.config), actor):
        removal = propose(operator.discovery, kind, name, with_settings=with_settings)
        if not dry_run and not removal.problems and confirm != name:
            _show_removal(removal)
            if click.prompt("Type the name of the addon to go on", default="", show_default=False) != name:
                raise click.ClickException("The name differs. Nothing was changed.")
        done = not dry_run and (not removal.problems or bool(identity))
        if done:
            echo = (lambda _line: None) if as_json else click.echo
            try:
                removal = remove(operator.discovery, kind, name, echo, identity, with_settings=with_settings)
            except OperationRefused as refused:
                removal = replace(removal, problems=refused.problems)
        if as_json:
            emit(removal.as_dict() | {"done": done and not removal.problems})
        elif not done or removal.problems:
            _show_removal(removal)
    if removal.problems:
        raise SystemExit(REFUSED)


def _show_removal(removal: Removal) -> None:
    if removal.problems:
        _show_problems(removal.problems, f"Cannot {removal.kind}:")
        return
    click.echo(f"To {removal.kind}: {removal.name}. Its tables are exported, read back and compared, then removed:")
    table([(name, str(count)) for name, count in removal.rows] or [("(none)", "0")], ("TABLE", "ROWS"))
    kept = "removed" if removal.with_settings else "kept"
    click.echo(f"Its settings ({removal.settings}) are {kept}; its jobs ({removal.jobs}) are removed.")


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
        _show_problems(problems, "Findings:")
        if not problems:
            click.echo("All is well.")
    if errors(problems):
        raise SystemExit(REFUSED)


def _run(operation: Callable[..., Proposal], tools: Tools, names: Sequence[str], identity: str, as_json: bool) -> Proposal:
    """Run an operation; its refusal is an answer like a proposal with problems."""
    echo = (lambda _line: None) if as_json else click.echo
    try:
        return operation(tools, names, echo, identity)
    except OperationRefused as refused:
        kind: Kind = "enable" if operation is operations.enable else "disable"
        return Proposal(kind, tuple(names), problems=refused.problems)


def _answer(proposal: Proposal, as_json: bool, *, done: bool = False) -> None:
    if as_json:
        emit(proposal.as_dict() | {"done": done and not proposal.problems})
    elif not done:
        _show_proposal(proposal)
    if proposal.problems:
        raise SystemExit(REFUSED)


def _show_proposal(proposal: Proposal) -> None:
    if proposal.problems:
        _show_problems(proposal.problems, f"Cannot {proposal.kind}:")
        return
    click.echo(f"To {proposal.kind}: {', '.join(proposal.names) or 'nothing, it is so already'}.")
    if proposal.added:
        click.echo(f"  {', '.join(proposal.added)}: required by the others.")
    for name, impact in proposal.impacts:
        click.echo(f"  {name}: {impact.message} ({impact.severity})")
    _show_problems(proposal.notices, "Notices:")


def _overview(operator: Operator) -> Overview:
    with working(bare_app(operator.config)):
        return operator.overview()


def _row(view: Overview, name: str) -> AddonRow:
    row = view.row(name)
    return row if row is not None else AddonRow(name, name, "", "available")


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
    _show_problems(row.problems, "Problems:")


def _show_problems(problems: Sequence[Problem], head: str) -> None:
    if problems:
        click.echo(head)
    for problem in problems:
        click.echo(f"  {problem.code}: {problem.message} {problem.remedy}".rstrip())


def _is_folder(name: str) -> bool:
    return (Path(name) / FILE_NAME).is_file() and ("/" in name or "\\" in name or name == ".")


def _with_folders(names: Sequence[str]) -> Config:
    """Return the configuration with the parents of the folders that were named."""
    config = config_of()
    parents = tuple(Path(n).resolve().parent for n in names if _is_folder(n))
    return replace(config, addon_paths=tuple(dict.fromkeys((*config.addon_paths, *parents))))
