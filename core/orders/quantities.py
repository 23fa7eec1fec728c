"""Read quantities as people type them: exact, bounded, and never guessed.

``1,5`` and ``1.5``, ``1 000``, ``1.000,5`` are understood; ``1.000`` where a comma is the decimal mark could be
one or a thousand and is refused, because a wrong guess is an order a thousand times too large.
"""

from __future__ import annotations

import re
from decimal import Decimal

from core.i18n import _, current_locale
from core.spec.errors import Invalid

#: Above this a quantity is taken for a slip (a code typed into the quantity, say).
MAXIMUM = Decimal(1_000_000_000)
DECIMALS = 6
_SPACES = re.compile(r"(?<=\d)[ \u00a0\u202f\u2009'](?=\d{3})")
_PLAIN = re.compile(r"\+?(?:\d+(?:\.\d+)?|\.\d+)", re.ASCII)
_GROUPED = {
    ",": re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII),
    ".": re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", re.ASCII),
}


def decimal_comma(locale: str | None = None) -> bool:
    """Tell whether ``locale`` (default: the current one) writes a comma before decimals."""
    return (locale or current_locale()) != "en"


def read_number(text: str, *, comma: bool) -> Decimal | None:
    """Return the number written in ``text``, or None if it is not one or could be two different ones."""
    value = _SPACES.sub("", text.strip())
    if len(value) > 30:
        return None
    separators = [mark for mark in ",." if mark in value]
    if len(separators) == 2:
        return _two_marks(value)
    if separators:
        return _one_mark(value, separators[0], comma)
    return Decimal(value) if _PLAIN.fullmatch(value) else None


def parse_quantity(text: str, *, comma: bool | None = None) -> Decimal:
    """Return the quantity in ``text``: positive, at most 6 decimals, below a milliard; Invalid says what is wrong."""
    comma = decimal_comma() if comma is None else comma
    number = read_number(text, comma=comma)
    if number is None:
        raise Invalid("BAD-QUANTITY", _problem_text(text, comma))
    if number <= 0:
        raise Invalid("BAD-QUANTITY", _("The quantity must be more than zero; to take a line away, remove it."))
    if number > MAXIMUM:
        raise Invalid(
            "BAD-QUANTITY", _("The quantity %(quantity)s is too large; please check it.", quantity=text.strip()[:30])
        )
    if number != round(number, DECIMALS):
        raise Invalid("BAD-QUANTITY", _("A quantity has at most %(count)s decimals.", count=DECIMALS))
    return number


def plain(value: Decimal) -> str:
    """Return ``value`` without trailing zeros or exponent, with a point: ``Decimal('1.500')`` is ``1.5``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _two_marks(value: str) -> Decimal | None:
    """The last mark is the decimal one; the first must then group by three."""
    decimal_mark = max(",.", key=value.rfind)
    group = "," if decimal_mark == "." else "."
    if not _GROUPED[group].fullmatch(value):
        return None
    return Decimal(value.replace(group, "").replace(decimal_mark, "."))


def _one_mark(value: str, mark: str, comma: bool) -> Decimal | None:
    is_decimal = mark == ("," if comma else ".")
    if is_decimal:
        plain_form = value.replace(mark, ".")
        return Decimal(plain_form) if _PLAIN.fullmatch(plain_form) else None
    if _GROUPED[mark].fullmatch(value):
        # in English 1,000 is a thousand; where a comma is decimal, 1.000 may be either
        return None if comma and value.count(mark) == 1 else Decimal(value.replace(mark, ""))
    plain_form = value.replace(mark, ".")
    if not _PLAIN.fullmatch(plain_form):
        return None
    return Decimal(plain_form)


def _problem_text(text: str, comma: bool) -> str:
    shown = text.strip()[:30]
    if not shown:
        return _("Enter a quantity.")
    if comma and _GROUPED["."].fullmatch(shown) and shown.count(".") == 1:
        return _(
            "The quantity %(quantity)s can be read in two ways; write %(small)s or %(large)s.",
            quantity=shown,
            small=shown.replace(".", ","),
            large=shown.replace(".", ""),
        )
    if re.fullmatch(r"[-−]\s?\d.*", shown):
        return _("The quantity must be more than zero; to take a line away, remove it.")
    example = "10" + (",5" if comma else ".5")
    return _("%(quantity)s is not a quantity; write a number such as %(example)s.", quantity=shown, example=example)
