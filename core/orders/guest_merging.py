"""Staff move the orders of a visitor's company to the customer that it really is, and close it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import func, select, update
from wtforms.validators import InputRequired

from core.companies import merging
from core.companies.models import Address, Company
from core.companies.services import company_by_code
from core.data import audit, clock
from core.data.db import db
from core.data.write import write
from core.i18n import _l, ngettext
from core.orders.admin import bp
from core.orders.models import Hold, Movement, Order, OrderCharge, OrderLine
from core.spec.errors import Invalid, NotFound
from core.ui.access import requires
from core.ui.fields import CodeField
from core.ui.forms import TukkuForm, refuse

MERGE = "orders.guest.merge"
#: Nothing in memory is looked through for what a statement changed; all of it is read again.
_LATER = {"synchronize_session": False}


class MergeForm(TukkuForm):
    """Which customer the visitor is."""

    into = CodeField(_l("Customer"), [InputRequired()], description=_l("The code of the company that takes the orders."))


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two companies, with its address and how many orders it has."""

    company: Company
    address: Address | None
    orders: int


def merge(visitor_code: str, customer_code: str) -> int:
    """Move all orders of a visitor's company to a customer and close it; returns how many moved.

    Statements do not grow with the orders. Raises Conflict for a company that is no visitor's, Invalid for a customer
    that cannot take them.
    """
    with write():
        visitor, customer = company_by_code(visitor_code), company_by_code(customer_code)
        merging.lock_pair(visitor, customer)
        merging.check_visitor(visitor)
        merging.check_customer(visitor, customer)
        numbers = list(
            db.session.scalars(
                select(Order.number).where(Order.company_id == visitor.id, Order.state != "cart").order_by(Order.id)
            )
        )
        placed = select(Order.id).where(Order.company_id == visitor.id, Order.state != "cart")
        lines = select(OrderLine.id).where(OrderLine.order_id.in_(placed))
        for model, belongs in (
            (Movement, Movement.line_id.in_(lines)),
            (Hold, Hold.order_id.in_(placed)),
            (OrderCharge, OrderCharge.order_id.in_(placed)),
            (OrderLine, OrderLine.order_id.in_(placed)),
        ):
            db.session.execute(update(model).where(belongs).values(company_id=customer.id), execution_options=_LATER)
        db.session.execute(
            update(Order)
            .where(Order.company_id == visitor.id, Order.state != "cart")
            .values(company_id=customer.id, version=Order.version + 1, updated_at=clock.now()),
            execution_options=_LATER,
        )
        db.session.expire_all()
        audit.record_all("order", [(n, "moved", customer.id, {"from": visitor.code, "to": customer.code}) for n in numbers])
        merging.hand_over(visitor, customer, len(numbers))
    return len(numbers)


@bp.route("/visitors/<company>/merge", methods=["GET", "POST"])
@requires(MERGE)
def merge_guest(company: str) -> Any:
    """Choose the customer that a visitor is, see both side by side, and move the orders."""
    into = request.values.get("into", "").strip()
    visitor, form = company_by_code(company), MergeForm(formdata=None, data={"into": into})
    merging.check_visitor(visitor)
    customer, status = None, 200
    try:
        if request.method == "POST":
            return _done(company, into)
        if into:
            customer = company_by_code(into)
            merging.check_customer(visitor, customer)
    except (Invalid, NotFound) as error:
        refuse(form, error)
        visitor, customer, status = company_by_code(company), None, error.status
    page = render_template(
        "orders/merge_guest.html",
        form=form,
        visitor=_side(visitor),
        customer=_side(customer) if customer else None,
        proposals=merging.proposals(visitor),
    )
    return page, status


def _done(visitor: str, customer: str) -> Any:
    moved = merge(visitor, customer)
    name = company_by_code(customer).name
    said = ngettext(
        "%(count)s order now belongs to %(company)s.", "%(count)s orders now belong to %(company)s.", moved, company=name
    )
    flash(said, "success")
    return redirect(url_for("companies_admin.company", code=customer), 303)


def _side(company: Company) -> Side:
    orders = select(func.count(Order.id)).where(Order.company_id == company.id, Order.state != "cart")
    address = select(Address).where(Address.company_id == company.id, Address.active).order_by(Address.is_default.desc())
    return Side(company, db.session.scalar(address.limit(1)), db.session.scalar(orders) or 0)
