"""Charges of imported orders: freight and the rest, a row for each way in which the goods are taxed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import case, delete, func, insert, select

from core.data.db import db
from core.i18n import _
from core.imports.batch import Batch
from core.orders.charges import CHARGE_FIELDS, FREIGHT, LABELS, OTHER, OWNER, as_goods
from core.orders.models import Order, OrderCharge
from core.pricing.tax import Treatment
from core.pricing.totals import TotalLine
from core.spec.imports import ImportRow, Outcome

ZERO = Decimal(0)
#: The columns of the file, and what they become; whatever is not freight is exported as the rest.
CODES = {"freight": FREIGHT, "other_charges": OTHER}
_column = case((OrderCharge.code == FREIGHT, "freight"), else_="other_charges")


def load_charges(batch: Batch, rows: Sequence[ImportRow]) -> dict[int, Outcome]:
    """Keep what the rows say is charged beside the lines; "updated" for each row that says something new.

    ``write_sums`` follows: it splits the amounts by tax and adds them up.
    """
    told = [row for row in rows if any(name in row.values for name in CODES)]
    numbers = [row.values["number"] for row in told]
    found = db.session.execute(
        select(Order.number, Order.id, Order.company_id, Order.source).where(Order.number.in_(numbers))
    )
    orders = {row.number: row for row in found}
    known = charges_by_order([order.id for order in orders.values()])
    gone, new, outcomes = [], [], {}
    for row in told:
        order = orders[row.values["number"]]
        before = known.get(order.id, {})
        wanted = {name: row.values.get(name, before.get(name, ZERO)) for name in CODES}
        if any(amount < 0 for amount in wanted.values()):
            batch.fail(row, next(n for n in CODES if wanted[n] < 0), _("A charge cannot be negative."))
        elif all(wanted[name] == before.get(name, ZERO) for name in CODES):
            continue
        elif not order.source:
            batch.fail(row, "number", _("This order was placed in the shop; an import cannot change it."))
        else:
            gone.append(order.id)
            new += [_row(order.id, order.company_id, CODES[name], amount) for name, amount in wanted.items() if amount]
            outcomes[row.number] = "updated"
    _replace(gone, new)
    return outcomes  # type: ignore[return-value]


def charges_by_order(ids: Sequence[int] | None = None) -> dict[int, dict[str, Decimal]]:
    """Return the charges of the orders (of all) by id, as the columns of the file; without those that have none."""
    query = select(OrderCharge.order_id, _column, func.sum(OrderCharge.net)).group_by(OrderCharge.order_id, _column)
    found: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for order_id, name, amount in db.session.execute(query if ids is None else query.where(OrderCharge.order_id.in_(ids))):
        found[order_id][name] = amount
    return found


def stored_charges(order_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the rows of charges of the orders, in order, as plain values."""
    columns = [getattr(OrderCharge, name) for name in ("order_id", "company_id", *CHARGE_FIELDS)]
    query = select(*columns).where(OrderCharge.order_id.in_(order_ids)).order_by(OrderCharge.order_id, OrderCharge.id)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in db.session.execute(query).mappings():
        found[row["order_id"]].append(dict(row))
    return found


def retaxed(
    rows: Sequence[Mapping[str, Any]], goods: Sequence[TotalLine], fallback: Treatment | None, currency: str
) -> tuple[list[dict[str, Any]], list[TotalLine]]:
    """Return the rows of charges split as the goods are taxed now, and what they add to the totals.

    Without goods they are taxed as ``fallback`` says; without that either, not at all.
    """
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        kept = sums.setdefault((row["owner"], row["code"]), {**row, "net": ZERO})
        kept["net"] += row["net"]
    split, lines = [], []
    for row in sums.values():
        parts = as_goods(row["net"], goods, currency) or ([(fallback, row["net"])] if fallback else [])
        for how, net in parts:
            split.append({**row, "net": net, "tax_category": how.category, "tax_rate": how.rate})
            lines.append(TotalLine(net, how))
        if not parts:
            split.append({**row, "tax_category": "", "tax_rate": None})
    return split, lines


def replace_changed(before: Mapping[int, list[dict[str, Any]]], after: Mapping[int, list[dict[str, Any]]]) -> None:
    """Write the rows of the orders whose charges are split in another way than before; two statements."""
    changed = [order_id for order_id, rows in after.items() if rows != before.get(order_id, [])]
    _replace(changed, [row for order_id in changed for row in after[order_id]])


def _replace(order_ids: Sequence[int], rows: Sequence[Mapping[str, Any]]) -> None:
    if order_ids:
        db.session.execute(delete(OrderCharge).where(OrderCharge.order_id.in_(order_ids)))
    if rows:
        db.session.execute(insert(OrderCharge), list(rows))


def _row(order_id: int, company_id: int, code: str, amount: Decimal) -> dict[str, Any]:
    head = {"order_id": order_id, "company_id": company_id, "owner": OWNER, "code": code}
    return {**head, "label": str(LABELS[code]), "net": amount, "tax_category": "", "tax_rate": None}
