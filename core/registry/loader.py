"""Import enabled addons; refuse what would hurt core: foreign tables, changed core classes, broken models.

Nothing of a disabled addon is imported. What a failed import left behind (modules, tables, mapped classes) is
taken away again, since one broken mapper would stop every query of the process.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Mapper, RelationshipProperty, configure_mappers

from core.data.db import Base
from core.registry.failure import AddonFailed, explain
from core.registry.sources import Found

#: Tables by the import name that brought them: a fact about the process, in which modules stay.
_tables: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Loaded:
    """An addon whose code is imported: its plugin class and the tables that it mapped."""

    found: Found
    plugin: type[Any]
    tables: tuple[str, ...]


def extend_path(folders: Iterable[Path]) -> None:
    """Make addons in these folders importable as ``addons.<name>``; the only place that touches the path."""
    path = importlib.import_module("addons").__path__
    for folder in folders:
        if str(folder) not in path:
            path.append(str(folder))


def extend_sys_path(projects: Iterable[Path]) -> None:
    """Make the packages of projects that are not installed importable, behind everything that is."""
    sys.path.extend(str(folder) for folder in projects if str(folder) not in sys.path)


def load(found: Found) -> Loaded:
    """Import an addon's package, models and plugin class; `AddonFailed` says what went wrong and where."""
    manifest = found.manifest
    if manifest is None:
        raise AddonFailed(found.name, f"{found.name} has no usable manifest.")
    module, class_name = manifest.entry.split(":")
    with _clean_import(found):
        _import(found, found.import_name)
        _refuse_other_place(found)
        if find_spec(f"{found.import_name}.models"):
            _import(found, f"{found.import_name}.models")
        entry = _import(found, f"{found.import_name}.{module}")
    plugin = getattr(entry, class_name, None)
    if not isinstance(plugin, type):
        names = f"{found.name}: addon.toml names entry.plugin {manifest.entry}"
        raise AddonFailed(found.name, f"{names}, and there is no class {class_name}.")
    return Loaded(found, plugin, _tables.get(found.import_name, ()))


def load_bridge(found: Found, other: str) -> type[Any] | None:
    """Import ``bridges/<other>.py`` and return its class ``Bridge``; None where there is no such file."""
    if not (found.location / "bridges" / f"{other}.py").is_file():
        return None
    module = _import(found, f"{found.import_name}.bridges.{other}")
    bridge = getattr(module, "Bridge", None)
    if not isinstance(bridge, type):
        raise AddonFailed(found.name, f"{found.name}: bridges/{other}.py has no class Bridge.")
    return bridge


def _import(found: Found, name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        message = f"{found.name}: importing {name} failed: {explain(error, found.location)}"
        raise AddonFailed(found.name, f"{message.rstrip('.')}.") from error


def _refuse_other_place(found: Found) -> None:
    """Modules are not imported twice: an addon that moved is read again only after a restart."""
    file = getattr(sys.modules[found.import_name], "__file__", None)
    if file is not None and Path(file).resolve().parent != found.location:
        where = f"{found.name}: is loaded from {Path(file).resolve().parent} and was found in {found.location}"
        raise AddonFailed(found.name, f"{where}: restart the server to use the other one.")


def _configure(found: Found) -> None:
    try:
        configure_mappers()
    except (Exception, SystemExit) as error:
        raise AddonFailed(found.name, f"{found.name}: its models cannot be mapped: {error}.") from error


@contextmanager
def _clean_import(found: Found) -> Iterator[None]:
    """Check what the first import of an addon added; undo it when it fails."""
    if found.import_name in _tables:
        yield
        return
    modules, tables = set(sys.modules), set(Base.metadata.tables)
    mappers, core = set(Base.registry.mappers), _core_attributes()
    try:
        yield
        _refuse_backrefs(found, set(Base.registry.mappers) - mappers)
        _configure(found)
        new = sorted(set(Base.metadata.tables) - tables)
        _refuse_foreign_tables(found, [Base.metadata.tables[name] for name in new])
        _refuse_changed_core(found, core)
    except AddonFailed:
        _forget(found, modules, tables, mappers)
        raise
    _tables[found.import_name] = tuple(new)


def _core_attributes() -> dict[Mapper[Any], frozenset[str]]:
    configure_mappers()
    return {m: frozenset(m.attrs.keys()) for m in Base.registry.mappers if m.class_.__module__.startswith("core.")}


def _refuse_foreign_tables(found: Found, tables: list[Table]) -> None:
    allowed = {t for name in _allowed(found) for t in _tables.get(name, ())} | {t.name for t in tables}
    for table in tables:
        if not table.name.startswith(f"{found.name}_"):
            named = f"{found.name}: table {table.name} must be named {found.name}_{table.name}"
            raise AddonFailed(found.name, f"{named}, so that its owner can be told.")
        for key in sorted(table.foreign_keys, key=lambda k: k.parent.name):
            target = key.target_fullname.split(".")[0]
            refers = f"{found.name}: the foreign key {table.name}.{key.parent.name} → {target}"
            if key.ondelete is None:
                fix = "write CASCADE, SET NULL, or RESTRICT with a data_owner_note"
                raise AddonFailed(found.name, f"{refers} does not say ondelete; {fix}.")
            if target not in allowed and not _of_core(target):
                raise AddonFailed(found.name, f"{refers} leads to an addon that its manifest does not require.")


def _allowed(found: Found) -> list[str]:
    """Return the import names of the addons that the manifest requires."""
    required = found.manifest.requires_addons if found.manifest else {}
    return [name for name in _tables if name.rsplit(".", 1)[-1] in required]


def _of_core(table: str) -> bool:
    return not any(table in tables for tables in _tables.values())


def _refuse_changed_core(found: Found, before: dict[Mapper[Any], frozenset[str]]) -> None:
    for mapper, keys in before.items():
        for key in sorted(set(mapper.attrs.keys()) - keys):
            name = f"{mapper.class_.__name__}.{key}"
            text = f"{found.name}: adds {name} to a class of core; keep it in a table of its own."
            raise AddonFailed(found.name, text)


def _refuse_backrefs(found: Found, mappers: Iterable[Mapper[Any]]) -> None:
    """Look before the mappers are configured: an attribute put on a core class cannot be taken off again."""
    for mapper in sorted(mappers, key=lambda m: m.class_.__name__):
        for key, value in mapper._props.items():
            if isinstance(value, RelationshipProperty) and value.backref:
                name = f"{mapper.class_.__name__}.{key}"
                fix = "use back_populates between classes of the addon"
                raise AddonFailed(found.name, f"{found.name}: {name} has a backref, which changes another class; {fix}.")


def _forget(found: Found, modules: set[str], tables: set[str], mappers: set[Mapper[Any]]) -> None:
    """Take away what a failed import left, so that the others go on and a mended addon can be tried again."""
    for mapper in set(Base.registry.mappers) - mappers:
        Base.registry._dispose_manager_and_mapper(mapper.class_manager)
        Base.registry._managers.pop(mapper.class_manager, None)
    for name in set(Base.metadata.tables) - tables:
        Base.metadata.remove(Base.metadata.tables[name])
    prefix = f"{found.import_name}."
    for name in set(sys.modules) - modules:
        if name == found.import_name or name.startswith(prefix):
            del sys.modules[name]
    parent, _, child = found.import_name.rpartition(".")
    if parent and hasattr(sys.modules[parent], child):
        delattr(sys.modules[parent], child)
