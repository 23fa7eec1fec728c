"""Saved lists in the shop."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.i18n import _
from core.orders import lists as saved
from core.orders import queries, reorder
from core.orders.reviewing import review_page
from core.orders.views import bp
from core.spec.errors import Invalid
from core.ui.access import requires


@bp.get("/lists")
@requires("orders.order.place")
def lists() -> str:
    """Show the person's saved lists."""
    return render_template("orders/lists.html", lists=saved.all_lists())


@bp.post("/lists")
@requires("orders.order.place")
def save_list() -> Any:
    """Keep the open cart as a list."""
    try:
        kept = saved.save(request.form.get("name", ""))
    except Invalid as refused:
        flash(str(refused.message), "error")
        return redirect(url_for("orders.cart"), 303)
    flash(_("The cart is kept as the list “%(name)s”.", name=kept.cart_name), "success")
    return redirect(url_for("orders.lists"), 303)


@bp.get("/lists/<key>")
@requires("orders.order.place")
def saved_list(key: str) -> str:
    """Show a list's articles as they can be ordered now, to be put into the cart."""
    found = saved.find(key)
    rows = reorder.review_lines(queries.lines_of(found.id))
    crumbs = ((_("Lists"), url_for("orders.lists")), (found.cart_name, ""))
    return review_page(rows, found.cart_name, url_for("orders.lists"), crumbs)


@bp.post("/lists/<key>/delete")
@requires("orders.order.place")
def delete_list(key: str) -> Any:
    """Delete a list."""
    saved.remove(key)
    flash(_("The list is deleted."), "success")
    return redirect(url_for("orders.lists"), 303)
