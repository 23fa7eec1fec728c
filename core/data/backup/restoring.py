"""Restore a backup into an empty place, verified before it takes effect; and rehearse that after each backup."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from core.data.backup import postgres, sqlite
from core.data.backup.archive import BackupFailed, Manifest, extract, read_manifest
from core.data.db import make_engine, normalise_url
from core.data.migrate import CORE, History, downgrade, upgrade

_PAUSED = "This job was waiting when the backup was made. `tukku jobs retry` runs it."


def restore(
    source: Path,
    url: str,
    data_dir: Path,
    histories: Mapping[str, History],
    *,
    say: Callable[[str], None] = lambda text: None,
) -> Manifest:
    """Restore ``source`` into an empty database and data directory, and return its manifest.

    BackupFailed, with nothing changed, if they are not empty, or the backup is damaged, newer than this code, or of
    an addon that is not installed. Mail and other waiting jobs do not run by themselves afterwards.
    """
    manifest = read_manifest(source)
    check_restorable(manifest, histories)
    target = normalise_url(url)
    _check_empty(target, data_dir, manifest)
    data_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".restore-", dir=data_dir) as scratch:
        folder = Path(scratch)
        say("Unpacking and checking …")
        extract(source, manifest, folder)
        say("Filling the database …")
        finish = _restore_sqlite if manifest.database == "sqlite" else _restore_postgres
        with finish(target, folder, manifest, histories):
            if (folder / "files").is_dir():
                (folder / "files").rename(data_dir / "files")
    return manifest


def check_restorable(manifest: Manifest, histories: Mapping[str, History]) -> None:
    """Raise BackupFailed if this code does not know a schema of the backup."""
    for owner, revision in manifest.revisions.items():
        if owner not in histories:
            raise BackupFailed("ADDON-UNKNOWN", f"The backup has data of the addon {owner}, which is not installed here.")
        if not histories[owner].knows(revision):
            what = "Tukku" if owner == CORE else f"the addon {owner}"
            raise BackupFailed(
                "BACKUP-NEWER", f"The backup was made by a newer version of {what} (revision {revision}): update first."
            )


def rehearse(source: Path, url: str, histories: Mapping[str, History]) -> None:
    """Restore a backup into a scratch database and folder, which are removed."""
    with TemporaryDirectory(prefix=".rehearsal-", dir=source.parent) as scratch:
        folder = Path(scratch)
        if normalise_url(url).get_backend_name() == "sqlite":
            restore(source, f"sqlite:///{folder / 'rehearsal.sqlite'}", folder / "data", histories)
            return
        with _scratch_database(normalise_url(url)) as other:
            if other is None:  # not allowed to create one: at least every digest is checked
                extract(source, read_manifest(source), folder)
            else:
                restore(source, other, folder / "data", histories)


@contextmanager
def _scratch_database(url: URL) -> Iterator[str | None]:
    name = f"tukku_rehearsal_{secrets.token_hex(6)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            try:
                connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
            except DBAPIError:
                yield None
                return
            try:
                yield url.set(database=name).render_as_string(hide_password=False)
            finally:
                connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    finally:
        engine.dispose()


def _check_empty(url: URL, data_dir: Path, manifest: Manifest) -> None:
    if url.get_backend_name() != manifest.database:
        other = "another kind of database"
        raise BackupFailed("OTHER-DATABASE", f"The backup is of {manifest.database}, and TUKKU_DATABASE_URL names {other}.")
    if (data_dir / "files").exists():
        raise BackupFailed("NOT-EMPTY", f"{data_dir / 'files'} exists, and a restore overwrites nothing: empty it first.")
    if manifest.database == "sqlite":
        if Path(str(url.database)).exists():
            raise BackupFailed("NOT-EMPTY", f"{url.database} exists, and a restore overwrites nothing: move it away.")
        return
    engine = make_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise BackupFailed("NOT-EMPTY", f"The database {url.database} has tables: restore into a new one.")
    finally:
        engine.dispose()


@contextmanager
def _restore_sqlite(url: URL, folder: Path, manifest: Manifest, histories: Mapping[str, History]) -> Iterator[None]:
    """Prepare the database, and put it into its place when the block has ended well."""
    copy, target = folder / sqlite.MEMBER, Path(str(url.database))
    sqlite.check(copy)
    engine = make_engine(make_url(f"sqlite:///{copy}"))
    try:
        with engine.connect().execution_options(tukku_write=True) as connection, connection.begin():
            _compare(manifest, sqlite.counts(connection, sqlite.tables(connection)))
            _pause_jobs(connection)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
    yield
    target.parent.mkdir(parents=True, exist_ok=True)
    copy.rename(target)


@contextmanager
def _restore_postgres(url: URL, folder: Path, manifest: Manifest, histories: Mapping[str, History]) -> Iterator[None]:
    """Create the tables by their migrations and load them; all of them are removed again on failure."""
    engine = make_engine(url)
    owners = sorted(manifest.revisions, key=lambda owner: (owner != CORE, owner))
    try:
        for owner in owners:
            upgrade(engine, histories[owner], manifest.revisions[owner])
        with engine.begin() as connection:
            postgres.load(connection, folder, manifest.columns)
            _compare(manifest, postgres.counts(connection, postgres.tables(connection)))
            _pause_jobs(connection)
            yield
    except BaseException:
        _remove(engine, [histories[owner] for owner in reversed(owners)])
        raise
    finally:
        engine.dispose()


def _remove(engine: Engine, histories: list[History]) -> None:
    for history in histories:
        downgrade(engine, history)


def _compare(manifest: Manifest, found: Mapping[str, int]) -> None:
    wrong = {t: (n, found.get(t)) for t, n in manifest.counts.items() if found.get(t) != n}
    if wrong:
        table, (expected, got) = next(iter(wrong.items()))
        raise BackupFailed("RESTORE-INCOMPLETE", f"{table} has {got} rows instead of the {expected} that were backed up.")


def _pause_jobs(connection: Connection) -> None:
    """Let nothing that waited run by itself, or old mail would be sent again; periodic work is planned anew."""
    waiting = "state IN ('waiting', 'running', 'held')"
    connection.execute(text(f"DELETE FROM core_job WHERE {waiting} AND unique_key LIKE 'periodic:%'"))  # noqa: S608
    paused = f"UPDATE core_job SET state = 'failed', unique_key = NULL, error = :why WHERE {waiting}"  # noqa: S608
    connection.execute(text(paused), {"why": _PAUSED})
