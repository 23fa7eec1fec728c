"""One Alembic history and one version table for core and for each addon.

A shared version table was tried and refused: one addon's missing files blocked every upgrade, and a
downgrade dropped another addon's tables. Owners are told apart by table name: ``<addon>_…`` belongs to an
addon, everything else to core. On SQLite a migration runs with foreign keys off (batch mode drops and
rebuilds tables, and ON DELETE CASCADE would empty their children) and is checked before it commits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from core.data.db import Base

CORE = "core"
#: What begins so (tables and indexes of the search index) is made by hand-written revisions, not by models.
_BY_HAND = "catalog_search"
_SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class History:
    """The migrations of one owner: ``core`` or an addon, and where its version files lie."""

    owner: str
    versions: Path

    @property
    def version_table(self) -> str:
        """Name of the owner's own version table."""
        return f"{self.owner}_alembic_version"

    def config(self) -> Config:
        """Return Alembic's configuration for this history."""
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", str(self.versions))
        config.attributes["history"] = self
        return config

    def owns(self, table: str, addons: tuple[str, ...] = ()) -> bool:
        """Tell whether ``table`` belongs to this owner; ``addons`` are the other owners known."""
        if self.owner != CORE:
            return table.startswith(f"{self.owner}_") and not any(
                other != self.owner and len(other) > len(self.owner) and table.startswith(f"{other}_") for other in addons
            )
        return not any(table.startswith(f"{addon}_") for addon in addons) and not table.endswith("_alembic_version")

    def head(self) -> str | None:
        """Return the newest revision on disk."""
        return ScriptDirectory.from_config(self.config()).get_current_head()

    def knows(self, revision: str) -> bool:
        """Tell whether ``revision`` is among the files on disk."""
        scripts = ScriptDirectory.from_config(self.config())
        return revision in {script.revision for script in scripts.walk_revisions()}

    def current(self, connection: Connection) -> str | None:
        """Return the revision that the database has."""
        return _context(connection, self).get_current_revision()


def core_history() -> History:
    """Return core's own history."""
    return History(CORE, _SCRIPTS / "versions")


def addon_history(name: str, folder: Path) -> History:
    """Return the history of the addon whose package lies in ``folder``."""
    return History(name, folder / "migrations" / "versions")


def upgrade(engine: Engine, history: History, revision: str = "head") -> bool:
    """Bring ``history`` to ``revision``; returns whether anything changed. Rolls back as a whole on failure."""
    if not any(history.versions.glob("*.py")):
        return False
    return _run(engine, history, lambda config: command.upgrade(config, revision))


def downgrade(engine: Engine, history: History, revision: str = "base") -> bool:
    """Take ``history`` back to ``revision``; ``base`` removes all of the owner's tables and its version table."""
    changed = _run(engine, history, lambda config: command.downgrade(config, revision))
    if revision == "base":
        with engine.begin() as connection:
            connection.execute(text(f'DROP TABLE IF EXISTS "{history.version_table}"'))
    return changed


def pending(engine: Engine, history: History) -> bool:
    """Tell whether the database is behind the code of ``history``."""
    if not any(history.versions.glob("*.py")):
        return False
    with engine.connect() as connection:
        return history.current(connection) != history.head()


def drift(engine: Engine, history: History, addons: tuple[str, ...] = ()) -> list[Any]:
    """Return the differences between the models and the migrated database; empty when they agree."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda item, name, kind, reflected, other: (
                    not str(name).startswith(_BY_HAND) and (kind != "table" or history.owns(name, addons))
                ),
                "version_table": history.version_table,
                "compare_type": True,
            },
        )
        return list(compare_metadata(context, Base.metadata))


def _context(connection: Connection, history: History) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": history.version_table})


def _run(engine: Engine, history: History, act: Callable[[Config], None]) -> bool:
    config = history.config()
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as raw:
        connection = raw.execution_options(tukku_write=True)
        if sqlite:  # inside a transaction the pragma does nothing, so it goes first, straight to the driver
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        try:
            with connection.begin():
                before = history.current(connection)
                config.attributes["connection"] = connection
                act(config)
                after = history.current(connection)
                if sqlite:
                    _check_foreign_keys(connection)
        finally:
            if sqlite:
                connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]
    return before != after


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"the migration would leave rows without their parent: {broken[:5]}")


def write_initial(history: History, models: Mapping[str, Any] | None = None, addons: tuple[str, ...] = ()) -> Path:
    """Write the history's first revision anew from the models; used until the first release, by developers."""
    from alembic.autogenerate import produce_migrations, render_python_code
    from sqlalchemy import create_engine

    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda item, name, kind, reflected, other: kind != "table" or history.owns(name, addons),
                "target_metadata": Base.metadata,
                "user_module_prefix": None,
            },
        )
        script = produce_migrations(context, Base.metadata)
        assert script.upgrade_ops is not None and script.downgrade_ops is not None  # noqa: PT018
        body = render_python_code(script.upgrade_ops, render_as_batch=False, render_item=render_item)
        undo = render_python_code(script.downgrade_ops, render_as_batch=False, render_item=render_item)
    history.versions.mkdir(parents=True, exist_ok=True)
    path = history.versions / "0001_initial.py"
    path.write_text(
        f'"""The first schema of {history.owner}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        "from core.data import types\n\n"
        f'revision = "{history.owner}_0001"\ndown_revision = None\nbranch_labels = None\ndepends_on = None\n\n\n'
        f"def upgrade() -> None:\n    {body}\n\n\ndef downgrade() -> None:\n    {undo}\n"
    )
    return path


def render_item(kind: str, item: Any, context: Any) -> Any:
    """Write core's own column types as ``types.Name()``; False leaves the rest to Alembic."""
    if kind != "type":
        return False
    module = type(item).__module__
    if module == "core.data.types":
        return f"types.{type(item).__name__}()"
    if type(item).__name__ == "JSON":
        return "types.Json"
    return False
