"""Static files of an addon: under the digest of what they hold, while it runs, and nothing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data import clock
from core.registry.assembly import Ingredients
from core.registry.sources import FolderSource, discover
from core.registry.state import Snapshot, Stored
from core.runtime.app import core_domains, make_app
from core.testing.apps import Client
from core.ui.assets import asset

TESTS = Path(__file__).parents[2]


@pytest.mark.database("sqlite")
def test_static_files_of_an_addon_are_there_while_it_runs(app):
    def build(*names):
        states = {n: Stored(n, True, "1.0", False, "tests", clock.now()) for n in names}
        found = discover([FolderSource(TESTS)])
        made = make_app(app.extensions["tukku.config"], Ingredients(core_domains(), found, Snapshot(3, states)))
        made.test_client_class = Client
        return made

    on, off = build("toy_addon"), build()
    with on.test_request_context("/"):
        address = asset("toy.css", "toy_addon")
    answer = on.test_client().get(address)
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/css", "p { margin: 0; }\n")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert on.test_client().get(address.replace("toy.css", "../plugin.py")).status_code == 404
    assert off.test_client().get(address).status_code == 404
    with off.test_request_context("/"), pytest.raises(FileNotFoundError, match=r"no static file 'toy.css' of toy_addon"):
        asset("toy.css", "toy_addon")
