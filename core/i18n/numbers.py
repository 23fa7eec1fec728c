"""The one room where numbers that people and files write are read: exact, bounded, and never guessed.

The rule, everywhere (forms, pasted rows, cells of imports, contract grids):

* digits 0 to 9 with a sign before them at most; no exponent, no NaN, no infinity, no other script;
* thousands stand in groups of three after one and the same mark: a space, an apostrophe, a point or a comma;
* the decimal mark of the locale always parts decimals, and its grouping mark groups; a mark that cannot group
  (``1.5``, ``0.125``) parts decimals whatever the locale;
* what could mean two numbers (``1.000`` where the comma is the decimal mark) is refused with both spellings, since
  a wrong guess is an order a thousand times too large.

Programs (the JSON API, the command line, settings, hidden fields) write the plain form, which ``read_plain`` takes.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

from core.i18n.texts import _, current_locale
from core.spec.errors import Invalid

LONGEST = 40
_SPACES = " \u00a0\u202f\u2009'’"
_SIGNED = re.compile(r"([+-]?)([\d.,'’ \u00a0\u202f\u2009]+)", re.ASCII)
_PLAIN = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_DIGITS = re.compile(r"\d+(\.\d+)?|\.\d+", re.ASCII)
_EXPONENT = re.compile(r"[+-]?[\d.,]+[eE][+-]?\d+", re.ASCII)
_SPACED = re.compile(rf"\d{{1,3}}([{_SPACES}])\d{{3}}(?:\1\d{{3}})*(?:[.,]\d+)?", re.ASCII)
_ONCE = {mark: re.compile(rf"[1-9]\d{{0,2}}[{mark}]\d{{3}}", re.ASCII) for mark in ".,"}
_GROUPED = {mark: re.compile(rf"\d{{1,3}}([{mark}]\d{{3}})+", re.ASCII) for mark in ".,"}


class Marks(NamedTuple):
    """How numbers are written: the marks that always part decimals, and the one that groups even if it stands once."""

    decimal: str
    group: str = ""

    @property
    def example(self) -> str:
        """A number as these marks write it."""
        return f"1234{self.decimal[0]}50"


#: A file whose cells are parted by commas, or a spreadsheet: a point parts decimals, a lone comma may be either.
FILE = Marks(".")
#: A file whose cells are parted by something else: a lone comma can only part decimals.
FILE_WITH_COMMAS = Marks(".,")


def marks_of(locale: str | None = None) -> Marks:
    """Return the marks of ``locale`` (default: the reader's)."""
    return _marks_of(locale or current_locale())


@cache
def _marks_of(locale: str) -> Marks:
    group = get_group_symbol(locale)
    return Marks(get_decimal_symbol(locale), group if group in ".," else "")


def read_number(text: str, marks: Marks | None = None) -> Decimal:
    """Return the number in ``text`` as ``marks`` write it (default: the reader's); Invalid says what is wrong."""
    marks = marks or marks_of()
    value = text.strip().replace("\u2212", "-")
    signed = _SIGNED.fullmatch(value) if len(value) <= LONGEST else None
    digits = _plain_digits(signed[2], marks) if signed else ""
    if signed is None or not _DIGITS.fullmatch(digits):
        raise _refused(value, marks)
    return Decimal(signed[1] + digits)


def read_plain(text: str) -> Decimal:
    """Return the number that a program wrote (``-12.50``: digits and a point); Invalid for anything else."""
    if not _PLAIN.fullmatch(text):
        raise _refused(text, FILE)
    return Decimal(text)


def bounded(value: Decimal, *, places: int, minimum: Decimal | int | None = None, maximum: Decimal | int) -> Decimal:
    """Return ``value`` if it has at most ``places`` decimals and lies between the bounds; Invalid says which it breaks."""
    if minimum is not None and value < minimum:
        raise Invalid("NUMBER-BOUND", _("Enter %(limit)s or more.", limit=_shown(minimum)))
    if value > maximum:
        raise Invalid("NUMBER-BOUND", _("Enter %(limit)s or less.", limit=_shown(maximum)))
    if value != round(value, places):
        said = _("Use whole numbers.") if places == 0 else _("Use at most %(count)s decimals.", count=places)
        raise Invalid("NUMBER-DECIMALS", said)
    return value


def _plain_digits(text: str, marks: Marks) -> str:
    """Return the digits with a point before the decimals; what is no number comes back as something that is none."""
    if spaced := _SPACED.fullmatch(text):
        return text.replace(spaced[1], "").replace(",", ".")
    used = [mark for mark in ",." if mark in text]
    if len(used) == 2:
        last = max(used, key=text.rfind)
        whole, _mark, decimals = text.rpartition(last)
        group = "," if last == "." else "."
        return f"{whole.replace(group, '')}.{decimals}" if _GROUPED[group].fullmatch(whole) else ""
    return _one_mark(text, used[0], marks) if used else text


def _one_mark(text: str, mark: str, marks: Marks) -> str:
    if text.count(mark) > 1:
        return text.replace(mark, "") if _GROUPED[mark].fullmatch(text) else ""
    if mark not in marks.decimal and _ONCE[mark].fullmatch(text):
        if mark != marks.group:
            raise _two_ways(text, mark, marks)
        return text.replace(mark, "")
    return text.replace(mark, ".")


def _two_ways(text: str, mark: str, marks: Marks) -> Invalid:
    message = _(
        "“%(text)s” can be read in two ways; write %(whole)s or %(decimal)s.",
        text=text,
        whole=text.replace(mark, ""),
        decimal=text.replace(mark, marks.decimal[0]),
    )
    return Invalid("BAD-NUMBER", message)


def _refused(value: str, marks: Marks) -> Invalid:
    if not value:
        return Invalid("BAD-NUMBER", _("Enter a number."))
    if _EXPONENT.fullmatch(value):
        said = _("“%(text)s” is not a number: write all its digits instead of an exponent, such as 12000.", text=value[:40])
        return Invalid("BAD-NUMBER", said)
    return Invalid(
        "BAD-NUMBER", _("“%(text)s” is not a number; write it as %(example)s.", text=value[:40], example=marks.example)
    )


def _shown(bound: Decimal | int) -> str:
    return format_decimal(bound, format="#,##0.######", locale=current_locale())
