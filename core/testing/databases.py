"""Throw-away databases: a template is migrated once for each set of addons, every test gets a copy of it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, insert
from sqlalchemy.engine import URL, make_url

from core.data import clock, schema
from core.data.db import make_engine
from core.data.migrate import History, addon_history, core_history, upgrade
from core.testing import postgres
from core.testing.places import folder_of

BACKENDS = ("sqlite", "postgres")


class Databases:
    """Makes databases on one backend; SQLite files lie under ``folder``."""

    def __init__(self, backend: str, folder: Path) -> None:
        if backend not in BACKENDS:
            raise ValueError(f"no such test database: {backend}; there are {', '.join(BACKENDS)}")
        self.backend, self.folder = backend, folder
        self._made: list[URL] = []
        self._taken: list[tuple[URL, str]] = []

    def empty(self) -> URL:
        """Return the URL of a database without tables."""
        return self._remember(postgres.clone() if self.backend == "postgres" else _sqlite(self._new_file()))

    def migrated(self, addons: Sequence[str] = ()) -> URL:
        """Return the URL of a database with the tables of core and of ``addons``, which are enabled."""
        digest = _digest(tuple(addons))
        if self.backend == "postgres":
            name = postgres.template(digest, lambda url: _build(url, addons))
            url = postgres.take(name)
            self._taken.append((url, name))
            return url
        template = self.folder / f"template-{digest}.sqlite"
        if not template.exists():
            unfinished = template.with_suffix(".unfinished")
            _build(_sqlite(unfinished), addons)
            unfinished.rename(template)
        target = self._new_file()
        shutil.copyfile(template, target)
        return self._remember(_sqlite(target))

    def close(self) -> None:
        """Remove the databases that were made."""
        for url in self._made:
            if self.backend == "postgres":
                postgres.drop(url)
            else:
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{url.database}{suffix}").unlink(missing_ok=True)
        self._made.clear()
        for url, template in self._taken:
            postgres.give_back(url, template)
        self._taken.clear()

    def _new_file(self) -> Path:
        return self.folder / f"{len(list(self.folder.glob('*.sqlite'))) + 1}-{id(self._made)}.sqlite"

    def _remember(self, url: URL) -> URL:
        self._made.append(url)
        return url


def _sqlite(path: Path) -> URL:
    return make_url(f"sqlite:///{path}")


def _build(url: URL, addons: Sequence[str]) -> None:
    """Create the tables and say that ``addons`` are enabled."""
    schema.load()
    engine = make_engine(url)
    try:
        for history in _histories(addons):
            upgrade(engine, history)
        _enable(engine, addons)
        if engine.dialect.name == "sqlite":  # fold the write-ahead log in, so that one file is all
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()


def _enable(engine: Engine, addons: Sequence[str]) -> None:
    from core.registry.models import AddonState

    state = {"enabled": True, "version": "", "critical": False, "changed_by": "tests", "changed_at": clock.now()}
    rows = [{"name": name, **state} for name in addons]
    if rows:
        with engine.begin() as connection:
            connection.execute(insert(AddonState.__table__), rows)  # type: ignore[arg-type]


def _histories(addons: Sequence[str]) -> list[History]:
    return [core_history(), *(addon_history(name, folder_of(name)) for name in addons)]


@cache
def _digest(addons: tuple[str, ...]) -> str:
    """Return a digest of every migration concerned, so that a changed schema gets a new template."""
    digest = hashlib.sha256(",".join(addons).encode())
    for history in _histories(addons):
        for file in sorted(history.versions.glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
