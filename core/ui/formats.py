"""Numbers, money, dates as the reader's locale writes them; filters of every template and of documents.

All take Decimals or dates and return text; ``locale`` defaults to the reader's. Amounts are in the given
currency (ISO 4217), prices show as many decimals as they have, at least the currency's own.
"""

from __future__ import annotations

import re
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision
from flask import current_app, g, has_app_context
from markupsafe import Markup

from core.data import clock
from core.i18n import _l, current_locale, ngettext

MAX_PLACES = 6
#: A code of more characters would make its column too wide for a page.
LONG_CODE = 24
_SIGNS = re.compile(r"(?<=[._@:/-])")
#: plain English is written as in Europe: day before month, 24 hours
REGIONS = {"en": "en_150"}


#: Units of measure that have a name of their own in other languages; any other code is shown as it is.
UNITS: dict[str, Any] = {
    "pcs": _l("pcs"),
    "pair": _l("pair"),
    "set": _l("set"),
    "pack": _l("pack"),
    "box": _l("box"),
    "bag": _l("bag"),
    "roll": _l("roll"),
    "pallet": _l("pallet"),
}


def unit_name(unit: str) -> str:
    """Return a unit of measure in the reader's language."""
    return str(UNITS.get(unit, unit))


def reader_locale(locale: str | None = None) -> str:
    """Return the locale whose formats to use: `locale`, else the reader's."""
    wanted = locale or current_locale()
    return REGIONS.get(wanted, wanted)


def plain(value: Decimal | int | None) -> str:
    """Return a number for machines: a point, no grouping, no exponent; empty for None."""
    return "" if value is None else f"{_trim(Decimal(value)):f}"


def money(amount: Decimal, currency: str, locale: str | None = None) -> str:
    """Return an amount with its currency, at the currency's precision; '' for None."""
    return "" if amount is None else format_currency(amount, currency, locale=reader_locale(locale))


def price(amount: Decimal, currency: str, locale: str | None = None) -> str:
    """Return a unit price with its currency and all the decimals it has (2.10 €, 0.0345 €); '' for None."""
    if amount is None:
        return ""
    return _price(amount, currency, reader_locale(locale))


@lru_cache(maxsize=4096)
def _price(amount: Decimal, currency: str, locale: str) -> str:
    where = Locale.parse(locale)
    digits = max(get_currency_precision(currency), min(_places(amount), MAX_PLACES))
    pattern = copy(where.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern.apply(amount, where, currency=currency, currency_digits=False)


def qty(quantity: Decimal | int, unit: str = "", locale: str | None = None) -> str:
    """Return a quantity without trailing zeros, with its unit when given ("1 250 pcs"); '' for None."""
    if quantity is None:
        return ""
    text = _quantity(Decimal(quantity), reader_locale(locale))
    return _counted(text, Decimal(quantity), unit).replace(" ", "\u00a0") if unit else text


def _counted(text: str, quantity: Decimal, unit: str) -> str:
    """Return a number with its unit: "1 box", "3 boxes"; a part of one counts as several."""
    count = int(quantity) if quantity == quantity.to_integral_value() else 2
    match unit:
        case "pair":
            return ngettext("%(quantity)s pair", "%(quantity)s pairs", count, quantity=text)
        case "set":
            return ngettext("%(quantity)s set", "%(quantity)s sets", count, quantity=text)
        case "pack":
            return ngettext("%(quantity)s pack", "%(quantity)s packs", count, quantity=text)
        case "box":
            return ngettext("%(quantity)s box", "%(quantity)s boxes", count, quantity=text)
        case "bag":
            return ngettext("%(quantity)s bag", "%(quantity)s bags", count, quantity=text)
        case "roll":
            return ngettext("%(quantity)s roll", "%(quantity)s rolls", count, quantity=text)
        case "pallet":
            return ngettext("%(quantity)s pallet", "%(quantity)s pallets", count, quantity=text)
    return f"{text} {unit_name(unit)}"


@lru_cache(maxsize=4096)
def _quantity(quantity: Decimal, locale: str) -> str:
    """Kept, because a list page writes the same few numbers hundreds of times."""
    return format_decimal(_trim(quantity), format="#,##0.######", locale=locale)


def typed(value: Decimal | int | None, least: int = 0) -> str:
    """Return a number as one would type it into a field: the locale's decimal mark, no grouping; '' for None.

    ``least`` is how many decimals it has at least, up to six.
    """
    pattern = f"0.{'0' * least}{'#' * (6 - least)}"
    return "" if value is None else format_decimal(Decimal(value), format=pattern, locale=reader_locale())


def per_unit(per: Decimal | int, unit: str = "", locale: str | None = None) -> str:
    """Return what a price is for: "pcs", or "100 pcs" where the price base quantity is not one."""
    return unit_name(unit) if per == 1 else qty(per, unit, locale)


def percent(value: Decimal, locale: str | None = None) -> str:
    """Return a percentage; `value` counts in hundredths (Decimal("24") is 24 %)."""
    if value is None:
        return ""
    return format_percent(Decimal(value) / 100, format="#,##0.##\u00a0%", locale=reader_locale(locale))


def day(value: date | datetime, locale: str | None = None) -> str:
    """Return a business date ("22 Nov 2026"); '' for None."""
    return "" if value is None else format_date(value, "medium", locale=reader_locale(locale))


def instant(value: datetime, zone: str = "", locale: str | None = None) -> str:
    """Return date and time in `zone` (default: the seller's); '' for None."""
    if value is None:
        return ""
    where, local = reader_locale(locale), value.astimezone(ZoneInfo(zone or display_zone()))
    pattern = str(get_datetime_format("medium", where))
    return pattern.replace("{1}", format_date(local, "medium", where)).replace(
        "{0}", format_time(local, "short", locale=where)
    )


def age(value: datetime, now: datetime | None = None) -> str:
    """Return how long ago `value` was in whole minutes, hours or days ("3 days")."""
    minutes = max(0, int(((now or clock.now()) - value).total_seconds() // 60))
    if minutes < 60:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes)
    if minutes < 60 * 48:
        return ngettext("%(count)s hour", "%(count)s hours", minutes // 60)
    return ngettext("%(count)s day", "%(count)s days", minutes // 1440)


def display_zone() -> str:
    """Return the zone in which instants are shown: the seller's, asked once a request; UTC outside an app."""
    if not has_app_context():
        return "UTC"
    if "tukku_zone" not in g:
        g.tukku_zone = current_app.extensions.get("tukku.zone", lambda: "UTC")()
    return str(g.tukku_zone)


def breakable(code: object) -> Markup:
    """Return a long code with places, behind its signs, where a line may break; a copy of it stays the code."""
    text = str(code)
    return Markup("<wbr>").join(_SIGNS.split(text) if len(text) > LONG_CODE else [text])


FILTERS = {
    "breakable": breakable,
    "plain": plain,
    "money": money,
    "price": price,
    "qty": qty,
    "unit_name": unit_name,
    "typed": typed,
    "per_unit": per_unit,
    "percent": percent,
    "day": day,
    "instant": instant,
    "age": age,
}


def _trim(value: Decimal) -> Decimal:
    """Drop trailing zeros without turning 100 into 1E+2."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def _places(value: Decimal) -> int:
    exponent = _trim(value).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
