"""`tukku addons enable`, `disable`, `upgrade`, `uninstall` and `purge`: shown before, then done one step after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from core.cli.addon_showing import show_problems
from core.cli.context import REFUSED, config_of, emit, json_option, table, working
from core.registry import operations
from core.registry.operations import Kind, Proposal, Tools
from core.registry.oplog import OperationRefused
from core.registry.removal import Removal, RemovalKind, propose, remove
from core.runtime.app import bare_app, build_app
from core.runtime.operator import Operator
from core.runtime.seeding import load_seeds

_names = click.argument("names", nargs=-1, required=True)
_dry_run = click.option("--dry-run", is_flag=True, help="Show the plan and the impact, and change nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask before a change that also concerns other addons.")
_operation = click.option("--operation", "identity", default="", hidden=True)
_actor = click.option("--actor", default="", hidden=True)


@click.command("enable")
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


@click.command("disable")
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


@click.command("upgrade")
@_dry_run
@json_option
@_operation
@_actor
def upgrade(dry_run: bool, as_json: bool, identity: str, actor: str) -> None:
    """Bring tables of core and enabled addons to their code, as `tukku upgrade`. Example: tukku addons upgrade --dry-run"""
    operator = Operator(config_of())
    echo = (lambda _line: None) if as_json else click.echo
    with working(bare_app(operator.config), actor):
        proposal = operations.propose_upgrade(operator.discovery)
        if dry_run:
            _answer(proposal, as_json)
            return
        operations.upgrade_all(operator.discovery, echo, identity)
    with working(build_app(operator.config), actor):
        load_seeds(echo)
    _answer(proposal, as_json, done=True)


_one = click.argument("name")
_confirm = click.option("--confirm", default="", help="The name again; without it, it is asked for.")


@click.command("uninstall")
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


@click.command("purge")
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
                removal = remove(
                    operator.discovery, kind, name, echo, identity,
                    with_settings=with_settings, readable=operator.readable,
                )  # fmt: skip
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
        show_problems(removal.problems, f"Cannot {removal.kind}:")
        return
    click.echo(f"To {removal.kind}: {removal.name}. Its tables are exported, read back and compared, then removed:")
    table([(name, str(count)) for name, count in removal.rows] or [("(none)", "0")], ("TABLE", "ROWS"))
    for known in (one for one in removal.references if one.count):
        click.echo(f"{known.count} rows of {known.target} stay and lose what {known.table}.{known.column} says of them.")
    if removal.holds:
        click.echo(f"{removal.holds} holds of it stay on orders, until somebody releases them by force.")
    kept = "removed" if removal.with_settings else "kept"
    click.echo(f"Its settings ({removal.settings}) are {kept}; its jobs ({removal.jobs}) are removed.")


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
        show_problems(proposal.problems, f"Cannot {proposal.kind}:")
        return
    click.echo(f"To {proposal.kind}: {', '.join(proposal.names) or 'nothing, it is so already'}.")
    if proposal.added:
        click.echo(f"  {', '.join(proposal.added)}: required by the others.")
    for name, impact in proposal.impacts:
        click.echo(f"  {name}: {impact.message} ({impact.severity})")
    show_problems(proposal.notices, "Notices:")
