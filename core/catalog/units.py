"""Units of measure: exact conversion by rational factors, and which quantities may be ordered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction

from sqlalchemy import select

from core.catalog.models import ProductUnit
from core.data.db import db
from core.i18n import _
from core.spec.catalog import QuantityRule
from core.ui.formats import qty, unit_name

#: No line may hold more than this, in any unit, so that amounts fit their columns.
LARGEST = Decimal(1_000_000_000)
_PLACES = 6


@dataclass(frozen=True, slots=True)
class UnitInfo:
    """A unit of a product: 1 of it = ``numerator / denominator`` base units; ``step`` counts from ``minimum``.

    ``refused`` and ``reason`` are of a reader: why it may not be ordered, and where its limits come from.
    """

    unit: str
    numerator: int = 1
    denominator: int = 1
    precision: int = 0
    minimum: Decimal = Decimal(1)
    step: Decimal = Decimal(1)
    maximum: Decimal | None = None
    price_from_base: bool = True
    gtin: str | None = None
    refused: str = ""
    reason: str = ""

    @property
    def factor(self) -> Fraction:
        """Base units in one of this unit, exactly."""
        return Fraction(self.numerator, self.denominator)

    @property
    def is_base(self) -> bool:
        """True where one of it is one base unit."""
        return self.numerator == self.denominator

    @property
    def quantum(self) -> Decimal:
        """The smallest difference of two quantities."""
        return Decimal(1).scaleb(-self.precision)


@dataclass(frozen=True, slots=True)
class QuantityCheck:
    """Whether a quantity may be ordered; ``rounded`` is what may be taken instead, ``lower`` and ``higher`` the neighbours.

    ``rounded`` is None where nothing sensible can be proposed (not a number, zero or negative, far too large).
    """

    ok: bool
    rounded: Decimal | None
    lower: Decimal | None = None
    higher: Decimal | None = None
    reason: str = ""


def units_of(product_ids: Iterable[int]) -> dict[int, dict[str, UnitInfo]]:
    """Return the units of each product by their name, the base unit first; one statement."""
    found: dict[int, dict[str, UnitInfo]] = {}
    u = ProductUnit
    rows = db.session.execute(
        select(
            u.product_id,
            u.unit,
            u.numerator,
            u.denominator,
            u.precision,
            u.minimum,
            u.step,
            u.maximum,
            u.price_from_base,
            u.gtin,
        )
        .where(u.product_id.in_(list(product_ids)))
        .order_by(u.product_id, u.position, u.id)
    )
    for product_id, *values in rows:
        info = UnitInfo(*values)
        found.setdefault(product_id, {})[info.unit] = info
    return found


def to_base(quantity: Decimal, unit: UnitInfo) -> Decimal:
    """Return ``quantity`` of ``unit`` in base units; rounded half up where six decimals cannot hold it (thirds)."""
    return exact(Fraction(quantity) * unit.factor)


def exact(value: Fraction) -> Decimal:
    """Return ``value`` as a Decimal of at most six decimals, rounded half up beyond (a third of a box)."""
    scaled = value * 10**_PLACES
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-_PLACES)


def check_quantity(unit: UnitInfo, quantity: Decimal, rules: Sequence[QuantityRule] = ()) -> QuantityCheck:
    """Tell whether ``quantity`` of ``unit`` may be ordered; ``rules`` make minimum, maximum and step stricter.

    The step counts from the minimum. A quantity in between is rounded up where the maximum allows it.
    """
    nonsense = _nonsense(unit, quantity)
    if nonsense:
        return nonsense
    refused = next((str(rule.refused) for rule in rules if str(rule.refused)), "")
    if refused:
        return QuantityCheck(False, None, reason=refused)
    minimum, maximum, step, reasons = _limits(unit, rules)
    lower, higher = _neighbours(quantity, minimum, maximum, step)
    fits = quantity == lower == higher
    if fits:
        return QuantityCheck(True, quantity, quantity, quantity)
    rounded = higher if higher is not None else lower
    reason = _why(unit, quantity, minimum, maximum, step)
    return QuantityCheck(False, rounded, lower, higher, " ".join([reason, *reasons]))


def with_rules(unit: UnitInfo, rules: Sequence[QuantityRule]) -> UnitInfo:
    """Return the unit as it may be ordered under the rules."""
    minimum, maximum, step, reasons = _limits(unit, rules)
    refused = next((str(rule.refused) for rule in rules if str(rule.refused)), "")
    return replace(unit, minimum=minimum, maximum=maximum, step=step, refused=refused, reason=" ".join(reasons))


def _nonsense(unit: UnitInfo, quantity: Decimal) -> QuantityCheck | None:
    """Refuse what is no quantity at all."""
    if not quantity.is_finite():
        return QuantityCheck(False, None, reason=_("The quantity is not a number. Type a quantity such as 10 or 2.5."))
    if quantity <= 0:
        return QuantityCheck(
            False,
            None,
            higher=unit.minimum,
            reason=_("The quantity must be more than zero. Remove the line if you need none."),
        )
    if quantity > LARGEST:
        return QuantityCheck(
            False,
            None,
            reason=_(
                "%(quantity)s is more than one line can hold. Check the quantity, or ask us for a quote.",
                quantity=qty(quantity),
            ),
        )
    return None


def _limits(unit: UnitInfo, rules: Sequence[QuantityRule]) -> tuple[Decimal, Decimal | None, Decimal, list[str]]:
    """Return the strictest minimum, maximum and step, and the reasons of the rules."""
    minimum = max([unit.minimum, *(r.minimum for r in rules if r.minimum is not None)])
    maxima = [m for m in (unit.maximum, *(r.maximum for r in rules)) if m is not None]
    step = max([unit.step, *(r.step for r in rules if r.step is not None)])
    if step <= 0:
        step = unit.quantum
    return minimum, min(maxima) if maxima else None, step, [str(r.reason) for r in rules if str(r.reason)]


def _neighbours(
    quantity: Decimal, minimum: Decimal, maximum: Decimal | None, step: Decimal
) -> tuple[Decimal | None, Decimal | None]:
    """Return the allowed quantities just below (or at) and just above (or at) ``quantity``."""
    count = (quantity - minimum) / step
    below = minimum + step * count.to_integral_value(ROUND_FLOOR)
    above = minimum + step * count.to_integral_value(ROUND_CEILING)
    lower = below if below >= minimum else None
    higher = max(above, minimum)
    if maximum is not None:
        top = minimum + step * ((maximum - minimum) / step).to_integral_value(ROUND_FLOOR)
        if top < minimum:
            return None, None
        lower = min(lower, top) if lower is not None else None
        return lower, higher if higher <= top else None
    return lower, higher


def _why(unit: UnitInfo, quantity: Decimal, minimum: Decimal, maximum: Decimal | None, step: Decimal) -> str:
    if maximum is not None and quantity > maximum:
        return _("At most %(maximum)s can be ordered at a time.", maximum=qty(maximum, unit.unit))
    if quantity < minimum:
        return _("At least %(minimum)s must be ordered.", minimum=qty(minimum, unit.unit))
    if unit.precision == 0 and quantity != quantity.to_integral_value():
        return _(
            "Only whole numbers can be ordered in %(unit)s, not %(quantity)s.",
            unit=unit_name(unit.unit),
            quantity=qty(quantity),
        )
    if quantity != quantity.quantize(unit.quantum):
        return _("%(unit)s takes at most %(count)s decimals.", unit=unit_name(unit.unit), count=unit.precision)
    return _("Sold from %(minimum)s in steps of %(step)s.", minimum=qty(minimum, unit.unit), step=qty(step))


def rules_by_key(rules: Iterable[QuantityRule]) -> Mapping[str, list[QuantityRule]]:
    """Group the rules of the ``quantity_rules`` hook by the line they are for."""
    grouped: dict[str, list[QuantityRule]] = {}
    for rule in rules:
        grouped.setdefault(rule.key, []).append(rule)
    return grouped
