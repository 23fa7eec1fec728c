"""Pages of cost centres: for a company's administrators, and for the lines of one's cart."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.api.data import current_actor
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.orders import lines_of
from core.api.ui import requires

from . import allocation, amounts, cost_centres
from . import centre_pages as pages
from .centre_forms import open_cart, usable
from .limit_views import bp
from .permissions import CENTRES, CENTRES_VIEW

_, _l, ngettext, _p = translations(__name__)
ORDERING = "orders.order.place"


@bp.get("/cost-centres")
@requires(CENTRES, CENTRES_VIEW)
def centres() -> Any:
    """Show the company's cost centres."""
    return pages.every(pages.shop())


@bp.route("/cost-centres/new", methods=["GET", "POST"])
@requires(CENTRES)
def new_centre() -> Any:
    """Add a cost centre."""
    return pages.add(pages.shop())


@bp.route("/cost-centres/<path:code>/edit", methods=["GET", "POST"])
@requires(CENTRES)
def edit_centre(code: str) -> Any:
    """Change a cost centre."""
    return pages.edit(pages.shop(), code)


@bp.post("/cost-centres/<path:code>/remove")
@requires(CENTRES)
def remove_centre(code: str) -> Any:
    """Delete a cost centre that was never used."""
    return pages.remove(pages.shop(), code)


@bp.get("/cost-centres/<path:code>/ledger")
@requires(CENTRES, CENTRES_VIEW)
def ledger(code: str) -> Any:
    """List what orders changed in the cost centre's budgets."""
    return pages.ledger(pages.shop(), code)


@bp.route("/cost-centres/<path:code>/budget", methods=["GET", "POST"])
@requires(CENTRES)
def budget(code: str) -> Any:
    """Set the budget of a cost centre."""
    return pages.budget(pages.shop(), code)


@bp.post("/cost-centres/<path:code>/budget/off")
@requires(CENTRES)
def budget_off(code: str) -> Any:
    """Take the budget in force out of use."""
    return pages.budget_off(pages.shop(), code)


@bp.get("/cost-centres/<path:code>")
@requires(CENTRES, CENTRES_VIEW)
def centre(code: str) -> Any:
    """Show a cost centre."""
    return pages.one(pages.shop(), code)


@bp.post("/cost-centre-of/<person>")
@requires(CENTRES)
def set_centre_of(person: str) -> Any:
    """Say on which cost centre a person's orders are put."""
    return pages.set_whose(pages.shop(), person)


@bp.route("/cart-cost-centres", methods=["GET", "POST"])
@requires(ORDERING)
def cart_centres() -> Any:
    """Put the lines of one's cart on cost centres, each by itself."""
    order, known = open_cart(), usable(current_actor().company_id)
    if order is None or not known:
        flash(_("There is nothing to put on cost centres."), "info")
        return redirect(url_for("orders.cart"), 303)
    error = ""
    if request.method == "POST":
        lines = lines_of(order.id)
        try:
            cost_centres.choose_lines(order, {line.id: request.form.get(f"line-{line.position}", "") for line in lines})
        except Invalid as refused:
            error = str(refused.message)
        else:
            flash(_("The lines are on their cost centres."), "success")
            return redirect(url_for("orders.checkout"), 303)
    found = allocation.of_orders([order.id])[order.id]
    rows = [(line, found[line.id].code if line.id in found else "") for line in lines_of(order.id)]
    page = render_template(
        "approval_chain/cart_centres.html",
        order=order,
        rows=rows,
        choices=known,
        sent=request.form,
        error=error,
        priced=amounts.shown(),
    )
    return page, 422 if error else 200
