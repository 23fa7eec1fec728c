"""How the shop's pages get prices without knowing the pricing domain, which stands above: it says who answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, cast

from flask import Flask, current_app

from core.catalog.units import UnitInfo
from core.spec.pricing import Break

_KEY = "tukku.catalog_prices"
Pair = tuple[int, str]


class ShownPrice(Protocol):
    """A price for the reader: net ``amount`` for ``per`` of ``unit``, or None ("ask for a quote"); why, and the ladder.

    ``list_price`` is set only where it is to be struck through; ``hidden``: prices are not for this reader.
    """

    @property
    def amount(self) -> Decimal | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def per(self) -> Decimal: ...
    @property
    def list_price(self) -> Decimal | None: ...
    @property
    def reason(self) -> object: ...
    @property
    def ladder(self) -> tuple[Break, ...]: ...
    @property
    def hidden(self) -> bool: ...


class Prices(Protocol):
    """Returns the prices of (product, unit) pairs for the reader; the statements do not grow with their number."""

    def __call__(
        self,
        asked: Iterable[Pair],
        *,
        quantities: Mapping[Pair, Decimal] | None = None,
        ladder: bool = False,
        steps: Mapping[Pair, tuple[Decimal, Decimal]] | None = None,
    ) -> Mapping[Pair, ShownPrice]: ...


@dataclass(frozen=True, slots=True)
class _Source:
    """Who answers for an app."""

    shown: Prices
    visible: Callable[[], bool]


def use_prices(app: Flask, shown: Prices, visible: Callable[[], bool]) -> None:
    """Let ``shown`` answer for ``app``; ``visible`` tells whether the reader may see prices at all."""
    app.extensions[_KEY] = _Source(shown, visible)


def visible() -> bool:
    """Tell whether the reader may see prices."""
    source = _source()
    return source is not None and source.visible()


def with_ladders(units: Mapping[Pair, UnitInfo]) -> Mapping[Pair, ShownPrice]:
    """Return the prices of units of products at the least quantity of each, with their ladders; as ``shown``."""
    source = _source()
    if source is None or not units or not source.visible():
        return {}
    least = {pair: unit.minimum for pair, unit in units.items()}
    steps = {pair: (unit.minimum, unit.step) for pair, unit in units.items()}
    return source.shown(list(units), quantities=least, ladder=True, steps=steps)


def shown(pairs: Sequence[Pair], *, quantities: Mapping[Pair, Decimal] | None = None) -> Mapping[Pair, ShownPrice]:
    """Return the prices of the pairs; nothing at all for a reader who may not see prices, so that no page can leak one."""
    source = _source()
    if source is None or not pairs or not source.visible():
        return {}
    return source.shown(pairs, quantities=quantities)


def comparable(price: ShownPrice | None) -> Decimal:
    """Return the price of one unit for sorting; infinite where there is none."""
    if price is None or price.amount is None:
        return Decimal("Infinity")
    return price.amount / price.per


def _source() -> _Source | None:
    return cast("_Source | None", current_app.extensions.get(_KEY))
