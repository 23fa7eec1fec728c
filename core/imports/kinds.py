"""The kinds of import that core's domains and the running addons contribute."""

from __future__ import annotations

from difflib import get_close_matches

from core.i18n import _
from core.registry.registry import registry
from core.spec.errors import NotFound
from core.spec.imports import DataImport


def kinds() -> tuple[DataImport, ...]:
    """Return every kind, in the order in which a whole data set is imported."""
    return tuple(sorted(registry().values("data_imports"), key=lambda kind: (kind.order, kind.kind)))


def kind_named(name: str) -> DataImport:
    """Return a kind; NotFound with the known ones for any other name."""
    known = {kind.kind: kind for kind in kinds()}
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = _(" Did you mean %(name)s?", name=close[0]) if close else ""
        message = _(
            "There is no import of “%(name)s”.%(hint)s Known: %(known)s.", name=name, hint=hint, known=", ".join(known)
        )
        raise NotFound("IMPORT-KIND", message)
    return known[name]
