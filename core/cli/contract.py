"""Run the contract suite on an addon, in a process of its own, and tell what failed as problems."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import core
from core.registry.manifest import FILE_NAME
from core.registry.problems import Problem

SUITE = Path(core.__file__).parent / "testing" / "check_addon.py"
TIMEOUT = 600  # seconds


def suite(folder: Path) -> Iterator[Problem]:
    """Yield a problem for each check that fails; one where pytest is not installed."""
    name = folder.name
    if find_spec("pytest") is None:
        yield Problem("CONTRACT", name, "pytest is not installed.", "Run `pip install 'tukku[test]'`, or add --read-only.")
        return
    words = ["-q", "--no-header", "--tb=line", "--database", "sqlite", "-p", "no:cacheprovider", "--addon", str(folder)]
    plugin = [] if _announced() else ["-p", "core.testing.plugin"]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONDONTWRITEBYTECODE": "1"}
    environ["COLUMNS"] = "500"  # pytest cuts its summary at the terminal's width
    done = subprocess.run(  # noqa: S603  (our own interpreter and module)
        [sys.executable, "-m", "pytest", *plugin, *words, "-c", os.devnull, "--import-mode=importlib", str(SUITE)],
        capture_output=True, text=True, env=environ, cwd=folder, timeout=TIMEOUT, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return
    failed = [line.removeprefix("FAILED ") for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    for line in failed or [done.stdout[-500:] + done.stderr[-500:]]:
        check, _, said = line.partition(" - ")
        said = f"{check.rpartition('::')[2]}: {said}" if said else line
        yield Problem("CONTRACT", name, f"{said.rstrip('.')}.", f"`pytest --addon {folder} {SUITE}` shows where.")


def is_folder(name: str) -> bool:
    """Tell whether a word is the path of an addon, or of the project that an addon is packaged in."""
    return ("/" in name or "\\" in name or name == ".") and len(_addons(name)) == 1


def addon_folder(name: str) -> Path:
    """Return the folder with the manifest: the one named, or the only one in it."""
    return _addons(name)[0]


def _addons(name: str) -> list[Path]:
    folder = Path(name).resolve()
    return [folder] if (folder / FILE_NAME).is_file() else [found.parent for found in sorted(folder.glob(f"*/{FILE_NAME}"))]


def _announced() -> bool:
    """Tell whether pytest loads our plugin by itself, because Tukku is installed."""
    from importlib.metadata import entry_points

    return any(point.value == "core.testing.plugin" for point in entry_points(group="pytest11"))
