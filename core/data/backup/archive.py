"""The backup file: a compressed tar of members, whose sizes and digests the manifest, its last member, tells."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from core.spec.errors import TukkuError

FORMAT = 1
MANIFEST = "manifest.json"
_BLOCK = 1 << 20


class BackupFailed(TukkuError):
    """A backup or restore that did not happen; nothing that was there before has changed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: schema revisions by owner, versions of enabled addons, rows by table, digests by member."""

    version: str
    created_at: str
    database: str
    revisions: dict[str, str]
    addons: dict[str, str]
    counts: dict[str, int]
    members: dict[str, str]
    secret_key: str = ""
    columns: dict[str, list[str]] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def files(self) -> list[str]:
        """The stored files among the members."""
        return [name for name in self.members if name.startswith("files/")]


def fingerprint(secret_key: str) -> str:
    """Return what tells one secret key from another without revealing it."""
    return hashlib.sha256(f"tukku backup {secret_key}".encode()).hexdigest()[:16] if secret_key else ""


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Writer:
    """Adds members to a new backup file, and notes their digests."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.members: dict[str, str] = {}

    def add(self, name: str, path: Path) -> None:
        """Add a file as member ``name``."""
        self.members[name] = digest_of(path)
        self._tar.add(path, arcname=name, recursive=False)

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest; a file without one is not whole."""
        content = json.dumps(asdict(manifest), indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(content)
        self._tar.addfile(info, BytesIO(content))


@contextmanager
def writing(target: Path) -> Iterator[Writer]:
    """Write a new backup file beside ``target``; it gets that name only when the block has ended well."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with tarfile.open(unfinished, "w:gz", compresslevel=3) as tar:
            yield Writer(tar)
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


def read_manifest(source: Path) -> Manifest:
    """Return the manifest of a backup file; BackupFailed if it is no whole backup of a known format."""
    try:
        with tarfile.open(source, "r:gz") as tar:
            content = tar.extractfile(MANIFEST)
            values: dict[str, Any] = json.loads(content.read()) if content else {}
    except (OSError, EOFError, KeyError, tarfile.TarError, ValueError) as error:
        raise BackupFailed("BACKUP-UNREADABLE", f"{source} is not a whole backup: {error}.") from error
    if values.get("format") != FORMAT:
        found = values.get("format")
        raise BackupFailed("BACKUP-FORMAT", f"{source} has format {found}; this version of Tukku reads {FORMAT}.")
    return Manifest(**values)


def extract(source: Path, manifest: Manifest, folder: Path) -> None:
    """Unpack the members that the manifest names into ``folder``, and check each digest."""
    missing = dict(manifest.members)
    with tarfile.open(source, "r:gz") as tar:
        for info in tar:
            wanted = missing.pop(info.name, None)
            content = tar.extractfile(info) if wanted and info.isfile() else None
            if content is not None and _unpack(content, _inside(folder, info.name)) != wanted:
                raise BackupFailed("BACKUP-DAMAGED", f"{info.name} in {source} is not what was backed up.")
    if missing:
        raise BackupFailed("BACKUP-DAMAGED", f"{next(iter(missing))} is missing from {source}.")


def _unpack(content: IO[bytes], target: Path) -> str:
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BackupFailed("BACKUP-DAMAGED", f"the backup names a file outside its place: {name}.")
    return path
