"""Countries by the names that people write in files."""

from __future__ import annotations

from functools import cache

from babel import Locale
from babel.core import get_global

from core.i18n import LOCALES

#: Names that are common and yet not those of the CLDR; not countries there: regions and codes for tests.
_ALSO = {
    "america": "US", "czech republic": "CZ", "england": "GB", "great britain": "GB", "holland": "NL", "hong kong": "HK",
    "korea": "KR", "macau": "MO", "slovak republic": "SK", "the netherlands": "NL", "turkey": "TR", "u.k.": "GB",
    "u.s.": "US", "u.s.a.": "US", "uk": "GB", "united states of america": "US", "usa": "US",
}  # fmt: skip
_NONE = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}


def country_code(text: str) -> str:
    """Return the two letters of a country, named in a language of the shop or by three letters; any other text as it is.

    >>> country_code("Suomi"), country_code("usa"), country_code("FI"), country_code("POL"), country_code("Atlantis")
    ('FI', 'US', 'FI', 'PL', 'Atlantis')
    """
    return _codes().get(text.strip().casefold(), text)


@cache
def _codes() -> dict[str, str]:
    names = (item for locale in LOCALES for item in Locale.parse(locale).territories.items())
    named = {name.casefold(): code for code, name in names if len(code) == 2 and code not in _NONE}
    return named | _three_letters(frozenset(named.values())) | _ALSO


def _three_letters(known: frozenset[str]) -> dict[str, str]:
    """Return the codes of three letters (ISO 3166 alpha-3), which the CLDR lists among other names of territories."""
    aliases = get_global("territory_aliases").items()
    return {
        name.casefold(): codes[0]
        for name, codes in aliases
        if len(name) == 3 and name.isalpha() and codes[0] in known and len(codes) == 1
    }
