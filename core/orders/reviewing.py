"""The page on which rows are checked before they go into the cart: made, read back, and shown again if need be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from flask import render_template, request

from core.i18n import _
from core.i18n.numbers import marks_of
from core.orders import paste, quickorder
from core.orders.merging import NewItem
from core.orders.proposals import Proposal, summary
from core.orders.quantities import parse_quantity
from core.spec.errors import Invalid


def review_page(
    rows: Sequence[Proposal],
    title: str,
    back_url: str,
    crumbs: Sequence[tuple[str, str]] = (),
    ticked: Collection[int] | None = None,
) -> str:
    """Return the page on which proposals are checked; ``ticked`` are the numbers of ticked rows (default: all ready)."""
    taken, merged, open_ = summary(rows)
    return render_template(
        "orders/review.html",
        rows=rows,
        title=title,
        back_url=back_url,
        crumbs=crumbs,
        ticked=ticked,
        taken=taken,
        merged=merged,
        open=open_,
        total=sum((row.net for row in rows if row.takes and row.net is not None), Decimal(0)),
        currency=rows[0].currency if rows else "",
    )


def again(back_url: str) -> str:
    """Return the page with what was sent from it: the ticked rows as they were filled, the others as they were written."""
    sent = request.form
    columns = [sent.getlist(name) for name in ("row", "text", "sku", "quantity", "unit", "reference")]
    rows, ticked = [], set()
    for index, (row, text, sku, quantity, unit, reference) in enumerate(zip(*columns, strict=False)):
        number = int(row) if row.isascii() and row.isdigit() and len(row) < 7 else index + 1
        if str(index) in sent.getlist("take") and sku:
            ticked.add(number)
            rows.append(paste.filled_row(number, text or sku, (sku, quantity, unit, reference), marks_of()))
        elif text:
            rows += [paste.PastedRow(number, text, found.readings) for found in paste.parse(text).rows]
    return review_page(
        quickorder.review(paste.Pasted(tuple(rows)), given=ticked), _("Check your rows"), back_url, ticked=ticked
    )


def items() -> list[NewItem]:
    """Return the items of the form; rows without a code, or not ticked where rows can be ticked, are left out.

    A field for the quantity that was emptied is refused: nobody knows what was meant. No field at all is one.
    """
    form = request.form
    skus, units, quantities = form.getlist("sku"), form.getlist("unit"), form.getlist("quantity")
    references = form.getlist("reference")
    chosen = set(form.getlist("take")) if form.get("choosing") else None
    found = []
    for index, sku in enumerate(skus):
        if not sku.strip() or (chosen is not None and str(index) not in chosen):
            continue
        try:
            quantity = parse_quantity(quantities[index]) if index < len(quantities) else Decimal(1)
        except Invalid as refused:
            raise Invalid(refused.code, f"{sku.strip()[:80]}: {refused.message}") from refused
        unit = units[index] if index < len(units) else ""
        reference = references[index] if index < len(references) else ""
        found.append(NewItem(sku.strip(), quantity, unit.strip(), reference=reference))
    return found


def grid() -> paste.Pasted:
    """Return the rows of the grid, numbered as they stand there; a quantity without a code is a row as well."""
    columns: list[Any] = [request.form.getlist(name) for name in ("code", "quantity", "unit")]
    columns[2] += [""] * (len(columns[0]) - len(columns[2]))
    rows = [list(row) for row in zip(*columns, strict=False)]
    return paste.parse_cells([["SKU", "Quantity", "Unit"], *rows], first=0)
