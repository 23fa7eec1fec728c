"""Import and export of the lines of past orders, with what was shipped of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import func, insert, select

from core.catalog.models import Product, ProductText, ProductUnit
from core.data.db import db
from core.i18n import _, _l
from core.imports.batch import Batch
from core.imports.upsert import Upsert, outcome_of
from core.orders.imports.sums import write_sums
from core.orders.models import Movement, Order, OrderLine
from core.pricing.money import round_money
from core.spec.imports import DataImport, ImportField, ImportRow, Outcome, RowResult

ONE, HUNDRED, ZERO = Decimal(1), Decimal(100), Decimal(0)
_CENT_OF_CENT = Decimal("0.0001")
_MILLIONTH = Decimal("0.000001")


def load_lines(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert order lines and write the amounts of their orders anew.

    The net of a line is price × quantity ÷ per, less the discount; rounded to the minor unit or kept with four
    decimals, as the order says.
    """
    batch = Batch(rows, "order", "line")
    facts = _Facts(batch)
    table = Upsert(OrderLine, ("order_id", "position")).read(OrderLine.order_id.in_(facts.order_ids))
    wanted = {row.number: facts.line(row) for row in batch if facts.check(batch, row)}
    first: dict[int, Outcome] = {}
    for row in batch:
        key = facts.key(row)
        if table.differs(key, wanted[row.number]) and not facts.order(row).source:
            batch.fail(row, "order", _("This order was placed in the shop; an import cannot change it."))
        else:
            first[row.number] = table.put(key, wanted[row.number])
    table.flush()
    shipped = _ship(batch, facts, Upsert(OrderLine, ("order_id", "position")).read(OrderLine.order_id.in_(facts.order_ids)))
    for row in batch:
        batch.done(row, outcome_of(first[row.number], shipped.get(row.number, "unchanged")))
    changed = {facts.order(row).id for row in rows if first.get(row.number) in ("created", "updated")}
    if changed:
        write_sums(sorted(changed))
    return batch.results()


class _Facts:
    """The orders, products and units that a batch of lines names."""

    def __init__(self, batch: Batch) -> None:
        names = ("number", "id", "company_id", "source", "locale", "currency", "rounding", "submitted_at", "completed_at")
        order = select(*(getattr(Order, name) for name in names))
        found = db.session.execute(order.where(Order.number.in_(batch.all("order"))))
        self._orders = {row.number: row for row in found}
        self.order_ids = [row.id for row in self._orders.values()]
        product = select(Product.sku, Product.id, Product.base_unit).where(Product.sku.in_(batch.all("sku")))
        self._products = {row.sku: row for row in db.session.execute(product)}
        ids = [row.id for row in self._products.values()]
        unit = select(ProductUnit.product_id, ProductUnit.unit, ProductUnit.numerator, ProductUnit.denominator)
        units = db.session.execute(unit.where(ProductUnit.product_id.in_(ids)))
        self._units = {(product_id, unit): Fraction(up, down) for product_id, unit, up, down in units}
        self._names: dict[int, dict[str, str]] = defaultdict(dict)
        text = select(ProductText.product_id, ProductText.locale, ProductText.name)
        for product_id, locale, name in db.session.execute(text.where(ProductText.product_id.in_(ids))):
            self._names[product_id][locale] = name

    def order(self, row: ImportRow) -> Any:
        """Return the head of a row's order."""
        return self._orders[row.values["order"]]

    def key(self, row: ImportRow) -> tuple[int, int]:
        """Return the natural key of a row's line."""
        return self.order(row).id, row.values["line"]

    def check(self, batch: Batch, row: ImportRow) -> bool:
        """Refuse a row that leads nowhere or breaks a rule; True where all is well."""
        values = row.values
        product = self._products.get(values["sku"])
        if values["order"] not in self._orders:
            batch.unknown(row, "order", _("order"))
        elif product is None:
            batch.unknown(row, "sku", _("product"))
        elif (product.id, values.get("unit", product.base_unit)) not in self._units:
            batch.fail(row, "unit", _("The product is not sold in “%(unit)s”.", unit=values.get("unit", "")))
        elif fault := _fault(values):
            batch.fail(row, *fault)
        else:
            return True
        return False

    def line(self, row: ImportRow) -> dict[str, Any]:
        """Return the columns of a line."""
        values, order = row.values, self.order(row)
        product = self._products[values["sku"]]
        unit = values.get("unit", product.base_unit)
        factor = self._units[product.id, unit]
        names = self._names[product.id]
        discount, per = values.get("discount_percent", ZERO), values.get("per", ONE)
        share = (HUNDRED - discount) / HUNDRED
        price = values["unit_price"] * share
        return {
            "company_id": order.company_id,
            "product_id": product.id,
            "sku": values["sku"],
            "name": names.get(order.locale) or names.get("en") or next(iter(names.values()), values["sku"]),
            "unit": unit,
            "quantity": values["quantity"],
            "base_quantity": _rounded(values["quantity"] * factor.numerator / factor.denominator, _MILLIONTH),
            "unit_price": _rounded(price, _MILLIONTH),
            "list_price": values["unit_price"] if discount else None,
            "per": per,
            "net": _net(order, values["quantity"] * price / per),
            "extra": {"discount_percent": f"{discount:f}"} if discount else {},
        }


