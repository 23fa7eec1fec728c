"""Texts in the reader's language. An addon begins a module with ``_, _l, ngettext, _p = translations(__name__)``."""

from core.i18n import LOCALES, current_locale, pick, translations

__all__ = ["LOCALES", "current_locale", "pick", "translations"]
