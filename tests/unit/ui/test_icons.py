"""Every icon that a page names is in the sprite: a missing one is an empty square."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from core.ui.sprite import ICONS

ROOT = Path(__file__).parents[3]
_TEMPLATE = re.compile(r"icon\('([a-z0-9-]+)'")
_PYTHON = re.compile(r'icon(?:_name)?="([a-z0-9-]+)"')


def _named() -> Iterator[tuple[str, Path]]:
    for pattern, ending in ((_TEMPLATE, "html"), (_PYTHON, "py")):
        for folder in ("core", "addons"):
            for path in sorted((ROOT / folder).rglob(f"*.{ending}")):
                yield from ((name, path.relative_to(ROOT)) for name in pattern.findall(path.read_text("utf-8")))


def test_every_named_icon_is_in_the_sprite() -> None:
    known = set(ICONS.split())
    missing = sorted({f"{name} in {path}" for name, path in _named() if name not in known})
    assert not missing


def test_the_sprite_file_holds_what_the_list_names() -> None:
    sprite = (ROOT / "core/static/icons.svg").read_text("utf-8")
    assert set(re.findall(r'<symbol id="([^"]+)"', sprite)) == set(ICONS.split())
