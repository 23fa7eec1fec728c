"""A small deployment: one core domain with a home page, the toy addon and the zoo of broken ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from core.data import clock
from core.registry.assembly import Ingredients
from core.registry.registry import EXTENSION, Registry
from core.registry.sources import Discovery, FolderSource, discover
from core.registry.state import Snapshot, Stored
from core.runtime.app import make_app
from core.runtime.config import Config
from core.spec.app import Mount
from core.spec.markers import hookimpl
from core.ui import assets
from core.ui.access import public

TESTS = Path(__file__).parents[2]
SECRET = "not-a-secret-but-long-enough-for-the-check"


class Domain:
    """A core domain with a home page and the static files that error pages need."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount both."""
        bp = Blueprint("shop", __name__)
        bp.get("/")(public("the home page")(lambda: "the shop is up"))
        return [Mount(bp, "shop", prefix=""), Mount(assets.bp, "shop", prefix="")]


@pytest.fixture
def zoo() -> Discovery:
    """Everything that lives in the zoo, and the toy."""
    return discover([FolderSource(TESTS / "zoo"), FolderSource(TESTS)])


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration on a database file that is never written."""
    return Config(tmp_path, f"sqlite:///{tmp_path / 'empty.sqlite'}", SECRET, testing=True)


@pytest.fixture
def ingredients(zoo: Discovery) -> Callable[..., Ingredients]:
    """What a build with these addons enabled is made of."""

    def mix(*names: str, discovery: Discovery = zoo, critical: Iterable[str] = (), **options: bool) -> Ingredients:
        states = {n: Stored(n, True, "1.0", n in critical, "tests", clock.now()) for n in names}
        return Ingredients((("shop", Domain),), discovery, Snapshot(3, states), **options)

    return mix


@pytest.fixture
def built(config: Config, ingredients: Callable[..., Ingredients]) -> Callable[..., Flask]:
    """Build an app with these addons enabled."""
    return lambda *names, **options: make_app(config, ingredients(*names, **options))


def registry_of(app: Flask) -> Registry:
    """Return the app's registry."""
    found: Registry = app.extensions[EXTENSION]
    return found
