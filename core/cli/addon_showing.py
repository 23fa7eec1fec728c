"""What the commands of addons share: looking at the addons, and showing problems."""

from __future__ import annotations

from collections.abc import Sequence

import click

from core.cli.context import working
from core.registry.overview import AddonRow, Overview
from core.registry.problems import Problem
from core.runtime.app import bare_app
from core.runtime.operator import Operator


def overview_of(operator: Operator) -> Overview:
    """Return the state of every addon, without importing one."""
    with working(bare_app(operator.config)):
        return operator.overview()


def row_of(view: Overview, name: str) -> AddonRow:
    """Return an addon's row; a bare one for a name that is not installed."""
    row = view.row(name)
    return row if row is not None else AddonRow(name, name, "", "available")


def show_problems(problems: Sequence[Problem], head: str) -> None:
    """Write problems under a head; nothing where there are none."""
    if problems:
        click.echo(head)
    for problem in problems:
        click.echo(f"  {problem.code}: {problem.message} {problem.remedy}".rstrip())
