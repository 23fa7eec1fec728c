"""Rules compile what builds their addresses late, and build what werkzeug's own rule builds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, url_for
from werkzeug.routing import Map, Rule

from core.runtime.rules import LazyRule

PATHS = ("/plain", "/orders/<number>", "/p/<path:rest>/<int:page>", "/with/<default>")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count what werkzeug compiles."""
    seen: list[str] = []
    own: Callable[..., object] = Rule._compile_builder
    monkeypatch.setattr(Rule, "_compile_builder", lambda rule, *args: (seen.append(rule.rule), own(rule, *args))[1])
    return seen


def test_nothing_is_compiled_before_an_address_is_asked_for(counted: list[str]) -> None:
    app = Flask("rules", static_folder=None)
    app.url_rule_class = LazyRule
    for number, path in enumerate(PATHS):
        app.add_url_rule(path, f"view{number}", lambda **values: "")
    assert counted == []
    with app.test_request_context("/"):
        assert url_for("view1", number="a b", self=1) == "/orders/a%20b?self=1"
        assert url_for("view1", number="c") == "/orders/c"
    assert counted == ["/orders/<number>"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("append_unknown", [True, False])
def test_addresses_are_those_of_werkzeug(path: str, append_unknown: bool) -> None:
    values = {"number": "ä/1", "rest": "a/b", "page": 3, "more": ["x", "y"]}
    built = []
    for kind in (Rule, LazyRule):
        rules = Map([kind(path, endpoint="view", defaults={"default": "d"} if "default" in path else None)])
        built.append(rules.bind("example.org").build("view", values, append_unknown=append_unknown))
    assert built[0] == built[1]
