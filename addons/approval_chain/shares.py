"""What each cost centre bears of an order: its lines, and what else counts in proportion; pure and exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import TypeVar

Key = TypeVar("Key")
ZERO = Decimal(0)


def shares(lines: Iterable[tuple[Key, Decimal]], counts: Decimal, digits: int) -> Mapping[Key, Decimal]:
    """Return by cost centre its part of ``counts``: the sum of its (cost centre, amount) lines, and of what is beside them.

    That (freight, charges, what comes off) follows the amounts; what rounding to ``digits`` leaves goes to the largest
    remainders, so that nothing is lost.
    """
    unit, sums = Decimal(1).scaleb(-digits), dict[Key, Decimal]()
    for key, amount in lines:
        sums[key] = sums.get(key, ZERO) + amount
    own = {key: amount.quantize(unit) for key, amount in sums.items()}
    beside = spread(counts - sum(own.values(), ZERO), list(sums.values()), digits)
    return {key: amount + part for (key, amount), part in zip(own.items(), beside, strict=True)}


def spread(amount: Decimal, weights: list[Decimal], digits: int) -> list[Decimal]:
    """Return ``amount`` in parts by weight (0 or more), each with at most ``digits`` decimals, which add up to it."""
    if not weights:
        return []
    total = sum(weights, ZERO)
    exact = [amount * w / total if total else (amount if i == 0 else ZERO) for i, w in enumerate(weights)]
    unit = Decimal(1).scaleb(-digits)
    parts = [x.quantize(unit, ROUND_DOWN) for x in exact]
    rest = amount - sum(parts, ZERO)
    order = sorted(range(len(parts)), key=lambda i: (-abs(exact[i] - parts[i]), i))
    for i in order:
        if abs(rest) < unit:
            break
        step = unit.copy_sign(rest)
        parts[i] += step
        rest -= step
    parts[order[0]] += rest
    return parts
