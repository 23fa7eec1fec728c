"""What the audit keeps has words: every thing and deed that core and its addons write, and others as they wrote them."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask

import core
from core.i18n import speaking
from core.ui import deeds

_RECORDED = re.compile(r"audit\.record\(\s*\"(?P<thing>[a-z_ ]+)\",\s*[^,()]+(?:\([^)]*\))?,\s*\"(?P<deed>[a-z_ ]+)\"")


def test_all_that_core_and_its_addons_record_has_words():
    root = Path(core.__file__).parent
    paths = [*root.rglob("*.py"), *(path for path in root.with_name("addons").rglob("*.py") if "tests" not in path.parts)]
    found = [m for path in paths for m in _RECORDED.finditer(path.read_text("utf-8"))]
    assert len(found) > 40, "the pattern no longer fits how the audit is written"
    assert {m["thing"] for m in found} <= deeds.THINGS.keys()
    assert {m["deed"] for m in found} <= deeds.DEEDS.keys()


def test_a_line_says_what_was_done_in_the_readers_language():
    assert deeds.told("order", "101501", "confirmed") == "Order 101501: confirmed"
    assert deeds.told("user", "", "roles_changed") == "Person: roles changed"
    assert deeds.told("addon_thing", "X-1", "made_up") == "addon thing X-1: made up"
    with Flask(__name__).app_context(), speaking("fi"):
        assert deeds.told("order", "101501", "confirmed") == "Tilaus 101501: vahvistettu"
