"""Make a backup, and prove it by restoring it elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine, inspect, text

from core.data import clock
from core.data.backup import postgres, sqlite
from core.data.backup.archive import BackupFailed, Manifest, Writer, fingerprint, writing
from core.data.backup.restoring import check_restorable, rehearse
from core.data.db import make_engine
from core.data.migrate import History
from core.version import VERSION

_VERSION_TABLE = "_alembic_version"


def backup(
    url: str,
    data_dir: Path,
    target: Path,
    histories: Mapping[str, History],
    *,
    secret_key: str = "",
    say: Callable[[str], None] = lambda text: None,
) -> Manifest:
    """Write a backup to ``target`` and return its manifest; BackupFailed if it exists or cannot be proven.

    The shop may go on working. ``histories`` are those of core and of the addons found, by owner.
    """
    if target.exists():
        raise BackupFailed("BACKUP-EXISTS", f"{target} exists, and a backup overwrites nothing: give another name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".backup-", dir=target.parent) as scratch, writing(target) as writer:
        say("Copying the database …")
        facts = _database(url, Path(scratch), writer)
        say("Adding the stored files …")
        _add_files(writer, data_dir, facts.digests)
        manifest = facts.manifest(writer.members, fingerprint(secret_key))
        writer.finish(manifest)
    try:
        check_restorable(manifest, histories)
        say("Restoring it elsewhere, as a proof …")
        rehearse(target, url, histories)
    except BaseException:
        target.unlink()
        raise
    return manifest


class Facts:
    """What the copied database says of itself."""

    def __init__(self, connection: Connection, tables: Collection[str], counts: dict[str, int]) -> None:
        self.database = connection.dialect.name
        self.counts = counts
        self.columns = {t: [c["name"] for c in inspect(connection).get_columns(t)] for t in tables}
        self.revisions = {
            table.removesuffix(_VERSION_TABLE): revision
            for table in tables
            if table.endswith(_VERSION_TABLE) and (revision := connection.scalar(text(f'SELECT version_num FROM "{table}"')))  # noqa: S608
        }
        enabled = text("SELECT name, version FROM core_addon WHERE enabled ORDER BY name")
        self.addons = {row.name: row.version for row in connection.execute(enabled)}
        self.digests = list(connection.scalars(text("SELECT DISTINCT sha256 FROM core_file ORDER BY sha256")))

    def manifest(self, members: Mapping[str, str], secret_key: str) -> Manifest:
        """Return the manifest of a backup with these members."""
        return Manifest(
            version=VERSION,
            created_at=clock.now().isoformat(),
            database=self.database,
            revisions=self.revisions,
            addons=self.addons,
            counts=self.counts,
            members=dict(members),
            secret_key=secret_key,
            columns=self.columns,
        )


def _database(url: str, scratch: Path, writer: Writer) -> Facts:
    engine = make_engine(url)
    try:
        return (
            _copy_sqlite(engine, scratch, writer)
            if engine.dialect.name == "sqlite"
            else _copy_tables(engine, scratch, writer)
        )
    finally:
        engine.dispose()


def _copy_sqlite(engine: Engine, scratch: Path, writer: Writer) -> Facts:
    copy = scratch / sqlite.MEMBER
    sqlite.copy(Path(str(engine.url.database)), copy)
    sqlite.check(copy)
    writer.add(sqlite.MEMBER, copy)
    with sqlite.reading(copy) as connection:
        tables = sqlite.tables(connection)
        return Facts(connection, tables, sqlite.counts(connection, tables))


def _copy_tables(engine: Engine, scratch: Path, writer: Writer) -> Facts:
    with postgres.snapshot(engine) as connection:
        tables = postgres.tables(connection)
        counts = {table: postgres.dump(connection, table, scratch / table) for table in tables}
        facts = Facts(connection, tables, counts)
    for table in tables:
        writer.add(postgres.member(table), scratch / table)
    return facts


def _add_files(writer: Writer, data_dir: Path, digests: Collection[str]) -> None:
    """Add the bytes of every file that the copied database names; they were written before their rows."""
    for digest in digests:
        name = f"files/{digest[:2]}/{digest}"
        path = data_dir / name
        if not path.is_file():
            raise BackupFailed("FILE-MISSING", f"{path} is missing, although the database names it: put it back first.")
        writer.add(name, path)
        if writer.members[name] != digest:
            raise BackupFailed("FILE-DAMAGED", f"{path} is not the file that was stored.")
