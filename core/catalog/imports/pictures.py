"""Pictures that product rows name: stored once for all products that show them."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert, select, update

from core.catalog.models import Media
from core.data.db import db
from core.data.files import store
from core.data.models import StoredFile
from core.i18n import _
from core.imports.attachments import attachment, available
from core.spec.imports import Outcome

TYPES = ("image/svg+xml", "image/png", "image/jpeg", "image/webp")
LARGEST = 5_000_000  # bytes


class Pictures:
    """The first pictures of a batch's products."""

    def __init__(self, product_ids: Sequence[int] = ()) -> None:
        self._found: dict[int, tuple[int, str, str]] = {}
        query = (
            select(Media.product_id, Media.id, StoredFile.sha256, StoredFile.name)
            .join(StoredFile, StoredFile.id == Media.file_id)
            .where(Media.product_id.in_(product_ids), Media.kind == "image")
            .order_by(Media.position.desc(), Media.id.desc())
        )
        for product_id, media_id, digest, name in db.session.execute(query):
            self._found[product_id] = (media_id, digest, name)
        self._files: dict[str, tuple[int, str]] = {}
        self._faults: dict[str, str] = {}
        self._new: list[dict[str, object]] = []
        self._changed: list[dict[str, object]] = []

    def fault(self, product_id: int | None, name: str) -> str:
        """Say why the product cannot show the named file, or nothing; what it shows already needs no file."""
        if not name or not available() or (self._shown(product_id) == name and attachment(name) is None):
            return ""
        if name not in self._faults:
            try:
                _read(name)
                self._faults[name] = ""
            except ValueError as error:
                self._faults[name] = str(error)
        return self._faults[name]

    def _shown(self, product_id: int | None) -> str:
        found = self._found.get(product_id) if product_id else None
        return found[2] if found else ""

    def put(self, product_id: int, name: str) -> Outcome:
        """Show the named file as the product's first picture; it has no `fault`."""
        if not available() or attachment(name) is None:
            return "unchanged"
        file_id, digest = self._file(name)
        found = self._found.get(product_id)
        if found is None:
            row = {"product_id": product_id, "kind": "image", "file_id": file_id, "title": {}, "locale": "", "position": 0}
            self._new.append(row)
            return "created"
        if found[1] == digest:
            return "unchanged"
        self._changed.append({"id": found[0], "file_id": file_id})
        return "updated"

    def flush(self) -> None:
        """Write the rows."""
        if self._new:
            db.session.execute(insert(Media), self._new)
        if self._changed:
            db.session.execute(update(Media), self._changed)

    def _file(self, name: str) -> tuple[int, str]:
        """Return id and digest of a stored file with the picture's bytes, storing it where there is none."""
        if name not in self._files:
            content, kind = _read(name)
            digest = hashlib.sha256(content).hexdigest()
            known = select(StoredFile.id).where(StoredFile.sha256 == digest, StoredFile.company_id.is_(None)).limit(1)
            file_id = db.session.scalar(known) or store(content, name, kind).id
            self._files[name] = (file_id, digest)
        return self._files[name]


def _read(name: str) -> tuple[bytes, str]:
    path = attachment(name)
    if path is None:
        raise ValueError(_("There is no picture “%(name)s” beside the file or in its folder images.", name=name))
    kind = mimetypes.guess_type(Path(name).name)[0] or ""
    if kind not in TYPES:
        raise ValueError(_("“%(name)s” is not a picture; use SVG, PNG, JPEG or WebP.", name=name))
    if path.stat().st_size > LARGEST:
        raise ValueError(_("“%(name)s” is larger than %(limit)s MB.", name=name, limit=LARGEST // 1_000_000))
    return path.read_bytes(), kind
