"""Tukku's own wheel holds everything that core and the bundled addons need beside their code."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")


def test_wheel_holds_every_file(tmp_path):
    source = tmp_path / "source"
    for name in ("core", "addons"):
        shutil.copytree(ROOT / name, source / name, ignore=LEFT_OUT)
    for file in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "LICENSE.GPL"):
        shutil.copy(ROOT / file, source)
    wanted = {
        p.relative_to(source).as_posix() for name in ("core", "addons") for p in (source / name).rglob("*") if p.is_file()
    }
    command = ("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(source))
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert sorted(wanted - set(zipfile.ZipFile(wheel).namelist())) == []
