"""The steps of the checkout: core's own, through the hook that addons use, and all of them together on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import Length

from core.companies.models import Address
from core.companies.services import address_snapshot
from core.data.db import db
from core.i18n import _, _l
from core.orders import addresses
from core.orders.addresses import Use
from core.orders.documents import address_lines
from core.orders.models import Order
from core.registry.registry import HookFailed, registry
from core.spec.errors import Invalid
from core.spec.orders import CheckoutStep
from core.ui.fields import DayField, choices
from core.ui.forms import Sections, TukkuForm, bind


class AddressField(RadioField):
    """A choice among the company's addresses for a use, by code; the saving, not the page, refuses another's."""

    def __init__(self, label: Any, use: Use, **kwargs: Any) -> None:
        offered = [(a.code, _one_line(a)) for a in addresses.choices(use)]
        super().__init__(label, choices=choices(offered), validate_choice=False, **kwargs)


class DeliveryForm(TukkuForm):
    """Where the goods go."""

    ship_to = AddressField(_l("Deliver to"), "ship_to")


class BillingForm(TukkuForm):
    """Who gets the bill."""

    bill_to = AddressField(_l("Bill to"), "bill_to")


class AboutForm(TukkuForm):
    """What the buyer adds about the order."""

    po_number = StringField(_l("Your purchase order number"), [Length(max=60)])
    wished_date = DayField(
        _l("Wished delivery date"),
        description=_l("A date, or words such as “in 2 weeks”; leave empty for as soon as possible."),
    )
    note = TextAreaField(_l("Message with the order"), [Length(max=5000)])


def take_address(order: Order, use: Use, code: str) -> None:
    """Take the address with ``code``, the proposed one for ''; one that is not the company's is refused, not ignored."""
    address = addresses.by_code(use, code) if code else addresses.chosen(use, getattr(order, f"{use}_id"))
    if code and address is None:
        raise Invalid("ADDRESS-UNKNOWN", _("%(code)s is not one of your addresses; choose another.", code=code[:40]))
    setattr(order, f"{use}_id", address.id if address else None)
    setattr(order, use, address_snapshot(address) if address else None)


def take_about(order: Order, values: Mapping[str, Any]) -> None:
    """Take number, date and message."""
    order.po_number = (values["po_number"] or "").strip()[:60]
    order.note = (values["note"] or "").strip()[:5000]
    order.wished_date = values["wished_date"]


def _order(order_id: int | None) -> Order:
    return db.session.get_one(Order, order_id)


def _chosen(use: Use, order_id: int | None) -> dict[str, str]:
    address = addresses.chosen(use, getattr(_order(order_id), f"{use}_id"))
    return {use: address.code if address else ""}


def _about(order_id: int | None) -> dict[str, Any]:
    if order_id is None:
        return {}
    order = _order(order_id)
    return {"po_number": order.po_number, "note": order.note, "wished_date": order.wished_date}


#: Core's own steps.
STEPS = (
    CheckoutStep(
        "delivery", _l("Deliver to"), DeliveryForm, lambda order_id: _chosen("ship_to", order_id),
        lambda order_id, data: take_address(_order(order_id), "ship_to", data["ship_to"] or ""),
        "orders/steps/delivery.html", order=20,
    ),
    CheckoutStep(
        "billing", _l("Bill to"), BillingForm, lambda order_id: _chosen("bill_to", order_id),
        lambda order_id, data: take_address(_order(order_id), "bill_to", data["bill_to"] or ""),
        "orders/steps/billing.html", order=40,
    ),
    CheckoutStep(
        "about", _l("About this order"), AboutForm, _about,
        lambda order_id, data: take_about(_order(order_id), data), "orders/steps/about.html", order=60, guests=True,
    ),
)  # fmt: skip


def steps_of(order: Order | None) -> Sections:
    """Return the steps of an order's checkout, filled, without one those that visitors without an account are asked.

    HookFailed where one cannot be asked: none may be missing.
    """
    bound, order_id = [], order.id if order else None
    for step in registry().contributions("checkout_steps"):
        if order is None and not step.value.guests:
            continue
        answer = registry().attempt(step.owner, "checkout_steps", _bound, step.owner, step.value, order_id)
        if answer.failed:
            raise HookFailed(step.owner, "checkout_steps")
        if answer.value is not None:
            bound.append(answer.value)
    return Sections(bound)


def _bound(owner: str, step: CheckoutStep, order_id: int | None) -> Any:
    return bind(owner, step, order_id) if step.applies is None or step.applies(order_id) else None


def _one_line(address: Address) -> str:
    names = ("name", "street", "postal_code", "city", "country")
    return ", ".join(address_lines({name: getattr(address, name) for name in names}, address.country))
