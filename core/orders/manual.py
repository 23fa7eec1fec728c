"""Prices and discounts that staff set on lines by hand: in the cart of a buyer for whom they act, or on a placed order.

On a placed order the price may only fall, and the total with it: the buyer agreed to what was ordered. Nothing changes on
an order that somebody holds, for what is decided on stays as it is. The engine applies the terms (core.pricing.manual),
here and at every later look, and says whether they lie below the floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from core.companies.models import Company
from core.data import audit
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import write
from core.i18n import _
from core.orders import cart, queries
from core.orders.amending import stored_treatment
from core.orders.beside import charges_for
from core.orders.digest import content_of, digest, trace_digest
from core.orders.draft import Priced
from core.orders.events import emit_order
from core.orders.holds import blocking, open_holds
from core.orders.lifecycle import lock_with_company
from core.orders.models import Order, OrderLine
from core.orders.states import changed
from core.pricing import bands, manual, services
from core.pricing.money import line_net
from core.pricing.totals import TotalLine, totals
from core.spec.errors import Conflict, Forbidden, Invalid
from core.spec.orders import ChargeLine
from core.spec.pricing import ManualTerms, PriceContext, PriceLine, PriceRequest
from core.ui.formats import money, plain, price

SET, BELOW_FLOOR = "orders.price.set", "orders.price.below_floor"
KEY = "1"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class AgreedTerms:
    """What pages show of terms set by hand: in words, the price before, and for staff why and who."""

    text: object
    before: Decimal | None
    reason: str
    by: str


def agreed(line: OrderLine, currency: str) -> AgreedTerms | None:
    """Return the terms by which the line has its price, None where it has it otherwise."""
    terms = manual.read(line.manual) if line.price_source == manual.SOURCE else None
    if terms is None or line.manual is None:
        return None
    before = line.manual.get("before")
    return AgreedTerms(manual.said(terms, currency), None if before is None else Decimal(before), terms.reason, terms.by)


def bands_of(line: OrderLine, currency: str) -> str:
    """Return how the line's price is made of those of its parts, '' where it has one price or was set by hand."""
    return "" if line.price_source == manual.SOURCE else bands.bands_text(bands.read(line.bands), currency, line.unit)


def set_in_cart(position: int, terms: ManualTerms | None) -> PriceLine | None:
    """Give a line of the buyer's open cart the terms, or (None) the price it has without; returns it as it is now."""
    actor = current_actor()
    _require(SET)
    if actor.on_behalf_of is None:
        raise Forbidden("PRICE-OWN-CART", _("Prices are set by hand only while you act for a buyer."))
    with write():
        order = cart.existing_cart()
        line = _line(queries.lines_of(order.id), position, order)
        where, was = services.context(wished=order.wished_date), line.unit_price
        found, priced = (None, None) if terms is None else _priced(where, line, terms)
        queries.store_lines([{"id": line.id, "manual": found and manual.stored(found)}])
        cart.reprice(order)
        now = _line(queries.lines_of(order.id), position, order).unit_price
        _record(order.client_reference or "", order, line, found, (was, now))
    return priced


def set_on_order(number: str, position: int, terms: ManualTerms | None, *, version: int | None = None) -> OrderLine:
    """Give a line of a submitted order the terms, or (None) its price without; totals and charges follow.

    Conflict where the order is confirmed, held or changed since ``version``; Invalid where the buyer would pay more for the
    line, or a lower price would make the order dearer: freight begins again, a promotion leaves agreed prices alone.
    """
    _require(SET)
    with write():
        order = lock_with_company(number)
        company = db.session.get_one(Company, order.company_id)
        _refuse(order, version)
        lines = queries.lines_of(order.id)
        line = _line(lines, position, order)
        kept = line.manual if line.manual and line.price_source == manual.SOURCE else {}
        before = Decimal(kept["before"]) if kept.get("before") is not None else line.unit_price
        bound = Decimal(kept["agreed"]) if "agreed" in kept else line.unit_price
        if before is None or bound is None:
            raise Invalid("NO-PRICE", _("%(sku)s has no price.", sku=line.sku))
        was, total = line.unit_price, order.gross
        if terms is None:
            found, now = None, before
            values = {"manual": None, "price_source": kept.get("source", "")}
            if kept and "source" not in kept:  # it was ordered so: why it would have cost the other price is not known
                values["price_reason"] = ""
        else:
            where = services.context(order.currency, order.submitted_at, order.company_id, order.wished_date)
            found, priced = _priced(where, line, replace(terms, base=before, per=line.per))
            now = priced.price or ZERO
            more = {"before": plain(before), "agreed": plain(bound), "source": kept.get("source", line.price_source)}
            values = {
                "manual": {**manual.stored(found), **more},
                "price_source": manual.SOURCE,
                "trace_digest": trace_digest(priced),
            }
        if now > bound:
            ordered = price(bound, order.currency)
            raise Invalid("PRICE-RAISED", _("The buyer ordered at %(price)s: the price can only be lowered.", price=ordered))
        net = line_net(line.quantity, now, line.per, order.currency)
        queries.store_lines([{"id": line.id, "unit_price": now, "net": net, **values}])
        _record(number, order, line, found, (was, now))
        _sum_up(order, company)
        if was is not None and now < was and order.gross > total:
            raise Invalid("TOTAL-RAISED", _dearer(total, order))
        emit_order("amended", order)
    return line


