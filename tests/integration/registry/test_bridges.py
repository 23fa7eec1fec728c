"""A bridge is imported and registered only where the other addon runs."""

from __future__ import annotations

import sys

from .conftest import registry_of


def names(app):
    found = registry_of(app).contributions("app_permissions")
    return [c.value.name for c in found if c.owner == "toy_bridge"]


def test_bridge_exists_only_with_the_other(built, monkeypatch):
    monkeypatch.delitem(sys.modules, "addons.toy_bridge.bridges.toy_addon", raising=False)  # of another test
    alone = built("toy_bridge")
    assert names(alone) == ["toy_bridge.thing.view"]
    assert "addons.toy_bridge.bridges.toy_addon" not in sys.modules
    together = built("toy_addon", "toy_bridge")
    assert names(together) == ["toy_bridge.note.view", "toy_bridge.thing.view"]
    assert registry_of(together).plan.bridges == (("toy_bridge", "toy_addon"),)
    assert registry_of(together).addons == ("toy_addon", "toy_bridge")
    assert names(built("toy_bridge")) == ["toy_bridge.thing.view"]


def test_builds_leave_no_app_alive(built):
    import gc
    import weakref

    apps = [weakref.ref(built("toy_addon", "toy_bridge")) for _ in range(5)]
    gc.collect()
    assert [ref() for ref in apps] == [None] * 5


def test_two_builds_give_equal_contributions(built):
    one, other = registry_of(built("toy_addon")), registry_of(built("toy_addon"))
    assert [(c.owner, c.value.name) for c in one.contributions("app_permissions")] == [
        (c.owner, c.value.name) for c in other.contributions("app_permissions")
    ]
    assert one.addons == other.addons
