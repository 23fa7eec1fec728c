"""The reference of hooks, written from the specifications: `python -m core.registry.hookdocs`.

A test compares docs/hooks.md with what this module writes, so that the page cannot drift from the code.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from core.registry.plugins import hook_infos, make_manager
from core.registry.registry import HookInfo
from core.spec.hooks import SPECS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hooks.md"
HEAD = """# Hooks

Written by `python -m core.registry.hookdocs` from `core/spec`; do not edit. `tukku hooks list` shows who uses which.

An addon's plugin class implements hooks as methods marked `@hookimpl` (from `core.api.hooks`), which take any of the
named arguments.

- **contribute** hooks are called once for each build and return an iterable of one frozen dataclass. A wrong one leaves
  the addon out.
- **batch** hooks are called while serving, once for a whole batch. On error *isolate* leaves that addon's answer out and
  records an incident; *fail* refuses the operation, since going on without the answer would be wrong.

Contributions are sorted by their `order`, then by the order of the addons, then by their key.
"""


def page() -> str:
    """Return the whole page."""
    infos = hook_infos(make_manager())
    return "\n".join([HEAD, *_sections(infos)])


def _sections(infos: Any) -> Iterator[str]:
    shown: set[type] = set()
    for group in SPECS:
        yield f"## {(inspect.getdoc(group) or '').splitlines()[0].rstrip('.')}\n"
        for name in (n for n in vars(group) if n in infos):
            yield from _hook(infos[name])
            result = infos[name].result
            if result is not None and result not in shown:
                shown.add(result)
                yield from _type(result)


def _hook(info: HookInfo) -> Iterator[str]:
    answer = f"iterable of `{info.result.__name__}`" if info.result else "see below"
    yield f"### `{info.name}({', '.join(info.arguments)})`\n"
    yield f"{info.kind}, on error: {info.on_error}, since {info.since}. Returns: {answer}.\n"
    yield f"{info.help}\n"


def _type(result: type) -> Iterator[str]:
    yield f"`{result.__name__}`: {inspect.getdoc(result)}\n"
    if is_dataclass(result):
        yield "| Field | Type | Default |\n|---|---|---|"
        for field in fields(result):
            yield f"| `{field.name}` | `{_plain(field.type)}` | {_default(field)} |"
        yield ""


def _plain(kind: Any) -> str:
    return str(kind).replace("|", "or")


def _default(field: Field[Any]) -> str:
    if field.default is not MISSING:
        return f"`{field.default!r}`"
    return "made anew" if field.default_factory is not MISSING else "required"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
