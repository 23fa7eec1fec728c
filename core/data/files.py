"""Files under the data directory: bytes are written first, the row second, both served through scope."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from core.data import clock
from core.data.db import db
from core.data.models import StoredFile


def store(content: bytes, name: str, type: str, *, company_id: int | None = None) -> StoredFile:
    """Keep ``content`` and return its row (flushed); call inside ``write()``.

    Equal bytes share one file on disk. ``company_id`` limits who may read it to that company and its subsidiaries.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = _path(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{digest}.{secrets.token_hex(4)}")
        scratch.write_bytes(content)
        scratch.replace(path)
    row = StoredFile(
        key=secrets.token_urlsafe(18),
        company_id=company_id,
        sha256=digest,
        name=Path(name).name[:255],
        type=type,
        size=len(content),
        created_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    return row


def find(key: str) -> StoredFile | None:
    """Return the file with ``key`` if the actor may see it."""
    return db.session.scalar(select(StoredFile).where(StoredFile.key == key))


def path_of(file: StoredFile) -> Path:
    """Return where the bytes of ``file`` lie."""
    return _path(file.sha256)


def read(file: StoredFile) -> bytes:
    """Return the bytes of ``file``."""
    return _path(file.sha256).read_bytes()


def on_disk() -> dict[str, tuple[int, float]]:
    """Return the size in bytes, and the time of the last change, of all stored files by their digest."""
    folder = _folder()
    found = {}
    for part in folder.iterdir() if folder.is_dir() else ():
        if part.is_dir():
            for entry in os.scandir(part):
                if not entry.name.startswith("."):  # one that is being written
                    about = entry.stat()
                    found[entry.name] = (about.st_size, about.st_mtime)
    return found


def _folder() -> Path:
    return Path(current_app.config["TUKKU_DATA_DIR"]) / "files"


def _path(digest: str) -> Path:
    return _folder() / digest[:2] / digest
