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
ROOT = Path(__file__).parents[3]
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
    return importlib.import_module("core.data.write"), __import__("core.api.data")
"""


def test_unpromised_imports_are_named_with_their_line(tmp_path: Path):
    folder = tmp_path / "alpha"
    (folder / "tests").mkdir(parents=True)
    (folder / "addon.toml").write_text(MANIFEST)
    (folder / "plugin.py").write_text(CODE)
    (folder / "tests" / "test_x.py").write_text("from core.testing import factories\n")
    (folder / "broken.py").write_text("x = (\n")
    (found,) = discover([FolderSource(tmp_path)]).found
    assert [p.message for p in lint(found) if p.code == "IMPORT"] == [
        "alpha/plugin.py:2: imports core.data.db, which is not promised to addons.",
        "alpha/plugin.py:3: imports core.pricing, which is not promised to addons.",
        "alpha/plugin.py:8: imports addons.gamma, and its manifest does not name gamma.",
        "alpha/plugin.py:16: imports core.orders, which is not promised to addons.",
        "alpha/plugin.py:17: imports core.data.write, which is not promised to addons.",
    ]


@pytest.mark.parametrize("found", discover([bundled_source()]).found, ids=lambda f: f.name)
def test_bundled_addons_keep_to_the_promise(found):
    assert lint(found) == ()


MINIMAL = '[addon]\nname = "alpha"\nversion = "1"\ntitle = "A"\n[requires]\ncore = ">=0.1,<0.2"\n'
CATALOGUE = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Note"\nmsgstr "{}"\n'
FILES = {
    "addon.toml": MINIMAL,
    "plugin.py": "from . import models, views\n\n\nclass Plugin:\n    pass\n",
    "models.py": 'class A:\n    __tablename__ = "note"\n',
    "views.py": 'PAGE = "alpha/home.html"\n',
    "forgotten.py": "from . import forgotten_too\n",
    "forgotten_too.py": 'PAGE = "alpha/half.html"\n',
    "tests/helpers.py": "",
    "templates/alpha/home.html": "<p>\n<b style='color: red'>x</b>",
    "templates/alpha/half.html": '{% include "alpha/old.txt" %}',
    "templates/alpha/old.html": "<p>",
    "templates/alpha/old.txt": "text",
    "templates/home.html": "<p>",
    "static/old.css": "",
    "typst/old.typ": "",
    "seeds/old.csv": "",
    "bridges/beta.py": "class Bridge:\n    pass\n",
    "translations/fi/LC_MESSAGES/alpha.po": CATALOGUE.format(""),
    "translations/pl/LC_MESSAGES/beta.po": CATALOGUE.format("Notatka"),
    "translations/tr/alpha.po": CATALOGUE.format("Not"),
    "translations/xx/LC_MESSAGES/alpha.po": CATALOGUE.format("x"),
}


def made(tmp_path, files):
    """Return the problems of an addon of these files, each with its code and its remedy."""
    for name, text in files.items():
        path = tmp_path / "alpha" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = FolderSource(tmp_path).search()[1][0]
    return [(f"{p.code} {p.message}", p.remedy) for p in lint(found)]


def test_files_are_read_for_names_inline_code_and_what_nobody_uses(tmp_path):
    shown, named = "Delete it, or name it where it is to be shown.", "Delete it, or name it where it is to be read."
    imported, moved = "Delete it, or import it where it is needed.", "Move it there, or delete it."
    assert made(tmp_path, FILES) == [
        (
            "TABLE alpha/models.py:2: the table note does not begin with alpha_.",
            "Name it alpha_note, so that its owner can be told.",
        ),
        (
            "INLINE alpha/templates/alpha/home.html:2: has a script or style in HTML, which browsers are told to refuse.",
            "Put it into a file below static/.",
        ),
        ("TEMPLATE alpha/templates/home.html: stands outside templates/alpha/, where it is not found.", "Move it there."),
        ("UNUSED alpha/forgotten.py: no module of the addon that runs imports it.", imported),
        ("UNUSED alpha/forgotten_too.py: no module of the addon that runs imports it.", imported),
        ("UNUSED alpha/seeds/old.csv: nothing of the addon names it.", named),
        ("UNUSED alpha/static/old.css: nothing of the addon names it.", "Delete it, or name it in a template with asset()."),
        ("UNUSED alpha/templates/alpha/half.html: no view, panel or page of the addon names it.", shown),
        ("UNUSED alpha/templates/alpha/old.html: no view, panel or page of the addon names it.", shown),
        ("UNUSED alpha/templates/alpha/old.txt: no view, panel or page of the addon names it.", shown),
        ("UNUSED alpha/typst/old.typ: nothing of the addon names it.", named),
        (
            "UNUSED alpha/bridges/beta.py: the manifest names no beta that it could lead to.",
            "Name beta under [optional.addons], or delete the file.",
        ),
        (
            "UNUSED alpha/translations/fi/LC_MESSAGES/alpha.po: has no text in its language.",
            "Translate its messages, or delete the language.",
        ),
        (
            "UNUSED alpha/translations/pl/LC_MESSAGES/beta.po: only translations/<language>/LC_MESSAGES/alpha.po is read.",
            moved,
        ),
        (
            "UNUSED alpha/translations/tr/alpha.po: only translations/<language>/LC_MESSAGES/alpha.po is read.",
            moved,
        ),
        (
            "UNUSED alpha/translations/xx/LC_MESSAGES/alpha.po: xx is no language; "
            "it would be read from translations/<language>/LC_MESSAGES/alpha.po.",
            moved,
        ),
    ]


USED = {
    "addon.toml": MINIMAL + '[optional.addons]\nbeta = ">=1"\n',
    "pyproject.toml": '[project.scripts]\nalpha = "alpha.command:main"\n',
    "plugin.py": """
