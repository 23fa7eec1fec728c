"""The guides build as a site without a warning, and every page is reached from the first."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import core.api

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory, lacking):
    """The built site."""
    if not all(map(importlib.util.find_spec, ("sphinx", "myst_parser", "furo"))):
        lacking("docs", "Sphinx is not installed (pip install 'tukku[docs]')")
    folder = tmp_path_factory.mktemp("site")
    words = ("-W", "--keep-going", "-q", "-b", "html", "-d", str(folder / "trees"), str(DOCS), str(folder / "html"))
    given = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "sphinx", *words], capture_output=True, text=True, env=given, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


class Links(HTMLParser):
    """Collects the addresses and the names of a page."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.names = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.names.add(given.get("id"))
        if tag == "a" and given.get("href"):
            self.addresses.append(given["href"])


def test_every_page_is_in_the_menu_and_every_link_leads_somewhere(site):
    pages = {path.relative_to(site).as_posix(): Links(path.read_text()) for path in site.rglob("*.html")}
    written = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}
    reached = {os.path.normpath(a.partition("#")[0]) for a in pages["index.html"].addresses}
    assert written - reached - {"index.html"} == set()
    lost = []
    for name, page in pages.items():
        for address in page.addresses:
            path, _, anchor = address.partition("#")
            if re.match(r"[a-z]+:", address):
                continue
            target = os.path.normpath(Path(name).parent / path) if path else name
            if target not in pages or (anchor and anchor not in pages[target].names):
                lost.append(f"{name}: {address}")
    assert lost == []


def test_site_loads_nothing_from_elsewhere(site):
    loaded = re.compile(r"""(?:<script[^>]+src|<link[^>]+rel="stylesheet"[^>]+href|<img[^>]+src)="(https?:[^"]+)""")
    assert [found for path in site.rglob("*.html") for found in loaded.findall(path.read_text())] == []


def test_what_addons_import_is_described_name_by_name(site):
    text = (site / "api.html").read_text()
    for path in sorted(Path(core.api.__path__[0]).glob("[a-z]*.py")):
        module = importlib.import_module(f"core.api.{path.stem}")
        assert module.__name__ in text
        missing = [name for name in module.__all__ if f">{name}<" not in text]
        assert missing == [], module.__name__


def test_deployment_settings_are_in_the_guide():
    """Every TUKKU_… that core reads stands on the operator's page; those of tests do not."""
    of_tests = {"TUKKU_CASES_DIR", "TUKKU_REQUIRE", "TUKKU_SAMPLES_DIR", "TUKKU_TEST_BROKER_URL"}
    read = {w for path in (ROOT / "core").rglob("*.py") for w in re.findall(r"TUKKU_[A-Z_]+[A-Z]", path.read_text())}
    guide = (DOCS / "operations.md").read_text()
    assert [name for name in sorted(read - of_tests) if f"`{name}`" not in guide] == []
