"""The cart: an order in state ``cart``, one open for a person in a company, made with the first article.

Every change prices the whole cart anew and stores what was shown, so that a later look can tell what changed.
The number of statements does not depend on the number of lines.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import has_request_context, session
from sqlalchemy import BigInteger, Select, bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from core.catalog.units import to_base
from core.companies import services as companies
from core.data import clock
from core.data.db import db
from core.data.once import once
from core.data.prepared import prepared
from core.data.scope import Actor, current_actor
from core.data.types import Amount, from_scaled
from core.data.write import locked, write
from core.i18n import _, speaking
from core.orders import addresses, articles, charges
from core.orders.draft import Priced, PricedLine, Wanted, check_quantities, price_order
from core.orders.merging import Added, Identity, NewItem, Touched, identity, merge
from core.orders.models import Order, OrderLine
from core.orders.queries import lines_of, store_lines
from core.pricing import bands
from core.spec.errors import Forbidden, Invalid
from core.ui.formats import plain

MAX_LINES = 1000
#: Where the session keeps a visitor's cart (core.orders.guest_cart).
SESSION_KEY = "cart"


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart with its lines and the prices of this moment."""

    order: Order
    lines: tuple[OrderLine, ...]
    priced: Priced


def buyer_id(actor: Actor) -> int | None:
    """Return whose cart it is: the buyer's, also where staff acts for them."""
    return actor.on_behalf_of or actor.user_id


def current_cart() -> Order | None:
    """Return the open cart of the person in the active company, None if there is none."""
    actor = current_actor()
    return None if actor.company_id is None else db.session.scalar(_mine(actor))


def view() -> CartView | None:
    """Return the open cart priced now, None while there is none; changes nothing."""
    order = current_cart()
    if order is None:
        return None
    lines = lines_of(order.id)
    return CartView(order, tuple(lines), price_order(order, lines, ship_to_country=ship_to_country(order)))


def badge() -> tuple[int, Decimal | None, str]:
    """Return number of lines, net total as last shown (None for visitors), and currency of the open cart.

    One statement for a page, which may show it in several places.
    """
    actor = current_actor()
    if actor.company_id is None:
        return (len(session.get(SESSION_KEY, ())) if has_request_context() else 0), None, ""
    company_id, buyer = actor.company_id, buyer_id(actor)
    return once(("cart badge", company_id, buyer), lambda: _read_badge(company_id, buyer))


def _read_badge(company_id: int, buyer: int | None) -> tuple[int, Decimal, str]:
    rows = prepared(_badge, db.engine.dialect.name).rows(company=company_id, buyer=buyer)
    return (rows[0][0], from_scaled(rows[0][1], Amount.scale), rows[0][2]) if rows else (0, Decimal(0), "")


def _badge(_dialect: str) -> Select[Any]:
    """Build the statement of the badge, which every page asks: the same cart as ``_whose`` names."""
    order, line = Order.__table__, OrderLine.__table__
    return (
        select(func.count(line.c.id), order.c.net, order.c.currency)
        .select_from(order)
        .outerjoin(line, line.c.order_id == order.c.id)
        .where(order.c.company_id == bindparam("company", type_=BigInteger))
        .where(order.c.user_id == bindparam("buyer", type_=BigInteger))
        .where(order.c.state == "cart", order.c.cart_name == "")
        .group_by(order.c.id, order.c.net, order.c.currency)
    )


def add(items: Sequence[NewItem]) -> tuple[Added, ...]:
    """Put items into the open cart, making it if need be; one outcome for each, in their order.

    An item with the identity of a line (product, unit, configuration, split key) is added to its quantity. A quantity
    that cannot be sold is rounded as the product says, and the outcome tells so.
    """
    with write():
        known = articles.by_sku(item.sku for item in items)
        order = open_cart()
        lines = lines_of(order.id)
        outcomes, wanted = merge(items, known, lines)
        if len({*wanted, *(identity(line) for line in lines)}) > MAX_LINES:
            raise Invalid("CART-FULL", _("A cart holds at most %(count)s lines; order these first.", count=MAX_LINES))
        _store(order, lines, wanted)
        reprice(order)
    return outcomes


