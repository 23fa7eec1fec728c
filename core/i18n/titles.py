"""Titles of core's domains, and of addons from the addons' own catalogues, in the reader's language."""

from __future__ import annotations

from core.i18n import _l
from core.i18n.texts import texts_of
from core.registry.operator import operator
from core.registry.overview import AddonRow
from core.registry.registry import registry

TITLES = {
    "accounts": _l("Signing in"),
    "companies": _l("Companies"),
    "catalog": _l("Catalogue"),
    "pricing": _l("Prices and tax"),
    "orders": _l("Orders"),
    "imports": _l("Imports"),
    "jobs": _l("Mail and jobs"),
    "restapi": _l("API"),
    "settings": _l("General"),
    "storefront": _l("Shop"),
    "backoffice": _l("Back-office"),
    "ui": _l("Lists"),
}


def titles() -> dict[str, object]:
    """Return the titles of core's domains and of the addons that run, by name."""
    addons = {f.name: texts_of(f.import_name, f.name).gettext(f.manifest.title) for f in registry().plan.order if f.manifest}
    return {**addons, **TITLES}


def title_of(row: AddonRow) -> str:
    """Return an addon's title in the reader's language, its name where its files are gone."""
    return texts_of(row.package, row.name).gettext(row.title) if row.package and row.title else row.name


def in_words_of(owner: str, text: str) -> str:
    """Return a text of an addon that was kept in English in the reader's language; one that no catalogue has as it is."""
    running = next((f.import_name for f in registry().plan.order if f.name == owner), "")
    return texts_of(running, owner).gettext(text) if running else text


def addon_title(name: str) -> str:
    """Return the title of an addon that need not run; reads what every addon is, so not for lists."""
    row = operator().overview().row(name)
    return title_of(row) if row else name
