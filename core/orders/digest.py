"""The digest of a document: what was seen, approved or charged is the same if and only if its digest is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.orders.charges import CHARGE_FIELDS, rows_of
from core.orders.models import Order, OrderLine
from core.registry.registry import registry
from core.spec.pricing import PriceLine

LINE_FIELDS = (
    "position",
    "sku",
    "name",
    "unit",
    "quantity",
    "base_quantity",
    "configuration",
    "split_key",
    "unit_price",
    "per",
    "net",
    "tax_category",
    "tax_rate",
    "price_source",
    "note",
    "customer_reference",
)
ORDER_FIELDS = (
    "company_id",
    "currency",
    "rounding",
    "net",
    "charges_net",
    "tax",
    "gross",
    "tax_lines",
    "ship_to",
    "bill_to",
    "po_number",
    "note",
    "wished_date",
)


def content_of(order: Order, lines: Sequence[OrderLine]) -> dict[str, Any]:
    """Return everything that makes the document what it is, the addons' parts included, as plain values."""
    return {
        **{name: getattr(order, name) for name in ORDER_FIELDS},
        "lines": [{name: getattr(line, name) for name in LINE_FIELDS} for line in sorted(lines, key=lambda x: x.position)],
        "charges": [{name: getattr(charge, name) for name in CHARGE_FIELDS} for charge in rows_of(order.id)],
        "parts": parts_of(order.id),
    }


def parts_of(order_id: int) -> dict[str, Any]:
    """Return the addons' facts of an order by ``owner.part``; an empty part is left out."""
    facts = {
        f"{found.owner}.{found.value.name}": found.value.facts([order_id]).get(order_id)
        for found in registry().contributions("order_parts")
    }
    return {name: dict(values) for name, values in facts.items() if values}


def digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of ``content`` in its canonical form: equal numbers are equal however they are written."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def canonical(content: Any) -> str:
    """Return ``content`` as JSON with sorted keys, no spaces, decimals without trailing zeros."""
    return json.dumps(_plain(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def trace_digest(line: PriceLine) -> str:
    """Return the digest of a price's explanation: every candidate and step, so that it can be proved later."""
    return digest(
        {
            "product": line.product_id,
            "unit": line.unit,
            "quantity": line.quantity,
            "price": line.price,
            "per": line.per,
            "list_price": line.list_price,
            "source": line.source,
            "reference": line.reference,
            "trace": [[t.step, t.before, t.after, t.reference] for t in line.trace],
            "candidates": [[c.source, c.price, c.per, c.unit, c.min_quantity] for c in line.candidates],
        }
    )


def _plain(value: Any) -> Any:
    match value:
        case bool() | int() | str() | None:
            return value
        case Decimal():
            return _number(value)
        case date() | datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return str(value)


def _number(value: Decimal) -> str:
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
