"""Where static files lie: core's own, and those that installed packages carry."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"


def package_folder(name: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"The package {name} that carries static files is not installed. Run: pip install -e .")
    return Path(next(iter(spec.submodule_search_locations)))
