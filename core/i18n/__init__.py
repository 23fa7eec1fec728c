"""Languages: gettext for code and templates, one domain for core and one for each addon; numbers as people write them."""

from core.i18n.texts import LOCALES, _, _l, current_locale, ngettext, pgettext, pick, speaking, spoken, translations

__all__ = ["LOCALES", "_", "_l", "current_locale", "ngettext", "pgettext", "pick", "speaking", "spoken", "translations"]
