"""Read quantities as people type them: numbers of the room of numbers, above zero and bounded."""

from __future__ import annotations

from decimal import Decimal

from core.i18n import _
from core.i18n.numbers import Marks, read_number
from core.spec.errors import Invalid

#: Above this a quantity is taken for a slip (a code typed into the quantity, say).
MAXIMUM = Decimal(1_000_000_000)
DECIMALS = 6


def parse_quantity(text: str, marks: Marks | None = None, *, zero: bool = False) -> Decimal:
    """Return the quantity in ``text``: positive, at most 6 decimals, below a milliard; Invalid says what is wrong.

    ``marks`` are the reader's by default; ``zero`` allows 0, where it stands for a line that is dropped.
    """
    if not text.strip():
        raise _bad(_("Enter a quantity."))
    try:
        number = read_number(text, marks)
    except Invalid as refused:
        raise _bad(refused.message) from refused
    if number < 0 or (number == 0 and not zero):
        raise _bad(_("The quantity must be more than zero; to take a line away, remove it."))
    if number > MAXIMUM:
        raise _bad(_("The quantity %(quantity)s is too large; please check it.", quantity=text.strip()[:30]))
    if number != round(number, DECIMALS):
        raise _bad(_("A quantity has at most %(count)s decimals.", count=DECIMALS))
    return number


def _bad(message: object) -> Invalid:
    return Invalid("BAD-QUANTITY", message)
