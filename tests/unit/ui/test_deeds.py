"""What the audit keeps has words, in every language: core's and those that addons contribute."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import core
from core.i18n import speaking
from core.spec.app import AuditWords
from core.testing.apps import bundled_addons
from core.ui import deeds

ROOT = Path(core.__file__).parents[1]
OWN = AuditWords(deeds.THINGS, deeds.DEEDS, deeds.VALUES)
KINDS = ("things", "deeds", "values")


def words_of(owner: str) -> AuditWords:
    """Return what an owner contributes; nothing for an addon that writes nothing."""
    if owner == "core":
        return OWN
    plugin = importlib.import_module(f"addons.{owner}.plugin")
    made = next(found for name, found in vars(plugin).items() if hasattr(found, "audit_words") and name[0].isupper())()
    [words] = made.audit_words()
    return words


class Recorded:
    """Every literal that the code of an owner hands to the audit, through helpers of its own too."""

    def __init__(self, owner: str) -> None:
        folder = ROOT / ("core" if owner == "core" else f"addons/{owner}")
        paths = [path for path in folder.rglob("*.py") if not {"tests", "testing", "demo"} & {*path.parts}]
        self.trees = [ast.parse(path.read_text("utf-8")) for path in paths]
        self.things: set[str] = set()
        self.deeds: set[str] = set()
        self.values: set[str] = set()
        #: f"approval {outcome}" as a pattern
        self.patterns: set[str] = set()
        for tree in self.trees:
            names = {n.targets[0].id: n.value for n in ast.walk(tree)
                     if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}  # fmt: skip
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef):
                    for call in _calls(function, "audit", "record"):
                        self._take(call, names, function)

    def _take(self, call: ast.Call, names: dict[str, ast.expr], function: ast.FunctionDef) -> None:
        self.things |= set(_texts(call.args[0], names))
        parameters = [argument.arg for argument in function.args.args]
        deed = call.args[2]
        if isinstance(deed, ast.Name) and deed.id in parameters:
            place = parameters.index(deed.id)
            for helped in (c for tree in self.trees for c in _calls(tree, "", function.name)):
                if len(helped.args) > place:
                    self._deed(helped.args[place], names)
        else:
            self._deed(deed, names)
        for word in call.keywords:
            kept = names.get(word.value.id) if isinstance(word.value, ast.Name) else word.value
            if word.arg == "after" and isinstance(kept, ast.Dict):
                self.values |= {key.value for key in kept.keys if isinstance(key, ast.Constant)}

    def _deed(self, said: ast.expr, names: dict[str, ast.expr]) -> None:
        if isinstance(said, ast.JoinedStr):
            parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in said.values)
            self.patterns.add("".join(parts))
        elif isinstance(said, ast.IfExp):
            self._deed(said.body, names)
            self._deed(said.orelse, names)
        self.deeds |= set(_texts(said, names))


def _calls(tree: ast.AST, module: str, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.attr == name:
            if called.value.id == module or not module:
                yield node
        elif isinstance(called, ast.Name) and called.id == name and not module:
            yield node


def _texts(node: ast.expr, names: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body, names), *_texts(node.orelse, names))
    elif isinstance(node, ast.Name) and node.id in names:
        yield from _texts(names[node.id], {})


@pytest.mark.parametrize("owner", ["core", *bundled_addons()])
def test_all_that_is_recorded_has_words_of_whoever_records_it(owner):
    found, words = Recorded(owner), words_of(owner)
    assert found.deeds, "the reading no longer fits how the audit is written"
    for kind in KINDS:
        known = {*getattr(words, kind), *getattr(OWN, kind)}
        assert getattr(found, kind) - known == set(), f"{owner} contributes no words for these {kind}"
    for pattern in found.patterns:
        assert any(re.fullmatch(pattern, deed) for deed in words.deeds), pattern


def test_nobody_says_again_or_otherwise_what_others_have_words_for():
    said: dict[tuple[str, str], str] = {}
    for owner in ("core", *bundled_addons()):
        for kind in KINDS:
            for code, text in getattr(words_of(owner), kind).items():
                assert owner == "core" or code not in getattr(OWN, kind), f"core has a word for {code}; {owner} needs none"
                assert said.setdefault((kind, code), str(text)) == str(text), f"{owner} calls {code} otherwise than another"


def test_a_line_says_what_was_done_in_the_readers_language():
    assert deeds.told("order", "101501", "confirmed") == "Order 101501: confirmed"
    assert deeds.told("user", "", "roles_changed") == "Person: roles changed"
    assert deeds.told("addon_thing", "X-1", "made_up") == "addon thing X-1: made up"
    with Flask(__name__).app_context(), speaking("fi"):
        assert deeds.told("order", "101501", "confirmed") == "Tilaus 101501: vahvistettu"


@pytest.mark.database("sqlite")
def test_words_of_addons_are_theirs_in_every_language_and_gone_with_them(app_with):
    for owner in bundled_addons():
        words, app = words_of(owner), app_with(addons=[owner])
        with app.test_request_context("/"):
            for kind, say in (("things", deeds.thing), ("deeds", deeds.deed), ("values", deeds.value)):
                for code, text in getattr(words, kind).items():
                    assert say(code) == str(text)
                    with speaking("fi"):
                        assert say(code) == str(text), (owner, code)
    with app_with(addons=[]).test_request_context("/"):
        assert deeds.deed("approval asked of") == "approval asked of"
        assert deeds.value("grace_days") == "grace days"
