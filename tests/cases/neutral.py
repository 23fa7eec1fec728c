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
        "discount_amount_per_unit", "discount_percent", "discount_rate", "requested_delivery_date", "packs",
    },
}  # fmt: skip
#: Other words for the same.
SAME = {
    "kinds": {
        "percentage": "percent", "percent_off": "percent", "discount_percent": "percent", "price": "fixed",
        "fixed_price": "fixed", "amount": "amount_off", "multiplier": "factor", "markup_percent": "markup",
        "margin_percent": "markup", "surcharge_percent": "markup",
    },
    "scopes": {
        "variant": "product", "template": "product template", "product_template": "product template",
        "product category": "category", "product_category": "category", "everything": "all", "all products": "all",
        "customer group": "segment", "customer_group": "segment",
    },
    "rules": {
        "customer_group": "segment", "group": "segment", "segments": "segment", "country": "region",
        "start_date": "valid_from", "end_date": "valid_to", "min_quantity": "min_qty", "max_quantity": "max_qty",
        "rounding": "round_to", "round": "round_to", "every": "for_every", "recurse_for": "for_every",
        "free_product": "free_item", "free_quantity": "free_qty", "round_free_qty": "round_down", "max_free": "max_free_qty",
        "min_amount": "min_value",
    },
}  # fmt: skip
#: Scopes that say for whom a rule is, not what it is about.
WHOM = ("customer", "company", "segment", "region")
#: What lists are called on which the others fall back.
FALLBACK = re.compile(r"parent|default|fallback|public|base", re.IGNORECASE)


class Unsupported(Exception):
    """The product lacks what the case is about; the message names the feature."""


def understood(case: Mapping[str, Any]) -> None:
    """Raise Unsupported where a case says something that nothing here reads: it could decide the price."""
    query, known = case["query"], {word for rule in case["rules"] for word in rule}
    for part, found in (("cases", [case]), ("products", case["products"]), ("questions", [query])):
        strange = {word for one in found for word, value in one.items() if value not in (None, False, "", [], {})}
        strange -= WORDS[part]
        if part == "questions" and query.get("currency"):  # what else is known of the buyer, of which no rule says anything
            strange = {word for word in strange if word in known or not isinstance(query[word], str)}
        if strange:
            raise Unsupported(f"{part} with {', '.join(sorted(strange))}")
    if not case["expected"]:
        raise Unsupported("a case that expects nothing")


def normal(case: Mapping[str, Any]) -> dict[str, Any]:
    """Return the case with one word for each thing, a rule for each target, and nothing left out that others give."""
    given = {**case, "query": case.get("query") or {}, "expected": case.get("expected") or {}}
    given["products"] = [dict(product) for product in case.get("products") or ()]
    given["rules"] = [one for rule in case.get("rules") or () for one in _rules(rule)]
    given["source"] = case.get("source") or {"system": ""}
    return given


