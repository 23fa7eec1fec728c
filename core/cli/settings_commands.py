"""`tukku settings`: every setting with its value and where it comes from; change one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from core.cli.context import config_of, emit, json_option, table, working
from core.runtime.app import build_app
from core.settings import services
from core.settings.services import Shown
from core.settings.values import parse

HIDDEN = "•••"
target_option = click.option(
    "--for", "target", default="", metavar="TARGET", help="company:CODE or segment:CODE instead of the whole deployment."
)


@click.group("settings")
def settings() -> None:
    """See and change settings. Example: tukku settings set orders.number_prefix SO-"""


@settings.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every setting with its value and where that comes from. Example: tukku settings list"""
    with working(build_app(config_of())):
        found = services.everything()
        rows = [(s.name, _text(s), s.source, str(s.spec.label)) for s in found]
        if as_json:
            heads = ("name", "value", "source", "label")
            emit([dict(zip(heads, row, strict=True)) | {"variable": s.env_name} for s, row in zip(found, rows, strict=True)])
            return
        table(rows, ("NAME", "VALUE", "FROM", "MEANING"))


@settings.command("get")
@click.argument("name")
@click.option("--company", "code", default="", metavar="CODE", help="The value that holds for this company.")
def get(name: str, code: str) -> None:
    """Show the value that holds. Example: tukku settings get orders.minimum_order_value --company ACME"""
    from core.companies.services import company_by_code

    with working(build_app(config_of())):
        owner, spec = services.find(*_split(name))
        company = company_by_code(code).id if code else None
        click.echo(HIDDEN if spec.secret else str(services.get(owner, spec.key, company=company)))


@settings.command("history")
@click.argument("name")
@json_option
def history(name: str, as_json: bool) -> None:
    """Show who changed a setting, when, and what it was. Example: tukku settings history orders.number_prefix"""
    with working(build_app(config_of())):
        owner, spec = services.find(*_split(name))
        rows = [
            (f"{e.at:%Y-%m-%d %H:%M}", e.actor, e.entity_id, _said(e.before), _said(e.after))
            for e in services.history(owner, spec.key)
        ]
    heads = ("at", "who", "setting", "before", "after")
    if as_json:
        emit([dict(zip(heads, row, strict=True)) for row in rows])
        return
    table(rows, tuple(head.upper() for head in heads))


def _said(values: Mapping[str, Any] | None) -> str:
    value = (values or {}).get("value")
    return "default" if value is None else str(value)


@settings.command("set")
@click.argument("name")
@click.argument("value")
@target_option
def set_(name: str, value: str, target: str) -> None:
    """Change a value. Example: tukku settings set orders.minimum_order_value 50 --for company:ACME"""
    with working(build_app(config_of())):
        owner, spec = services.find(*_split(name))
        services.set_value(owner, spec.key, parse(spec, value), target=target)
    click.echo(f"{name} is set.")


@settings.command("reset")
@click.argument("name")
@target_option
def reset(name: str, target: str) -> None:
    """Forget the stored value, so that the default holds. Example: tukku settings reset orders.number_prefix"""
    with working(build_app(config_of())):
        services.reset(*_split(name), target=target)
    click.echo(f"{name} has its default again.")


def _split(name: str) -> tuple[str, str]:
    owner, dot, key = name.partition(".")
    if not dot:
        raise click.UsageError(f"Write owner and key with a point between, such as orders.number_prefix; not {name}.")
    return owner, key


def _text(shown: Shown) -> str:
    return HIDDEN if shown.spec.secret else str(shown.value)
