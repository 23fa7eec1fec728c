"""What each cost centre bears of an order: its lines, and freight and charges in proportion; pure and exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import TypeVar

Key = TypeVar("Key")
ZERO = Decimal(0)


def shares(lines: Iterable[tuple[Key, Decimal]], charges: Decimal, digits: int) -> Mapping[Key, Decimal]:
    """Return by cost centre the sum of its (cost centre, net) lines and its part of ``charges``.

    Charges follow the nets; what rounding to ``digits`` leaves goes to the largest remainders, so that nothing is lost.
    """
    nets: dict[Key, Decimal] = {}
    for key, net in lines:
        nets[key] = nets.get(key, ZERO) + net
    return {
        key: net + part for (key, net), part in zip(nets.items(), spread(charges, list(nets.values()), digits), strict=True)
    }


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
