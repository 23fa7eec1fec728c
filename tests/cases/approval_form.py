"""The form of the cases of approvals: its words, what of them is a feature that is missing, and whom a case names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from .neutral import Unsupported, number

Row = Mapping[str, Any]
DEFAULT_PEOPLE: tuple[Row, ...] = ({"id": "requester", "roles": ["requester"]}, {"id": "approver", "roles": ["approver"]})
SELECTIONS = {"all": "all", "first": "first", "most_specific": "most_specific", "highest_threshold": "highest"}
#: The figures of the form, and what rules call them.
FACTS = {
    "total": "total", "shipping_incl_tax": "freight", "distinct_products": "products", "currency": "currency",
    "company": "company", "average_discount_percent": "discount", "order_discount": "discount",
    "price_changed": "by_hand", "requester": "", "kind": "", "payment": "",
}  # fmt: skip
#: Other signs for the same comparison.
OPERATORS = {"==": "=", "eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "≥": ">=", "≤": "<=", "more": ">"}
CODES = ("currency", "company")
#: What all orders of the product are: a condition that asks for it holds.
ALWAYS = {"kind": "order", "payment": "account"}
#: A right of the form, and what a role of the company calls it; '' is what everybody has who is asked.
GIVEN = {"decide_assigned": "", "decide_all": "decides", "view_all": "sees"}
TAKEN = {"request_approval": "barred"}
#: Every word that a row of the form may have; None: any value, else the values that have a translation.
WORDS: Mapping[str, Mapping[str, Sequence[Any] | None]] = {
    "case": dict.fromkeys(
        ("id", "source", "people", "units", "rules", "policy", "order", "steps", "expect", "portability", "notes")
    )
    | {"state": ("new", "waiting", "approved", "rejected")},
    "people": dict.fromkeys(("id", "roles", "order_limit", "approve_limit", "unit", "rights", "lacks")),
    "units": dict.fromkeys(("id", "parent")),
    "rules": dict.fromkeys(("id", "when", "approvers", "for_roles", "for_people", "company", "priority", "sequence")),
    "when": {"fact": tuple(FACTS), "op": (">", ">=", "=", "<", "<="), "value": None},
    "approvers": {"people": None, "roles": None, "need": ("all", "any")},
    "policy": {
        "decide_by": ("rules", "limits"),
        "select": tuple(SELECTIONS),
        "scope": ("any", "own_unit"),
        "exempt_roles": None,
        "own_tier": ("allowed",),
        "sequence": ("none", "highest_first"),
        "same_person": ("each", "once"),
        "no_rule": ("ok", "refuse"),
        "editable_while_waiting": None,
    },
    "order": dict.fromkeys(
        ("requester", "total", "currency", "shipping_incl_tax", "distinct_products", "company", "assigned_to", "lines",
         "order_discount")
    )
    | {"payment": ("account",), "kind": ("order",), "price_changed": None, "edited": ([],)},
    "lines": dict.fromkeys(("list", "price", "qty")),
    "steps": dict.fromkeys(("by", "to", "change", "percent", "person", "roles", "comment", "apart", "expect"))
    | {
        "do": (
            "submit", "request", "review", "approve", "reject", "restart", "edit", "order", "view", "raise_prices",
            "set_roles",
        )
    },
}  # fmt: skip
#: What the product does not have, by the word that asks for it.
MISSING = {
    ("order", "payment"): "payment online",
    ("order", "kind"): "quotes of sales people",
    ("order", "edited"): "quotes of sales people",
    ("steps", "do", "pay"): "payment online",
    ("expect", "paid"): "payment online",
    ("expect", "can_send"): "quotes of sales people",
}


def normal(case: Row) -> dict[str, Any]:
    """Return the case without keys that have no value, and with one word for each comparison."""
    found = dict(_filled(case))
    for rule in found.get("rules", ()):
        said = rule.get("when", [])
        rule["when"] = [said] if isinstance(said, dict) else said
        for one in rule["when"]:
            one["op"] = OPERATORS.get(one.get("op", "="), one.get("op", "="))
    return found


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {word: _filled(one) for word, one in value.items() if one is not None}
    return [_filled(one) for one in value] if isinstance(value, list) else value


def check(case: Row) -> None:
    """Raise Unsupported where the case asks for what is missing, or says a word that nobody has translated."""
    expected = [case.get("expect", {}), *(step.get("expect", {}) for step in case.get("steps", ()))]
    for (where, *words), feature in MISSING.items():
        rows = expected if where == "expect" else [row for name, row in _rows(case) if name == where]
        if any(_asks(row, words, WORDS.get(where, {})) for row in rows):
            raise Unsupported(feature)
    for where, row in _rows(case):
        for word, value in row.items():
            if word not in WORDS[where]:
                raise Unsupported(f"{where}: {word}")
            known = WORDS[where][word]
            if known is not None and value is not None and value not in known:
                raise Unsupported(f"{where}: {word} {value}")
    for said in (said for rule in case.get("rules") or () for said in rule.get("when", ())):
        if said["fact"] in ALWAYS and (said["op"], said["value"]) != ("=", ALWAYS[said["fact"]]):
            raise Unsupported("payment online" if said["fact"] == "payment" else "quotes of sales people")
    rights = {right for row in case.get("people", ()) for right in (*row.get("rights", ()), *row.get("lacks", ()))}
    if rights - {*GIVEN, *TAKEN}:
        raise Unsupported(f"rights: {', '.join(sorted(rights - {*GIVEN, *TAKEN}))}")


def lines_of(order: Row) -> list[dict[str, Decimal]] | None:
    """Return the lines of an order: list price, price, quantity; None where it does not say them.

    Unsupported where total or number of products says that they are not all.
    """
    if "lines" not in order:
        return None
    found = []
    for line in order["lines"]:
        price = number(line.get("price", line.get("list", 0)))
        found.append({"list": number(line.get("list", price)), "price": price, "qty": number(line.get("qty", 1))})
    goods = sum((line["price"] * line["qty"] for line in found), Decimal(0))
    left = goods * (100 - number(order.get("order_discount", 0))) / 100 + number(order.get("shipping_incl_tax", 0))
    if number(order.get("total", left)) != left or int(order.get("distinct_products", len(found))) != len(found):
        raise Unsupported("orders whose lines are not all that they are")
    return found


def lines_worth(order: Row, goods: Decimal) -> list[dict[str, Decimal]]:
    """Return lines that cost ``goods`` together, less what comes off the whole order."""
    count, cent = max(1, int(order.get("distinct_products", 1))), Decimal("0.01")
    full = goods * 100 / (100 - number(order.get("order_discount", 0)))
    rest = full - cent * (count - 1)
    if rest < 0:
        raise Unsupported("orders that cost less than their freight and their articles do")
    if rest != round(rest, 2):
        raise Unsupported("discounts that leave parts of a cent")
    prices = [rest, *[cent] * (count - 1)]
    changed = bool(order.get("price_changed"))
    return [{"list": p + 1 if changed and i == 0 else p, "price": p, "qty": Decimal(1)} for i, p in enumerate(prices)]


def _asks(row: Row, words: Sequence[str], known: Mapping[str, Sequence[Any] | None]) -> bool:
    """Tell whether a row has the word, with a value that has no translation."""
    word, *values = words
    if word not in row:
        return False
    return row[word] in values if values else row[word] not in (known.get(word) or ())


def _rows(case: Row) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a case with the part of the form to which they belong."""
    yield "case", case
    for name in ("people", "units", "rules", "steps"):
        for row in case.get(name) or ():
            yield name, row
    yield "policy", case.get("policy", {})
    yield "order", case.get("order", {})
    for line in case.get("order", {}).get("lines", ()):
        yield "lines", line
    for rule in case.get("rules") or ():
        yield "approvers", rule.get("approvers") or {}
        for said in rule.get("when", ()):
            yield "when", said


