"""How `make docs` turns these pages into a site; a warning ends the build."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import core.api
from core.version import VERSION

project = "Tukku"
project_copyright = "the Tukku authors"
version = release = VERSION
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3

# docstrings write `code` between single backticks, as people do
default_role = "code"
autodoc_typehints_format = "short"
add_module_names = False

html_theme = "furo"
html_title = f"Tukku {VERSION}"
html_show_sphinx = False
html_copy_source = False

# loaded before autodoc looks: it would load models a second time, with the imports that are for type checkers
MODULES = [import_module(module.name) for module in iter_modules(core.api.__path__, "core.api.")]


def setup(app: Any) -> None:
    """Let the page `api` hold what `core.api` says at this moment."""
    app.connect("source-read", _fill)


def _fill(_app: Any, page: str, content: list[str]) -> None:
    if page == "api":
        content[0] += "\n".join(line for module in MODULES for line in _described(module))


def _described(module: ModuleType) -> Iterator[str]:
    yield f"\n## `{module.__name__}`\n\n{inspect.getdoc(module)}\n\n```{{eval-rst}}"
    for name in module.__all__:
        thing, path = getattr(module, name), f"{module.__name__}.{name}"
        if inspect.ismodule(thing):
            yield f".. py:data:: {name}\n   :no-index:\n\n   The module: {(inspect.getdoc(thing) or '').splitlines()[0]}\n"
        elif inspect.isclass(thing):
            yield f".. autoclass:: {path}\n   :no-index:\n"
            for member, directive in _members(thing):
                yield f"   .. {directive}:: {path}.{member}\n      :no-index:\n"
        elif inspect.isroutine(thing):
            yield f".. autofunction:: {path}\n   :no-index:\n"
        else:
            yield f".. py:data:: {name}\n   :no-index:\n"
    yield "```"


def _members(kind: type) -> Iterator[tuple[str, str]]:
    """Yield what a class explains itself, with its directive; what it inherits is explained elsewhere."""
    for name, value in vars(kind).items():
        if not name.startswith("_") and value.__doc__:
            if isinstance(value, property):
                yield name, "autoproperty"
            elif inspect.isroutine(value):
                yield name, "automethod"
