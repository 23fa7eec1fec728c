"""`tukku addons check`, `new` and `migration`: for authors of addons."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from core.cli.addon_showing import overview_of, row_of, show_problems
from core.cli.context import REFUSED, config_of, emit, json_option
from core.cli.contract import addon_folder, is_folder, suite
from core.cli.scaffolding import PARTS, ScaffoldRefused, make, plan
from core.cli.scaffolding import Kind as AddonKind
from core.registry.failure import AddonFailed
from core.registry.lint import lint
from core.registry.loader import extend_path, extend_sys_path
from core.registry.overview import overview
from core.registry.problems import Problem
from core.registry.revising import RevisionRefused, write_next
from core.registry.state import Snapshot
from core.runtime.config import Config
from core.runtime.operator import Operator
from core.runtime.probe import probe


@click.command("check")
@click.argument("names", nargs=-1)
@click.option("--read-only", is_flag=True, help="Leave out the contract suite, which folders are put through.")
@json_option
def check(names: tuple[str, ...], read_only: bool, as_json: bool) -> None:
    """Read addons and try them in a process apart: those named (or a folder), else the enabled ones.

    An addon named by its folder is put through the contract suite too: migrations both ways, on, off and out, pages
    for each role, statements that do not grow. That needs pytest, which the extra `test` installs.

    Example: tukku addons check pricing_contract ./my_addons/delivery_slots
    """
    operator = Operator(_with_folders(names))
    wanted = tuple(addon_folder(n).name if is_folder(n) else n for n in names)
    try:
        view = overview_of(operator)
    except OperationalError:
        if not names:
            raise
        view = overview(operator.discovery, Snapshot())  # whoever writes an addon need not have a shop
    enabled = {row.name for row in view.rows if row.wanted}
    wanted = wanted or tuple(sorted(enabled))
    unknown = [n for n in wanted if view.row(n) is None]
    if unknown:
        raise click.ClickException(f"There is no addon {unknown[0]}. `tukku addons list` shows all.")
    required = {n for name in wanted for n in row_of(view, name).requires}
    problems = [p for name in wanted for p in row_of(view, name).problems if p.level == "error"]
    problems += probe(operator.config, wanted, enabled | set(wanted) | required) if wanted else ()
    problems += [p for name in wanted for found in operator.discovery.by_name(name) for p in lint(found)]
    if not problems and not read_only:
        problems += [p for n in names if is_folder(n) for p in suite(addon_folder(n))]
    problems = list(dict.fromkeys(problems))
    _answer_check(wanted, problems, as_json)


def _answer_check(wanted: Sequence[str], problems: Sequence[Problem], as_json: bool) -> None:
    if as_json:
        emit({"checked": wanted, "problems": [p.as_dict() for p in problems]})
    else:
        show_problems(problems, "Problems:")
        if not problems:
            click.echo(f"{', '.join(wanted) or 'No addon is enabled'}: no problems.")
    if problems:
        raise SystemExit(REFUSED)


@click.command("new")
@click.argument("name")
@click.option("--kind", type=click.Choice(["folder", "package"]), default="folder", show_default=True)
@click.option("--with", "parts", default="", help=f"Parts, separated by commas: {', '.join(PARTS)}.")
@click.option("--title", default="", help="What people read; by default made from the name.")
@click.option("--into", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".", show_default=True)
def new(name: str, kind: AddonKind, parts: str, title: str, into: Path) -> None:
    """Write a new addon that runs and passes its own tests. Example: tukku addons new delivery_slots --with models,views

    A folder is found where TUKKU_ADDON_PATHS says; a package becomes a wheel that is installed with pip.
    """
    try:
        blueprint = plan(name, title, kind, [part.strip() for part in parts.split(",") if part.strip()])
        project = make(blueprint, into)
    except ScaffoldRefused as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo(f"{project} is written: {', '.join(blueprint.parts) or 'no parts yet'}.")
    click.echo(f"  Test it:   pytest {project}")
    click.echo(f"  Check it:  tukku addons check ./{os.path.relpath(project)}")
    click.echo(f"  Run it:    TUKKU_ADDON_PATHS={into if kind == 'folder' else project} tukku addons enable {name}")


@click.command("migration")
@click.argument("name")
@click.option("-m", "--message", default="", help="What changes, in a few words; it names the file.")
def migration(name: str, message: str) -> None:
    """Write an addon's next migration from its models. Example: tukku addons migration delivery_slots -m "add a colour"

    NAME may be the addon's folder. The file is tried on a scratch database: up, down, and up again. Tables, columns and
    their types are compared; values are not moved: look at the file, and write that part by hand.
    """
    operator = Operator(_with_folders((name,)))
    name = addon_folder(name).name if is_folder(name) else name
    founds = operator.discovery.by_name(name)
    if not founds:
        raise click.ClickException(f"There is no addon {name}. `tukku addons list` shows all.")
    discovery = operator.discovery
    extend_path(discovery.folders())
    extend_sys_path(discovery.projects())
    required = [found for other in _required(operator, name) for found in discovery.by_name(other)[:1]]
    try:
        written = write_next(founds[0], required, message)
    except (RevisionRefused, AddonFailed) as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo(f"{os.path.relpath(written.path)} is written; up, down and up again work on a scratch database.")
    for warning in written.warnings:
        click.echo(f"  {warning}")
    click.echo(f"  Look at it, then run `tukku addons check {name}`; `tukku upgrade` brings a shop to it.")


def _required(operator: Operator, name: str) -> list[str]:
    """Return what an addon requires, however far, those first that others need."""
    names: dict[str, None] = {}
    for found in operator.discovery.by_name(name)[:1]:
        for other in found.manifest.requires_addons if found.manifest else ():
            names |= dict.fromkeys([*_required(operator, other), other])
    return list(names)


def _with_folders(names: Sequence[str]) -> Config:
    """Return the configuration with the parents of the folders that were named."""
    config = config_of()
    parents = tuple(addon_folder(n).parent for n in names if is_folder(n))
    return replace(config, addon_paths=tuple(dict.fromkeys((*config.addon_paths, *parents))))
