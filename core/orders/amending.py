"""Change a submitted order before it is confirmed: quantities of its lines, or lines dropped. It stays one order.

Lines that change are priced anew, for a quantity may have its own price; the others keep what was frozen at submit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import delete

from core.data import audit, clock
from core.data.db import db
from core.data.scope import current_actor
from core.data.write import write
from core.i18n import _
from core.orders import articles, cart, queries, rules
from core.orders.beside import beside, store_free
from core.orders.digest import content_of, digest
from core.orders.draft import Priced, PricedLine, Wanted, price_lines, stored_draft
from core.orders.events import emit_order
from core.orders.lifecycle import lock_with_company
from core.orders.models import Order, OrderLine
from core.pricing.manual import read as terms_of
from core.pricing.tax import Treatment
from core.pricing.totals import TotalLine, totals
from core.spec.errors import Conflict, Forbidden, Invalid
from core.spec.orders import Stage
from core.spec.pricing import PriceLine

PLACE = "orders.order.place"
#: What ``restate`` may change, and how long it may be.
REFERENCES = {"po_number": 60, "note": 5000}


def preview(order: Order, quantities: Mapping[int, Decimal]) -> Priced:
    """Return what ``order`` would be with ``quantities`` by position (0 drops the line); the others stay.

    Freight, other charges and what comes for nothing are those of what is left.
    Invalid names what cannot be: an unknown line, a quantity that is not sold, no price, nothing left.
    """
    if current_actor().company_id != order.company_id:
        raise Forbidden("AMEND-COMPANY", _("Only people who buy for this company may change its order."))
    lines = [line for line in queries.lines_of(order.id) if not line.free]
    unknown = sorted(set(quantities) - {line.position for line in lines})
    if unknown:
        raise Invalid("LINE-UNKNOWN", _("The order %(number)s has no line %(line)s.", number=order.number, line=unknown[0]))
    wanted = {line.position: quantities.get(line.position, line.quantity) for line in lines}
    left = [line for line in lines if wanted[line.position] > 0]
    if not left:
        raise Invalid("NOTHING-LEFT", _("Nothing would be left; cancel the order instead."))
    country = cart.ship_to_country(order)
    asked = [
        Wanted(str(line.position), line.product_id, line.unit, wanted[line.position], terms_of(line.manual)) for line in left
    ]
    priced = price_lines(
        asked,
        ship_to_country=country,
        locale=order.locale,
        at=clock.now(),
        explain=True,
        charged=False,
        order_id=order.id,
        wished=order.wished_date,
    )
    kept = tuple(_kept(line, priced.by_key()[str(line.position)]) for line in left)
    taxed = [(line, kept[i].treatment or stored_treatment(line, order)) for i, line in enumerate(left)]
    found = tuple(replace(line, treatment=how) for line, (_line, how) in zip(kept, taxed, strict=True))
    goods = [TotalLine(line.net, how) for line, (_line, how) in zip(kept, taxed, strict=True)]
    added, free = beside(found, goods, order.currency, country, order.id, order.locale)
    sums = totals(goods, order.currency, [TotalLine(charge.net, charge.treatment) for charge in added])
    return Priced(found, sums, order.currency, added, free)


def amend(
    number: str, quantities: Mapping[int, Decimal], *, expected_total: Decimal | None = None, seen: str | None = None
) -> Order:
    """Change the order as ``preview`` says; rules of submitting run again, and CheckoutRefused says what stops it.

    ``expected_total`` is the gross that was shown and ``seen`` the digest; Conflict where either is another now.
    """
    with write(), articles.remembered():
        order = lock_with_company(number)
        _refuse(order, seen)
        before = {"net": str(order.net), "digest": order.digest}
        new = preview(order, quantities)
        if expected_total is not None and expected_total != new.totals.gross:
            raise Conflict("PRICE-CHANGED", _("Prices have changed since you looked; look at the new total and try again."))
        _store(order, queries.lines_of(order.id), new)
        rules.refuse_if_stopped(rules.findings(Stage.SUBMIT, stored_draft(order, queries.lines_of(order.id))))
        order.digest = digest(content_of(order, queries.lines_of(order.id)))
        after = {"net": str(order.net), "digest": order.digest, "lines": {str(p): str(q) for p, q in quantities.items()}}
        audit.record("order", number, "amended", company_id=order.company_id, before=before, after=after)
        emit_order("amended", order)
    return order


def restate(number: str, values: Mapping[str, str], *, seen: str | None = None) -> Order:
    """Change what a submitted order says beside its goods: ``po_number`` and ``note``; prices and terms stay.

    Rules of submitting run again. ``seen`` is the digest that was shown; Conflict where it is another now.
    """
    with write():
        order = lock_with_company(number)
        _refuse(order, seen)
        if current_actor().company_id != order.company_id:
            raise Forbidden("AMEND-COMPANY", _("Only people who buy for this company may change its order."))
        known = {name: getattr(order, name) for name in REFERENCES}
        for name, longest in REFERENCES.items():
            setattr(order, name, values.get(name, known[name]).strip()[:longest])
        order.digest = digest(content_of(order, queries.lines_of(order.id)))
        rules.refuse_if_stopped(rules.findings(Stage.SUBMIT, stored_draft(order, queries.lines_of(order.id))))
        after = {name: getattr(order, name) for name in REFERENCES}
        audit.record("order", number, "amended", company_id=order.company_id, before=known, after=after)
        emit_order("amended", order)
    return order


def _refuse(order: Order, seen: str | None) -> None:
    if not current_actor().may(PLACE):
        raise Forbidden("FORBIDDEN", _("You do not have the permission for this; ask an administrator."))
    if order.state != "submitted":
        raise Conflict("ORDER-STATE", _("The order %(number)s can no longer be changed.", number=order.number or ""))
    if seen is not None and seen != order.digest:
        raise Conflict("ORDER-CHANGED", _("The order has changed since you looked; reload the page and try again."))


def _kept(line: OrderLine, now: PricedLine) -> PricedLine:
    """Return the line as it will be: an unchanged one keeps its price, a changed one has today's for its quantity."""
    if now.quantity == line.quantity:
        known = now.price or PriceLine(now.key, line.product_id or 0, line.unit, line.quantity)
        price = replace(known, price=line.unit_price, per=line.per, source=line.price_source)
        return replace(now, price=price, net=line.net, base_quantity=line.base_quantity)
    if now.unit is None or now.unit_price is None:
        raise Invalid("NO-PRICE", _("%(sku)s is not sold any more; leave the line as it is or drop it.", sku=line.sku))
    if not now.check.ok:
        raise Invalid("BAD-QUANTITY", f"{line.sku}: {now.check.reason}")
    return now


def stored_treatment(line: OrderLine, order: Order) -> Treatment:
    """Return how a line of a placed order is taxed, as it was frozen."""
    row = next((t for t in order.tax_lines if t["category"] == line.tax_category), {})
    return Treatment(line.tax_category, str(row.get("code", "")), line.tax_rate or Decimal(0), row.get("note", ""))


def _store(order: Order, lines: Sequence[OrderLine], new: Priced) -> None:
    left = {int(line.key): line for line in new.lines}
    lines = [line for line in lines if not line.free]
    gone = [line.id for line in lines if line.position not in left]
    if gone:
        db.session.execute(delete(OrderLine).where(OrderLine.id.in_(gone)).execution_options(synchronize_session="fetch"))
    stays = [line for line in lines if line.position in left]
    changed = [line for line in stays if left[line.position].quantity != line.quantity]
    queries.store_lines({"id": line.id, "quantity": left[line.position].quantity} for line in changed)
    cart.store_prices(order, changed, new, final=True)
    store_free(order, new.free)
