"""Files that rows name (pictures): looked up beside the imported file, never elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_folder: ContextVar[Path | None] = ContextVar("import_attachments", default=None)
PLACES = ("", "images")


@contextmanager
def attached(folder: Path | None) -> Iterator[None]:
    """Within the block, rows may name files that lie in ``folder`` or its subfolder ``images``."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def available() -> bool:
    """Tell whether this import came with a folder at all."""
    return _folder.get() is not None


def attachment(name: str) -> Path | None:
    """Return the file that a row names, or None; a name that leads out of the folder finds nothing."""
    folder = _folder.get()
    if folder is None or name != Path(name).name:
        return None
    return next((path for place in PLACES if (path := folder / place / name).is_file()), None)
