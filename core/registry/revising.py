"""Write an addon's next migration: what its models say now, less what its migrations make on a scratch database.

    core and required addons → the addon's own migrations → compare with its models → write → up, down, up again

The deployment's database is never touched. What is written is tried at once; one that does not work is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import Engine

from core.data import schema
from core.data.db import Base, make_engine
from core.data.migrate import History, addon_history, core_history, downgrade, drift, render_item, upgrade
from core.registry.loader import load
from core.registry.sources import Found

_NUMBER = re.compile(r"(\d{4})_\w+\.py")


class RevisionRefused(Exception):
    """No migration was written; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Written:
    """The new file, and what whoever ships it should know: data that it takes away."""

    path: Path
    warnings: tuple[str, ...] = ()


def write_next(found: Found, required: Sequence[Found], message: str) -> Written:
    """Write the next migration of an addon; ``required`` are the addons that it needs, those first that others need."""
    schema.load()
    for one in (*required, found):
        load(one)
    history = addon_history(found.name, found.location)
    with TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'scratch.sqlite'}")
        try:
            for before in (core_history(), *(addon_history(one.name, one.location) for one in required), history):
                upgrade(engine, before)
            others = tuple(one.name for one in required)
            written = _write(engine, history, others, message)
            _try(engine, history, others, written.path)
        finally:
            engine.dispose()
    return written


def _write(engine: Engine, history: History, others: tuple[str, ...], message: str) -> Written:
    script = _difference(engine, history, others)
    up, down = script.upgrade_ops, script.downgrade_ops
    if up is None or down is None or up.is_empty():
        said = "The migrations of {} make what its models say: there is nothing to write."
        raise RevisionRefused(said.format(history.owner))
    changes = list(_flat(up.ops))
    _refuse_columns_that_rows_lack(changes)
    number = _next_number(history)
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40] or ("initial" if number == 1 else "change")
    path = history.versions / f"{number:04}_{slug}.py"
    before = f'"{history.head()}"' if number > 1 else "None"
    history.versions.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'"""{message or slug.replace("_", " ").capitalize()}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        "from core.api import data as types\n\n"
        f'revision = "{history.owner}_{number:04}"\ndown_revision = {before}\nbranch_labels = None\ndepends_on = None\n\n\n'
        f"def upgrade() -> None:\n    {_rendered(up)}\n\n\ndef downgrade() -> None:\n    {_rendered(down)}\n",
        encoding="utf-8",
    )
    return Written(path, tuple(_losses(changes)))


def _difference(engine: Engine, history: History, others: tuple[str, ...]) -> Any:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda item, name, kind, reflected, other: (
                    kind != "table" or history.owns(str(name), others)
                ),
                "target_metadata": Base.metadata,
                "version_table": history.version_table,
                "user_module_prefix": None,
                "compare_type": True,
            },
        )
        return produce_migrations(context, Base.metadata)


def _rendered(changes: ops.UpgradeOps | ops.DowngradeOps) -> str:
    text = render_python_code(changes, render_as_batch=True, render_item=render_item)
    return "\n".join(line for line in text.split("\n") if "# ###" not in line).strip()


def _flat(changes: Sequence[Any]) -> Iterator[Any]:
    for change in changes:
        if isinstance(change, ops.OpContainer):
            yield from _flat(change.ops)
        else:
            yield change


def _refuse_columns_that_rows_lack(changes: Sequence[Any]) -> None:
    for change in changes:
        if isinstance(change, ops.AddColumnOp) and not change.column.nullable and change.column.server_default is None:
            where = f"{change.table_name}.{change.column.name}"
            raise RevisionRefused(
                f"The new column {where} may not be empty, and rows that are there have no value for it: give it a "
                "server_default, or let it be empty."
            )


def _losses(changes: Sequence[Any]) -> Iterator[str]:
    for change in changes:
        if isinstance(change, ops.DropTableOp):
            yield f"It removes the table {change.table_name} with its rows."
        if isinstance(change, ops.DropColumnOp):
            yield f"It removes the column {change.table_name}.{change.column_name} with its values."
        if isinstance(change, ops.AlterColumnOp) and change.modify_type is not None:
            where = f"{change.table_name}.{change.column_name}"
            was, now = (_plain(kind) for kind in (change.existing_type, change.modify_type))
            yield f"It makes the column {where} {now}, which was {was}: values that do not fit stop it, or are cut."


def _plain(kind: Any) -> str:
    """Return a type as databases name it, of core's own types by their name."""
    return type(kind).__name__ if type(kind).__module__ == "core.data.types" else str(kind)


def _next_number(history: History) -> int:
    numbers = [int(found[1]) for path in history.versions.glob("*.py") if (found := _NUMBER.fullmatch(path.name))]
    return max(numbers, default=0) + 1


def _try(engine: Engine, history: History, others: tuple[str, ...], path: Path) -> None:
    """Up, down and up again; a migration that cannot is taken away."""
    try:
        upgrade(engine, history)
        left = drift(engine, history, others)
        if left:
            raise RevisionRefused(f"The new migration does not make all that the models say: {left}.")
        downgrade(engine, history, "-1")
        upgrade(engine, history)
    except Exception as error:
        path.unlink()
        if isinstance(error, RevisionRefused):
            raise
        said = f"The migration that was made does not run: {str(error).splitlines()[0]}"
        raise RevisionRefused(f"{said} Write it by hand in {path.parent}.") from error
