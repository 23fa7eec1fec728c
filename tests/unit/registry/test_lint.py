"""Addons import core.api, themselves, and addons that their manifest names."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.registry.lint import lint
from core.registry.sources import FolderSource, bundled_source, discover

MANIFEST = """
[addon]
name = "alpha"
version = "1.0"
title = "Alpha"
[requires]
core = ">=0.1,<0.2"
[requires.addons]
beta = ">=1"
"""
CODE = """
import core.data.db
from core import pricing
from core.api.data import db
from core.api import hooks
from typing import TYPE_CHECKING
from addons.beta.api import something
from addons.gamma import models
from .models import Row

if TYPE_CHECKING:
    from core.orders.models import Order


def late():
    from core.orders import services
"""


def test_unpromised_imports_are_named_with_their_line(tmp_path: Path):
    folder = tmp_path / "alpha"
    (folder / "tests").mkdir(parents=True)
    (folder / "addon.toml").write_text(MANIFEST)
    (folder / "plugin.py").write_text(CODE)
    (folder / "tests" / "test_x.py").write_text("from core.testing import factories\n")
    (folder / "broken.py").write_text("x = (\n")
    (found,) = discover([FolderSource(tmp_path)]).found
    assert [p.message for p in lint(found)] == [
        "alpha/plugin.py:2: imports core.data.db, which is not promised to addons.",
        "alpha/plugin.py:3: imports core.pricing, which is not promised to addons.",
        "alpha/plugin.py:8: imports addons.gamma, and its manifest does not name gamma.",
        "alpha/plugin.py:16: imports core.orders, which is not promised to addons.",
    ]


@pytest.mark.parametrize("found", discover([bundled_source()]).found, ids=lambda f: f.name)
def test_bundled_addons_keep_to_the_promise(found):
    assert lint(found) == ()
