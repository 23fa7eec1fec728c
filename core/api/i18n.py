"""Texts in the reader's language, numbers as people write them.

An addon begins a module with ``_, _l, ngettext, _p = translations(__name__)``.
"""

from core.i18n import LOCALES, current_locale, pick, translations
from core.i18n.days import bounded_day
from core.i18n.numbers import bounded, marks_of, read_number, read_plain

__all__ = [
    "LOCALES", "bounded", "bounded_day", "current_locale", "marks_of", "pick", "read_number", "read_plain", "translations",
]  # fmt: skip
