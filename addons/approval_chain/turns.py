"""Whom an order asks, as people read it: names, and for each turn who decides and why."""

from __future__ import annotations

from collections.abc import Sequence

from babel.lists import format_list

from core.api.i18n import current_locale, translations

from . import engine
from .loading import names_of

_, _l, ngettext, _p = translations(__name__)


def steps(requirements: Sequence[engine.Requirement]) -> list[str]:
    """Return a sentence for each requirement, none twice."""
    return list(dict.fromkeys(each(requirements)))


def each(requirements: Sequence[engine.Requirement]) -> list[str]:
    """Return a sentence for every requirement, in their order; one statement."""
    names = names_of({p for r in requirements for p in r.people})
    return [_sentence([names.get(p, "") for p in r.people if p != engine.SELLER], r) for r in requirements]


def _sentence(names: Sequence[str], asked: engine.Requirement) -> str:
    if not names:
        return _("Your contact person at the seller, because nobody of your company may decide")
    if asked.need in (1, len(names)):
        return format_list(list(names), "or" if asked.need == 1 else "standard", current_locale())
    return _("%(count)s of: %(names)s", count=asked.need, names=", ".join(names))