def rules_of(case: Row) -> Sequence[Row]:
    """Return the rules; a case without any asks 'approver' for every order, unless limits decide."""
    rows: Sequence[Row] | None = case.get("rules")
    by_limits = case.get("policy", {}).get("decide_by") == "limits"
    return rows if rows is not None else () if by_limits else ({"id": "default", "when": []},)


def people_of(case: Row) -> Sequence[Row]:
    """Return the people, with those whom the case only names."""
    rows = list(case.get("people") or DEFAULT_PEOPLE)
    known = {row["id"] for row in rows}
    return [*rows, *({"id": name, "roles": [name]} for name in dict.fromkeys(_named(case)) if name not in known)]


def _named(case: Row) -> Iterator[str]:
    order = case.get("order", {})
    yield order.get("requester", "requester")
    if order.get("assigned_to"):
        yield order["assigned_to"]
    for rule in rules_of(case):
        yield from approvers_of(rule).get("people", ())
        yield from rule.get("for_people", ())
    for step in case.get("steps", ()):
        yield from (step[word] for word in ("by", "to", "person") if step.get(word))


def approvers_of(rule: Row) -> Row:
    """Return whom a rule asks: the person 'approver' where it does not say."""
    return rule.get("approvers") or {"people": ["approver"], "need": "all"}


def roles_of(case: Row) -> set[str]:
    """Return the roles that the case names anywhere."""
    found = {name for row in people_of(case) for name in row.get("roles", ())}
    found |= {*case.get("policy", {}).get("exempt_roles", ())}
    found |= {name for step in case.get("steps", ()) for name in step.get("roles", ())}
    return found | {name for rule in rules_of(case) for name in _roles(rule)}


def _roles(rule: Row) -> Iterable[str]:
    return (*rule.get("for_roles", ()), *approvers_of(rule).get("roles", ()))
