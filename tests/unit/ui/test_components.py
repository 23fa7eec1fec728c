"""Components as they are drawn, and the sprite that holds every icon a template names."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment, FileSystemLoader

import core
from core.i18n.templates import install
from core.ui.formats import FILTERS
from core.ui.sprite import ICONS
from core.ui.states import STATES, state_of

ROOT = Path(core.__file__).parent
TEMPLATES = ROOT / "templates"
SPRITE = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "icons.svg").read_text("utf-8")))
NAMED = re.compile(r"""icon\(\s*'([a-z0-9-]+)'|icon_name='([a-z0-9-]+)'|\bicon=["']([a-z0-9-]+)["']""")


@pytest.fixture(scope="module")
def ui():
    """The components, with the globals that the app gives them."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    environment.filters.update(FILTERS)
    environment.globals.update(asset=lambda path: f"/static/{path}", state_of=state_of, csrf_token=lambda: "token")
    install(environment, {})
    return environment.get_template("components/ui.html").module


def test_the_sprite_is_built_from_its_list():
    assert set(ICONS.split()) == SPRITE


def test_every_icon_that_core_names_is_in_the_sprite():
    files = [*TEMPLATES.rglob("*.html"), *ROOT.rglob("*.py")]
    found = {(name, f.name) for f in files for match in NAMED.findall(f.read_text("utf-8")) for name in match if name}
    assert sorted((name, file) for name, file in found if name not in SPRITE) == []


def test_every_state_has_a_word_and_an_icon_of_the_sprite():
    assert all(str(state.label) and state.icon in SPRITE for state in STATES.values())
    assert state_of("gone_fishing").label == "Gone fishing"


def test_no_price_asks_for_a_quote_and_is_never_zero(ui):
    text = str(ui.price(None, "EUR", "pcs"))
    assert "Ask us for a quote" in text
    assert "0" not in re.sub(r"<[^>]+>", "", text)


def test_a_price_stands_beside_its_currency_and_unit(ui):
    text = re.sub(r"\s+|<[^>]+>", " ", str(ui.price(Decimal("11.2"), "EUR", "pcs", 100, Decimal("14.9"))))
    assert "11.20\u00a0€" in text.replace("\xa0", "\u00a0") or "11.20 €" in text
    assert "14.90" in text
    assert "100" in text


def test_a_list_price_below_the_price_is_not_struck_through(ui):
    assert "<del>" not in str(ui.price(Decimal(10), "EUR", "pcs", 1, Decimal(9)))


def test_findings_say_their_level_in_words_too(ui):
    finding = SimpleNamespace(level="block", message="<b>No credit</b>", remedy="Pay", remedy_url="/pay")
    text = str(ui.findings([finding]))
    assert 'aria-label="Stops"' in text
    assert "&lt;b&gt;No credit" in text
    assert 'href="/pay"' in text


def test_a_stepper_carries_exact_limits_for_machines(ui):
    text = str(ui.stepper("q", Decimal("1000"), "Quantity", Decimal("100.000000"), Decimal("0.5"), unit="pcs"))
    assert 'data-min="100"' in text
    assert 'data-step="0.5"' in text
    assert 'value="1000"' in text


def test_the_style_sheet_and_script_stay_small():
    assert (ROOT / "static" / "tukku.css").stat().st_size < 60_000
    assert (ROOT / "static" / "tukku.js").stat().st_size < 40_000


def test_templates_have_no_inline_script_or_style():
    inline = re.compile(r"\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|<style|javascript:|hx-on")
    offending = [f.name for f in TEMPLATES.rglob("*.html") if inline.search(f.read_text("utf-8"))]
    assert offending == []
