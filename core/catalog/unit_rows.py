"""The grid of a product's units in the back-office: rows as typed, read with the reader's numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.catalog.models import ProductUnit
from core.i18n import _
from core.i18n.numbers import read_number
from core.spec.errors import Invalid
from core.ui.formats import qty

_FIELDS = ("unit", "factor", "precision", "minimum", "maximum", "step", "gtin")
_NAME = re.compile(r"unit-(\d{1,4})-(\w+)")
_MOST = 50


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A row of the grid, as text; ``error`` says what is wrong with it."""

    unit: str = ""
    factor: str = "1"
    precision: str = "0"
    minimum: str = "1"
    maximum: str = ""
    step: str = "1"
    gtin: str = ""
    price_from_base: bool = True
    error: str = ""


def rows_of(units: Iterable[ProductUnit]) -> list[UnitRow]:
    """Return the stored units as rows, a blank one for a new product."""
    rows = [
        UnitRow(
            u.unit,
            _factor(u),
            str(u.precision),
            _typed(u.minimum),
            _typed(u.maximum),
            _typed(u.step),
            u.gtin or "",
            u.price_from_base,
        )
        for u in units
    ]
    return rows or [UnitRow()]


def _factor(unit: ProductUnit) -> str:
    value = Fraction(unit.numerator, unit.denominator)
    return _typed(Decimal(value.numerator)) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def _typed(value: Decimal | None) -> str:
    return "" if value is None else qty(value)


def posted_rows(form: Mapping[str, str]) -> list[UnitRow]:
    """Return the rows that were posted, in their order; those without a unit are left out."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in form.items():
        matched = _NAME.fullmatch(name)
        if matched and matched[2] in (*_FIELDS, "price_from_base"):
            found.setdefault(int(matched[1]), {})[matched[2]] = value.strip()[:40]
    rows = [
        UnitRow(**{**values, "price_from_base": bool(values.get("price_from_base"))})
        for _place, values in sorted(found.items())
        if values.get("unit")
    ]
    return rows[:_MOST] or [UnitRow()]


def as_values(sku: str, rows: Iterable[UnitRow]) -> list[dict[str, Any]]:
    """Return the rows for `save_units`; Invalid names the first that cannot be read."""
    values = []
    for position, row in enumerate(row for row in rows if row.unit):
        try:
            values.append({"sku": sku, "unit": row.unit[:20], "position": position, **_read(row)})
        except Invalid as error:
            raise Invalid("UNIT-ROW", _("Unit %(unit)s: %(problem)s", unit=row.unit, problem=error.message)) from error
    return values


def _read(row: UnitRow) -> dict[str, Any]:
    numerator, denominator = _read_factor(row.factor)
    return {
        "numerator": numerator,
        "denominator": denominator,
        "precision": int(row.precision) if row.precision.isascii() and row.precision.isdigit() else 0,
        "minimum": read_number(row.minimum or "1"),
        "maximum": read_number(row.maximum) if row.maximum else None,
        "step": read_number(row.step or "1"),
        "gtin": row.gtin or None,
        "price_from_base": row.price_from_base,
    }


def _read_factor(text: str) -> tuple[int, int]:
    """Read "100", "2.5" or "1000/7"."""
    above, _slash, below = (text or "1").partition("/")
    divisor = read_number(below) if below else Decimal(1)
    if divisor == 0:
        raise Invalid("UNIT-FACTOR", _("A factor cannot be divided by zero."))
    return (Fraction(read_number(above)) / Fraction(divisor)).as_integer_ratio()
