"""Words by which people name units when they type or paste: those that pages show, in every language, and usual others."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cache

from core.catalog.folding import fold
from core.i18n import LOCALES, speaking
from core.ui.formats import UNITS, qty, unit_name

#: Beside the words of pages.
_OTHERS = {
    "pcs": "pc pce ea each piece pieces st stk stück kappale kappaletta sztuka sztuki sztuk tane",
    "box": "carton cartons ltk koli",
    "pack": "pk pkt",
    "pallet": "pal",
}
_COUNTS = (1, 2, 5)  # one, few, many: Polish has a word for each


def meant(word: str, units: Iterable[str]) -> str:
    """Return which of some units a word stands for, in any language; '' where it is none of them, or could be two."""
    asked = _bare(word)
    groups = [group for group in _groups() if asked in group]
    found = [unit for unit in units if any(_bare(unit) in group for group in groups)]
    return found[0] if len(found) == 1 else ""


@cache
def _groups() -> tuple[frozenset[str], ...]:
    """Return the words of each unit that has names, its code among them."""
    groups = {code: {code, *_OTHERS.get(code, "").split()} for code in UNITS}
    for locale in LOCALES:
        with speaking(locale):
            for code, words in groups.items():
                counted = (qty(Decimal(count), code).partition("\u00a0")[2] for count in _COUNTS)
                words.update((unit_name(code), *counted))
    return tuple(frozenset(map(_bare, words)) for words in groups.values())


def _bare(word: str) -> str:
    return fold(word).strip(" .\u00a0")
