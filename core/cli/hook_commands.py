"""`tukku hooks`: what addons can hook into, and who does."""

from __future__ import annotations

from typing import Any

import click

from core.cli.context import config_of, emit, json_option, table, working
from core.registry.registry import HookInfo, Registry
from core.runtime.app import bare_app
from core.runtime.operator import Operator


@click.group("hooks")
def hooks() -> None:
    """See what addons can hook into, and who does. Example: tukku hooks list"""


@hooks.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every hook with its kind, error policy and users. Example: tukku hooks list"""
    registry = _registry()
    found = [_described(registry, info) for info in registry.hooks.values()]
    if as_json:
        emit(found)
        return
    rows = [(h["name"], h["kind"], h["on_error"], ", ".join(h["used_by"])) for h in found]
    table(rows, ("HOOK", "KIND", "ON ERROR", "USED BY"))


@hooks.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show one hook: arguments, result, and what each user contributes. Example: tukku hooks show price_steps"""
    registry = _registry()
    info = registry.hooks.get(name)
    if info is None:
        raise click.ClickException(f"There is no hook {name}. `tukku hooks list` shows all.")
    described = _described(registry, info)
    if as_json:
        emit(described)
        return
    click.echo(f"{name}({', '.join(info.arguments)}) -> {described['result'] or 'nothing typed'}")
    click.echo(f"{info.kind}, on error: {info.on_error}, since {info.since}\n\n{info.help}\n")
    for entry in described["contributions"]:
        click.echo(f"  {entry['owner']}: {entry['key']}")
    if not described["contributions"]:
        click.echo(f"Used by: {', '.join(described['used_by']) or 'nobody'}")


def _registry() -> Registry:
    operator = Operator(config_of())
    with working(bare_app(operator.config)):
        return operator.registry


def _described(registry: Registry, info: HookInfo) -> dict[str, Any]:
    contributions = registry.contributed.get(info.name, ())
    implementations = registry.implementations.get(info.name, ())
    used_by = dict.fromkeys([*(c.owner for c in contributions), *(i.owner for i in implementations)])
    return {
        "name": info.name,
        "kind": info.kind,
        "on_error": info.on_error,
        "since": info.since,
        "arguments": info.arguments,
        "result": info.result.__name__ if info.result else "",
        "help": info.help,
        "used_by": tuple(used_by),
        "contributions": [{"owner": c.owner, "key": str(getattr(c.value, "key", ""))} for c in contributions],
    }
