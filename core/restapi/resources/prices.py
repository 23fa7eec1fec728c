"""Prices: what a company pays, with the reason; and list prices by the thousand."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import select

from core.catalog.models import Product
from core.companies.services import seller
from core.data import clock
from core.data.db import db
from core.i18n import _
from core.orders import articles
from core.pricing import services as pricing
from core.pricing.imports import LIST_PRICES
from core.pricing.money import line_net
from core.restapi import batch
from core.restapi.document import resource
from core.restapi.fields import DecimalText, Schema, day_field, text
from core.restapi.gate import for_company, need
from core.spec.pricing import PriceRequest
from core.ui.access import requires

bp = resource("restapi_prices", __name__, "What a company pays, and list prices.")


class QuoteLine(Schema):
    """A product at a quantity; without a unit, in the one it is sold in first."""

    sku = text(80, required=True)
    unit = text(20)
    quantity = DecimalText(required=True, positive=True)


class QuoteAsked(Schema):
    """Lines to be priced for a company (the key's own by default), in a currency, at the start of a day (today: now)."""

    company = text(40)
    currency = text(3)
    date = day_field(allow_none=True, load_default=None)
    lines = fields.List(fields.Nested(QuoteLine), required=True, validate=validate.Length(1, batch.MOST))


class QuotedLine(Schema):
    """A price, net for ``per`` units, and why; without a price (null) ask for a quote."""

    sku, unit, quantity = fields.String(), fields.String(), DecimalText()
    price, per, net = DecimalText(allow_none=True), DecimalText(allow_none=True), DecimalText(allow_none=True)
    list_price, source, reason = DecimalText(allow_none=True), fields.String(), fields.String()


class Quote(Schema):
    """The prices of the lines, in their order."""

    company, currency, at = fields.String(), fields.String(), fields.DateTime()
    lines = fields.List(fields.Nested(QuotedLine))


PriceRow = batch.row_schema(LIST_PRICES, "ListPriceRow", also=("source", "external_id"))
PriceRows = batch.rows_schema(PriceRow, "ListPriceRows")


@bp.route("/quote", methods=["POST"])
@requires("pricing.price.view")
@bp.arguments(QuoteAsked)
@bp.response(200, Quote)
def quote(asked: dict[str, Any]) -> Any:
    """Price lines as cart and order would; a line without a price says so and why."""
    need("catalog.product.view")
    day = asked["date"]
    at = clock.start_of_day(day, seller().zone) if day and day != clock.today(seller().zone) else None
    with for_company(asked["company"]) as company:
        context = pricing.context(asked["currency"].upper() or None, at, company.id)
        known = articles.by_sku(line["sku"] for line in asked["lines"])
        wanted = [
            (line, a, a.unit(line["unit"]) if a else None) for line in asked["lines"] for a in [known.get(line["sku"])]
        ]
        requests = [PriceRequest(str(i), a.id, u.unit, line["quantity"]) for i, (line, a, u) in enumerate(wanted) if a and u]
        prices = pricing.price(context, requests).by_key()
        lines = [_quoted(line, a, prices.get(str(i)), context.currency) for i, (line, a, _unit) in enumerate(wanted)]
        return {"company": company.code, "currency": context.currency, "at": context.instant, "lines": lines}


@bp.route("/batch", methods=["POST"])
@requires(LIST_PRICES.permission)
@bp.arguments(PriceRows)
@bp.response(200, batch.Outcomes)
def price_batch(body: dict[str, Any]) -> Any:
    """Create or change up to 1,000 list prices; the product by ``sku`` or by its ``source`` and ``external_id``."""
    rows = body["rows"]
    ids = {row["external_id"] for row in rows if row.get("external_id") and not row.get("sku")}
    query = select(Product.source, Product.external_id, Product.sku).where(Product.external_id.in_(ids))
    known = {(source, i): sku for source, i, sku in db.session.execute(query)} if ids else {}
    named = [{**row, "sku": row.get("sku") or known.get((row.get("source") or "", row.get("external_id")))} for row in rows]
    return batch.upsert("list_prices", [{k: v for k, v in r.items() if k not in ("source", "external_id")} for r in named])


def _quoted(line: dict[str, Any], article: Any, found: Any, currency: str) -> dict[str, Any]:
    head = {"sku": line["sku"], "unit": line["unit"], "quantity": line["quantity"], "source": ""}
    none = {"price": None, "per": None, "net": None, "list_price": None}
    if article is None:
        return {**head, **none, "reason": _("There is no product with this code in the company's assortment.")}
    if found is None:
        return {**head, **none, "reason": _("The product is not sold in this unit.")}
    head |= {"unit": found.unit, "source": found.source}
    if found.price is None:
        return {**head, **none, "reason": str(found.reason or _("Ask for a quote: there is no price for this."))}
    net = line_net(line["quantity"], found.price, found.per, currency)
    listed = found.list_price if found.show_list else None
    return {**head, "price": found.price, "per": found.per, "net": net, "list_price": listed, "reason": str(found.reason)}
