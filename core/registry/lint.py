"""Read an addon's code without running it: what it imports, and (`lint_files`, `lint_unused`) what its files hold.

The promise to addons is `core.api`; what they import beyond it breaks with the next version of core.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from core.registry.lint_files import APART, lint_files
from core.registry.lint_unused import unused
from core.registry.problems import Problem
from core.registry.sources import Found

PROMISED = "core.api"


def lint(found: Found) -> tuple[Problem, ...]:
    """Return what is wrong with an addon's code and files: unpromised imports, tables, templates, what nobody uses."""
    return (*_imports(found), *lint_files(found), *unused(found))


def _imports(found: Found) -> Iterator[Problem]:
    for file in sorted(found.location.rglob("*.py")):
        inner = file.relative_to(found.location)
        if inner.parts[0] in APART:
            continue
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"), file.name)
        except (SyntaxError, UnicodeDecodeError):
            continue  # the trial says it with its line
        for line, module in _imported(tree):
            yield from _check(found, f"{found.name}/{inner.as_posix()}:{line}", module)


def _check(found: Found, place: str, module: str) -> Iterator[Problem]:
    top, _, rest = module.partition(".")
    if top == "core" and module != PROMISED and not module.startswith(f"{PROMISED}."):
        text = f"{place}: imports {module}, which is not promised to addons."
        yield Problem("IMPORT", found.name, text, "Import from core.api, or ask for what is missing there.")
    if top != "addons" or not rest:
        return
    other = rest.split(".")[0]
    manifest = found.manifest
    named = (*manifest.requires_addons, *manifest.optional_addons) if manifest else ()
    if other not in (found.name, *named):
        text = f"{place}: imports {module}, and its manifest does not name {other}."
        yield Problem("IMPORT", found.name, text, f"Name {other} under [requires.addons], or leave it alone.")


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of every import that runs; those for type checkers and scripts do not."""
    skipped = {id(inner) for node in ast.walk(tree) if _apart(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from ((node.lineno, _full(node.module, alias.name)) for alias in node.names)
        elif isinstance(node, ast.Call) and (module := _by_name(node)):
            yield node.lineno, module


def _full(module: str, name: str) -> str:
    """Return ``core.x`` for ``from core import x``; else the module that is named."""
    return f"{module}.{name}" if module in ("core", "addons") else module


def _by_name(node: ast.Call) -> str:
    """Return the module that ``import_module("…")`` or ``__import__("…")`` names; '' for any other call."""
    called = ast.unparse(node.func).rpartition(".")[2]
    match node.args:
        case [ast.Constant(value=str() as module), *_] if called in ("import_module", "__import__"):
            return module
    return ""


def _apart(node: ast.AST) -> bool:
    """Tell whether a block runs only for type checkers, or only as a script."""
    if not isinstance(node, ast.If):
        return False
    test = ast.unparse(node.test)
    return test in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'")
