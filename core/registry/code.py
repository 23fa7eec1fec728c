"""Which code a process runs, and which lies on disk: Python does not load a changed file anew, so they may differ.

A digest of the contents, not of times or of a version: equal on every machine with equal files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from core.registry.registry import Registry

_CORE = Path(__file__).parents[1]
_KINDS = frozenset({".py", ".html", ".toml", ".po"})
#: folder → its digest when this process first ran it: a fact about the process, in which modules stay.
_loaded: dict[Path, str] = {}


def running(registry: Registry) -> str:
    """Return the fingerprint of what this process runs: core and its addons, as they were when it loaded them."""
    for folder in _folders(registry):
        _loaded.setdefault(folder, digest(folder))
    return _joined(_loaded[folder] for folder in _folders(registry))


def on_disk(registry: Registry) -> str:
    """Return the fingerprint of the same folders as they are now."""
    return _joined(digest(folder) for folder in _folders(registry))


def digest(folder: Path) -> str:
    """Return the digest of a folder's code, templates, manifests and translations; tests and migrations apart."""
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in _KINDS):
        parts = path.relative_to(folder).parts
        if not {"tests", "versions", "__pycache__"} & set(parts):
            status = path.stat()
            found.update(f"{'/'.join(parts)} {_content(path, status.st_mtime_ns, status.st_size)}\n".encode())
    return found.hexdigest()


def _folders(registry: Registry) -> list[Path]:
    return [_CORE, *(found.location for found in registry.plan.order)]


def _joined(digests: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:12]


@cache
def _content(path: Path, _changed: int, _size: int) -> str:
    """Read a file once for each time it changes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
