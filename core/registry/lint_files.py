"""Read an addon's files without running it: names of tables, places of templates, code in HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from core.registry.problems import Problem
from core.registry.sources import Found

#: Folders whose code is not part of the addon while it serves.
APART = frozenset({"tests", "migrations", "__pycache__"})
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']", re.IGNORECASE)


def lint_files(found: Found) -> Iterator[Problem]:
    """Yield what is wrong with the addon's files, by place."""
    folder = found.location
    code = [file for file in sorted(folder.rglob("*.py")) if file.relative_to(folder).parts[0] not in APART]
    pages = sorted(file for file in (folder / "templates").rglob("*") if file.is_file())
    texts = {file: read(file) for file in (*code, *pages)}
    yield from _tables(found, [file for file in code if file.stem == "models"], texts)
    yield from _pages(found, pages, texts)


def _tables(found: Found, files: list[Path], texts: dict[Path, str]) -> Iterator[Problem]:
    for file in files:
        for number, line in enumerate(texts[file].splitlines(), 1):
            named = re.match(r"\s*__tablename__\s*=\s*[\"'](\w+)[\"']", line)
            if named and not named[1].startswith(f"{found.name}_"):
                said = f"{place_of(found, file)}:{number}: the table {named[1]} does not begin with {found.name}_."
                yield Problem("TABLE", found.name, said, f"Name it {found.name}_{named[1]}, so that its owner can be told.")


def _pages(found: Found, pages: list[Path], texts: dict[Path, str]) -> Iterator[Problem]:
    for page in pages:
        name = page.relative_to(found.location / "templates").as_posix()
        if not name.startswith(f"{found.name}/"):
            said = f"{place_of(found, page)}: stands outside templates/{found.name}/, where it is not found."
            yield Problem("TEMPLATE", found.name, said, "Move it there.")
        for number, line in enumerate(texts[page].splitlines() if page.suffix == ".html" else (), 1):
            if _INLINE.search(line):
                said = f"{place_of(found, page)}:{number}: has a script or style in HTML, which browsers are told to refuse."
                yield Problem("INLINE", found.name, said, "Put it into a file below static/.")


def read(file: Path) -> str:
    """Return a file's text, whatever its bytes are."""
    return file.read_text(encoding="utf-8", errors="replace")


def place_of(found: Found, file: Path) -> str:
    """Return where a file stands, as people read it."""
    return f"{found.name}/{file.relative_to(found.location).as_posix()}"
