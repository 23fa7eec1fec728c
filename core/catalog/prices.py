"""How the shop's pages get prices without knowing the pricing domain, which stands above: it answers through ``Prices``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, cast

from flask import Flask, current_app

from core.spec.pricing import Break

_KEY = "tukku.catalog_prices"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A price that a page shows: of a product in a unit at a quantity."""

    product_id: int
    unit: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Shown:
    """A price for the reader: net for ``per`` of the unit, or None ("ask for a quote"); why, and the ladder."""

    price: Decimal | None
    per: Decimal
    currency: str
    list_price: Decimal | None = None
    reason: object = ""
    steps: tuple[object, ...] = ()
    breaks: tuple[Break, ...] = ()


class Prices(Protocol):
    """What core.pricing answers."""

    def visible(self) -> bool:
        """Tell whether the reader may see prices."""

    def shown(self, wanted: Sequence[Wanted], *, ladders: bool, explain: bool = False) -> Mapping[Wanted, Shown]:
        """Return the prices; statements are constant in their number. Empty where the reader may not see prices."""


def use_prices(app: Flask, prices: Prices) -> None:
    """Let ``prices`` answer for ``app``."""
    app.extensions[_KEY] = prices


def prices() -> Prices:
    """Return who answers for the current app."""
    return cast(Prices, current_app.extensions.get(_KEY) or _NoPrices())


class _NoPrices:
    """An app without the pricing domain shows no prices."""

    def visible(self) -> bool:
        return False

    def shown(self, wanted: Sequence[Wanted], *, ladders: bool, explain: bool = False) -> Mapping[Wanted, Shown]:
        return {}


def price_in(unit_price: Any) -> Decimal:
    """Return the price of one unit for comparing, which is never shown; the highest where there is none."""
    if unit_price is None or unit_price.price is None:
        return Decimal("Infinity")
    return cast(Decimal, unit_price.price / unit_price.per)
