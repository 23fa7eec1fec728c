"""Mappings that come with Tukku, one folder each: `tukku import --preset NAME DIR`."""

from __future__ import annotations

from pathlib import Path

from core.i18n import _
from core.imports.mapping import Mapped, read_mapping
from core.spec.errors import NotFound

_FOLDER = Path(__file__).parent


def presets() -> tuple[str, ...]:
    """Return the names of the presets."""
    return tuple(sorted(path.parent.name for path in _FOLDER.glob("*/mapping.toml")))


def preset(name: str) -> Mapped:
    """Return the mapping of a preset; NotFound with the known ones for any other name."""
    if name not in presets():
        message = _("There is no preset “%(name)s”. Known: %(known)s.", name=name, known=", ".join(presets()))
        raise NotFound("IMPORT-PRESET", message)
    return read_mapping(_FOLDER / name / "mapping.toml")
