"""Orders: listed, read, placed by the same service as in the shop, and moved on by who may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from flask import url_for
from marshmallow import fields, validate
from sqlalchemy import select

from core.companies.models import Company
from core.companies.tree import lock_company
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import write
from core.i18n import _
from core.orders import cart, lifecycle, manual, movements, queries
from core.orders.charges import label_of
from core.orders.merging import NewItem
from core.orders.models import Hold, Order, OrderCharge, OrderLine
from core.orders.placing import Placed, Placement, place
from core.orders.resources import DESK
from core.pricing import services as pricing
from core.pricing.manual import MOST_PERCENTS
from core.registry.registry import registry
from core.restapi import lists
from core.restapi.document import resource
from core.restapi.fields import DecimalText, Schema, day_field, text
from core.restapi.gate import for_company, need
from core.restapi.idempotency import order_reference
from core.restapi.replies import not_modified_since, tagged
from core.spec.errors import Conflict, Invalid
from core.spec.pricing import ManualTerms
from core.ui.access import requires

bp = resource("restapi_orders", __name__, "Orders: list, read, place, confirm, reject, cancel, ship.")
SEE = ("orders.order.view", "orders.desk.view")
_PLAIN = (
    "number", "state", "currency", "net", "charges_net", "tax", "gross", "po_number", "note", "wished_date", "ship_to",
    "bill_to", "submitted_at", "confirmed_at", "completed_at", "cancelled_at", "source", "external_id", "version",
)  # fmt: skip
_LINE = (
    "position", "sku", "name", "unit", "quantity", "unit_price", "per", "net", "tax_category", "tax_rate", "note",
    "price_reason", "free",
)  # fmt: skip
RESOURCE = replace(DESK, key="api.orders", order="-submitted")


class AgreedItem(Schema):
    """What was agreed for a line by hand: in words, and the price before; ``reason`` and ``by`` are told to staff alone."""

    text, reason, by = fields.String(), fields.String(), fields.String()
    before = DecimalText(allow_none=True)


class OrderLineItem(Schema):
    """A line; ``net`` is the rounded amount, ``shipped`` what has left, ``returned`` what came back of it.

    One that is ``free`` came with the others for nothing, for the reason that it names.
    """

    position, sku, name, unit = fields.Integer(), fields.String(), fields.String(), fields.String()
    quantity, unit_price, per = DecimalText(), DecimalText(allow_none=True), DecimalText()
    net, tax_rate = DecimalText(allow_none=True), DecimalText(allow_none=True)
    tax_category, note, reference = fields.String(), fields.String(), fields.String()
    price_reason, free = fields.String(), fields.Boolean()
    shipped, cancelled, returned = DecimalText(), DecimalText(), DecimalText()
    agreed = fields.Nested(AgreedItem, allow_none=True)


class OrderChargeItem(Schema):
    """Freight or another charge: a row for each way in which it is taxed."""

    code, label, net = fields.String(), fields.String(), DecimalText(allow_none=True)
    tax_category, tax_rate = fields.String(), DecimalText(allow_none=True)


class OrderHold(Schema):
    """An open hold: what it stops."""

    owner, code, label = fields.String(), fields.String(), fields.String(attribute="told")
    blocks, since = fields.List(fields.String()), fields.DateTime()


class OrderItem(Schema):
    """An order as it was placed, with what happened to it since; gross = net (of the lines) + charges_net + tax.

    Amounts are null for a key that may not see prices.
    """

    number, company, state, currency = fields.String(), fields.String(), fields.String(), fields.String()
    net, charges_net = DecimalText(allow_none=True), DecimalText(allow_none=True)
    tax, gross = DecimalText(allow_none=True), DecimalText(allow_none=True)
    po_number, note, buyer = fields.String(), fields.String(), fields.String()
    wished_date = fields.Date(allow_none=True)
    ship_to, bill_to = fields.Dict(allow_none=True), fields.Dict(allow_none=True)
    submitted_at, confirmed_at = fields.DateTime(allow_none=True), fields.DateTime(allow_none=True)
    completed_at, cancelled_at = fields.DateTime(allow_none=True), fields.DateTime(allow_none=True)
    source, external_id, version = fields.String(), fields.String(), fields.Integer()
    lines = fields.List(fields.Nested(OrderLineItem))
    charges = fields.List(fields.Nested(OrderChargeItem))
    holds = fields.List(fields.Nested(OrderHold))
    extensions = fields.Dict(keys=fields.String(), values=fields.Dict())


class OrderLineAsked(Schema):
    """A product at a quantity, which has to be one that can be ordered: nothing is rounded."""

    sku = text(80, required=True)
    unit = text(20)
    quantity = DecimalText(required=True, positive=True)
    note, reference = text(2000, lines=True), text(80)


class OrderAsked(Schema):
    """An order; ``expected_total`` (with tax) is compared, a difference is refused with the new prices."""

    company = text(40)
    lines = fields.List(fields.Nested(OrderLineAsked), required=True, validate=validate.Length(1, cart.MAX_LINES))
    expected_total = DecimalText(allow_none=True, load_default=None)
    ship_to, bill_to, po_number, note = text(40), text(40), text(60), text(5000, lines=True)
    wished_date = day_field(allow_none=True, load_default=None)


class Reason(Schema):
    """Why; it is kept with the order."""

    reason = text(2000, lines=True)


class LinePrice(Schema):
    """A price set by hand, and a discount: an amount, or percents one after the other (``added``: as one sum)."""

    price, amount = DecimalText(allow_none=True, load_default=None), DecimalText(allow_none=True, load_default=None)
    percents = fields.List(DecimalText(), load_default=list, validate=validate.Length(max=MOST_PERCENTS))
    added = fields.Boolean(load_default=False)
    reason = text(500, required=True)


class MovedLine(Schema):
    """How much of a line has left, or came back."""

    position = fields.Integer(required=True, strict=True, validate=validate.Range(1, 100_000))
    quantity = DecimalText(required=True, positive=True)


class Shipment(Schema):
    """What has left; without lines everything that remains. ``label`` names the delivery note."""

    lines = fields.List(fields.Nested(MovedLine), load_default=list, validate=validate.Length(max=cart.MAX_LINES))
    label = text(80)


class Return(Schema):
    """What came back; the buyer reads the reason. ``label`` names the paper that came with it."""

    lines = fields.List(fields.Nested(MovedLine), required=True, validate=validate.Length(1, cart.MAX_LINES))
    label, reason = text(80), text(2000, required=True, lines=True)


Query = lists.query_schema(RESOURCE)
Page = lists.page_schema(OrderItem, "OrderPage")


@bp.route("", methods=["GET"])
@requires(*SEE)
@bp.arguments(Query, location="query")
@bp.response(200, Page)
def order_list(asked: dict[str, Any]) -> Any:
    """List orders, newest first."""
    return lists.page(RESOURCE, asked, details)


@bp.route("/<number>", methods=["GET"])
@requires(*SEE)
@bp.response(200, OrderItem)
def order_read(number: str) -> Any:
    """Read an order."""
    return _answer(queries.find(number))


@bp.route("", methods=["POST"])
@requires("orders.order.place")
@bp.arguments(OrderAsked)
@bp.response(201, OrderItem)
def order_place(asked: dict[str, Any]) -> Any:
    """Place an order by the rules of the shop, whole or not at all; with an Idempotency-Key never twice."""
    need("catalog.product.view", "pricing.price.view")
    with for_company(asked["company"]) as company, write():
        lock_company(company.id)
        placed = _earlier(company.id) or _place(asked)
        number, new = placed.order.number or "", placed.new
        return _answer(queries.find(number), 201 if new else 200, url_for("restapi_orders.order_read", number=number))


@bp.route("/<number>/confirm", methods=["POST"])
@requires("orders.order.confirm")
@bp.response(200, OrderItem)
def order_confirm(number: str) -> Any:
    """Confirm a submitted order; the rules run again."""
    return _changed(number, lambda: lifecycle.confirm(number))


@bp.route("/<number>/reject", methods=["POST"])
@requires("orders.order.confirm")
@bp.arguments(Reason)
@bp.response(200, OrderItem)
def order_reject(asked: dict[str, Any], number: str) -> Any:
    """Refuse a submitted order; the reason is told to the buyer."""
    return _changed(number, lambda: lifecycle.reject(number, asked["reason"]))


@bp.route("/<number>/cancel", methods=["POST"])
@requires("orders.order.cancel", "orders.order.cancel_confirmed")
@bp.arguments(Reason)
@bp.response(200, OrderItem)
def order_cancel(asked: dict[str, Any], number: str) -> Any:
    """Cancel an order of which nothing was shipped."""
    return _changed(number, lambda: lifecycle.cancel(number, asked["reason"]))


@bp.route("/<number>/lines/<int:position>/price", methods=["PUT"])
@requires(manual.SET)
@bp.arguments(LinePrice)
@bp.response(200, OrderItem)
def order_line_price(asked: dict[str, Any], number: str, position: int) -> Any:
    """Set the price of a line by hand, or a discount on it, before the order is confirmed; the price only falls."""
    terms = ManualTerms(**{**asked, "percents": tuple(asked["percents"])})
    return _changed(number, lambda: manual.set_on_order(number, position, terms))


@bp.route("/<number>/lines/<int:position>/price", methods=["DELETE"])
@requires(manual.SET)
@bp.response(200, OrderItem)
def order_line_price_remove(number: str, position: int) -> Any:
    """Take back what was set by hand, where the buyer does not pay more than ordered."""
    return _changed(number, lambda: manual.set_on_order(number, position, None))


@bp.route("/<number>/ship", methods=["POST"])
@requires("orders.order.ship")
@bp.arguments(Shipment)
@bp.response(200, OrderItem)
def order_ship(asked: dict[str, Any], number: str) -> Any:
    """Record that goods have left; the last shipment completes the order."""
    return _changed(number, lambda: _ship(number, asked))


@bp.route("/<number>/return", methods=["POST"])
@requires("orders.order.return")
@bp.arguments(Return)
@bp.response(200, OrderItem)
def order_return(asked: dict[str, Any], number: str) -> Any:
    """Record goods that came back: at most what was shipped and has not come back yet."""
    quantities = _quantities(asked["lines"])
    reason = lifecycle.required(asked["reason"])
    return _changed(number, lambda: lifecycle.record(number, "returned", quantities, label=asked["label"], reason=reason))


def _changed(number: str, change: Any) -> Any:
    with write():
        if lists.asked_version() is not None:
            lock_company(queries.find(number).company_id)  # before the order, as everywhere
            not_modified_since(queries.lock(number).version)
        change()
        return _answer(queries.find(number))


def _ship(number: str, asked: dict[str, Any]) -> None:
    order = queries.find(number)
    quantities = _quantities(asked["lines"])
    if not quantities:
        sums = movements.sums_of([order.id])
        quantities = {x.position: sums[x.id].to_ship for x in queries.lines_of(order.id) if sums[x.id].to_ship}
    if not quantities:
        raise Conflict("ORDER-SHIPPED", _("Nothing of the order %(number)s remains to be shipped.", number=number))
    lifecycle.record(number, "shipped", quantities, label=asked["label"])


def _quantities(lines: Sequence[dict[str, Any]]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for line in lines:
        if line["position"] in found:
            raise Invalid("LINE-TWICE", _("Line %(line)s stands twice; send each line once.", line=line["position"]))
        found[line["position"]] = line["quantity"]
    return found


def _earlier(company_id: int) -> Placed | None:
    """Return the order that an earlier request with the same key placed, whose answer was lost."""
    reference = order_reference()
    if not reference:
        return None
    found = db.session.scalar(select(Order).where(Order.company_id == company_id, Order.client_reference == reference))
    return Placed(found, new=False) if found else None


def _place(asked: dict[str, Any]) -> Placed:
    """Fill a cart of the request's own and place it; whatever refuses it leaves no cart behind."""
    items = [NewItem(x["sku"], x["quantity"], x["unit"], x["note"], x["reference"]) for x in asked["lines"]]
    refused = {
        index: {"quantity" if outcome.outcome in ("rounded", "bad_quantity") else "sku": [outcome.refused]}
        for index, outcome in enumerate(cart.add(items))
        if outcome.refused
    }
    if refused:
        message = _("Some lines cannot be ordered as they are; nothing was ordered.")
        raise Invalid("LINES-REFUSED", message, details={"errors": {"json": {"lines": refused}}})
    order = cart.open_cart()
    if asked["wished_date"] is not None:
        order.wished_date = asked["wished_date"]
        cart.reprice(order)
    reference = order_reference() or order.client_reference or ""
    order.client_reference = reference
    db.session.flush()
    total = asked["expected_total"] if asked["expected_total"] is not None else order.gross
    head = {name: asked[name] for name in ("ship_to", "bill_to", "po_number", "note", "wished_date")}
    return place(Placement(expected_total=total, cart_key=reference, **head))


