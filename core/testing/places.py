"""Where tests find addons: those that come with Tukku, those installed, and the one whose tests are run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from core.registry.manifest import FILE_NAME, read_manifest
from core.registry.sources import Discovery, default_sources, discover

#: Folders to search, in the order of TUKKU_ADDON_PATHS; filled by the pytest plugin from what it was asked to run.
PATHS: list[Path] = []
#: The addon that `pytest --addon FOLDER` checks.
CHECKED = ""


def check(folder: Path) -> None:
    """Search around ``folder``, and let the contract suite check the addon in it."""
    global CHECKED  # noqa: PLW0603  (one pytest run checks one addon)
    search_around([folder])
    CHECKED = read_manifest(next(iter(_addons(folder.resolve())), folder), name_is_folder=False).name


def search_around(asked: Iterable[Path]) -> None:
    """Search the folders of addons that these files lie in, or that lie in these folders."""
    for path in asked:
        for place in _addons(path.resolve()):
            if place.parent not in PATHS:
                PATHS.append(place.parent)


def _addons(path: Path) -> list[Path]:
    within = next((folder for folder in (path, *path.parents) if (folder / FILE_NAME).is_file()), None)
    if within is not None:
        return [within]
    if (path / "conftest.py").is_file():  # its tests say themselves where their addons are
        return []
    return [manifest.parent for manifest in sorted(path.glob(f"*/{FILE_NAME}"))]


def discovery() -> Discovery:
    """Return everything that tests can enable; looked for once in a run."""
    return _discovered(tuple(PATHS))


@cache
def _discovered(paths: tuple[Path, ...]) -> Discovery:
    return discover(default_sources(paths))


def folder_of(name: str) -> Path:
    """Return the folder of an addon; LookupError says where it was looked for."""
    found = discovery()
    for one in found.by_name(name):
        return one.location
    places = ", ".join(place.place for place in found.searched)
    raise LookupError(f"there is no addon {name} in {places}: run pytest in its folder, or on it")