def change(quantities: Mapping[int, Decimal], notes: Mapping[int, Mapping[str, str]] | None = None) -> tuple[str, ...]:
    """Set quantities of lines of the open cart by position; returns a sentence for each that was rounded or refused."""
    with write():
        order = existing_cart()
        lines = {line.position: line for line in lines_of(order.id)}
        messages = _change(lines, {p: q for p, q in quantities.items() if p in lines}, notes or {})
        reprice(order)
    return messages


def held() -> dict[int, str]:
    """Return the code at each position of the open cart, empty while there is none."""
    order = current_cart()
    return {line.position: line.sku for line in lines_of(order.id)} if order else {}


def remove(positions: Sequence[int]) -> None:
    """Take lines out of the open cart by position."""
    with write():
        order = existing_cart()
        db.session.execute(delete(OrderLine).where(OrderLine.order_id == order.id, OrderLine.position.in_(list(positions))))
        reprice(order)


def clear() -> None:
    """Empty the open cart."""
    with write():
        order = existing_cart()
        db.session.execute(delete(OrderLine).where(OrderLine.order_id == order.id))
        reprice(order)


def refresh() -> None:
    """Store the prices of this moment: the buyer has seen them."""
    with write():
        reprice(existing_cart())


def open_cart() -> Order:
    """Return the open cart, locked, made if there was none; call inside ``write()``."""
    actor = current_actor()
    if actor.company_id is None:
        raise Forbidden("NO-COMPANY", _("Choose the company for which you are buying first."))
    order = db.session.scalar(locked(_mine(actor)))
    if order is not None:
        return order
    try:
        with db.session.begin_nested():
            order = _new_cart(actor)
            db.session.add(order)
    except IntegrityError:  # somebody (another tab) made it at the same moment
        return db.session.scalars(locked(_mine(actor))).one()
    return order


def reprice(order: Order) -> Priced:
    """Price a cart (locked) now and store what was found; call inside ``write()``."""
    db.session.flush()
    lines = lines_of(order.id)
    priced = price_order(order, lines, ship_to_country=ship_to_country(order))
    store_prices(order, lines, priced)
    return priced


def store_prices(order: Order, lines: Sequence[OrderLine], priced: Priced, *, final: bool = False) -> None:
    """Write prices, names, tax and totals of ``priced`` to a document and its lines; call inside ``write()``.

    ``final`` keeps the reasons too, in the document's language: the prices are not asked for again.
    """
    found = priced.by_key()
    rows = []
    for line in lines:
        p = found[str(line.position)]
        rows.append(
            {
                "id": line.id,
                "unit_price": p.unit_price,
                "per": p.price.per if p.price else line.per,
                "list_price": p.price.list_price if p.price else None,
                "net": p.net,
                "base_quantity": p.base_quantity,
                "tax_category": p.treatment.category if p.treatment else "",
                "tax_rate": p.treatment.rate if p.treatment else None,
                "bands": bands.stored(p.price.bands) if p.price else None,
                "price_source": p.price.source[:120] if p.price else "",
                "manual": _with_found(line.manual, p),
                "sku": p.article.sku if p.article else line.sku,
                "name": p.article.name if p.article else line.name,
            }
        )
    store_lines(rows)
    if final:
        with speaking(order.locale):
            reasons = [(line.id, found[str(line.position)].price) for line in lines]
            store_lines({"id": number, "price_reason": str(price.reason)[:250]} for number, price in reasons if price)
    store_sums(order, priced)


def store_sums(order: Order, priced: Priced) -> None:
    """Write charges and totals of ``priced`` to a document; call inside ``write()``."""
    order.currency = priced.currency
    charges.store(order, priced.charges)
    order.net, order.tax, order.gross = priced.totals.net, priced.totals.tax, priced.totals.gross
    order.charges_net = priced.totals.charges
    order.tax_lines = [line.stored() for line in priced.totals.tax_lines]
    order.updated_at = clock.now()
    db.session.flush()


