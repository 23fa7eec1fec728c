"""`tukku`: core's own commands by name, those of domains directly, those of addons under `tukku <addon> …`.

A command is imported when it is called. Only commands that domains and addons contribute need the whole app, so
`tukku addons …` works when an addon is broken.
"""

from __future__ import annotations

import importlib

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from core.cli.context import config_of, failed, working
from core.data.db import waited_too_long
from core.registry.assembly import Refused
from core.registry.registry import EXTENSION, Registry
from core.spec.errors import TukkuError
from core.version import VERSION

OWN = {
    "addons": "core.cli.addon_commands:addons",
    "backup": "core.cli.backup_commands:backup",
    "check": "core.cli.setup_commands:check",
    "doctor": "core.cli.doctor_command:doctor",
    "hooks": "core.cli.hook_commands:hooks",
    "i18n": "core.cli.i18n_commands:i18n",
    "init": "core.cli.setup_commands:init",
    "jobs": "core.cli.jobs_commands:jobs",
    "seed": "core.cli.setup_commands:seed",
    "serve": "core.cli.setup_commands:serve",
    "restore": "core.cli.backup_commands:restore",
    "settings": "core.cli.settings_commands:settings",
    "upgrade": "core.cli.setup_commands:upgrade",
    "worker": "core.cli.jobs_commands:worker",
}


class Tukku(click.Group):
    """Finds commands: core's own first, then what the running domains and addons contribute."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names; where the app cannot be built, core's own."""
        try:
            return sorted({*OWN, *self._contributed(ctx)})
        except (TukkuError, click.ClickException, OperationalError, Refused) as error:
            click.echo(f"Commands of domains and addons are not shown: {plain(error)}", err=True)
            return sorted(OWN)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return one command; None for a name that neither core nor a running addon has."""
        if name in OWN:
            module, attribute = OWN[name].split(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        return self._contributed(ctx).get(name)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a refusal becomes a sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except TukkuError as error:
            raise failed(error) from error
        except (OperationalError, Refused) as error:
            raise click.ClickException(plain(error)) from error

    def _contributed(self, ctx: click.Context) -> dict[str, click.Command]:
        """Return contributed commands; they run inside the app, which is built at the first need."""
        if "commands" not in ctx.meta:
            from core.runtime.app import build_app

            app = build_app(config_of(ctx))
            ctx.with_resource(working(app))
            ctx.meta["commands"] = contributed_commands(app)
        found: dict[str, click.Command] = ctx.meta["commands"]
        return found


def plain(error: Exception) -> str:
    """Return an error as a sentence; a database that is busy, or cannot be opened, gets a hint."""
    if isinstance(error, OperationalError) and waited_too_long(error):
        return "Something else was writing to the database for too long, so this was stopped. Try again."
    if isinstance(error, OperationalError):
        return f"The database cannot be used: {error.orig}. `tukku init` creates a new one."
    return str(error)


def contributed_commands(app: Flask) -> dict[str, click.Command]:
    """Return the commands of domains by name, and a group for each addon that has commands."""
    registry: Registry = app.extensions[EXTENSION]
    commands: dict[str, click.Command] = {}
    for contribution in registry.contributions("app_commands"):
        owner, command = contribution.owner, contribution.value.command
        if registry.is_core(owner):
            commands.setdefault(command.name or "", command)
            continue
        group = commands.setdefault(owner, click.Group(owner, help=f"Commands of the addon {owner}."))
        if isinstance(group, click.Group):
            group.add_command(command)
    return commands


@click.group(cls=Tukku, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="Tukku")
def main() -> None:
    """Tukku: B2B commerce in modules. Example: tukku init --demo && tukku serve"""


if __name__ == "__main__":
    main(prog_name="tukku")
