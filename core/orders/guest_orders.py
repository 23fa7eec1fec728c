"""Orders of visitors without an account: a company of its own for each, and a page that only its link opens.

What a visitor types never leads to a company that exists: each order makes a new one, which staff find by the order and
may keep, merge or close. All of it is one transaction; whatever refuses the order leaves nothing behind.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select

from core.companies.addresses import save_address
from core.companies.merging import GUEST
from core.companies.models import Company, Seller
from core.companies.services import create_company, seller
from core.data.db import db
from core.data.scope import Actor, Scope, acting, current_actor, system, unscoped
from core.data.write import locked, write
from core.i18n import _
from core.orders import cart, lifecycle
from core.orders.merging import NewItem
from core.orders.models import Order
from core.orders.movements import sums_of
from core.orders.placing import Placement, place
from core.orders.steps import take_address
from core.spec.errors import Conflict, Invalid, NotFound

PLACE = "orders.order.place"
CANCEL = frozenset({"orders.order.cancel", "orders.order.cancel_confirmed"})
KEY = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Contact:
    """Who orders, as typed; one address serves delivery and invoice."""

    company: str
    name: str
    email: str
    phone: str
    business_id: str
    vat_id: str
    street: str
    street2: str
    postal_code: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class GuestOrder:
    """What a visitor sends; ``key`` is the secret of the order's page, and places nothing twice.

    ``enter(order_id)`` writes what the steps of the checkout asked, in the order's transaction.
    """

    key: str
    contact: Contact
    items: Sequence[NewItem]
    expected_total: Decimal
    enter: Callable[[int], None] | None = None


def new_key() -> str:
    """Return the secret of a page that nobody guesses."""
    return secrets.token_urlsafe(32)


def checked_key(key: str) -> str:
    """Return the secret that the form carried; Invalid for anything that our form does not send."""
    if not KEY.fullmatch(key):
        raise Invalid("BAD-REQUEST", _("The page that was sent is not complete; load it again."))
    return key


def exists(key: str) -> bool:
    """Tell whether the order with ``key`` was placed."""
    return _by_key(key) is not None


def find(key: str) -> Order:
    """Return the order whose page ``key`` opens; NotFound for anything else."""
    order = _by_key(key)
    if order is None:
        raise NotFound("ORDER-NOT-FOUND", _("This link leads to no order; copy all of it from the mail."))
    return order


def place_guest(asked: GuestOrder) -> str:
    """Place a visitor's order and return its key; the same key again places nothing.

    Raises what placing raises, and Invalid naming the field of the contact that is wrong.
    """
    with write():
        # one visitor's order at a time: a second click waits and finds what the first one placed
        db.session.execute(locked(select(Seller.id), key_share=True))
        if _by_key(asked.key) is None:
            _place(asked)
    return asked.key


def may_cancel(order: Order) -> bool:
    """Tell whether the visitor may still cancel: nothing has left, and no customer has taken the order over."""
    if order.state not in ("submitted", "confirmed"):
        return False
    company = db.session.get(Company, order.company_id)
    untouched = not any(line.shipped or line.invoiced for line in sums_of([order.id]).values())
    return company is not None and company.source == GUEST and untouched


def cancel_guest(key: str, reason: str, *, version: int | None = None) -> None:
    """Cancel the order of a link for its visitor; Conflict once goods have left or it is ended."""
    with write():
        order = find(key)
        company_id, who, number = order.company_id, order.user_name, order.number or ""
        visitor = Actor(None, who, _scope(company_id), company_id, permissions=CANCEL, locale=order.locale)
        with acting(visitor):
            if not may_cancel(order):
                raise Conflict(
                    "ORDER-UNDER-WAY", _("This order can no longer be cancelled here. Call or write to us about it.")
                )
            lifecycle.cancel(number, reason, version=version)


@contextmanager
def seeing(order: Order) -> Iterator[None]:
    """Let the visitor who holds an order's link see this one company's rows within the block; they may do no more."""
    with acting(replace(current_actor(), scope=_scope(order.company_id))):
        yield


def _by_key(key: str) -> Order | None:
    if not KEY.fullmatch(key):
        return None
    query = select(Order).where(Order.guest_key == key, Order.state != "cart")
    return db.session.scalar(unscoped(query, "whoever holds the secret of an order's link may see it"))


def _place(asked: GuestOrder) -> None:
    visitor = current_actor()
    with acting(system("guest order")):
        company = _company(asked.contact, visitor.locale)
        company_id, who = company.id, asked.contact.name.strip()
    held = visitor.permissions | {PLACE}
    with acting(Actor(None, who, _scope(company_id), company_id, permissions=held, locale=visitor.locale)):
        refused = [f"{o.sku}: {o.refused}" for o in cart.add(asked.items) if o.refused]
        if refused:
            raise Invalid("LINES-REFUSED", " ".join(refused))
        order = cart.open_cart()
        order.guest_key, order.guest_email = asked.key, asked.contact.email.strip()
        order.guest_phone = asked.contact.phone.strip()
        db.session.flush()

        def enter(order_id: int) -> None:
            take_address(order, "ship_to", "")
            take_address(order, "bill_to", "")
            if asked.enter is not None:
                asked.enter(order_id)

        place(Placement(expected_total=asked.expected_total, cart_key=order.client_reference or "", enter=enter))


def _company(contact: Contact, locale: str) -> Company:
    company = create_company(
        f"GUEST-{secrets.token_hex(5).upper()}",
        name=contact.company,
        country=contact.country,
        business_id=contact.business_id,
        vat_id=contact.vat_id,
        email=contact.email,
        phone=contact.phone,
        currency=seller().currency,
        locale=locale,
        source=GUEST,
    )
    save_address(
        company,
        None,
        code="main",
        name=contact.company,
        street=contact.street,
        street2=contact.street2,
        postal_code=contact.postal_code,
        city=contact.city,
        country=contact.country,
        contact=contact.name,
        phone=contact.phone,
        use="both",
        is_default=True,
    )
    return company


def _scope(company_id: int) -> Scope:
    own = (company_id,)
    return Scope("companies", own, own, own)
