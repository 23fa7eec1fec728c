"""Find files of an addon that nothing reaches: modules, templates, static and data files, catalogues, bridges.

    what core calls ── imports, names ──► modules ── names ──► templates, static files, typst, seeds ── names ──► …

It never runs the addon, so it is careful: where a name may be put together while the addon runs, the file counts as used.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.core import Locale, UnknownLocaleError
from babel.messages.pofile import PoFileError, read_po

from core.registry.lint_files import APART, place_of, read
from core.registry.problems import Problem
from core.registry.sources import Found

#: Modules that core, Python or pytest looks for by name.
_CALLED = frozenset({"__init__", "__main__", "conftest", "models", "schema", "testing"})
#: Folders whose files are named by code, templates or each other.
_NAMED = ("templates", "static", "typst", "seeds")
#: Files whose text may name others.
_TEXTS = frozenset({".css", ".csv", ".html", ".js", ".json", ".mjs", ".py", ".svg", ".toml", ".txt", ".typ", ".xml"})
_REMEDIES = {
    "templates": "Delete it, or name it where it is to be shown.",
    "static": "Delete it, or name it in a template with asset().",
}
_REMEDY = "Delete it, or name it where it is to be read."


def unused(found: Found) -> Iterator[Problem]:
    """Yield the files of an addon that nothing of it, and nothing of core, names."""
    yield from _unreached(found)
    yield from _bridges(found)
    yield from _catalogues(found)


def _unreached(found: Found) -> Iterator[Problem]:
    modules, files = _modules(found), _named(found)
    code = {file: _Names(read(file)) for file in modules}
    texts = {file: read(file) for file in (*modules, *files) if file.suffix in _TEXTS}
    tests = [_Names(read(file)) for file in sorted((found.location / "tests").rglob("*.py"))]
    reached = {file for file in modules if _is_called(found, file)}
    new = set(reached)
    while new:  # what was reached last may name others
        names = [code[file] for file in reached if file in code] + tests
        said = [texts[file] for file in new if file in texts]
        found_now = {file for file in modules if file not in reached and any(n.reach(found, file) for n in names)}
        found_now |= {file for file in files if file not in reached and any(_names(found, file, text) for text in said)}
        reached |= found_now
        new = found_now
    for file in sorted({*files, *modules}):
        if file not in reached and not _misplaced(found, file):
            yield Problem("UNUSED", found.name, f"{place_of(found, file)}: {_why(found, file)}", _how(found, file))


def _why(found: Found, file: Path) -> str:
    if file.suffix == ".py":
        return "no module of the addon that runs imports it."
    folder = file.relative_to(found.location).parts[0]
    return "no view, panel or page of the addon names it." if folder == "templates" else "nothing of the addon names it."


def _how(found: Found, file: Path) -> str:
    if file.suffix == ".py":
        return "Delete it, or import it where it is needed."
    return _REMEDIES.get(file.relative_to(found.location).parts[0], _REMEDY)


def _modules(found: Found) -> list[Path]:
    """Return the addon's modules, but tests, migrations and what stands in hidden folders."""
    return [file for file in sorted(found.location.rglob("*.py")) if not _apart(file.relative_to(found.location))]


def _named(found: Found) -> list[Path]:
    folders = [found.location / name for name in _NAMED]
    inside = {file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".py"}
    inside |= {file for file in found.location.rglob("*.typ") if not _apart(file.relative_to(found.location))}
    return sorted(file for file in inside if not file.name.startswith(".") and file.suffix not in (".md", ".pyc"))


def _apart(inner: Path) -> bool:
    return inner.parts[0] in APART or any(part.startswith(".") or part == "__pycache__" for part in inner.parts)


def _misplaced(found: Found, file: Path) -> bool:
    """Tell whether it is a template outside of its folder, which is said by itself."""
    inner = file.relative_to(found.location).parts
    return inner[0] == "templates" and inner[1] != found.name


