"""What commands share: configuration, app contexts, plain output, errors with exit codes."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask

from core.data.scope import acting, system
from core.registry.oplog import Busy
from core.runtime.config import Config, load_config
from core.spec.errors import TukkuError

#: Documented in the operations guide: 0 done, 1 refused or problems found, 2 wrong usage, 3 another operation runs.
REFUSED, USAGE, BUSY = 1, 2, 3


class Failed(click.ClickException):
    """A refusal with a sentence."""

    exit_code = REFUSED


class Waiting(Failed):
    """A refusal because another operation is running."""

    exit_code = BUSY


def failed(error: TukkuError) -> Failed:
    """Return the exception that ends the command with the error's sentence and exit code."""
    kind = Waiting if isinstance(error, Busy) else Failed
    return kind(f"{error.code}: {error.message}")


def config_of(context: click.Context | None = None) -> Config:
    """Return the configuration, read once for each call of `tukku`."""
    root = (context or click.get_current_context()).find_root()
    if not isinstance(root.obj, Config):
        try:
            root.obj = load_config()
        except TukkuError as error:
            raise failed(error) from error
    config: Config = root.obj
    return config


@contextmanager
def working(app: Flask, actor: str = "") -> Iterator[Flask]:
    """Run the block inside the app as the person at the command line; `TukkuError` becomes an exit code."""
    try:
        with app.app_context(), acting(system(actor or f"tukku ({user()})")):
            yield app
    except TukkuError as error:
        raise failed(error) from error


def user() -> str:
    """Return the name of the operating system's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def emit(value: Any) -> None:
    """Write a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...]) -> None:
    """Write rows under heads, in columns as wide as their content."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    for row in (heads, *rows):
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
