"""How a line is shared out between agreements and the price that it has otherwise: pure figures.

The agreement that comes first is filled up before the next one is drawn from. What no agreement takes costs what the
line costs without them. Where a line has several prices it has one price for its whole quantity, exact to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.api.pricing import PriceLine, by_factor, computed_places, minor_digits, round_money, round_to

PREFIX = "volume:"
#: A line draws from at most so many agreements: their names have to fit into its source.
MOST = 2
ZERO, ONE, HUNDRED, MICRO = Decimal(0), Decimal(1), Decimal(100), Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Terms:
    """An agreement as the engine sees it; see models.Agreement. ``path`` is the category's, '' for a product."""

    id: int
    code: str
    name: str
    company_id: int
    product_id: int | None
    path: str
    unit: str
    quantity: Decimal
    kind: str
    value: Decimal
    per: Decimal
    currency: str
    valid_from: datetime
    valid_until: datetime
    status: str

    def about(self, product_id: int | None, path: str, base_unit: str) -> bool:
        """Tell whether the agreement is about a product in the category with ``path``."""
        if self.unit != base_unit:
            return False
        return self.product_id == product_id if self.product_id is not None else path.startswith(self.path)

    def fits(self, line: PriceLine) -> bool:
        """Tell whether the agreement is about the line's product."""
        return self.about(line.product_id, line.category_path, line.base_unit)


@dataclass(frozen=True, slots=True)
class Part:
    """As much of a line, in base units, as an agreement takes."""

    terms: Terms
    quantity: Decimal


def ordered(terms: Iterable[Terms], company_ids: tuple[int, ...]) -> list[Terms]:
    """Return agreements in the order in which they are drawn: nearest company, product, deepest category, first to end."""
    near = {company_id: depth for depth, company_id in enumerate(company_ids)}

    def place(one: Terms) -> tuple[object, ...]:
        return near[one.company_id], one.product_id is None, -one.path.count("/"), one.valid_until, one.code

    return sorted(terms, key=place)


def share_out(
    quantity: Decimal, agreements: Iterable[Terms], free: dict[int, Decimal], own: Mapping[int, Decimal]
) -> list[Part]:
    """Return the parts of ``quantity`` that agreements take; ``free`` is what they have left, less what is taken here.

    ``own`` is what the line holds of each already.
    """
    parts: list[Part] = []
    for one in agreements:
        held = own.get(one.id, ZERO)
        taken = min(quantity, held + max(free.get(one.id, ZERO), ZERO))
        if taken <= ZERO or len(parts) == MOST:
            continue
        free[one.id] = free.get(one.id, ZERO) - max(taken - held, ZERO)
        quantity -= taken
        parts.append(Part(one, taken))
    return parts


def source_of(parts: list[Part], quantity: Decimal) -> str:
    """Return what the line names as the source of its price: the agreements, and how much of each unless it is all."""
    if len(parts) == 1 and parts[0].quantity == quantity:
        return f"{PREFIX}{parts[0].terms.code}"
    return PREFIX + "+".join(f"{part.terms.code}={part.quantity.normalize():f}" for part in parts)


def drawn(source: str, whole: Decimal) -> dict[str, Decimal]:
    """Return by code what a line with this source draws; ``whole`` is its base quantity. The reverse of ``source_of``."""
    if not source.startswith(PREFIX):
        return {}
    found = (piece.partition("=") for piece in source.removeprefix(PREFIX).split("+"))
    return {code: Decimal(quantity) if quantity else whole for code, _equals, quantity in found}


@dataclass(frozen=True, slots=True)
class Priced:
    """A price for ``per`` of the line's unit and the decimals it is rounded to; None: the rest has no price."""

    price: Decimal | None
    per: Decimal = ONE
    places: int | None = None


def priced(line: PriceLine, parts: list[Part], currency: str) -> Priced:
    """Return what the line costs; its price so far is that of what no agreement takes."""
    quantity = line.base_quantity
    rest = quantity - sum((part.quantity for part in parts), ZERO)
    if len(parts) == 1 and not rest:
        return _alone(line, parts[0].terms, currency)
    total = ZERO
    for part in parts:
        one = _alone(line, part.terms, currency)
        if one.price is None:
            return one
        total += _amount(line, one, part.quantity)
    if rest:
        if line.price is None:
            return Priced(None)
        total += _amount(line, Priced(line.price, line.per, line.places), rest)
    each = (total / line.quantity).quantize(MICRO)
    if each * line.quantity == total:
        return Priced(each.normalize() + ZERO)
    return Priced(round_money(total, currency), line.quantity)


def _alone(line: PriceLine, terms: Terms, currency: str) -> Priced:
    """Return what the line would cost by the agreement alone."""
    if terms.kind == "percent":
        if line.list_price is None:
            return Priced(None)
        places = computed_places(line.list_price, minor_digits(currency))
        return Priced(line.list_price * (HUNDRED - terms.value) / HUNDRED, line.per, places)
    if line.unit == line.base_unit:
        return Priced(terms.value, terms.per)
    price, places = by_factor(terms.value, terms.per, line.factor, minor_digits(currency))
    return Priced(price, ONE, places)


def _amount(line: PriceLine, one: Priced, base_quantity: Decimal) -> Decimal:
    """Return what so many base units cost at a price for the line's unit."""
    price = one.price or ZERO
    price = price if one.places is None else round_to(price, one.places)
    return base_quantity * line.factor[1] / line.factor[0] * price / one.per
