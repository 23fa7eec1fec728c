"""Apps that tests borrow one after another, because building one takes longer than most tests.

What a test can leave in an app lies in its attributes and in the dicts, lists and sets that hang on them (`config`,
`extensions` with all that is kept there, functions around requests), or in its engine. When a test is done with an app,
they hold again what they held when it was built, and the next test gives it a database, an engine and a data directory
of its own. Only what no test has a part in stays: compiled templates and addresses. Where the next test has the same
database of PostgreSQL, emptied, it has its connections as well, reset: new ones would have to get to know the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask

from core.data.db import db, make_engine, normalise_url
from core.registry.registry import EXTENSION, Registry
from core.testing import postgres
from core.testing.apps import full_app, share_compiled

#: Apps that nobody uses now, by database and addons.
_free: dict[tuple[str, ...], list[_Built]] = {}
#: The one whose connections wait for the next test.
_warm: list[_Built] = []


class _Built:
    """An app, and what its containers held when it was built."""

    def __init__(self, app: Flask, url: str) -> None:
        self.app, self.url = app, url
        self._attributes = [(owner, dict(vars(owner))) for owner in (app, app.jinja_env)]
        self._contents: list[tuple[Any, Any]] = []
        for _owner, attributes in self._attributes:
            self._note(attributes.values())
        self._rules = list(app.url_map.iter_rules())

    def restore(self) -> bool:
        """Bring everything back to what it was; False where that cannot be, because an address was added."""
        for owner, attributes in self._attributes:
            vars(owner).clear()
            vars(owner).update(attributes)
        for container, content in self._contents:
            container.clear()
            (container.extend if isinstance(container, list) else container.update)(content)
        self.app.extensions[EXTENSION].incidents.take()
        return list(self.app.url_map.iter_rules()) == self._rules

    def move(self, url: str, data_dir: Path) -> None:
        """Let the app work on another database, with a new engine, and in another data directory."""
        app, parsed = self.app, normalise_url(url)
        app.extensions["tukku.config"] = replace(app.extensions["tukku.config"], database_url=url, data_dir=data_dir)
        app.config.update(SQLALCHEMY_DATABASE_URI=parsed, TUKKU_DATA_DIR=str(data_dir))
        if self not in _warm or self.url != url:
            self.leave()
            with app.app_context():
                db.engines[None] = make_engine(parsed)  # type: ignore[index]
            share_compiled(app)
        self.url = url

    def leave(self) -> None:
        """Close the app's connections."""
        with self.app.app_context():
            db.engine.dispose()

    def be_the_only_warm(self) -> None:
        """Close the connections of another app that wait."""
        while _warm:
            if (other := _warm.pop()) is not self:
                other.leave()

    def rest(self) -> None:
        """Keep the app's connections for the next test, if that is going to be on the same database."""
        self.be_the_only_warm()
        with self.app.app_context():
            kept = db.engine.dialect.name == "postgresql" and postgres.rest(db.engine)
        if kept:
            _warm.append(self)
        else:
            self.leave()

    def _note(self, values: Any) -> None:
        for value in values:
            if isinstance(value, (dict, list, set)):
                self._contents.append((value, value.copy()))
                self._note(value.values() if isinstance(value, dict) else value)


@contextmanager
def lent(url: str, data_dir: Path, addons: Sequence[str]) -> Iterator[Flask]:
    """Yield an app on a database that was migrated for ``addons`` and holds nothing; it is kept for further tests."""
    free = _free.setdefault((normalise_url(url).get_backend_name(), *addons), [])
    built = next((one for one in free if one.url == url), free[-1] if free else None)
    if built is None:
        built = _Built(full_app(url, data_dir), url)
    else:
        free.remove(built)
        built.move(url, data_dir)
    built.be_the_only_warm()
    try:
        yield built.app
    finally:
        with built.app.app_context():
            db.session.remove()
    if built.restore() and _sound(built.app, addons):
        free.append(built)
        built.rest()
    else:
        built.leave()


def _sound(app: Flask, addons: Sequence[str]) -> bool:
    """Tell whether all that was asked for runs; if not, the build wrote why into the database that it had."""
    registry: Registry = app.extensions[EXTENSION]
    return set(registry.plan.names) == set(addons) and not registry.plan.problems