def _is_called(found: Found, file: Path) -> bool:
    """Tell whether core or Python comes to a module by itself; bridges have a rule of their own."""
    entry = found.manifest.entry.partition(":")[0].split(".")[-1] if found.manifest else ""
    if file.stem in (*_CALLED, entry) or file.relative_to(found.location).parts[0] == "bridges":
        return True
    projects = (
        folder / name for folder in (found.location, found.location.parent) for name in ("setup.cfg", "pyproject.toml")
    )
    return any(f".{file.stem}:" in read(project) for project in projects if project.is_file())


class _Names:
    """The names that a module imports, and the texts in it by which it may import more."""

    def __init__(self, source: str) -> None:
        self.imported: set[str] = set()
        self.strings: set[str] = set()
        self.walks = False
        try:
            tree = ast.parse(source)
        except SyntaxError:  # the trial says it with its line
            return
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=module, names=names):
                    self.imported.update((module or "").split("."), (alias.name for alias in names))
                case ast.Import(names=names):
                    self.imported.update(part for alias in names for part in alias.name.split("."))
                case ast.Constant(value=str() as text):
                    self.strings.add(text)
                case ast.Name(id=name) | ast.Attribute(attr=name) if name in ("iter_modules", "walk_packages"):
                    self.walks = True

    def reach(self, found: Found, file: Path) -> bool:
        """Tell whether the module imports ``file``, by name or by a name that is put together."""
        if file.stem in self.imported:
            return True
        folder = file.relative_to(found.location).parent.name
        loose = self.walks or any(text.endswith(f"{folder}.") for text in self.strings)
        return (bool(folder) and loose) or any(f".{text}".endswith(f".{file.stem}") for text in self.strings)


def _names(found: Found, file: Path, text: str) -> bool:
    """Tell whether a text names the file, or puts its name together: by its folder or its ending."""
    inner = file.relative_to(found.location)
    name = inner.relative_to("templates").as_posix() if inner.parts[0] == "templates" else file.name
    if name in text:
        return True
    made = [rf"[}}\"'*]{re.escape(file.suffix)}\b"] if file.suffix else []
    if file.parent.name not in _NAMED:
        made.append(rf"{re.escape(file.parent.name)}/[{{%\"'~]")
    return any(re.search(pattern, text) for pattern in made)


def _bridges(found: Found) -> Iterator[Problem]:
    named = found.manifest.optional_addons if found.manifest else {}
    for file in sorted((found.location / "bridges").glob("*.py")):
        if file.stem not in named and not file.stem.startswith("_"):
            said = f"{place_of(found, file)}: the manifest names no {file.stem} that it could lead to."
            yield Problem("UNUSED", found.name, said, f"Name {file.stem} under [optional.addons], or delete the file.")


def _catalogues(found: Found) -> Iterator[Problem]:
    folder = found.location / "translations"
    for file in sorted(path for path in folder.rglob("*") if path.suffix in (".po", ".mo")):
        why = _unread(found, file.relative_to(folder).parts)
        if why:
            yield Problem("UNUSED", found.name, f"{place_of(found, file)}: {why}", "Move it there, or delete it.")
        elif file.suffix == ".po" and not _translates(file):
            said = f"{place_of(found, file)}: has no text in its language."
            yield Problem("UNUSED", found.name, said, "Translate its messages, or delete the language.")


def _unread(found: Found, parts: tuple[str, ...]) -> str:
    """Return why a catalogue is never read, '' if it is."""
    match parts:
        case (language, "LC_MESSAGES", name) if name.rpartition(".")[0] == found.name:
            try:
                Locale.parse(language)
            except (UnknownLocaleError, ValueError):
                return f"{language} is no language; it would be read from translations/<language>/LC_MESSAGES/{name}."
            return ""
    return f"only translations/<language>/LC_MESSAGES/{found.name}.po is read."


def _translates(file: Path) -> bool:
    """Tell whether a catalogue has the text of a message; one that cannot be read is found by the contract suite."""
    try:
        with file.open("rb") as source:
            messages = list(read_po(source))
    except (PoFileError, ValueError, OSError):
        return True
    return any(message.id and any(_forms(message.string)) for message in messages)


def _forms(said: object) -> Sequence[str]:
    """Return the texts of a message: one, or one for each plural form."""
    return said if isinstance(said, list | tuple) else (str(said or ""),)
