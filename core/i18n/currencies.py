"""Which currencies people pay with: codes for tests, funds and metals are none, and old money is told apart."""

from __future__ import annotations

from functools import cache

from babel import Locale
from babel.core import get_global

from core.i18n import _, current_locale
from core.spec.errors import Invalid


@cache
def legal_tender(*, past: bool = False) -> frozenset[str]:
    """Return the codes (ISO 4217) of money that some country takes today; with ``past`` also what one took before."""
    uses = (use for rows in get_global("territory_currencies").values() for use in rows)
    return frozenset(code for code, _start, end, tender in uses if tender and (past or end is None))


def named_currencies() -> list[tuple[str, str]]:
    """Return the currencies of today by code, each with its name in the reader's language."""
    names = Locale.parse(current_locale()).currencies
    return [(code, str(names.get(code, code))) for code in sorted(legal_tender())]


def checked_currency(value: object, field: str = "currency", *, past: bool = False) -> str:
    """Return a currency code in capitals. ``past`` takes money that is no longer paid with, for documents of that time.

    Raises Invalid for anything else: XTS (for tests), XAU (gold), DEM (replaced).
    """
    code = str(value or "").strip().upper()
    if code in legal_tender(past=past):
        return code
    shown = {"code": code[:20]}
    if code in legal_tender(past=True):
        message = _("“%(code)s” is no longer paid with. Use the currency that replaced it, such as EUR.", **shown)
    elif code.startswith("X"):
        message = _(
            "“%(code)s” is not a currency one pays with: codes in X stand for tests, funds and metals. "
            "Use three letters, such as EUR.",
            **shown,
        )
    else:
        message = _("“%(code)s” is not a currency code. Use three letters, such as EUR.", **shown)
    raise Invalid("CURRENCY", message, details={"field": field})
