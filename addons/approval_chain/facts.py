"""What rules ask about an order: plain figures, computed once for each evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

HUNDRED = Decimal(100)


class Line(Protocol):
    """A line of a cart or of an order."""

    @property
    def product_id(self) -> int | None:
        """The product, None where it is gone."""
        ...


def facts_of(net: Decimal, lines: Iterable[Line], discount: Decimal | None = None) -> Mapping[str, Any]:
    """Return the facts of an order; ``total`` is net, in the order's currency."""
    products = [line.product_id for line in lines]
    return {
        "total": net,
        "lines": Decimal(len(products)),
        "products": Decimal(len(set(products))),
        "discount": discount,
    }


def average_discount(lines: Iterable[tuple[Decimal, Decimal, Decimal]], order_discount: Decimal = Decimal(0)) -> Decimal:
    """Return the percent below list of (list price, price, quantity), weighted by quantity; an order's discount first."""
    listed = paid = Decimal(0)
    for list_price, price, quantity in lines:
        listed += list_price * quantity
        paid += price * quantity
    return HUNDRED - HUNDRED * paid * (HUNDRED - order_discount) / HUNDRED / listed if listed else Decimal(0)
