"""Titles of addons in the reader's language, from the addons' own catalogues."""

from __future__ import annotations

from core.i18n.texts import texts_of
from core.registry.operator import operator
from core.registry.overview import AddonRow


def title_of(row: AddonRow) -> str:
    """Return an addon's title in the reader's language, its name where its files are gone."""
    return texts_of(row.package, row.name).gettext(row.title) if row.package and row.title else row.name


def addon_title(name: str) -> str:
    """Return the title of an addon that need not run; reads what every addon is, so not for lists."""
    row = operator().overview().row(name)
    return title_of(row) if row else name
