"""Which quantity a break looks at: the line's own, or with it other lines of the document and what was ordered before.

Everything counts in base units, by exact factors; products with another base unit do not count together. A family is
the category that a row is for, the product's own category where the row is for the product, and everything for a row
for everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from core.api.catalog import exact
from core.api.i18n import translations
from core.api.pricing import MICROS, PriceLine
from core.api.ui import quantity_text

from .query import MIN_QUANTITY, PATH, TARGET, UNIT
from .sources import Source

_, _l, ngettext, _p = translations(__name__)
NONE = Fraction(0)
Row = Any


class Ordered(NamedTuple):
    """What was ordered before of a product: in millionths of its base unit, without what was cancelled or came back."""

    product_id: int
    path: str
    base_unit: str
    quantity: Fraction


class Counted(NamedTuple):
    """What counts for a line, in millionths of the base unit: ordered before, and now with the line's own."""

    before: Fraction
    together: Fraction

    @property
    def total(self) -> Fraction:
        """Both."""
        return self.before + self.together


@dataclass(slots=True)
class Counting:
    """The quantities that count for the lines of a question; ``document`` are lines that may count together."""

    sources: Mapping[int, Source]
    document: Sequence[PriceLine] = ()
    #: what was ordered before, by contract
    past: Mapping[int, Sequence[Ordered]] = field(default_factory=dict)
    _found: dict[tuple[Any, ...], Fraction] = field(default_factory=dict)
    _products: dict[int, Fraction] | None = None
    _families: dict[tuple[str, str], Fraction] | None = None

    def of(self, line: PriceLine, row: Row) -> Counted:
        """Return what counts for the line where a row looks at it."""
        source = self.sources[row[0]]
        if source.counts == "line":
            return Counted(NONE, own(line))
        family = _family(line, row) if source.counts == "family" else None
        key = (row[0], line.product_id) if family is None else (row[0], family, line.base_unit)
        before = self._found.get(key)
        if before is None:
            before = self._found[key] = _sum(self.past.get(row[0], ()), line, family)
        return Counted(before, self._together(line, family) if self.document else own(line))

    def reached(self, line: PriceLine, row: Row) -> int:
        """Return the quantity that the row's break is compared with, in millionths of the row's unit."""
        total = self.of(line, row).total
        if row[UNIT] == line.unit:
            total = total * line.factor[1] / line.factor[0]
        return total.numerator // total.denominator

    def said(self, line: PriceLine, row: Row, reason: object, *, anyway: bool = False) -> object:
        """Return the reason, with what counted besides the line's own quantity where a break was reached."""
        counted = self.of(line, row)
        if not (row[MIN_QUANTITY] or anyway) or counted.total == own(line):
            return reason
        together, before = _text(counted.together, line), _text(counted.before, line)
        if not counted.before:
            return _l("%(reason)s; %(together)s count together", reason=reason, together=together)
        if counted.together == own(line):
            return _l("%(reason)s; %(before)s ordered before count too", reason=reason, before=before)
        return _l(
            "%(reason)s; %(together)s count together, and %(before)s ordered before",
            reason=reason,
            together=together,
            before=before,
        )

    def _together(self, line: PriceLine, family: str | None) -> Fraction:
        if self._products is None or self._families is None:
            self._products, self._families = _added_up(self.document)
        if family is None:
            return self._products[line.product_id]
        key = ("together", family, line.base_unit)
        found = self._found.get(key)
        if found is None:
            parts = self._families.items()
            found = sum((value for (path, base), value in parts if base == line.base_unit and path.startswith(family)), NONE)
            self._found[key] = found
        return found


def own(line: PriceLine) -> Fraction:
    """Return the line's own quantity in millionths of the base unit."""
    return Fraction(line.asked * line.factor[0], line.factor[1])


def _added_up(lines: Iterable[PriceLine]) -> tuple[dict[int, Fraction], dict[tuple[str, str], Fraction]]:
    products: dict[int, Fraction] = defaultdict(Fraction)
    families: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for line in lines:
        if line.known:
            products[line.product_id] += own(line)
            families[line.category_path, line.base_unit] += own(line)
    return products, families


def _family(line: PriceLine, row: Row) -> str | None:
    """Return the path below which products count together, None for the product alone."""
    if row[TARGET] > 0:
        return line.category_path or None
    return row[PATH] or ""


def _sum(past: Sequence[Ordered], line: PriceLine, family: str | None) -> Fraction:
    if family is None:
        return sum((one.quantity for one in past if one.product_id == line.product_id), NONE)
    same = (one for one in past if one.base_unit == line.base_unit and one.path.startswith(family))
    return sum((one.quantity for one in same), NONE)


def _text(millionths: Fraction, line: PriceLine) -> str:
    return quantity_text(exact(millionths / MICROS), line.base_unit)
