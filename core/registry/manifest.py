"""Read and validate `addon.toml` without importing a line of the addon."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

FILE_NAME = "addon.toml"
NAME = re.compile(r"[a-z][a-z0-9_]{2,29}")
ENTRY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

# Domain packages, table prefixes, blueprints and commands of core: an addon of the same name could not
# be told apart.
_CORE_WORDS = """
    accounts addons admin api backoffice backup bench bridges catalog check cli companies core currencies data
    db demo doctor export hooks i18n import imports init jobs orders price pricing registry restapi restore
    runtime search security seller serve settings shop spec static storefront templates testing tukku ui
    upgrade users worker
"""
RESERVED = frozenset(_CORE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an addon says about itself. Ranges are PEP 440 specifiers, packages PEP 508 requirements."""

    name: str
    version: str
    title: str
    requires_core: str
    summary: str = ""
    category: str = ""
    license: str = ""
    authors: tuple[str, ...] = ()
    homepage: str = ""
    critical: bool = False
    data_owner_note: str = ""
    requires_python: str = ""
    requires_packages: tuple[str, ...] = ()
    requires_addons: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    optional_addons: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    conflicts: tuple[str, ...] = ()
    conflicts_reason: str = ""
    entry: str = "plugin:Plugin"


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong value: where it stands, what it is, what was expected, how to mend it."""

    file: str
    key: str
    value: Any
    expectation: str
    fix: str

    def __str__(self) -> str:
        return f"{self.sentence()}; {self.fix}"

    def sentence(self) -> str:
        """Say where and what, without the fix."""
        shown = f" {_shown(self.value)}" if self.value is not None else ""
        at = f" {self.key}{shown}:" if self.key else ""
        return f"{self.file}:{at} {self.expectation}"


class ManifestInvalid(Exception):
    """A manifest cannot be used; carries every fault in it, not only the first."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(f) for f in faults))
        self.faults = faults


def read_manifest(folder: Path, *, name_is_folder: bool = True) -> Manifest:
    """Return the manifest of an addon's folder; raise `ManifestInvalid` with all its faults.

    A folder addon is named as its folder; a package from a wheel may be named otherwise.
    """
    path = folder / FILE_NAME
    where = f"{folder.parent.name}/{folder.name}/{FILE_NAME}"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
        raise _refused(where, fault, "check that the file is there and readable") from error
    except UnicodeDecodeError as error:
        raise _refused(where, f"is not UTF-8 (byte {error.start})", "save it as UTF-8") from error
    manifest = parse_manifest(text, where)
    if name_is_folder and manifest.name != folder.name:
        raise ManifestInvalid((_name_differs(where, manifest.name, folder.name),))
    return manifest


