"""An addon of somebody else: a wheel, installed, found by its entry point, switched on; and the tutorial, step by step."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = ROOT / "tests" / "external_addon"


def run(*words, path="", **environ):
    """Run a command; return what it printed."""
    given = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (path, str(ROOT))))}
    done = subprocess.run(words, capture_output=True, text=True, env=given | environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python(*words, **options):
    """Run a module of Python."""
    return run(sys.executable, "-m", *words, **options)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the wheel is installed; nothing is downloaded."""
    folder = tmp_path_factory.mktemp("external")
    shutil.copytree(PROJECT, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    python("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(folder / "source"))
    (wheel,) = folder.glob("*.whl")
    python("pip", "install", "-q", "--no-deps", "--no-index", "--target", str(folder / "site"), str(wheel))
    return wheel, folder / "site"


def test_wheel_holds_all_but_tests(installed):
    names = zipfile.ZipFile(installed[0]).namelist()
    assert {
        "loyalty_levels/addon.toml",
        "loyalty_levels/migrations/versions/0001_initial.py",
        "loyalty_levels/static/medal.svg",
        "loyalty_levels/templates/loyalty_levels/levels.html",
        "loyalty_levels/translations/fi/LC_MESSAGES/loyalty_levels.po",
    } <= set(names)
    assert not [name for name in names if "/tests/" in name or name.startswith(("core/", "addons/"))]


def test_installed_addon_is_found_and_works(installed, tmp_path):
    def tukku(*words):
        return python("core.cli.main", *words, path=str(installed[1]), TUKKU_DATA_DIR=str(tmp_path))

    tukku("init")
    assert re.search(r"entry point: .*\n  loyalty_levels", tukku("addons", "paths"))
    said = tukku("addons", "enable", "loyalty_levels")
    assert "loyalty_levels: levels: 2 added, 0 brought up to date, 0 kept." in said
    assert "Done: enable loyalty_levels." in said
    with closing(sqlite3.connect(tmp_path / "tukku.sqlite")) as database, database:
        database.execute("UPDATE loyalty_levels_level SET percent = 300, name = 'Argent' WHERE rank = 1")
    assert "loyalty_levels" not in tukku("seed")
    with closing(sqlite3.connect(tmp_path / "tukku.sqlite")) as database:
        names = database.execute("SELECT name FROM loyalty_levels_level ORDER BY rank").fetchall()
    assert names == [("Argent",), ("Gold",)], "what people changed stays theirs"
    assert "365" in tukku("settings", "get", "loyalty_levels.window_days")
    assert "Count all companies now." in tukku("loyalty_levels", "--help")
    assert "Done: disable loyalty_levels." in tukku("addons", "disable", "loyalty_levels")
    assert "Done: uninstall" in tukku("addons", "uninstall", "loyalty_levels", "--confirm", "loyalty_levels")


@pytest.mark.trust
def test_its_own_tests_pass():
    assert " passed" in python("pytest", "-q", "--database", "sqlite", "-p", "no:cacheprovider", str(PROJECT))


@pytest.mark.trust
def test_tutorial(tmp_path):
    for name, module in (("tukku", "core.cli.main"), ("pytest", "pytest")):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        command.chmod(0o755)
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "first-addon.md").read_text(), re.DOTALL)
    script = f"set -e\ncd {tmp_path}\n" + "\n".join(blocks)
    said = run("bash", "-c", script, PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert "bulk_discount: no problems." in said
    assert "Done: enable bulk_discount." in said
