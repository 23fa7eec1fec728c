"""Formula rows: a base, then percents, rounding to a multiple, a surcharge, and limits of the margin, in this order.

``terms`` of a row: ``base`` ("list", "cost", "msrp", or "contract:CODE" for the price of another contract or list),
``percent`` (a list of percents off, negative for more; each on the running value, or summed where ``additive``),
``round_to`` with ``round_mode`` (half_up, up, down), ``surcharge``, ``min_margin`` and ``max_margin`` (amounts above the
base). Amounts are for one of the row's unit, of the base unit where the row is for any unit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
MODES = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
_AMOUNTS = ("round_to", "surcharge", "min_margin", "max_margin")
CONTRACT = "contract:"


@dataclass(frozen=True, slots=True)
class Terms:
    """The parameters of a formula."""

    base: str = "list"
    percent: tuple[Decimal, ...] = ()
    additive: bool = False
    round_to: Decimal | None = None
    round_mode: str = "half_up"
    surcharge: Decimal | None = None
    min_margin: Decimal | None = None
    max_margin: Decimal | None = None

    @property
    def contract(self) -> str:
        """The code of the contract whose price is the base, '' for another base."""
        return self.base.removeprefix(CONTRACT) if self.base.startswith(CONTRACT) else ""

    def apply(self, base: Decimal) -> Decimal:
        """Return what the formula makes of ``base``; never below zero."""
        value = base
        if self.additive:
            value = base * (HUNDRED - sum(self.percent, ZERO)) / HUNDRED
        else:
            for percent in self.percent:
                value = value * (HUNDRED - percent) / HUNDRED
        if self.round_to:
            value = (value / self.round_to).quantize(ONE, MODES[self.round_mode]) * self.round_to
        if self.surcharge is not None:
            value += self.surcharge
        if self.min_margin is not None:
            value = max(value, base + self.min_margin)
        if self.max_margin is not None:
            value = min(value, base + self.max_margin)
        return max(value, ZERO)

    def stored(self) -> dict[str, Any]:
        """Return the parameters as they are stored; those at their default are left out."""
        values: dict[str, Any] = {"base": self.base}
        if self.percent:
            values["percent"] = [str(percent) for percent in self.percent]
        if self.additive:
            values["additive"] = True
        for name in _AMOUNTS:
            if getattr(self, name) is not None:
                values[name] = str(getattr(self, name))
        if self.round_mode != "half_up":
            values["round_mode"] = self.round_mode
        return values


def read_terms(stored: Mapping[str, Any] | None, percent: Decimal = ZERO) -> Terms:
    """Return the parameters of a row; ``percent`` is the row's own value, off the base, where terms name none."""
    given = dict(stored or {})
    steps = tuple(Decimal(str(p)) for p in given.get("percent", ())) or ((percent,) if percent else ())
    amounts = {name: Decimal(str(given[name])) for name in _AMOUNTS if given.get(name) is not None}
    return Terms(
        base=given.get("base", "list"),
        percent=steps,
        additive=bool(given.get("additive")),
        round_mode=given.get("round_mode", "half_up"),
        **amounts,
    )


@lru_cache(4096)
def parsed(kind: str, value: int, text: str | None) -> Terms:
    """Return the parameters of a row of the statement; cost plus is a formula on the cost."""
    percent = Decimal(value).scaleb(-6)
    if kind == "cost_plus":
        return Terms("cost", (-percent,))
    return read_terms(json.loads(text) if text else None, percent)
