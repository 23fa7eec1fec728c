"""Find out why a rule can never fit an order, from what it says alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.api.hooks import OrderFact
from core.api.i18n import translations

from .rule_models import RuleParts

_, _l, ngettext, _p = translations(__name__)
#: Of these an order has one value only, so two conditions that name different ones cannot both hold.
SINGLE = ("ship_to", "country", "currency", "company", "first")


def never_fits(rule: RuleParts, specs: Mapping[str, OrderFact]) -> str:
    """Return why no order fits the rule; '' where one may."""
    by_fact: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for said in rule.conditions:
        by_fact[said["fact"]].append(said)
    for fact, said in by_fact.items():
        spec = specs.get(fact)
        if spec is None:
            return _("nothing gives the figure “%(name)s”", name=fact)
        impossible = _codes(fact, said) if spec.kind in ("choice", "codes") else _figures(spec.kind, said)
        if impossible:
            return _("what it says of “%(fact)s” cannot be", fact=str(spec.title))
    if rule.effect == "require" and rule.steps and _no_step(rule, by_fact.get("total", ())):
        return _("it asks only above a total that it rules out")
    return ""


def _codes(fact: str, said: Iterable[Mapping[str, Any]]) -> bool:
    wanted = [set(c["value"]) for c in said if c["op"] == "in"]
    excluded = {code for c in said if c["op"] == "not_in" for code in c["value"]}
    if fact in SINGLE and wanted and not set.intersection(*wanted) - excluded:
        return True
    return any(not codes - excluded for codes in wanted)


def _figures(kind: str, said: Iterable[Mapping[str, Any]]) -> bool:
    low, low_open = (Decimal(0), False) if kind in ("money", "number") else (Decimal("-Infinity"), False)
    high, high_open = Decimal("Infinity"), False
    for condition in said:
        value, op = Decimal(condition["value"]), condition["op"]
        if op in (">", ">=", "=") and (value > low or (value == low and op == ">")):
            low, low_open = value, op == ">"
        if op in ("<", "<=", "=") and (value < high or (value == high and op == "<")):
            high, high_open = value, op == "<"
    return low > high or (low == high and (low_open or high_open))


def _no_step(rule: RuleParts, said: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether every step begins above the total at which the rule ends."""
    steps = [[*said, {"op": ">", "value": step["above"]}] if step["above"] else list(said) for step in rule.steps]
    return all(_figures("money", conditions) for conditions in steps)
