"""Forms of cost centres, and what the checkout asks about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from wtforms import BooleanField, Form, StringField
from wtforms.validators import InputRequired, Length

from core.api.data import current_actor, db
from core.api.hooks import CheckoutStep
from core.api.i18n import translations
from core.api.orders import Order
from core.api.ui import ChoiceField, TukkuForm

from . import allocation, cost_centres
from .centre_models import LineCentre

_, _l, ngettext, _p = translations(__name__)
#: The choice that leaves lines on the cost centres on which they were put one by one.
BY_LINE = "-by-line-"


def open_cart() -> Order | None:
    """Return the open cart of the buyer in the active company."""
    actor = current_actor()
    mine = (Order.company_id == actor.company_id, Order.user_id == (actor.on_behalf_of or actor.user_id))
    return db.session.scalar(select(Order).where(*mine, Order.state == "cart", Order.cart_name == ""))


def is_split(order: Order) -> bool:
    """Tell whether lines of the cart were put on cost centres one by one."""
    return db.session.scalar(select(LineCentre.id).where(LineCentre.order_id == order.id).limit(1)) is not None


def usable(company_id: int | None) -> list[tuple[str, object]]:
    """Return the cost centres in use of a company as choices."""
    found = allocation.active({company_id}) if company_id else {}
    return [(c.code, f"{c.code} · {c.name}") for c in found.values()]


def _choices() -> list[tuple[str, object]]:
    cart = open_cart()
    split = [(BY_LINE, _l("By line, as set in the cart"))] if cart is not None and is_split(cart) else []
    return [*split, *usable(current_actor().company_id)]


class ChoiceForm(Form):
    """On which cost centre the order is put."""

    cost_centre = ChoiceField(_l("Cost centre of the order"), options=_choices, empty=_l("None"), default="")


def applies(order_id: int) -> bool:
    """Tell whether the company has cost centres: without, nothing is asked."""
    order = _order(order_id)
    return order is not None and bool(allocation.active({order.company_id}))


def load(order_id: int | None) -> Mapping[str, Any]:
    """Return what holds for the cart."""
    order = _order(order_id)
    if order is None:
        return {}
    if is_split(order):
        return {"cost_centre": BY_LINE}
    centre = allocation.choice(order, allocation.active({order.company_id}))
    return {"cost_centre": centre.code if centre else ""}


def _order(order_id: int | None) -> Order | None:
    return db.session.get(Order, order_id or 0)


def save(order_id: int, values: Mapping[str, Any]) -> None:
    """Keep the choice with the cart; inside ``write()``."""
    if values["cost_centre"] != BY_LINE:
        cost_centres.choose(db.session.scalars(select(Order).where(Order.id == order_id)).one(), values["cost_centre"])


STEP = CheckoutStep("cost_centre", _l("Cost centre"), ChoiceForm, load, save, applies=applies, order=70)


class CentreForm(TukkuForm):
    """A cost centre."""

    code = StringField(_l("Code"), [InputRequired(), Length(max=40)], description=_l("As in your bookkeeping: 4100-MAINT"))
    name = StringField(_l("Name"), [InputRequired(), Length(max=120)])
    active = BooleanField(_l("In use"), default=True)


def centre_form(company_id: int, data: Mapping[str, Any] | None = None) -> Any:
    """Return the form of a cost centre of a company."""

    class Form(CentreForm):
        owner = ChoiceField(
            _l("Who answers for it"),
            options=lambda: cost_centres.owners(company_id),
            empty=_l("Nobody by name"),
            default="",
            description=_l("Is asked where a budget or a rule wants the owner's approval."),
        )

    return Form(data=data)
