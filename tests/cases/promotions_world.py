"""Translate cases of discounts on whole orders into promotions, and ask the promotions' own engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from addons.promotions import editing
from addons.promotions.engine import Item, Rule, Saving, Selector, savings
from addons.promotions.models import Promotion
from core.data import clock
from core.spec.errors import Invalid

from .neutral import Unsupported, number

KINDS = {
    "percent": "percent", "amount_off": "amount", "amount_off_each_unit": "amount_each", "cheapest_free": "cheapest_free",
}  # fmt: skip
KEYS = {
    "id", "kind", "scope", "target", "value", "min_items", "min_value", "max_discounted_items", "condition",
    "once_per_order", "free_qty", "for_every", "round_down",
}  # fmt: skip
SCOPES = ("order", "order incl. freight", "product", "order voucher on the line")
#: Words of a line; what takes no discount has an agreed price, which promotions leave alone.
BASKET = {"price", "qty", "discountable", "product"}
ZERO, HUNDRED = Decimal(0), Decimal(100)
_CONDITION = re.compile(r"amount of item '([^']+)' on the order >= ([\d.]+)")


def is_of_orders(case: Mapping[str, Any]) -> bool:
    """Tell whether the case is about a discount on a whole order."""
    query = case.get("query", {})
    conditional = any(_CONDITION.fullmatch(str(rule.get("condition", ""))) for rule in case["rules"])
    return "basket" in query or "goods" in query or conditional


def compare(case: Mapping[str, Any], currency: str = "EUR") -> str:
    """Return what is wrong, '' if the product agrees."""
    query, expected = case["query"], case["expected"]
    currency = query.get("currency") or currency
    items, names = _items(case)
    charges = number(query.get("freight", 0))
    found = asked(case, items, charges, currency, names)
    if not items and set(expected) <= {"order_discount", "line_discounts"}:
        found = []
    saving = found[0] if found else None
    lines = [saving.lines.get(item.key, ZERO) if saving else ZERO for item in items]
    figures: dict[str, Any] = {
        "order_discount": saving.total if saving else ZERO,
        "line_discounts": lines,
        "goods_discount": sum(lines, ZERO),
        "freight_discount": saving.charges if saving else ZERO,
        "discount_percent": {name: lines[n - 1] * HUNDRED / items[n - 1].net for name, n in names.items()},
    }
    for name, wanted in expected.items():
        if name not in figures:
            raise Unsupported(f"the figure {name}")
        if figures[name] != _exact(wanted):
            if len(case["rules"]) > 1:  # the best of them counts, and a voucher on top
                raise Unsupported("several promotions on one order that add up")
            if case.get("portability") == "rounding":
                raise Unsupported("discounts rounded down, or with the remainder on the last line, by policy")
            return f"{name} is {figures[name]}, {wanted} is expected"
    return ""


def asked(
    case: Mapping[str, Any], items: list[Item], charges: Decimal, currency: str, names: Mapping[str, int]
) -> list[Saving]:
    """Return what the product takes off."""
    rules = [replace(_rule(rule, names), on_agreed=not any(item.agreed for item in items)) for rule in case["rules"]]
    return savings(rules, items, charges, currency)


def off_a_line(case: Mapping[str, Any], line: Item, currency: str, names: Mapping[str, int]) -> list[Saving]:
    """Return what is taken off one line: by the voucher, or by the best of the promotions off a price set by hand."""
    vouchers = [rule for rule in case["rules"] if rule["scope"] == "order voucher on the line"]
    if len(vouchers) > 1:
        raise Unsupported("several promotions on one order that add up")
    each = [
        {**r, "kind": "amount_off_each_unit" if r["kind"] == "amount_off" else r["kind"]} for r in vouchers or case["rules"]
    ]
    return savings([replace(_rule(rule, names), code=str(n)) for n, rule in enumerate(each)], [line], ZERO, currency)


def _items(case: Mapping[str, Any]) -> tuple[list[Item], dict[str, int]]:
    """Return the lines, and the place (from one) of each product that has a name."""
    query = case["query"]
    prices = {p["id"]: number(p["base_price"]) for p in case["products"] if p.get("base_price") is not None}
    if "goods" in query:
        return [Item("1", 1, Decimal(1), number(query["goods"]))], {}
    if "basket" in query:
        if any("price" not in row or "qty" not in row for row in query["basket"]):
            raise Unsupported("lines of a basket without a price of their own")
        if strange := {word for row in query["basket"] for word in row} - BASKET:
            raise Unsupported(f"lines of a basket with {', '.join(sorted(strange))}")
        found = []
        for n, row in enumerate(query["basket"], start=1):
            price, qty = number(row["price"]), number(row["qty"])
            found.append(Item(str(n), n, qty, price * qty, agreed=row.get("discountable") is False))
        return found, {str(row["product"]): n for n, row in enumerate(query["basket"], start=1) if row.get("product")}
    if any(name not in prices for name, _qty in query.get("lines", ())) or "lines" not in query:
        raise Unsupported("orders of articles without a list price")
    lines = [(name, number(qty)) for name, qty in query["lines"]]
    items = [Item(str(n), n, qty, prices[name] * qty) for n, (name, qty) in enumerate(lines, start=1)]
    return items, {name: n for n, (name, _qty) in enumerate(lines, start=1)}


def _rule(rule: Mapping[str, Any], names: Mapping[str, int]) -> Rule:
    if rule["kind"] not in KINDS:
        raise Unsupported(f"promotions of the kind {rule['kind']}")
    if set(rule) - KEYS or rule["scope"] not in SCOPES:
        raise Unsupported(f"promotions with {', '.join(sorted(set(rule) - KEYS) or [rule['scope']])}")
    counted, least = Selector(), rule.get("min_value")
    condition = _CONDITION.fullmatch(str(rule.get("condition", "")))
    if condition:
        counted, least = Selector(names.get(condition[1], 0)), condition[2]
    elif "condition" in rule:
        raise Unsupported("promotions with other conditions")
    reduced = Selector(names.get(str(rule["target"]), 0)) if rule["scope"] == "product" else Selector()
    made = Rule(
        code="P",
        name="Promotion",
        kind=KINDS[rule["kind"]],
        value=number(rule.get("value", 0)),
        min_value=None if least is None else number(least),
        min_quantity=number(rule["min_items"]) if "min_items" in rule else None,
        free_quantity=number(rule["free_qty"]) if rule.get("free_qty") else None,
        for_every=number(rule["for_every"]) if rule.get("for_every") else None,
        max_units=Decimal(1) if rule.get("once_per_order") else _units(rule),
        counted=counted,
        reduced=reduced,
        with_charges=rule["scope"] == "order incl. freight",
        on_agreed=True,
    )
    _may_be_saved(made)
    return made


def _units(rule: Mapping[str, Any]) -> Decimal | None:
    return number(rule["max_discounted_items"]) if "max_discounted_items" in rule else None


def _may_be_saved(rule: Rule) -> None:
    """A promotion that takes nothing off is not saved; what takes off nothing is no error of a case."""
    values = {column.name: getattr(rule, column.name, None) for column in Promotion.__table__.columns}
    values |= {"currency": "EUR", "voucher": "", "valid_from": clock.now(), "value": rule.value or Decimal(1)}
    if rule.kind == "cheapest_free":
        values["value"] = ZERO
    try:
        editing.check(values)
    except Invalid as refused:
        raise Unsupported(str(refused.message)) from refused


def _exact(value: Any) -> Any:
    if isinstance(value, list):
        return [_exact(one) for one in value]
    if isinstance(value, dict):
        return {name: _exact(one) for name, one in value.items()}
    return number(value)
