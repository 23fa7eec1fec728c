"""A new addon passes its own tests at once, is clean by our own rules, and is switched on."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli.main import main
from core.cli.scaffolding import PARTS

ROOT = Path(__file__).parents[3]


def tukku(folder, *words, code=0, **environ):
    """Run a command of `tukku` for the deployment in ``folder``."""
    result = CliRunner().invoke(main, list(words), env={"TUKKU_DATA_DIR": str(folder), **environ})
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result.output


def run(*words, path="", cwd=None, **environ):
    """Run a module of Python in a process of its own, with what is installed in ``path``; return what it printed."""
    given = {"PYTHONPATH": os.pathsep.join(filter(None, (str(path), str(ROOT))))}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        capture_output=True,
        text=True,
        env=os.environ | given | environ,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "parts"),
    [("folder", ",".join(PARTS)), pytest.param("package", "settings", marks=pytest.mark.trust)],
)
def test_new_addon_runs_and_passes_its_tests(tmp_path, kind, parts):
    name = f"slots_{kind}_{len(parts)}"  # a process imports an addon once
    words = ("--kind", kind, "--with", parts, "--title", "Delivery slots", "--into", str(tmp_path))
    tukku(tmp_path, "addons", "new", name, *words)
    project = tmp_path / (name if kind == "folder" else f"tukku-{name.replace('_', '-')}")
    rules = ("--config", str(ROOT / "pyproject.toml"), "--no-cache", "--ignore", "S101,I001,RUF012,TID252")
    run("ruff", "check", *rules, str(project))
    said = run("pytest", "-q", "--database", "sqlite", "-p", "no:cacheprovider", ".", cwd=project)
    assert " passed" in said
    places = {"TUKKU_ADDON_PATHS": str(tmp_path if kind == "folder" else project)}
    tukku(tmp_path / "data", "init", **places)
    assert f"Done: enable {name}." in tukku(tmp_path / "data", "addons", "enable", name, **places)
    listed = tukku(tmp_path / "data", "addons", "list", **places)
    assert [name, "0.1.0", "running"] in [line.split()[:3] for line in listed.splitlines()]


def test_a_package_becomes_a_wheel_that_holds_everything_and_runs_where_it_is_installed(tmp_path):
    words = ("--kind", "package", "--with", ",".join(PARTS), "--into", str(tmp_path))
    tukku(tmp_path, "addons", "new", "slots_sold", *words)
    project, site = tmp_path / "tukku-slots-sold", tmp_path / "site"
    beside = {"static/slots.css": "", "typst/slot.typ": "", "seeds/slots.csv": "code\n", "templates/slots_sold/slot.txt": ""}
    for place, text in beside.items():
        path = project / "slots_sold" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    files = {p.relative_to(project).as_posix() for p in (project / "slots_sold").rglob("*") if p.is_file()}
    run("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(project))
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in files if "/tests/" not in name} - held == set()
    assert not [name for name in held if "/tests/" in name]
    run("pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site), str(wheel))

    def there(*words):
        return run("core.cli.main", *words, path=site, TUKKU_DATA_DIR=str(tmp_path / "data"))

    there("init")
    assert "Done: enable slots_sold." in there("addons", "enable", "slots_sold")
    there("addons", "disable", "slots_sold")
    assert "Done: uninstall" in there("addons", "uninstall", "slots_sold", "--confirm", "slots_sold")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("orders",), "orders is a name that core uses itself. Choose another name."),
        (("Slots",), "'Slots' is not 3 to 30 small letters, digits and underscores that begin with a letter."),
        (("slots", "--with", "views,wings"), "There is no part wings. Parts are models, views, "),
        (("slots", "--title", "a 'b'"), "The title is written into code: leave out quotes"),
        (("taken",), "taken is there already. Remove it, or choose another name or folder."),
    ],
)
def test_refusals_say_how_to_mend_it(tmp_path, words, said):
    (tmp_path / "taken").mkdir()
    assert said in tukku(tmp_path, "addons", "new", *words, "--into", str(tmp_path), code=1)
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_check_runs_the_contract_suite_on_a_folder(tmp_path):
    tukku(tmp_path, "addons", "new", "slots_kept", "--kind", "package", "--with", "models", "--into", str(tmp_path))
    project = tmp_path / "tukku-slots-kept"
    tukku(tmp_path / "data", "init")
    migration = project / "slots_kept" / "migrations" / "versions" / "0001_initial.py"
    migration.write_text(migration.read_text().replace('op.drop_table("slots_kept_note")', "pass"))
    said = tukku(tmp_path / "data", "addons", "check", str(project), code=1)
    assert "CONTRACT: test_migrations_go_up_down_and_up_again[sqlite]: " in said
    assert "downgrade left tables behind" in said
