"""Quantities that a reader may order: a product's own limits, made stricter by what addons say for the reader's company."""

from __future__ import annotations

from collections.abc import Mapping

from core.catalog.units import UnitInfo, rules_by_key, with_rules
from core.data.scope import current_actor
from core.registry.registry import registry
from core.spec.catalog import QuantityLine

Pair = tuple[int, str]


def for_reader(units: Mapping[Pair, UnitInfo]) -> dict[Pair, UnitInfo]:
    """Return the units as the reader may order them; ``refused`` says why one may not be ordered at all."""
    if not units:
        return {}
    keys = {f"{product_id} {name}": (product_id, name) for product_id, name in units}
    lines = tuple(QuantityLine(key, *pair, units[pair].minimum) for key, pair in keys.items())
    answers = registry().batch("quantity_rules", lines=lines, company_id=current_actor().company_id)
    rules = rules_by_key(rule for _owner, found in answers for rule in found)
    if not rules:
        return dict(units)
    return {pair: with_rules(units[pair], rules[key]) if key in rules else units[pair] for key, pair in keys.items()}