import importlib
import pkgutil

from . import forms, parts


class Plugin:
    def load(self, name):
        importlib.import_module(f"{__package__}.shapes.{name}")
        importlib.import_module(".late", __package__)
        return [importlib.import_module(f"{parts.__name__}.{found.name}") for found in pkgutil.iter_modules(parts.__path__)]
""",
    "forms.py": "def page(kind):\n"
    '    return f"alpha/steps/{kind}.txt", "alpha/home.html", (HERE / "typst" / kind).with_suffix(".typ"), "rates.csv"\n',
    "command.py": "",
    "late.py": "",
    "__main__.py": "",
    "shapes/__init__.py": "",
    "shapes/round.py": "",
    "parts/__init__.py": "",
    "parts/first.py": "",
    "bridges/__init__.py": "",
    "bridges/beta.py": "from ..bridging import join\n",
    "bridging.py": "",
    "tests/test_x.py": "from ..fixtures import shop\n",
    "fixtures.py": "",
    "migrations/versions/0001_initial.py": "",
    "templates/alpha/base.html": "{{ asset('alpha', 'page.css') }}",
    "templates/alpha/home.html": "{% extends 'alpha/base.html' %}{% include 'alpha/rows/' ~ kind %}",
    "templates/alpha/rows/one.html": "",
    "templates/alpha/steps/two.txt": "",
    "static/page.css": "a { background: url(dots.png) } @import 'more.css';",
    "static/dots.png": "",
    "static/more.css": "",
    "typst/letter.typ": "",
    "seeds/rates.csv": "",
    "README.md": "",
    "package.json": "{}",
    "translations/alpha.pot": "",
    "translations/fi/LC_MESSAGES/alpha.po": CATALOGUE.format("Muistiinpano"),
    "translations/pt_BR/LC_MESSAGES/alpha.po": CATALOGUE.format("Nota"),
}


def test_what_may_be_named_while_it_runs_counts_as_used(tmp_path):
    assert made(tmp_path, USED) == []


OTHERS = (ROOT / "tests" / "external_addon" / "loyalty_levels", ROOT / "tests" / "toy_addon", ROOT / "tests" / "toy_bridge")


@pytest.mark.parametrize("folder", OTHERS, ids=lambda folder: folder.name)
def test_addons_of_others_have_no_file_that_nobody_uses(folder):
    (found,) = discover([FolderSource(folder.parent)]).by_name(folder.name)
    assert [p for p in lint(found) if p.code == "UNUSED"] == []