def _net(order: Any, exact: Decimal) -> Decimal:
    return round_money(exact, order.currency) if order.rounding == "line" else _rounded(exact, _CENT_OF_CENT)


def _rounded(value: Decimal, quantum: Decimal) -> Decimal:
    return value.quantize(quantum, ROUND_HALF_UP)


def _fault(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field and the sentence of the first rule that a line breaks."""
    if values["line"] < 1:
        return "line", _("Lines are counted from 1.")
    if values["quantity"] <= 0:
        return "quantity", _("A quantity must be above zero.")
    if values["unit_price"] < 0:
        return "unit_price", _("A price cannot be negative. For something free write 0.")
    if values.get("per", ONE) <= 0:
        return "per", _("It must be above zero: the price is for so many units.")
    if not 0 <= values.get("discount_percent", ZERO) <= HUNDRED:
        return "discount_percent", _("A discount is between 0 and 100 per cent.")
    if not 0 <= values.get("shipped", ZERO) <= values["quantity"]:
        return "shipped", _("What is shipped lies between zero and the quantity.")
    return None


def _ship(batch: Batch, facts: _Facts, table: Upsert) -> dict[int, Outcome]:
    """Add the movements that are missing to what the rows say was shipped; movements are never taken back."""
    wanted = {row.number: row.values["shipped"] for row in batch if "shipped" in row.values}
    ids = {row.number: table.get(*facts.key(row))["id"] for row in batch if row.number in wanted}  # type: ignore[index]
    query = select(Movement.line_id, func.sum(Movement.quantity)).where(
        Movement.line_id.in_(ids.values()), Movement.kind == "shipped"
    )
    present = dict(db.session.execute(query.group_by(Movement.line_id)).all())
    added, outcomes = [], {}
    for row in batch:
        missing = wanted.get(row.number, ZERO) - present.get(ids.get(row.number, 0), ZERO)
        order = facts.order(row)
        if row.number in wanted and missing < 0:
            batch.fail(row, "shipped", _("More than that has been shipped already; record a return in the order."))
        elif missing > 0:
            outcomes[row.number] = "updated"
            at = order.completed_at or order.submitted_at
            movement = {"line_id": ids[row.number], "company_id": order.company_id, "kind": "shipped", "quantity": missing}
            added.append({**movement, "at": at, "document_owner": "core", "document_label": ""})
    if added:
        db.session.execute(insert(Movement), added)
    return outcomes  # type: ignore[return-value]


def export_lines() -> Iterator[dict[str, Any]]:
    """Yield the lines of all orders by number."""
    moved = (
        select(Movement.line_id, func.sum(Movement.quantity).label("shipped"))
        .where(Movement.kind == "shipped")
        .group_by(Movement.line_id)
        .subquery()
    )
    query = (
        select(Order.number, OrderLine, moved.c.shipped)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .outerjoin(moved, moved.c.line_id == OrderLine.id)
        .where(Order.number.is_not(None))
        .order_by(Order.submitted_at, Order.id, OrderLine.position)
        .execution_options(yield_per=1000)
    )
    for number, line, shipped in db.session.execute(query):
        discount = line.extra.get("discount_percent", "")
        yield {
            "order": number,
            "line": line.position,
            "sku": line.sku,
            "unit": line.unit,
            "quantity": line.quantity,
            "unit_price": line.list_price if discount else line.unit_price,
            "per": line.per,
            "discount_percent": discount,
            "shipped": shipped or ZERO,
        }


ORDER_LINES = DataImport(
    kind="order_lines",
    title=_l("Lines of past orders"),
    key=("order", "line"),
    fields=(
        ImportField("order", required=True, max_length=30),
        ImportField("line", "integer", required=True),
        ImportField("sku", required=True, max_length=80),
        ImportField("unit", max_length=20),
        ImportField("quantity", "decimal", required=True),
        ImportField("unit_price", "decimal", required=True),
        ImportField("per", "decimal"),
        ImportField("discount_percent", "decimal"),
        ImportField("shipped", "decimal"),
    ),
    load=load_lines,
    permission="orders.order.import",
    export=export_lines,
    order=130,
)