def record_placed(order: Order, lines: Sequence[OrderLine]) -> None:
    """Note in the history of an order that was just placed what had been agreed for its lines."""
    for line in lines:
        terms = manual.read(line.manual) if line.price_source == manual.SOURCE else None
        if terms is not None:
            before = (line.manual or {}).get("before")
            was = None if before is None else Decimal(before)
            _record(order.number or "", order, line, terms, (was, line.unit_price))


def _priced(where: PriceContext, line: OrderLine, terms: ManualTerms) -> tuple[ManualTerms, PriceLine]:
    """Return the terms as they are kept, and the line as the engine prices it by them."""
    if line.product_id is None:
        raise Invalid("NO-PRODUCT", _("%(sku)s does not exist any more.", sku=line.sku))
    terms = replace(terms, by=current_actor().name, least=line.quantity)
    if len(terms.reason.strip()) < 3:
        message = _("Say why, in a few words: it is kept with what you do.")
        raise Invalid("REASON", message, details={"field": "reason"})
    request = [PriceRequest(KEY, line.product_id, line.unit, line.quantity)]
    found = services.price(where, request).lines[0]
    terms = manual.checked(replace(terms, per=found.per if terms.base is None else terms.per), found)
    priced = services.price(where, request, explain=True, manual={KEY: terms}).lines[0]
    floor = priced.floor
    if priced.price is not None and floor is not None and priced.price < floor and not current_actor().may(BELOW_FLOOR):
        message = _(
            "That is below the floor of %(floor)s; your role may not sell below it.", floor=price(floor, where.currency)
        )
        raise Invalid("BELOW-FLOOR", message, details={"field": "price", "floor": plain(floor)})
    return terms, priced


def _refuse(order: Order, version: int | None) -> None:
    if order.state != "submitted":
        message = _("The prices of order %(number)s are settled: it is not waiting to be confirmed.", number=order.number)
        raise Conflict("ORDER-STATE", message)
    if version is not None and version != order.version:
        raise changed(order)
    for hold in blocking(open_holds(order.id), "confirm"):
        message = _("The order is on hold: %(label)s. Prices stay as they are until that is over.", label=hold.told)
        raise Conflict("ORDER-HELD", message)


def _line(lines: Sequence[OrderLine], position: int, order: Order) -> OrderLine:
    found = next((line for line in lines if line.position == position), None)
    if found is None:
        number = order.number or _("Cart")
        raise Invalid("LINE-UNKNOWN", _("The order %(number)s has no line %(line)s.", number=number, line=position))
    if found.free:
        raise Invalid("LINE-FREE", _("%(sku)s comes free of charge with the others; it has no price to set.", sku=found.sku))
    return found


def _dearer(before: Decimal, order: Order) -> str:
    return _(
        "With this price the order would cost %(now)s instead of %(before)s: freight, surcharges and discounts follow from "
        "what the articles cost.",
        now=money(order.gross, order.currency),
        before=money(before, order.currency),
    )


def _sum_up(order: Order, company: Company) -> None:
    """Write the sums anew: lines at their frozen tax, charges of the day of the order, by what the goods cost now."""
    lines = [line for line in queries.lines_of(order.id) if not line.free]
    goods = [TotalLine(line.net, stored_treatment(line, order)) for line in lines]
    asked = [
        ChargeLine(x.product_id, x.unit, x.quantity, x.base_quantity, x.net, str(x.position), x.price_source) for x in lines
    ]
    country = str((order.ship_to or {}).get("country") or "")
    added = charges_for(company, asked, goods, order.currency, country, order.id, order.submitted_at)
    sums = totals(goods, order.currency, [TotalLine(charge.net, charge.treatment) for charge in added])
    cart.store_sums(order, Priced((), sums, order.currency, added))
    db.session.flush()
    order.digest = digest(content_of(order, queries.lines_of(order.id)))


def _record(
    entity: str,
    order: Order,
    line: OrderLine,
    terms: ManualTerms | None,
    prices: tuple[Decimal | None, Decimal | None],
) -> None:
    was, now = (None if found is None else plain(found) for found in prices)
    after = {"line": line.position, "sku": line.sku, "price": now, "by": terms.by if terms else ""}
    reason, before = terms.reason if terms else "", {"price": was}
    audit.record("order", entity, "priced", company_id=order.company_id, reason=reason, before=before, after=after)


def _require(permission: str) -> None:
    if not current_actor().may(permission):
        raise Forbidden("FORBIDDEN", _("You do not have the permission for this; ask an administrator."))
