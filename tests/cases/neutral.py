"""Read the neutral words of the cases: figures, instants, switches and conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


#: The words that are read, by the part of a case; those of rules differ by what the rule is.
WORDS = {
    "cases": {
        "id", "source", "products", "units", "rules", "query", "expected", "winning_rule", "portability", "notes",
        "categories", "price_list", "currency_rates", "priority_order", "price_lists", "strategy", "settings",
    },
    "products": {
        "id", "base_price", "uom", "category", "cost", "currency", "cost_currency", "tax", "template", "qty_decimals",
        "min_order_qty", "max_order_qty", "order_multiple", "pack_size", "sold_only_in_packs", "name", "note", "notes",
    },
    "questions": {
        "product", "qty", "uom", "date", "order_date", "now", "currency", "price_list", "tax_mapping", "manual_price",
        "line_discount_percent", "lines", "order_discount_percent", "note", "notes", "customer", "unit_price_set",
        "discount_amount", "action", "price_lists_in_order", "group", "own_list", "fallback", "region", "company",
        "segments", "basket", "goods", "freight", "discounts_percent", "combine", "order_discounts_percent", "tax",
        "discount_amount_per_unit", "discount_percent", "requested_delivery_date", "packs",
    },
}  # fmt: skip


class Unsupported(Exception):
    """The product lacks what the case is about; the message names the feature."""


def understood(case: Mapping[str, Any]) -> None:
    """Raise Unsupported where a case says something that nothing here reads: it could decide the price."""
    query = case.get("query", {})
    for part, found in (("cases", [case]), ("products", case["products"]), ("questions", [query])):
        strange = sorted({word for one in found for word in one} - WORDS[part])
        if strange:
            raise Unsupported(f"{part} with {', '.join(strange)}")
    if not case["expected"]:
        raise Unsupported("a case that expects nothing")


def only_of(expected: Mapping[str, Any], *names: str) -> None:
    """Raise Unsupported where more is expected than what is compared."""
    strange = sorted(set(expected) - {*names, "message"})
    if strange:
        raise Unsupported(f"the figure {', '.join(strange)}")


def below_first(settings: Any) -> str:
    """Return what quantities below the first break cost, from switches by name or in words."""
    if not settings:
        return "none"
    said = {name for name, on in settings.items() if on} if isinstance(settings, dict) else {str(settings)}
    whole = any("whole" in name for name in said)
    fractions = [any("fraction" in name and end in name for name in said) for end in ("below 1", "below the first")]
    if whole and all(fractions):
        return "any"
    if any(fractions):
        raise Unsupported("prices of fractions below the first break, but not of every quantity")
    return "whole" if whole else "none"


def stacked(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read percents that several rules add up as what they are in Tukku: one row with its percents summed."""
    rules = [rule for rule in case["rules"] if rule.get("stackable")]
    if not rules:
        return case
    alike = {(rule["kind"], rule["scope"], rule.get("target"), rule.get("min_qty")) for rule in rules}
    known = {"id", "kind", "scope", "target", "min_qty", "value", "priority", "stackable"}
    if len(rules) < len(case["rules"]) or len(alike) > 1 or rules[0]["kind"] != "percent":
        raise Unsupported("percents of unlike rules added up")
    if any(set(rule) - known for rule in rules):
        raise Unsupported("percents of several rules on what the last left")
    one = {name: value for name, value in rules[0].items() if name not in ("stackable", "value", "priority")}
    return {**case, "rules": [{**one, "percents": [rule["value"] for rule in rules]}]}


def conditions(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a condition in words: one on the customer is whom the contract is for; returns never ask for a price."""
    words = re.fullmatch(r"customer is (\S+)( and not a return)?", str(rule.get("condition", "")))
    if not words:
        return rule
    return {**{name: value for name, value in rule.items() if name != "condition"}, "customer": words[1]}


def only(value: Any) -> Any:
    """Return the only value of a list; a rule for several of them is not one of ours."""
    if isinstance(value, list):
        if len(value) > 1:
            raise Unsupported("one rule for several companies, segments or regions")
        return value[0] if value else None
    return value


def number(value: Any) -> Decimal:
    """Return a figure of the file exactly as it is written."""
    return Decimal(str(value))


def moment(text: Any, *, end: bool = False, noon: bool = False) -> datetime | None:
    """Return an instant: "T", "T+1d", "T-1h", a day or a time; whole days end when they are over."""
    if not text or not (str(text)[0] == "T" or str(text)[0].isdigit()):
        return None  # none, or a day of which no rule says anything
    text = str(text)
    if text.startswith("T"):
        shift = text[1:]
        if not shift:
            return NOW
        amount = int(shift[:-1])
        if shift.endswith("h"):
            return NOW + timedelta(hours=amount)
        day = (NOW + timedelta(days=amount)).date()
    elif "T" in text:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    else:
        day = date.fromisoformat(text)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start + (timedelta(days=1) if end else timedelta(hours=12) if noon else timedelta(0))
