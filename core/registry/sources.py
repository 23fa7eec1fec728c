"""Where addons are looked for; nothing here imports addon code."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from core.registry.manifest import FILE_NAME, Fault, Manifest, ManifestInvalid, read_manifest
from core.registry.problems import Problem

ENTRY_POINT_GROUP = "tukku.addons"


@dataclass(frozen=True, slots=True)
class Found:
    """One addon that a source has seen. Without a manifest it cannot be used, and `problems` say why."""

    name: str
    location: Path
    import_name: str
    source: str
    manifest: Manifest | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """A place that was looked through: the answer to "why is my addon not there?"."""

    source: str
    place: str
    names: tuple[str, ...]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """Everything that was found, in the order of name and place, with the places."""

    found: tuple[Found, ...]
    searched: tuple[Searched, ...]

    def by_name(self, name: str) -> tuple[Found, ...]:
        """Return the finds of that name: none, one, or several that clash."""
        return tuple(f for f in self.found if f.name == name)

    def folders(self) -> tuple[Path, ...]:
        """Return the folders that `addons.__path__` needs for its `addons.<name>` imports."""
        return tuple(dict.fromkeys(f.location.parent for f in self.found if f.source == "folder"))

    def projects(self) -> tuple[Path, ...]:
        """Return the folders of projects whose packages are imported by their own names, without being installed."""
        return tuple(dict.fromkeys(f.location.parent for f in self.found if f.source == "project"))


class AddonSource(Protocol):
    """A place that yields addons, sorted by name, and never raises for a broken one."""

    def search(self) -> tuple[Searched, tuple[Found, ...]]:
        """Return what was searched and what was found."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Addon folders directly inside `path`; they are imported as `addons.<name>`.

    Where `path` is a project (it holds a `pyproject.toml`), they are imported as they will be when it is installed.
    """

    path: Path
    source: str = "folder"

    def search(self) -> tuple[Searched, tuple[Found, ...]]:
        """Look through the sub-folders that hold an `addon.toml`."""
        try:
            folders = sorted(p for p in self.path.iterdir() if _is_addon(p))
        except OSError as error:
            return Searched(self.source, str(self.path), (), _unreadable(self.path, error)), ()
        project = (self.path / "pyproject.toml").is_file()
        source, prefix = ("project", "") if project else (self.source, "addons.")
        found = tuple(_look(p, f"{prefix}{p.name}", source) for p in folders)
        return Searched(source, str(self.path), tuple(f.name for f in found)), found


def bundled_source() -> FolderSource:
    """Return the source for the addons that come with Tukku."""
    return FolderSource(Path(__file__).resolve().parents[2] / "addons", "bundled")


@dataclass(frozen=True, slots=True)
class EntryPointSource:
    """Installed distributions that announce `name = top_level_package` under `tukku.addons`."""

    group: str = ENTRY_POINT_GROUP

    def search(self) -> tuple[Searched, tuple[Found, ...]]:
        """Read the entry points; a top-level package is located without executing it."""
        points = sorted({(p.name, p.value) for p in metadata.entry_points(group=self.group)})
        found = tuple(_look_entry_point(name, value) for name, value in points)
        place = f"entry points of group {self.group}"
        return Searched("entry point", place, tuple(f.name for f in found)), found


def default_sources(paths: Iterable[Path] = ()) -> tuple[AddonSource, ...]:
    """Return the three kinds of source; `paths` are those of TUKKU_ADDON_PATHS."""
    return (bundled_source(), *(FolderSource(p) for p in paths), EntryPointSource())


def addon_paths(value: str) -> tuple[Path, ...]:
    """Split TUKKU_ADDON_PATHS as the operating system splits PATH."""
    return tuple(Path(p).expanduser().resolve() for p in value.split(os.pathsep) if p.strip())


def discover(sources: Sequence[AddonSource]) -> Discovery:
    """Search every source; the same folder reached twice counts once."""
    searched: list[Searched] = []
    found: dict[Path, Found] = {}
    for source in sources:
        place, finds = source.search()
        searched.append(place)
        for find in finds:
            found.setdefault(find.location, find)
    ordered = sorted(found.values(), key=lambda f: (f.name, str(f.location)))
    return Discovery(tuple(ordered), tuple(searched))


def _is_addon(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name == "__pycache__"
    return not hidden and (path / FILE_NAME).is_file()


def _look(folder: Path, import_name: str, source: str) -> Found:
    try:
        manifest = read_manifest(folder)
    except ManifestInvalid as error:
        problems = tuple(_manifest_problem(folder.name, f) for f in error.faults)
        return Found(folder.name, folder.resolve(), import_name, source, None, problems)
    return Found(manifest.name, folder.resolve(), import_name, source, manifest)


def _manifest_problem(name: str, fault: Fault) -> Problem:
    return Problem("MANIFEST", name, f"{fault.sentence()}.", f"{fault.fix[0].upper()}{fault.fix[1:]}.")


def _look_entry_point(name: str, value: str) -> Found:
    folder = _package_folder(value)
    if isinstance(folder, Fault):
        return Found(name, Path(value), value, "entry point", None, (_manifest_problem(name, folder),))
    return _rename(_read_package(folder, value), name)


def _package_folder(value: str) -> Path | Fault:
    """Return the folder of a top-level package, or what is wrong with the entry point."""
    where = f"entry points of group {ENTRY_POINT_GROUP}"
    if "." in value or ":" in value:
        fix = "announce the package alone, so that nothing is executed to find it"
        return Fault(where, "value", value, "not a top-level package", fix)
    spec = find_spec(value)
    if spec is None or not spec.submodule_search_locations:
        fix = "correct the name or reinstall the distribution"
        return Fault(where, "value", value, "no package of that name is installed", fix)
    return Path(next(iter(spec.submodule_search_locations)))


def _read_package(folder: Path, import_name: str) -> Found:
    """Read a manifest whose addon name need not be the package's name."""
    try:
        manifest = read_manifest(folder, name_is_folder=False)
    except ManifestInvalid as error:
        problems = tuple(_manifest_problem(import_name, f) for f in error.faults)
        return Found(import_name, folder.resolve(), import_name, "entry point", None, problems)
    return Found(manifest.name, folder.resolve(), import_name, "entry point", manifest)


def _rename(found: Found, name: str) -> Found:
    """Give a find the name of its entry point; a different name in the manifest is a problem."""
    if found.manifest is not None and found.manifest.name != name:
        says = f'announces a package whose addon.toml says addon.name "{found.manifest.name}"'
        problem = Problem("MANIFEST", name, f"The entry point {name} {says}.", "Make the two names equal.")
        return Found(name, found.location, found.import_name, found.source, None, (problem,))
    problems = tuple(Problem(p.code, name, p.message, p.remedy) for p in found.problems)
    return Found(name, found.location, found.import_name, found.source, found.manifest, problems)


def _unreadable(path: Path, error: OSError) -> Problem:
    message = f"{path} from TUKKU_ADDON_PATHS cannot be read ({error.strerror})."
    remedy = "Create the folder, correct its rights, or take it out of TUKKU_ADDON_PATHS."
    return Problem("SOURCE", "", message, remedy)


def iter_problems(discovery: Discovery) -> Iterator[Problem]:
    """Yield what the sources found wrong, the places first."""
    yield from (s.problem for s in discovery.searched if s.problem is not None)
    for found in discovery.found:
        yield from found.problems
