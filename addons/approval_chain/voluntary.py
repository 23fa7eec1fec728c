"""An approval that no rule asks for: whoever orders asks somebody of the company for it, at the checkout.

It is one thing more that the order asks (``engine``: a demand), and so goes the way of all others: its turn, reminders,
substitutes, decisions bound to what was placed. Where the person may decide no more, the administrators above do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from wtforms import Form, TextAreaField
from wtforms.validators import Length

from core.api.companies import User
from core.api.data import clock, db, once, unscoped
from core.api.hooks import CheckoutStep, Invalid
from core.api.i18n import translations
from core.api.orders import Order
from core.api.ui import ChoiceField

from . import engine
from .centre_forms import open_cart
from .loading import company_for
from .models import OrderRequest
from .parts import ASKED, BARRED

_, _l, ngettext, _p = translations(__name__)
LONGEST = 2000
#: Stands for whoever of the nearest company may approve that much, one of whom is enough.
ANYBODY = "*"
_REASON = "whom an order asks is a person of its company or of one above it"


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom an order asks for an approval that no rule requires (None: anybody), and what is said to them."""

    person_id: int | None
    message: str


class Person(NamedTuple):
    """Somebody who may be asked."""

    id: int
    code: str
    name: str


def of_orders(order_ids: Iterable[int]) -> Mapping[int, Wish]:
    """Return what orders and carts ask for by themselves; one statement."""
    ids = tuple(sorted({i for i in order_ids if i}))
    return once(("approval_chain.wishes", ids), lambda: _of_orders(ids)) if ids else {}


def _of_orders(ids: Sequence[int]) -> Mapping[int, Wish]:
    query = select(OrderRequest.order_id, OrderRequest.person_id, OrderRequest.message)
    rows = db.session.execute(query.where(OrderRequest.order_id.in_(ids)))
    return {row.order_id: Wish(row.person_id, row.message) for row in rows}


def with_wish(company: engine.Company, wish: Wish | None, requester: str) -> engine.Company:
    """Return the company as it is for an order that asks for an approval by itself, where the policy lets it."""
    if wish is None or not company.policy.voluntary:
        return company
    return replace(company, demands=(*company.demands, (ASKED, _tier(company, wish, requester))))


def _tier(company: engine.Company, wish: Wish, requester: str) -> engine.Tier:
    if wish.person_id is not None:
        return engine.Tier(people=(str(wish.person_id),))
    able = [p for p in company.people if p.may_approve and p.id != requester]
    near = next((found for unit in company.units if (found := [p.id for p in able if p.unit == unit])), [])
    return engine.Tier(people=tuple(near), limited=True)


def choices(order: Order) -> list[Person]:
    """Return who may be asked, the nearest companies first: whoever decides; nobody asks themselves."""
    return once(("approval_chain.askable", order.id), lambda: _choices(order))


def _choices(order: Order) -> list[Person]:
    company = company_for(order.company_id, order.currency)
    who = company.person(str(order.user_id))
    if not company.policy.voluntary or BARRED in who.roles:
        return []
    able = {int(p.id): company.units.index(p.unit) for p in company.people if p.may_approve and p.id != who.id}
    query = select(User.id, User.code, User.name).where(User.id.in_(able))
    rows = [Person(*row) for row in db.session.execute(unscoped(query, _REASON))] if able else []
    return sorted(rows, key=lambda row: (able[row.id], row.name, row.id))


def ask(order: Order, code: str, message: str = "") -> None:
    """Ask the person with ``code`` (ANYBODY, '' for nobody) to approve a cart before it is placed; inside ``write()``.

    Invalid for somebody who may not be asked.
    """
    known = db.session.get(OrderRequest, order.id)
    if not code:
        if known is not None:
            db.session.delete(known)
            db.session.flush()
        return
    found = choices(order)
    person = next((one for one in found if one.code == code), None)
    if person is None and not (found and code == ANYBODY):
        text = _("Choose somebody of your company who may approve; nobody approves what they ordered.")
        raise Invalid("APPROVAL-NOT-ASKED", text, details={"field": "person"})
    row = known or OrderRequest(order_id=order.id, company_id=order.company_id)
    row.person_id = person.id if person else None
    row.message, row.at = message.strip()[:LONGEST], clock.now()
    db.session.add(row)
    db.session.flush()


def forget(order_id: int) -> None:
    """Drop what a cart asked for where the policy did not let it when it was placed; inside ``write()``."""
    db.session.execute(delete(OrderRequest).where(OrderRequest.order_id == order_id))


# ---- at the checkout ----


def _offered() -> list[tuple[str, object]]:
    cart = open_cart()
    found = choices(cart) if cart is not None else []
    anybody = [(ANYBODY, _l("Anybody who may approve it"))] if len(found) > 1 else []
    return [*anybody, *((one.code, one.name) for one in found)]


class WishForm(Form):
    """Whom whoever orders asks, and what they say to them."""

    person = ChoiceField(
        _l("Who approves it"), options=_offered, empty=_l("Nobody"), default="",
        description=_l("Also where no rule of your company asks for it. The order waits until they have decided."),
    )  # fmt: skip
    message = TextAreaField(_l("Message to who approves"), [Length(max=LONGEST)], render_kw={"rows": 2})


def applies(order_id: int | None) -> bool:
    """Tell whether there is somebody who could be asked."""
    order = db.session.get(Order, order_id or 0)
    return order is not None and order.user_id is not None and bool(choices(order))


def load(order_id: int | None) -> Mapping[str, Any]:
    """Return what was asked for the cart; who may not be asked any more is not."""
    order = db.session.get(Order, order_id or 0)
    wish = of_orders([order.id]).get(order.id) if order is not None else None
    if order is None or wish is None:
        return {}
    able = {x.id: x.code for x in choices(order)}
    return {"person": ANYBODY if wish.person_id is None else able.get(wish.person_id, ""), "message": wish.message}


def save(order_id: int, values: Mapping[str, Any]) -> None:
    """Keep with the cart whom it asks; inside ``write()``."""
    order = db.session.scalars(select(Order).where(Order.id == order_id)).one()
    ask(order, values["person"] or "", values["message"] or "")


STEP = CheckoutStep(
    "voluntary",
    _l("Ask for approval before this order is placed"),
    WishForm,
    load,
    save,
    applies=applies,
    order=80,
    folded=True,
)
