"""Translations read straight from ``.po`` files, a gettext domain per owner.

Core's domain is ``core`` (core/translations/<locale>/LC_MESSAGES/core.po); an addon's is its name, in its own
``translations`` folder. ``translations(__name__)`` gives a module the functions of its owner's domain.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import LazyProxy, Translations
from flask import g, has_app_context, has_request_context, request

from core.data.scope import actor_or_none

LOCALES = ("en", "fi", "pl", "tr")


class Texts(NamedTuple):
    """The gettext functions of one domain."""

    gettext: Callable[..., str]
    lazy: Callable[..., Any]
    ngettext: Callable[..., str]
    pgettext: Callable[..., str]


def current_locale() -> str:
    """Return the locale of the page or document being made: forced, chosen, or the actor's."""
    if has_app_context():
        forced = g.get("tukku_locale")
        if forced in LOCALES:
            return str(forced)
        actor = actor_or_none()
        if actor is not None and actor.locale in LOCALES:
            return actor.locale
    if has_request_context():
        return request.accept_languages.best_match(LOCALES) or "en"
    return "en"


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Translate and format in ``locale`` within the block; needs an app context."""
    before = g.get("tukku_locale")
    g.tukku_locale = locale
    try:
        yield
    finally:
        g.tukku_locale = before


@cache
def translations(module: str) -> Texts:
    """Return gettext, lazy, ngettext and pgettext of the owner of ``module`` (pass ``__name__``)."""
    parts = module.split(".")
    package = ".".join(parts[:2]) if parts[0] == "addons" else parts[0]
    domain = parts[1] if parts[0] == "addons" else parts[0]
    return texts_of(package, domain)


@cache
def texts_of(package: str, domain: str) -> Texts:
    """Return the functions of ``domain``, whose catalogues lie in ``package``'s ``translations`` folder."""

    def gettext(message: str, **values: Any) -> str:
        text = _catalogue(package, domain, current_locale()).gettext(message)
        return text % values if values else text

    def lazy(message: str, **values: Any) -> Any:
        return LazyProxy(gettext, message, enable_cache=False, **values)

    def plural(singular: str, several: str, count: int, **values: Any) -> str:
        text = _catalogue(package, domain, current_locale()).ngettext(singular, several, count)
        return text % {"count": _grouped(count, current_locale()), **values}

    def context(hint: str, message: str, **values: Any) -> str:
        text = _catalogue(package, domain, current_locale()).pgettext(hint, message)
        return text % values if values else text

    return Texts(gettext, lazy, plural, context)


def _grouped(count: int, locale: str) -> int | str:
    """Return a count as a sentence shows it: thousands are set apart as the language does."""
    return count if -1000 < count < 1000 else format_decimal(count, locale=locale)


@cache
def _catalogue(package: str, domain: str, locale: str) -> NullTranslations:
    """Read a ``.po`` file into memory; a fresh checkout needs no compile step.

    Core's catalogue stands behind an addon's: the addon's pages show core's layout and components.
    """
    catalogue = _read(package, domain, locale)
    if domain != "core":
        catalogue.add_fallback(_catalogue("core", "core", locale))
    return catalogue


def _read(package: str, domain: str, locale: str) -> NullTranslations:
    found = importlib.util.find_spec(package)
    for place in (found.submodule_search_locations or []) if found else []:
        path = Path(place) / "translations" / locale / "LC_MESSAGES" / f"{domain}.po"
        if path.exists():
            with path.open("rb") as source:
                catalogue = read_po(source, locale=locale, domain=domain)
            binary = io.BytesIO()
            write_mo(binary, catalogue)
            binary.seek(0)
            return Translations(binary, domain=domain)
    return NullTranslations()


@cache
def spoken() -> tuple[str, ...]:
    """Return the locales that core has texts in: English, and those with a catalogue."""
    return tuple(code for code in LOCALES if code == "en" or isinstance(_catalogue("core", "core", code), Translations))


def pick(texts: Mapping[str, str] | None, locale: str | None = None, fallback: str = "") -> str:
    """Return the text of ``Translated`` in ``locale`` (default: the current), else English, else any."""
    if not texts:
        return fallback
    wanted = locale or current_locale()
    return texts.get(wanted) or texts.get("en") or next(iter(texts.values()), fallback)


_, _l, ngettext, pgettext = translations("core")
