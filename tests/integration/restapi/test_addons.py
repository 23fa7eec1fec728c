"""An addon's resource is there while the addon runs."""

from pathlib import Path

import pytest

from core.data import clock
from core.registry.assembly import Ingredients
from core.registry.failure import AddonFailed
from core.registry.sources import FolderSource, discover
from core.registry.state import Snapshot, Stored
from core.restapi import keys
from core.restapi.document import ROOT, Names
from core.runtime.app import core_domains, make_app
from core.testing import factories as make
from core.testing.apps import Client

TESTS = Path(__file__).parents[2]


@pytest.fixture
def toy_app(app):
    """Build the app again, with the toy or without, on the same database."""

    def build(*names):
        states = {n: Stored(n, True, "1.0", False, "tests", clock.now()) for n in names}
        found = discover([FolderSource(TESTS)])
        made = make_app(app.extensions["tukku.config"], Ingredients(core_domains(), found, Snapshot(3, states)))
        made.test_client_class = Client
        return made.test_client()

    return build


@pytest.mark.database("sqlite")
def test_an_addon_adds_a_resource_and_values_to_companies(app, toy_app):
    make.make_company("ACME")
    made = keys.create("a program", keys.offered(None), company_id=None, days=1)
    headers = {"Authorization": f"Bearer {made.secret}"}
    for names in ((), ("toy_addon",)):
        client, runs = toy_app(*names), bool(names)
        document = client.get(f"{ROOT}/openapi.json").json
        assert (f"{ROOT}/toy_addon/notes" in document["paths"]) == runs
        assert ("ToyAddonNote" in document["components"]["schemas"]) == runs
        answer = client.post(f"{ROOT}/toy_addon/notes", json={"text": "hi"}, headers=headers)
        assert answer.status_code == (403 if runs else 404)  # the key was made without the toy's permission
        found = client.get(f"{ROOT}/companies/ACME", headers=headers).json["extensions"]
        assert found.get("toy_addon") == ({"notes": 3} if runs else None)


@pytest.mark.database("sqlite")
def test_the_same_component_twice_stops_the_build(app):
    from core.registry.registry import EXTENSION

    names = Names(app.extensions[EXTENSION])
    names.owner = "loyalty"
    first = type("CompanySchema", (), {"__module__": "one"})
    names(first)
    names(first)
    with pytest.raises(AddonFailed, match="loyalty: schemas of two and one both make the component Company"):
        names(type("CompanySchema", (), {"__module__": "two"}))
