"""The buyer's orders: history, the page of an order, its documents, ordering again, cancelling."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for

from core.data.scope import current_actor
from core.i18n import _
from core.orders import cart as carts
from core.orders import charges, documents, lifecycle, queries, states
from core.orders import reorder as again
from core.orders.documents import address_lines
from core.orders.manual import agreed
from core.orders.merging import NewItem
from core.orders.models import Order
from core.orders.pages import order_page, prices_open, timeline
from core.orders.proposals import Proposal
from core.orders.resources import HISTORY
from core.orders.reviewing import review_page
from core.orders.views import bp
from core.spec.errors import Forbidden, NotFound, TukkuError
from core.ui.access import requires
from core.ui.export import ExportColumn, export_response
from core.ui.listing import show_list
from core.ui.listpage import Empty
from core.ui.slots import panels

#: The places of the columns of an order's lines that tell prices.
_PRICED = frozenset({6, 7, 8, 9, 10, 12, 13, 14})


@bp.get("/orders")
@requires("orders.order.view")
def history() -> Any:
    """List the company's orders, or answer with the file that ``?export=`` asks for."""
    empty = Empty(
        _("No orders yet"),
        _("What you order is kept here, with its documents; you can order it again from here."),
        "receipt",
        _("Find articles"),
        url_for("storefront.home"),
    )
    return show_list(HISTORY, "orders/history.html", where=_own(), empty=empty)


@bp.get("/orders/<number>")
@requires("orders.order.view")
def order(number: str) -> str:
    """Show an order: its state, lines and what happened to them, documents, timeline."""
    found = queries.find(number)
    page = order_page(found, queries.lines_of(found.id))
    held = bool(queries.standing_holds(found))
    return render_template(
        "orders/order.html",
        page=page,
        order=found,
        held=held,
        events=timeline(found, internal=False),
        may_cancel=states.allowed(found, "cancel"),
        ship_to=address_lines(found.ship_to),
        bill_to=address_lines(found.bill_to),
        charges=documents.charge_rows(found, charges.rows_of(found.id)),
        taxes=documents.tax_rows(found),
        main=panels("storefront.order", "main", found.id, number),
        side=panels("storefront.order", "side", found.id, number),
        tabs=panels("storefront.order", "tabs", found.id, number),
    )


@bp.route("/orders/<number>/again", methods=["GET", "POST"])
@requires("orders.cart.use")
def reorder(number: str) -> Any:
    """Order the same again: at once where nothing changed, else after a look at what did, line by line."""
    rows = again.review(number)
    if request.method == "POST" and rows and all(row.outcome == "ok" for row in rows):
        carts.add(items_of(rows))
        flash(_("The articles of order %(number)s are in your cart.", number=number), "success")
        return redirect(url_for("orders.cart"), 303)
    if request.method == "POST":
        return redirect(url_for("orders.reorder", number=number), 303)
    title = _("Order %(number)s again", number=number)
    return review_page(
        rows, title, url_for("orders.order", number=number), ((_("Orders"), url_for("orders.history")), (title, ""))
    )


def items_of(rows: Sequence[Proposal]) -> list[NewItem]:
    """Return the rows that can go into the cart as items."""
    return [
        NewItem(row.article.sku, row.quantity, row.unit.unit, reference=row.reference)
        for row in rows
        if row.takes and row.article and row.unit and row.quantity is not None
    ]


@bp.get("/orders/<number>/confirmation.pdf")
@requires("orders.order.view", "orders.desk.view")
def confirmation(number: str) -> Any:
    """Download the confirmation; whoever may not see the order finds nothing."""
    return send_document(queries.find(number))


@bp.get("/orders/<number>/lines.<kind>")
@requires("orders.order.view", "orders.desk.view")
def export(number: str, kind: str) -> Any:
    """Download the lines of an order as CSV or XLSX."""
    if kind not in ("csv", "xlsx"):
        raise NotFound("NO-SUCH-FILE", _("Orders are exported as CSV or XLSX."))
    found = queries.find(number)
    columns, rows = export_table(found)
    return export_response(f"order-{number}", kind, columns, rows, _("Order %(number)s", number=number))  # type: ignore[arg-type]


@bp.post("/orders/<number>/cancel")
@requires("orders.order.cancel")
def cancel(number: str) -> Any:
    """Cancel an order that is not confirmed yet."""
    try:
        lifecycle.cancel(number, request.form.get("reason", ""), version=posted_version())
        flash(_("The order %(number)s is cancelled.", number=number), "success")
    except TukkuError as refused:
        if refused.status in (403, 404):
            raise
        flash(str(refused.message), "error")
    return redirect(url_for("orders.order", number=number), 303)


def send_document(order: Order) -> Any:
    """Answer with the confirmation of an order as a download."""
    if not prices_open(order):
        raise Forbidden("PRICES-HIDDEN", _("You may not see prices, and this document has them."))
    document = documents.confirmation(order)
    response = send_file(io.BytesIO(document.content), document.type, as_attachment=True, download_name=document.name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def export_table(order: Order) -> tuple[list[ExportColumn], list[list[Any]]]:
    """Return head and rows of an order's lines and charges, without prices for those who may not see them."""
    columns = [
        ExportColumn(_("Order"), "code"),
        ExportColumn(_("Line"), "number"),
        ExportColumn(_("Code"), "code"),
        ExportColumn(_("Article")),
        ExportColumn(_("Quantity"), "quantity"),
        ExportColumn(_("Unit")),
        ExportColumn(_("Price"), "price"),
        ExportColumn(_("Price for"), "quantity"),
        ExportColumn(_("Net"), "money"),
        ExportColumn(_("Currency")),
        ExportColumn(_("VAT percent"), "percent"),
        ExportColumn(_("Your reference")),
        ExportColumn(_("Price before"), "price"),
        ExportColumn(_("Agreed by hand")),
        ExportColumn(_("Reason of the price")),
    ]
    lines = queries.lines_of(order.id)
    by_hand = {line.id: agreed(line, order.currency) for line in lines}
    rows = [
        [
            order.number,
            x.position,
            x.sku,
            x.name,
            x.quantity,
            x.unit,
            x.unit_price,
            x.per,
            x.net,
            order.currency,
            x.tax_rate,
            x.customer_reference,
            terms.before if (terms := by_hand[x.id]) else None,
            str(terms.text) if terms else "",
            "" if terms else x.price_reason,
        ]
        for x in lines
    ]
    for charge in charges.rows_of(order.id):
        name = charges.label_of(charge)
        rows.append([
            order.number, None, "", name, None, "", None, None, charge.net, order.currency, charge.tax_rate, "", None, "",
            "",
        ])  # fmt: skip
    if not prices_open(order):
        columns, *rows = ([cell for n, cell in enumerate(row) if n not in _PRICED] for row in (columns, *rows))
    return columns, rows


def posted_version() -> int | None:
    """Return the version of the order that the page showed."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _own() -> list[Any]:
    """A buyer lists what the scope lets through; staff who may act for nobody have no history here."""
    company_id = current_actor().company_id
    if company_id is None:
        raise NotFound("NO-COMPANY", _("Choose the company whose orders you want to see."))
    return [Order.company_id.in_(current_actor().scope.subtree or (company_id,))]
