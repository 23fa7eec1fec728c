"""Pictures and documents of products: known by their content, bounded in size, served so that nothing in them runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from core.catalog import visibility
from core.catalog.models import Media, Product
from core.data import files
from core.data.db import db
from core.data.models import StoredFile
from core.data.scope import acting, system
from core.i18n import _, pick
from core.spec.errors import Invalid

LARGEST = {"image": 5 * 2**20, "document": 25 * 2**20}
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
SVG = "image/svg+xml"


@dataclass(frozen=True, slots=True)
class MediaView:
    """A picture or document of a product: the file's key and name, a title in the reader's language, type and size."""

    id: int
    kind: str
    key: str
    name: str
    title: str
    type: str
    size: int


def sniff(content: bytes) -> str:
    """Return the type that the content itself shows, whatever its name says; '' for one we do not take."""
    for signature, found in _SIGNATURES:
        if content.startswith(signature):
            return found
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return SVG if _is_svg(content) else ""


def _is_svg(content: bytes) -> bool:
    """Tell whether this is an SVG drawing: its first element, after declaration and comments, is ``svg``."""
    try:
        text = content[:4096].decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        if error.start < len(content[:4096]) - 4:  # not merely a letter that the cut went through
            return False
        text = content[: error.start].decode("utf-8-sig").lstrip()
    while text.startswith(("<?xml", "<!--", "<!DOCTYPE svg")):
        end = "-->" if text.startswith("<!--") else ">"
        text = text.partition(end)[2].lstrip()
    return text.startswith(("<svg ", "<svg>", "<svg\n"))


def attach(product_id: int, content: bytes, name: str, *, title: dict[str, str] | None = None, locale: str = "") -> bool:
    """Give a product a picture or document; call inside ``write()``. False where it has the very same already.

    Raises Invalid for a type or size that is not taken.
    """
    type_ = sniff(content)
    kind = "image" if type_ in _IMAGES else "document"
    _check(name, type_, kind, len(content))
    digest = hashlib.sha256(content).hexdigest()
    held = select(Media.id).join(StoredFile, StoredFile.id == Media.file_id)
    if db.session.scalar(held.where(Media.product_id == product_id, StoredFile.sha256 == digest).limit(1)):
        return False
    last = db.session.scalar(select(func.max(Media.position)).where(Media.product_id == product_id)) or 0
    with acting(system("product media")):  # the file is everybody's, so no company's role may write it
        file_id = files.store(content, name, type_).id
    db.session.add(
        Media(product_id=product_id, kind=kind, file_id=file_id, title=title or {}, locale=locale, position=last + 1)
    )
    db.session.flush()
    return True


def _check(name: str, type_: str, kind: str, size: int) -> None:
    if not type_:
        raise Invalid(
            "MEDIA-TYPE",
            _(
                "“%(name)s” is neither a picture (PNG, JPEG, GIF, WebP, SVG) nor a PDF. Save it as one of these.",
                name=name[:80],
            ),
        )
    if size > LARGEST[kind]:
        raise Invalid(
            "MEDIA-SIZE",
            _("“%(name)s” is larger than %(limit)s MB. Make it smaller.", name=name[:80], limit=LARGEST[kind] // 2**20),
        )


def detach(product_id: int, media_ids: Iterable[int]) -> None:
    """Take pictures and documents from a product; call inside ``write()``. The bytes stay: orders may show them."""
    db.session.execute(delete(Media).where(Media.product_id == product_id, Media.id.in_(list(media_ids))))


def put_first(product_id: int, media_ids: Iterable[int]) -> None:
    """Let a picture come before all others, so that lists show it; call inside ``write()``."""
    lowest = db.session.scalar(select(func.min(Media.position)).where(Media.product_id == product_id)) or 0
    db.session.execute(
        update(Media)
        .where(Media.product_id == product_id, Media.id.in_(list(media_ids)))
        .values(position=lowest - 1)
        .execution_options(synchronize_session=False)
    )


def of(product_id: int) -> list[MediaView]:
    """Return a product's pictures and documents in order; one statement."""
    rows = db.session.execute(
        select(Media.id, Media.kind, StoredFile.key, StoredFile.name, Media.title, StoredFile.type, StoredFile.size)
        .join(StoredFile, StoredFile.id == Media.file_id)
        .where(Media.product_id == product_id, StoredFile.company_id.is_(None))
        .order_by(Media.position, Media.id)
    )
    return [
        MediaView(i, kind, key, name, pick(title, fallback=name), type_, size)
        for i, kind, key, name, title, type_, size in rows
    ]


def visible_file(key: str) -> StoredFile | None:
    """Return a product's file, if the reader may see the product; one statement."""
    return db.session.scalar(
        select(StoredFile)
        .join(Media, Media.file_id == StoredFile.id)
        .join(Product, Product.id == Media.product_id)
        .where(StoredFile.key == key, visibility.condition(discontinued=True))
        .limit(1)
    )