def _with_found(manual: dict[str, Any] | None, now: PricedLine) -> dict[str, Any] | None:
    """Return the terms that a line keeps, with the price (for ``per`` units) which they replaced this time."""
    if not manual or now.price is None:
        return manual
    return {**manual, "before": None if now.price.found is None else plain(now.price.found)}


def ship_to_country(order: Order) -> str:
    """Return the country for which a cart is taxed: of its ship-to address, '' while there is none (the seller's)."""
    address = addresses.chosen("ship_to", order.ship_to_id)
    return address.country if address else ""


def _whose(actor: Actor) -> tuple[Any, ...]:
    return (
        Order.company_id == actor.company_id,
        Order.user_id == buyer_id(actor),
        Order.state == "cart",
        Order.cart_name == "",
    )


def _mine(actor: Actor) -> Any:
    return select(Order).where(*_whose(actor))


def existing_cart() -> Order:
    """Return the open cart, locked; Invalid where there is none. Call inside ``write()``."""
    order = db.session.scalar(locked(_mine(current_actor())))
    if order is None:
        raise Invalid("CART-EMPTY", _("Your cart is empty; it may have been ordered in another window."))
    return order


def hold(order: Order) -> bool:
    """Lock a cart with its company, as placing does; False where another window has ordered it. Call inside ``write()``."""
    companies.lock_company(order.company_id)
    return db.session.scalar(locked(select(Order).where(Order.id == order.id, Order.state == "cart"))) is not None


def _new_cart(actor: Actor) -> Order:
    company, now = companies.current_company(), clock.now()
    return Order(
        seller_id=companies.seller().id,
        company_id=actor.company_id,
        user_id=buyer_id(actor),
        state="cart",
        client_reference=f"cart-{secrets.token_urlsafe(18)}",
        currency=company.currency,
        locale=actor.locale,
        created_at=now,
        updated_at=now,
    )


def _store(order: Order, lines: Sequence[OrderLine], wanted: Mapping[Identity, Touched]) -> None:
    """Write the quantities of lines that exist and add the others."""
    existing = {identity(line): line for line in lines}
    position = max((line.position for line in lines), default=0)
    changed, new = [], []
    for key, touched in wanted.items():
        if key in existing:
            changed.append({"id": existing[key].id, "quantity": touched.quantity})
        else:
            position += 1
            new.append(_new_line(order, key, touched, position))
    store_lines(changed)
    if new:  # in bulk: SQLite takes one statement for each object that is added, to learn its id
        db.session.execute(insert(OrderLine), new)


def _new_line(order: Order, key: Identity, touched: Touched, position: int) -> dict[str, Any]:
    item, article = touched.item, touched.article
    return {
        "order_id": order.id,
        "company_id": order.company_id,
        "position": position,
        "product_id": article.id,
        "unit": key[1],
        "quantity": touched.quantity,
        "base_quantity": to_base(touched.quantity, article.units[key[1]]),
        "configuration": key[2],
        "split_key": key[3],
        "sku": article.sku,
        "name": article.name,
        "note": item.note[:2000],
        "customer_reference": item.reference[:80],
    }


def _change(
    lines: Mapping[int, OrderLine], quantities: Mapping[int, Decimal], notes: Mapping[int, Mapping[str, str]]
) -> tuple[str, ...]:
    known = articles.by_id(lines[position].product_id for position in quantities)
    units = {str(p): known[lines[p].product_id].unit(lines[p].unit) for p in quantities if lines[p].product_id in known}
    checks = check_quantities([Wanted(str(p), lines[p].product_id, lines[p].unit, q) for p, q in quantities.items()], units)
    messages, rows = [], []
    for position, line in lines.items():
        quantity = line.quantity
        if position in quantities:
            check = checks.get(str(position))
            quantity = quantities[position] if check is None or check.ok else check.rounded or line.quantity
            if check is not None and not check.ok:
                messages.append(f"{line.sku}: {check.reason}")
        said = notes.get(position, {})
        rows.append(
            {
                "id": line.id,
                "quantity": quantity,
                "note": said.get("note", line.note)[:2000],
                "customer_reference": said.get("reference", line.customer_reference)[:80],
            }
        )
    store_lines(rows)
    return tuple(messages)
