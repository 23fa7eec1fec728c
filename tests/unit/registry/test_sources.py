"""Discovery: sorted, silent about nothing, and without importing."""

import sys
from importlib import metadata
from pathlib import Path

import pytest

from core.registry import sources
from core.registry.sources import EntryPointSource, FolderSource, addon_paths, discover

MANIFEST = '[addon]\nname="{0}"\nversion="1.0"\ntitle="{0}"\n[requires]\ncore=">=0.1,<0.2"\n'


def addon(parent: Path, name: str, text: str | None = None) -> Path:
    folder = parent / name
    folder.mkdir(parents=True)
    (folder / "addon.toml").write_text(MANIFEST.format(name) if text is None else text)
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    return folder


def test_folders_are_sorted_and_others_ignored(tmp_path):
    for name in ("zeta", "alpha"):
        addon(tmp_path, name)
    (tmp_path / "plain").mkdir()
    addon(tmp_path, ".hidden")
    addon(tmp_path, "__pycache__")
    found = discover([FolderSource(tmp_path)])
    assert [f.name for f in found.found] == ["alpha", "zeta"]
    assert found.found[0].import_name == "addons.alpha"
    assert found.folders() == (tmp_path,)
    assert found.searched[0].names == ("alpha", "zeta")


def test_nothing_is_imported(tmp_path):
    addon(tmp_path, "alpha")
    discover([FolderSource(tmp_path)])
    assert "addons.alpha" not in sys.modules


def test_unparsable_manifest_is_a_problem_not_an_exception(tmp_path):
    addon(tmp_path, "alpha", "[addon")
    (found,) = discover([FolderSource(tmp_path)]).found
    assert found.manifest is None
    assert found.problems[0].code == "MANIFEST"
    assert "alpha/addon.toml: is not TOML" in found.problems[0].message
    assert found.problems[0].remedy == "Correct the syntax."


def test_missing_folder_is_a_problem(tmp_path):
    discovery = discover([FolderSource(tmp_path / "gone")])
    (problem,) = sources.iter_problems(discovery)
    assert str(problem) == (
        f"SOURCE : {tmp_path / 'gone'} from TUKKU_ADDON_PATHS cannot be read (No such file or directory). "
        "Create the folder, correct its rights, or take it out of TUKKU_ADDON_PATHS."
    )


def test_same_name_in_two_places_keeps_both(tmp_path):
    addon(tmp_path / "one", "alpha")
    addon(tmp_path / "two", "alpha")
    discovery = discover([FolderSource(tmp_path / "two"), FolderSource(tmp_path / "one")])
    assert [f.location.parent.name for f in discovery.by_name("alpha")] == ["one", "two"]


def test_same_folder_twice_counts_once(tmp_path):
    addon(tmp_path, "alpha")
    assert len(discover([FolderSource(tmp_path), FolderSource(tmp_path)]).found) == 1


def test_addon_paths_split_like_path(tmp_path):
    import os

    assert addon_paths(f"{tmp_path}{os.pathsep}{os.pathsep}/x") == (tmp_path, Path("/x"))


@pytest.fixture
def announce(monkeypatch):
    def _announce(*pairs):
        points = [metadata.EntryPoint(name, value, "tukku.addons") for name, value in pairs]
        monkeypatch.setattr(sources.metadata, "entry_points", lambda group: points)
        return EntryPointSource().search()[1]

    return _announce


def test_entry_point_package_is_found_without_import(tmp_path, monkeypatch, announce):
    folder = addon(tmp_path, "acme_loyalty", MANIFEST.format("loyalty"))
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = announce(("loyalty", "acme_loyalty"))
    assert (found.name, found.import_name, found.location) == ("loyalty", "acme_loyalty", folder)
    assert found.manifest is not None
    assert "acme_loyalty" not in sys.modules


def test_entry_point_with_other_name_is_a_problem(tmp_path, monkeypatch, announce):
    addon(tmp_path, "acme_levels", MANIFEST.format("levels"))
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = announce(("loyalty", "acme_levels"))
    assert found.problems[0].message == (
        'The entry point loyalty announces a package whose addon.toml says addon.name "levels".'
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "acme.loyalty",
            'entry points of group tukku.addons: value "acme.loyalty": not a top-level package.',
        ),
        (
            "no_such_pkg",
            'entry points of group tukku.addons: value "no_such_pkg": no package of that name is installed.',
        ),
    ],
)
def test_entry_point_that_leads_nowhere(value, message, announce):
    (found,) = announce(("loyalty", value))
    assert (found.name, found.problems[0].message) == ("loyalty", message)