def parse_manifest(text: str, where: str) -> Manifest:
    """Turn the text of an `addon.toml` into a `Manifest`; raise `ManifestInvalid` with all faults."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(where, f"is not TOML: {error}", "correct the syntax") from error
    faults: list[Fault] = []
    values = _Reader(where, document, faults).read()
    if faults:
        raise ManifestInvalid(tuple(faults))
    return Manifest(**values)


def _refused(where: str, expectation: str, fix: str) -> ManifestInvalid:
    return ManifestInvalid((Fault(where, "", None, expectation, fix),))


def _name_differs(where: str, name: str, folder: str) -> Fault:
    expectation = f"differs from the folder's name {_shown(folder)}"
    return Fault(where, "addon.name", name, expectation, "rename one of the two")


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'"{text}"' if isinstance(value, str) else text


Check = Callable[[Any], str | None]  # returns "expectation; fix" when the value is refused


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "not a text; put it in quotes"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "not true or false; write true or false without quotes"


def _name(value: Any) -> str | None:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        return "not 3 to 30 small letters, digits and underscores that begin with a letter; rename the addon"
    if value in RESERVED:
        return "a name that core uses itself; choose another name"
    return None


def _version(value: Any) -> str | None:
    try:
        Version(value)
    except (InvalidVersion, TypeError):
        return 'not a PEP 440 version; write for example "1.0.0"'
    return None


def _range(value: Any) -> str | None:
    try:
        SpecifierSet(value)
    except (InvalidSpecifier, TypeError, AttributeError):
        return 'not a PEP 440 range; write for example ">=0.2"'
    return None


def _core_range(value: Any) -> str | None:
    fault = 'not a PEP 440 range with an upper bound; write for example ">=0.1,<0.2"'
    if _range(value) is not None:
        return fault
    bounded = any(s.operator in {"<", "<=", "==", "~="} for s in SpecifierSet(value))
    return None if bounded else fault


def _texts(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(v, str) for v in value)
    return None if good else 'not a list of texts; write for example ["one", "two"]'


def _requirements(value: Any) -> str | None:
    fault = 'not a list of PEP 508 requirements; write for example ["lxml>=5"]'
    if _texts(value) is not None:
        return fault
    try:
        for text in value:
            Requirement(text)
    except InvalidRequirement:
        return fault
    return None


def _ranges(value: Any) -> str | None:
    good = isinstance(value, dict) and all(NAME.fullmatch(k) and _range(v) is None for k, v in value.items())
    fault = 'not a table of addon names and PEP 440 ranges; write for example reports = ">=0.1"'
    return None if good else fault


def _entry(value: Any) -> str | None:
    good = isinstance(value, str) and ENTRY.fullmatch(value)
    return None if good else 'not "module:Class"; write for example "plugin:CreditTerms"'


# (path in the file, field of Manifest, check, required)
SCHEMA: tuple[tuple[str, str, Check, bool], ...] = (
    ("addon.name", "name", _name, True),
    ("addon.version", "version", _version, True),
    ("addon.title", "title", _text, True),
    ("addon.summary", "summary", _text, False),
    ("addon.category", "category", _text, False),
    ("addon.license", "license", _text, False),
    ("addon.authors", "authors", _texts, False),
    ("addon.homepage", "homepage", _text, False),
    ("addon.critical", "critical", _flag, False),
    ("addon.data_owner_note", "data_owner_note", _text, False),
    ("requires.core", "requires_core", _core_range, True),
    ("requires.python", "requires_python", _range, False),
    ("requires.packages", "requires_packages", _requirements, False),
    ("requires.addons", "requires_addons", _ranges, False),
    ("optional.addons", "optional_addons", _ranges, False),
    ("conflicts.addons", "conflicts", _texts, False),
    ("conflicts.reason", "conflicts_reason", _text, False),
    ("entry.plugin", "entry", _entry, False),
)


class _Reader:
    """Walks the schema over one document and collects values and faults."""

    def __init__(self, where: str, document: Mapping[str, Any], faults: list[Fault]) -> None:
        self.where, self.document, self.faults = where, document, faults
        self.tables = sorted({path.split(".")[0] for path, *_ in SCHEMA})

    def read(self) -> dict[str, Any]:
        self._refuse_unknown()
        values: dict[str, Any] = {}
        for path, name, check, required in SCHEMA:
            table, key = path.split(".")
            section = self.document.get(table, {})
            if not isinstance(section, dict):
                continue  # reported once by _refuse_unknown
            if key not in section:
                if required:
                    self._fault(path, None, "missing", f"add {key} under [{table}]")
                continue
            self._take(values, path, name, check, section[key])
        self._refuse_self_reference(values)
        return values

    def _take(self, values: dict[str, Any], path: str, name: str, check: Check, value: Any) -> None:
        refused = check(value)
        if refused is not None:
            expectation, fix = refused.rsplit("; ", 1)
            self._fault(path, value, expectation, fix)
        elif isinstance(value, list):
            values[name] = tuple(value)
        else:
            values[name] = MappingProxyType(dict(value)) if isinstance(value, dict) else value

    def _refuse_unknown(self) -> None:
        for table, section in self.document.items():
            if table not in self.tables:
                self._unknown(f"[{table}]", table, self.tables)
            elif not isinstance(section, dict):
                self._fault(table, section, "not a table", f"write [{table}] on a line of its own")
            else:
                known = [path.split(".")[1] for path, *_ in SCHEMA if path.startswith(f"{table}.")]
                for key in section:
                    if key not in known:
                        self._unknown(f"{table}.{key}", key, known)

    def _unknown(self, path: str, word: str, known: list[str]) -> None:
        close = get_close_matches(word, known, 1)
        fix = f"did you mean {close[0]}?" if close else f"remove it; known are {', '.join(known)}"
        self._fault(path, None, "unknown", fix)

    def _refuse_self_reference(self, values: Mapping[str, Any]) -> None:
        for path, name in (
            ("requires.addons", "requires_addons"),
            ("optional.addons", "optional_addons"),
            ("conflicts.addons", "conflicts"),
        ):
            if values.get("name") in values.get(name, ()):
                self._fault(path, values["name"], "names the addon itself", "remove it")

    def _fault(self, key: str, value: Any, expectation: str, fix: str) -> None:
        self.faults.append(Fault(self.where, key, value, expectation, fix))