def _rules(rule: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rule for each of its targets, in the words of the form; keys without a value are left out."""
    if rule.get("active") is False or rule.get("enabled") is False:
        return []
    made = {SAME["rules"].get(word, word): value for word, value in rule.items() if value is not None}
    for word in ("active", "enabled"):
        made.pop(word, None)
    kind, scope = str(made.get("kind", "")), str(made.get("scope", "all"))
    made["kind"] = SAME["kinds"].get(kind, kind)
    made["scope"] = scope = SAME["scopes"].get(scope, scope)
    if scope in WHOM and "target" in made:
        made |= {scope: made.pop("target"), "scope": "all"}
    if "markup_percent" in made:
        made["discount_percent"] = -number(made.pop("markup_percent"))
    if made["kind"] == "markup":
        made |= {"kind": "percent", "value": -number(made.get("value", 0))}
    targets = made.get("target")
    return [{**made, "target": one} for one in targets] if isinstance(targets, list) else [made]


def only_of(expected: Mapping[str, Any], *names: str) -> None:
    """Raise Unsupported where more is expected than what is compared."""
    strange = sorted(set(expected) - {*names, "message"})
    if strange:
        raise Unsupported(f"the figure {', '.join(strange)}")


def below_first(settings: Any) -> str:
    """Return what quantities below the first break cost, from switches by name or in words."""
    if not settings:
        return "none"
    said = {str(name) for name, on in settings.items() if on} if isinstance(settings, dict) else {str(settings)}
    whole = any("whole" in name for name in said)
    one = any("fraction" in name and re.search(r"below (1|one)\b", name) for name in said)
    fractions = any("fraction" in name and not re.search(r"below (1|one)\b", name) for name in said)
    if whole:
        if one and not fractions:
            raise Unsupported("prices below the first break for whole quantities and for fractions of one")
        return "any" if fractions else "whole"
    return "fraction" if fractions else "below_one" if one else "none"


def stacked(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read what several rules take off together as what it is in Tukku: one row with its percents, and an amount."""
    rules = [rule for rule in case["rules"] if rule.get("stackable")]
    alone = [rule for rule in case["rules"] if not rule.get("stackable")]
    if len(rules) < 2:
        return {**case, "rules": [{k: v for k, v in rule.items() if k != "stackable"} for rule in case["rules"]]}
    rules.sort(key=lambda rule: number(rule.get("priority", 0)))
    known = {"id", "kind", "scope", "target", "min_qty", "value", "priority", "stackable"}
    onward = {word for rule in rules for word in set(rule) - known if _ON_WHAT_IS_LEFT.search(word) and rule[word] is True}
    if alone or any(set(rule) - known - onward or rule["kind"] not in ("percent", "amount_off") for rule in rules):
        raise Unsupported("unlike rules that add up")
    if len({(rule["scope"], rule.get("target"), rule.get("min_qty")) for rule in rules}) > 1:
        raise Unsupported("unlike rules that add up")
    one = {name: rules[0][name] for name in ("id", "scope", "target", "min_qty") if name in rules[0]}
    off = sum((number(rule["value"]) for rule in rules if rule["kind"] == "amount_off"), Decimal(0))
    percents = [rule["value"] for rule in rules if rule["kind"] == "percent"]
    if off and onward:
        raise Unsupported("percents on what an amount has left")
    made = {**one, "kind": "formula" if off else "percent", "percents": percents, "additive": not onward}
    return {**case, "rules": [{**made, "surcharge": -off} if off else made]}


_ON_WHAT_IS_LEFT = re.compile(r"discounted|remaining|running|compound|left")


def conditions(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a condition in words: one on the customer is whom the contract is for; returns never ask for a price."""
    words = re.fullmatch(r"customer (?:is|=|==) (\S+)( and not a return)?", str(rule.get("condition", "")))
    if not words:
        return rule
    return {**{name: value for name, value in rule.items() if name != "condition"}, "customer": words[1]}


def several(value: Any) -> list[Any]:
    """Return the values of a list, or the one value: a rule for several of them is a contract for each."""
    return (list(value) or [None]) if isinstance(value, list) else [value]


def number(value: Any) -> Decimal:
    """Return a figure of the file exactly as it is written."""
    return Decimal(str(value))


def exact(value: Any) -> Any:
    """Return figures as numbers, written as a text or not; anything else as it is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return Decimal(value)
    return value


_SHIFT = re.compile(r"T\s*([+-]\s*\d+)\s*(min|h|d|w|mo|m|y)")
_UNITS = {"min": 1 / 1440, "h": 1 / 24, "d": 1, "w": 7, "mo": 30, "m": 30, "y": 365}


def moment(text: Any, *, end: bool = False, noon: bool = False) -> datetime | None:
    """Return an instant: "T", "T+1d", "T-1h", a day or a time; whole days end when they are over."""
    text = str(text or "").strip()
    shift = _SHIFT.fullmatch(text)
    if text == "T":
        return NOW
    if shift:
        moved = NOW + timedelta(days=int(shift[1].replace(" ", "")) * _UNITS[shift[2]])
        if shift[2] in ("h", "min"):
            return moved
        day = moved.date()
    elif re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        day = date.fromisoformat(text)
    elif re.match(r"\d{4}-\d\d-\d\d[T ]", text):
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    else:
        return None  # none, or a day of which no rule says anything
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start + (timedelta(days=1) if end else timedelta(hours=12) if noon else timedelta(0))
