"""The amounts of imported orders: exact sums of their lines, taxed by the rates of their day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from core.catalog.models import Product
from core.companies.models import Company
from core.companies.services import seller
from core.data.db import db
from core.orders.charges import CHARGE_FIELDS
from core.orders.digest import LINE_FIELDS, ORDER_FIELDS, digest
from core.orders.imports.charges import replace_changed, retaxed, stored_charges
from core.orders.models import Order, OrderLine
from core.pricing import tax
from core.pricing.models import TaxRate
from core.pricing.totals import TotalLine, totals

ZERO = Decimal(0)


def write_sums(order_ids: Sequence[int]) -> None:
    """Compute net, tax and gross of the orders from their lines; a constant number of statements.

    A day for which the tax table has no rate leaves the tax at zero: the source's document did not tell it.
    """
    rates = _Rates()
    columns = [getattr(Order, name) for name in ("id", "submitted_at", *ORDER_FIELDS)]
    query = select(*columns, Company.vat_id, Company.country).join(Company, Company.id == Order.company_id)
    heads = db.session.execute(query.where(Order.id.in_(order_ids))).mappings().all()
    lines = _lines(order_ids)
    order_rows, line_rows = [], []
    charged = stored_charges(order_ids)
    split: dict[int, list[dict[str, Any]]] = {}
    for head in heads:
        order, taxed, split[head["id"]] = _summed(dict(head), lines[head["id"]], charged.get(head["id"], []), rates)
        order_rows.append(order)
        line_rows.extend(taxed)
    replace_changed(charged, split)
    if line_rows:
        db.session.execute(update(OrderLine), line_rows)
    _update_heads(order_rows)


def _update_heads(rows: list[dict[str, Any]]) -> None:
    """Write the heads; the version goes along, because the mapper checks it."""
    ids = [row["id"] for row in rows]
    versions = dict(db.session.execute(select(Order.id, Order.version).where(Order.id.in_(ids))).all())
    if rows:
        db.session.execute(update(Order), [{**row, "version": versions[row["id"]]} for row in rows])


def _lines(order_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    columns = [getattr(OrderLine, name) for name in ("id", "order_id", *LINE_FIELDS)]
    query = (
        select(*columns, Product.tax_class)
        .outerjoin(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.order_id.in_(order_ids))
        .order_by(OrderLine.order_id, OrderLine.position)
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in db.session.execute(query).mappings():
        found[row["order_id"]].append(dict(row))
    return found


def _summed(
    head: dict[str, Any], lines: list[dict[str, Any]], charged: list[dict[str, Any]], rates: _Rates
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the new columns of an order, those of its lines that change, and its charges as they are taxed."""
    country = (head["ship_to"] or {}).get("country") or head["country"]
    treatments = rates.treatments(
        country, head["vat_id"], head["submitted_at"], {line["tax_class"] or "standard" for line in lines} or {"standard"}
    )
    changed = []
    for line in lines:
        taxed = treatments.get(line["tax_class"] or "standard")
        known = {"tax_category": taxed.category if taxed else "", "tax_rate": taxed.rate if taxed else None}
        if any(line[name] != value for name, value in known.items()):
            changed.append({"id": line["id"], **known})
            line.update(known)
    sums, split = _sums(head, lines, charged, treatments)
    content = {**{name: head[name] for name in ORDER_FIELDS}, **sums}
    plain = [{name: line[name] for name in LINE_FIELDS} for line in lines]
    charges = [{name: row[name] for name in CHARGE_FIELDS} for row in split]
    sealed = digest({**content, "lines": plain, "charges": charges, "parts": {}})
    return {"id": head["id"], **sums, "digest": sealed}, changed, split


def _sums(
    head: dict[str, Any],
    lines: list[dict[str, Any]],
    charged: list[dict[str, Any]],
    treatments: dict[str, tax.Treatment],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    net = sum((line["net"] or ZERO for line in lines), ZERO)
    charges_net = sum((row["net"] for row in charged), ZERO)
    plain = {"net": net, "charges_net": charges_net, "tax": ZERO, "gross": net + charges_net, "tax_lines": []}
    goods = [TotalLine(x["net"], treatments[x["tax_class"] or "standard"]) for x in lines] if treatments else []
    split, added = retaxed(charged, goods, treatments.get("standard"), head["currency"])
    if not treatments:
        return plain, split
    summed = totals(goods, head["currency"], added)
    stored = [line.stored() for line in summed.tax_lines]
    return {**plain, "tax": summed.tax, "gross": summed.gross, "tax_lines": stored}, split


class _Rates:
    """The seller's own VAT rates, read once for a batch."""

    def __init__(self) -> None:
        self._home, self._zone = seller().country, ZoneInfo(seller().zone)
        query = select(TaxRate).where(TaxRate.country == self._home).order_by(TaxRate.valid_from)
        self._rates = db.session.scalars(query).all()

    def treatments(self, country: str, vat_id: str, at: Any, classes: set[str]) -> dict[str, tax.Treatment]:
        """Return how the classes are taxed at a moment; empty where a rate is missing."""
        day = at.astimezone(self._zone).date()
        rates = self._on(day)
        try:
            return {
                one: tax.treatment(tax.category_of(one, self._home, country, vat_id), self._home, rates, day)
                for one in classes
            }
        except tax.TaxRateMissing:
            return {}

    def _on(self, day: date) -> dict[str, Decimal]:
        return {
            rate.category: rate.rate
            for rate in self._rates
            if rate.valid_from <= day and (rate.valid_until is None or rate.valid_until > day)
        }
