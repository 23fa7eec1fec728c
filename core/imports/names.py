"""Names of rows by their keys, and columns per language: name_en, name_fi, … become one translated value, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.i18n import LOCALES
from core.spec.imports import ImportField


def named(key: Iterable[object]) -> str:
    """Return a natural key as text, for people: the parts that say something.

    >>> named(("KONEPAJA-2026", "M8", "", None, 10))
    'KONEPAJA-2026 / M8 / 10'
    """
    return " / ".join(str(part) for part in key if part not in (None, ""))


def fields_per_locale(name: str, max_length: int = 0, *, lines: bool = False) -> tuple[ImportField, ...]:
    """Return a text field for each language."""
    return tuple(ImportField(f"{name}_{locale}", max_length=max_length, lines=lines) for locale in LOCALES)


def given(values: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return what a row says in each language."""
    return {locale: values[f"{name}_{locale}"] for locale in LOCALES if f"{name}_{locale}" in values}


def columns(texts: Mapping[str, str] | None, name: str) -> dict[str, str]:
    """Return the columns of a translated value, for an export."""
    return {f"{name}_{locale}": (texts or {}).get(locale, "") for locale in LOCALES}
