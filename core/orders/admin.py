"""The order desk: what staff see and do with orders."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.i18n import _
from core.i18n.titles import addon_title
from core.orders import charges, documents, lifecycle, manual, queries, states
from core.orders.documents import address_lines
from core.orders.models import Hold
from core.orders.pages import order_page, timeline
from core.orders.quantities import parse_quantity
from core.orders.resources import DESK
from core.orders.rules import CheckoutRefused
from core.orders.views_history import posted_version, send_document
from core.registry.registry import registry
from core.spec.errors import Invalid, TukkuError
from core.ui.access import requires
from core.ui.links import row_url
from core.ui.listing import show_list
from core.ui.listpage import Empty
from core.ui.slots import panels

bp = Blueprint("orders_admin", __name__)


@bp.get("")
@requires("orders.desk.view")
def orders() -> Any:
    """List orders of all companies, or answer with the file that ``?export=`` asks for."""
    empty = Empty(
        _("No orders yet"),
        _("Orders that buyers place stand here; those that wait for you come first under “To confirm”."),
        "receipt",
    )
    return show_list(DESK, "orders/desk.html", empty=empty)


@bp.get("/<number>")
@requires("orders.desk.view")
def order(number: str) -> str:
    """Show an order with everything that can be done with it now."""
    found = queries.find(number)
    page = order_page(found, queries.lines_of(found.id))
    company = db.session.get(Company, found.company_id)
    return render_template(
        "orders/desk_order.html",
        page=page,
        order=found,
        company=company,
        company_url=row_url("companies_admin.company", company.code) if company else "",
        open_holds=[(hold, _may_release(hold), _asleep(hold)) for hold in queries.standing_holds(found)],
        stale=found.state == "submitted" and found.price_hold_until is not None and found.price_hold_until <= clock.now(),
        may={name: states.allowed(found, name) for name in ("confirm", "reject", "cancel")},
        may_price=found.state == "submitted" and current_actor().may(manual.SET),
        may_return=page.to_return and current_actor().may("orders.order.return"),
        may_ship=page.to_ship and current_actor().may("orders.order.ship"),
        events=timeline(found, internal=True),
        ship_to=address_lines(found.ship_to),
        bill_to=address_lines(found.bill_to),
        charges=documents.charge_rows(found, charges.rows_of(found.id)),
        taxes=documents.tax_rows(found),
        main=panels("backoffice.order", "main", found.id, number),
        side=panels("backoffice.order", "side", found.id, number),
        tabs=panels("backoffice.order", "tabs", found.id, number),
    )


@bp.get("/<number>/confirmation.pdf")
@requires("orders.desk.view")
def confirmation(number: str) -> Any:
    """Download the order's confirmation."""
    return send_document(queries.find(number))


@bp.post("/<number>/confirm")
@requires("orders.order.confirm")
def confirm(number: str) -> Any:
    """Confirm the order."""
    return _do(number, lambda: lifecycle.confirm(number, version=posted_version()), _("The order is confirmed."))


@bp.post("/<number>/reject")
@requires("orders.order.confirm")
def reject(number: str) -> Any:
    """Reject the order with a reason that the buyer reads."""
    return _do(number, lambda: lifecycle.reject(number, _reason(), version=posted_version()), _("The order is rejected."))


@bp.post("/<number>/cancel")
@requires("orders.desk.view")
def cancel(number: str) -> Any:
    """Cancel the order."""
    return _do(
        number,
        lambda: lifecycle.cancel(number, lifecycle.required(_reason()), version=posted_version()),
        _("The order is cancelled."),
    )


@bp.post("/<number>/release/<int:hold_id>")
@requires("orders.desk.view")
def release(number: str, hold_id: int) -> Any:
    """Release a hold: its owner's people, or by force with a reason; the service knows who may."""
    return _do(number, lambda: lifecycle.release(number, hold_id, _reason()), _("The hold is released."))


@bp.post("/<number>/ship")
@requires("orders.order.ship")
def ship(number: str) -> Any:
    """Mark quantities of lines as shipped."""

    def run() -> None:
        quantities = _posted_quantities(number, "ship")
        lifecycle.record(
            number, "shipped", quantities, label=request.form.get("label", "").strip(), version=posted_version()
        )

    return _do(number, run, _("The shipment is recorded."))


@bp.post("/<number>/return")
@requires("orders.order.return")
def take_back(number: str) -> Any:
    """Record goods that came back, with a reason that the buyer reads."""

    def run() -> None:
        label, reason = request.form.get("label", "").strip(), lifecycle.required(_reason())
        quantities = _posted_quantities(number, "return")
        lifecycle.record(number, "returned", quantities, label=label, reason=reason, version=posted_version())

    return _do(number, run, _("The return is recorded."))


@bp.post("/<number>/note")
@requires("orders.order.note")
def note(number: str) -> Any:
    """Keep an internal note."""
    return _do(number, lambda: lifecycle.note(number, request.form.get("note", "")), _("The note is kept with the order."))


def _do(number: str, deed: Callable[[], Any], said: str) -> Any:
    """Do something with an order and go back to its page, with what was done or why it was not."""
    try:
        deed()
        flash(said, "success")
    except CheckoutRefused as refused:
        for finding in refused.findings:
            flash(str(finding.message), "error")
    except TukkuError as refused:
        if refused.status in (403, 404):
            raise
        flash(str(refused.message), "error")
    return redirect(url_for("orders_admin.order", number=number), 303)


def _reason() -> str:
    return request.form.get("reason", "")[:2000]


def _may_release(hold: Hold) -> str:
    """Return own (holds the hold's permission), force, or '' for the button to show."""
    actor = current_actor()
    if actor.may(hold.release_permission):
        return "own"
    return "force" if actor.may(lifecycle.FORCE_RELEASE) else ""


def _asleep(hold: Hold) -> str:
    """Return the title of the addon that would release a hold and does not run, '' where it does."""
    return "" if hold.owner == "core" or registry().runs(hold.owner) else addon_title(hold.owner)


def _posted_quantities(number: str, field: str) -> dict[int, Decimal]:
    """Return what fields ``<field>-<position>`` say per line; empty fields and zeros are lines that do not move."""
    wanted = {}
    for name, value in request.form.items():
        kind, _dash, position = name.partition("-")
        if kind != field or not value.strip() or value.strip() == "0":
            continue
        if not (position.isascii() and position.isdigit() and len(position) < 7):
            raise Invalid("LINE-UNKNOWN", _("The order %(number)s has no line %(line)s.", number=number, line=position[:10]))
        try:
            wanted[int(position)] = parse_quantity(value)
        except Invalid as refused:
            raise Invalid(refused.code, _("Line %(line)s: %(problem)s", line=position, problem=refused.message)) from refused
    return wanted