def _answer(order: Order, status: int = 200, location: str = "") -> Any:
    return tagged(OrderItem, details([order.id])[order.id], order.version, status, location)


def details(ids: Sequence[int]) -> Any:
    """Return the orders with lines, open holds and the addons' parts; the number of statements is constant."""
    query = select(Order, Company.code).join(Company, Company.id == Order.company_id).where(Order.id.in_(ids))
    found: dict[int, dict[str, Any]] = {}
    for order, company in db.session.execute(query):
        plain = {name: getattr(order, name) for name in _PLAIN}
        found[order.id] = {**plain, "number": order.number or "", "company": company, "buyer": order.user_name}
    holds: dict[int, list[Hold]] = defaultdict(list)
    for hold in db.session.scalars(select(Hold).where(Hold.order_id.in_(ids), Hold.released_at.is_(None)).order_by(Hold.id)):
        holds[hold.order_id].append(hold)
    lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
    sums = movements.sums_of(ids)
    for line in db.session.scalars(select(OrderLine).where(OrderLine.order_id.in_(ids)).order_by(OrderLine.position)):
        values = {name: getattr(line, name) for name in _LINE} | {"agreed": _agreed(line, found[line.order_id]["currency"])}
        moved = {name: getattr(sums[line.id], name) for name in ("shipped", "cancelled", "returned")}
        lines[line.order_id].append({**values, "reference": line.customer_reference, **moved})
    charges: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = select(OrderCharge).where(OrderCharge.order_id.in_(ids)).order_by(OrderCharge.id)
    for charge in db.session.scalars(rows):
        values = {name: getattr(charge, name) for name in ("code", "net", "tax_category", "tax_rate")}
        charges[charge.order_id].append({**values, "label": label_of(charge)})
    for order_id, item in found.items():
        item["holds"], item["lines"], item["charges"] = holds[order_id], lines[order_id], charges[order_id]
    if not pricing.may_see():
        _hide_prices(found.values())
    lists.extend("order", found)
    _add_parts(found)
    return found


def _hide_prices(items: Iterable[dict[str, Any]]) -> None:
    """Take out what the orders cost, for keys that may not see prices."""
    for item in items:
        item.update(dict.fromkeys(("net", "charges_net", "tax", "gross")))
        for line in item["lines"]:
            line.update(dict.fromkeys(("unit_price", "net", "agreed")))
        for charge in item["charges"]:
            charge["net"] = None


def _agreed(line: OrderLine, currency: str) -> dict[str, Any] | None:
    terms = manual.agreed(line, currency)
    if terms is None:
        return None
    inner = {"reason": terms.reason, "by": terms.by} if current_actor().may("orders.desk.view") else {}
    return {"text": str(terms.text), "before": terms.before, **inner}


def _add_parts(found: dict[int, dict[str, Any]]) -> None:
    """Put the parts that addons keep with an order under their names."""
    here = registry()
    for contribution in here.contributions("order_parts"):
        facts = here.attempt(contribution.owner, "order_parts", contribution.value.facts, list(found)).value or {}
        for order_id, values in facts.items():
            if order_id in found and values:
                own = found[order_id]["extensions"].setdefault(contribution.owner, {})
                own[contribution.value.name] = dict(values)
