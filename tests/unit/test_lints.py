"""Rules of the house that no linter knows: read from the source, each failure names its line."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MONEY = ("core/pricing", "core/orders", "core/spec", "addons")
LISTING = Path(__file__).with_name("unscoped_uses.txt")
#: Where time is made.
CLOCK = "core/data/clock.py"
ASKING_TIME = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


@cache
def _read(*folders: str) -> tuple[tuple[str, ast.Module, str], ...]:
    return tuple(_parsed(folders))


def _sources(*folders: str) -> tuple[tuple[str, ast.Module, str], ...]:
    return _read(*(folders or ("core", "addons")))


def _parsed(folders: tuple[str, ...]) -> Iterator[tuple[str, ast.Module, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/versions/" not in name and "/tests/" not in name:
                source = path.read_text(encoding="utf-8")
                yield name, ast.parse(source), source


def _templates() -> Iterator[tuple[str, str]]:
    for folder in ("core", "addons"):
        for path in sorted((ROOT / folder).rglob("templates/**/*.html")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == name:
            yield node


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def test_money_never_meets_a_float():
    found = []
    for name, tree, _source in _sources(*MONEY):
        found += [f"{name}:{call.lineno} calls float()" for call in _calls(tree, "float")]
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                found.append(f"{name}:{node.lineno} has the float {node.value}")
    assert found == []


def test_rows_are_locked_in_one_way():
    """By ``core.data.write.locked``, which says what goes wrong with others."""
    found = []
    for name, tree, _source in _sources():
        for node in ast.walk(tree):
            called = isinstance(node, ast.Attribute) and node.attr == "with_for_update"
            passed = isinstance(node, ast.keyword) and node.arg == "with_for_update"
            if called or passed:
                found.append(f"{name}:{node.lineno}")
    assert [place.rpartition(":")[0] for place in found] == ["core/data/write.py"], found


def test_time_comes_from_the_clock():
    found = []
    for name, tree, _source in _sources():
        if name == CLOCK or name.startswith("core/demo/"):
            continue
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                owner = _name(call.func.value)
                if (owner, call.func.attr) in {
                    ("datetime", "now"),
                    ("datetime", "utcnow"),
                    ("date", "today"),
                    ("time", "time"),
                }:
                    found.append(f"{name}:{call.lineno} asks {owner}.{call.func.attr}()")
    assert found == []


def test_a_day_is_that_of_a_zone():
    """The date of an instant in UTC is for some hours of each day not the one of the merchant or of a site."""
    found = []
    for path in sorted(path for folder in ("core", "addons", "tests") for path in (ROOT / folder).rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"\bnow\(\)(?!\.astimezone).*\.date\(\)", line) and "# any zone" not in line:
                found.append(f"{path.relative_to(ROOT)}:{number} takes the date of UTC: clock.today(zone)")
    assert not found


def test_every_lifting_of_the_scope_is_listed():
    """A new use is looked at by whoever adds its line; `UPDATE_LISTINGS=1 pytest tests/unit/test_lints.py` writes them."""
    found = sorted({use for name, tree, _source in _sources() for use in _unscoped(name, tree)})
    if os.environ.get("UPDATE_LISTINGS"):
        LISTING.write_text("\n".join(found) + "\n", encoding="utf-8")
    listed = LISTING.read_text(encoding="utf-8").split("\n") if LISTING.exists() else []
    known = {line for line in listed if line}
    assert (sorted(set(found) - known), sorted(known - set(found))) == ([], []), "not listed, and listed but gone"


def _unscoped(name: str, tree: ast.Module) -> Iterator[str]:
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for call in _calls(function, "unscoped"):
                given = call.args[1] if len(call.args) > 1 else call.keywords[0].value
                reason = (
                    given.value if isinstance(given, ast.Constant) else constants.get(_name(given), "?") if given else "?"
                )
                yield f"{name} {function.name}: {reason}"


def test_scope_is_lifted_with_a_reason_that_can_be_read():
    assert [line for line in LISTING.read_text(encoding="utf-8").split("\n") if line.endswith(": ?")] == []


_INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|hx-on|hx-vals=[\"']js", re.I
)


def test_templates_have_no_inline_script_or_style():
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in _templates()
        for number, line in enumerate(text.split("\n"), 1)
        if _INLINE.search(line)
    ]
    assert found == []


_CODE = re.compile(r"\{% block [a-z_]*class %\}[^{]*|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
_TAG = re.compile(r"<!--.*?-->|<svg.*?</svg>|<[^>]*>|&[a-z]+;", re.S)
_SPOKEN = re.compile(r"(?:aria-label|title|alt)=\"([^\"{]*[A-Za-z]{2,}[^\"{]*)\"")
#: Names and examples that are the same in every language.
_SAME_EVERYWHERE = {"Ctrl", "Tukku", "SKU", "EAN", "GTIN", "CSV", "XLSX", "PDF", "VAT", "ID"}


def _lines_only(match):
    return "\n" * match.group().count("\n")


def test_templates_say_nothing_past_the_translations():
    found = []
    for name, text in _templates():
        plain = _TAG.sub(_lines_only, _CODE.sub(_lines_only, text))
        for number, line in enumerate(plain.split("\n"), 1):
            words = [w for w in re.findall(r"[^\W\d_]{2,}", line) if w not in _SAME_EVERYWHERE]
            if words:
                found.append(f"{name}:{number}: {line.strip()[:80]}")
        found += [f"{name}: {match[1]}" for match in _SPOKEN.finditer(text)]
    assert found == [], "\n".join(found)


def test_nothing_is_left_for_later():
    found = []
    for name, _tree, source in _sources():
        found += [
            f"{name}:{n}" for n, line in enumerate(source.split("\n"), 1) if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)
        ]
    assert found == []


def test_modules_are_short_enough_to_be_read():
    found = [f"{name}: {source.count(chr(10))} lines" for name, _tree, source in _sources() if source.count("\n") > 400]
    assert found == []


def test_each_sweep_over_stored_rows_is_seen_to_find_something():
    """A check that finds nothing proves nothing: a test breaks a row by SQL and names the check's code."""
    tests = "".join(
        path.read_text(encoding="utf-8") for folder in ("tests", "addons") for path in (ROOT / folder).rglob("test_*.py")
    )
    codes = [
        f"{name}:{call.lineno} {call.args[0].value}"
        for name, tree, _source in _sources("core", "addons", "tests/external_addon")
        for call in _calls(tree, "DataCheck")
        if isinstance(call.args[0], ast.Constant)
    ]
    assert len(codes) > 20
    assert [code for code in codes if f'"{code.rpartition(" ")[2]}"' not in tests] == []
