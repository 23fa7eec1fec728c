"""The cart, quick order and saved lists in the shop."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for

from core.catalog.folding import fold_code
from core.catalog.services import code_hits
from core.data.scope import current_actor
from core.i18n import _, ngettext
from core.orders import articles, guest_cart, paste, quickorder, uploads
from core.orders import cart as carts
from core.orders.manual import SET
from core.orders.merging import Added, NewItem
from core.orders.pages import cart_page
from core.orders.proposals import Proposal, summary
from core.orders.quantities import parse_quantity
from core.spec.errors import Invalid, TukkuError
from core.ui.access import requires
from core.ui.links import may_open, safe_next
from core.ui.slots import panels

bp = Blueprint("orders", __name__)
GRID_ROWS = 10


@bp.get("/cart")
@requires("orders.cart.use", "orders.order.view")
def cart() -> str:
    """Show the open cart, priced now."""
    page = cart_page()
    subject = page.order.id if page and page.order else None
    return render_template(
        "orders/cart.html",
        page=page,
        guest=guest_cart.is_guest(),
        waiting=0 if guest_cart.is_guest() else len(session.get(guest_cart.KEY, ())),
        may_place=current_actor().may("orders.order.place"),
        may_price=current_actor().on_behalf_of is not None and current_actor().may(SET),
        main=panels("storefront.cart", "main", subject),
        side=panels("storefront.cart", "side", subject),
    )


@bp.post("/cart/add")
@requires("orders.cart.use")
def add() -> Any:
    """Put articles into the cart (repeated fields sku, unit, quantity) and say what became of them."""
    try:
        outcomes = put(_posted_items())
    except TukkuError as refused:
        return _answer(refused)
    _tell(outcomes)
    if request.headers.get("HX-Request"):
        return render_template("orders/_added.html", outcomes=outcomes), 200, {"HX-Trigger": "cart-changed"}
    return redirect(safe_next(request.form.get("next"), url_for("orders.cart")), 303)


@bp.post("/cart")
@requires("orders.cart.use")
def update() -> Any:
    """Store quantities, references and notes of the cart's lines, or take lines out (button ``remove``)."""
    if request.form.get("remove"):
        (guest_cart.remove if guest_cart.is_guest() else carts.remove)([_position(request.form["remove"])])
        flash(_("The line was taken out of the cart."), "success")
        return redirect(url_for("orders.cart"), 303)
    quantities, problems = _posted_quantities()
    if guest_cart.is_guest():
        guest_cart.change(quantities)
        messages: tuple[str, ...] = ()
    else:
        messages = carts.change(quantities, _posted_notes())
    for message in (*problems, *messages):
        flash(message, "warning")
    return redirect(url_for("orders.checkout" if request.form.get("checkout") else "orders.cart"), 303)


@bp.post("/cart/clear")
@requires("orders.cart.use")
def clear() -> Any:
    """Empty the cart."""
    if guest_cart.is_guest():
        guest_cart.remove(range(1, guest_cart.MAX_LINES + 1))
    else:
        carts.clear()
    flash(_("The cart is empty now."), "success")
    return redirect(url_for("orders.cart"), 303)


@bp.post("/cart/prices")
@requires("orders.cart.use")
def accept_prices() -> Any:
    """Take note of changed prices."""
    carts.refresh()
    return redirect(url_for("orders.cart"), 303)


@bp.post("/cart/hand-over")
@requires("orders.order.place")
def hand_over() -> Any:
    """Take over what was chosen before signing in."""
    _tell(guest_cart.hand_over())
    return redirect(url_for("orders.cart"), 303)


@bp.get("/quick-order")
@requires("orders.cart.use")
def quick_order() -> str:
    """Offer the three ways to order by code: a grid, pasted rows, a file."""
    return render_template("orders/quick_order.html", text="", rows=GRID_ROWS)


@bp.get("/quick-order/codes")
@requires("orders.cart.use")
def suggest_codes() -> str:
    """Offer articles whose code begins with what is typed into a field of the grid."""
    typed = fold_code(request.args.get("code", "")[:80])
    ids = [product_id for product_id, _exact in code_hits(typed, 8)] if len(typed) > 1 else []
    found = articles.by_id(ids[:8])
    return render_template(
        "orders/_codes.html", articles=[found[i] for i in ids[:8] if i in found and found[i].availability == "ok"]
    )


@bp.post("/quick-order")
@requires("orders.cart.use")
def review_quick_order() -> Any:
    """Show what became of every row, to be put into the cart."""
    try:
        rows = quickorder.review(_posted_rows())
    except Invalid as refused:
        flash(str(refused.message), "error")
        return render_template("orders/quick_order.html", text=request.form.get("rows", "")[:200_000], rows=GRID_ROWS), 422
    if not rows:
        flash(_("There was no row with a code; type or paste at least one."), "error")
        return redirect(url_for("orders.quick_order"), 303)
    return review_page(rows, _("Check your rows"), url_for("orders.quick_order"))


def review_page(rows: Sequence[Proposal], title: str, back_url: str, crumbs: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page on which proposals are checked and put into the cart."""
    taken, merged, open_ = summary(rows)
    return render_template(
        "orders/review.html",
        rows=rows,
        title=title,
        back_url=back_url,
        crumbs=crumbs,
        taken=taken,
        merged=merged,
        open=open_,
        total=sum((row.net for row in rows if row.takes and row.net is not None), Decimal(0)),
        currency=rows[0].currency if rows else "",
    )


def put(items: Sequence[NewItem]) -> tuple[Added, ...]:
    """Put items into the cart at hand: the company's, or a visitor's."""
    if not items:
        raise Invalid("NOTHING-TO-ADD", _("Choose at least one article."))
    return guest_cart.add(items) if guest_cart.is_guest() else carts.add(items)


def _posted_items() -> list[NewItem]:
    """Return the items of the form; rows without a code, or not ticked where rows can be ticked, are left out."""
    form = request.form
    skus, units, quantities = form.getlist("sku"), form.getlist("unit"), form.getlist("quantity")
    references = form.getlist("reference")
    chosen = set(form.getlist("take")) if form.get("choosing") else None
    items = []
    for index, sku in enumerate(skus):
        if not sku.strip() or (chosen is not None and str(index) not in chosen):
            continue
        typed = quantities[index].strip() if index < len(quantities) else ""
        try:
            quantity = parse_quantity(typed) if typed else Decimal(1)
        except Invalid as refused:
            raise Invalid(refused.code, f"{sku.strip()[:80]}: {refused.message}") from refused
        unit = units[index] if index < len(units) else ""
        items.append(
            NewItem(sku.strip(), quantity, unit.strip(), reference=references[index] if index < len(references) else "")
        )
    return items


def _posted_quantities() -> tuple[dict[int, Decimal], list[str]]:
    quantities, problems = {}, []
    for name, value in request.form.items():
        kind, _dash, position = name.partition("-")
        if kind != "quantity":
            continue
        try:
            quantities[_position(position)] = parse_quantity(value)
        except Invalid as refused:
            problems.append(str(refused.message))
    return quantities, problems


def _posted_notes() -> dict[int, dict[str, str]]:
    notes: dict[int, dict[str, str]] = {}
    for name, value in request.form.items():
        kind, _dash, position = name.partition("-")
        if kind in ("note", "reference"):
            notes.setdefault(_position(position), {})[kind] = value.strip()
    return notes


def _position(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Invalid("BAD-REQUEST", _("The page that was sent is not complete; load it again."))
    return int(text)


def _posted_rows() -> paste.Pasted:
    """Return the rows of the grid, of the text field or of the file, whichever was filled."""
    upload = request.files.get("file")
    if upload and upload.filename:
        return uploads.read(upload)
    if request.form.get("rows", "").strip():
        return paste.parse(request.form["rows"])
    codes, quantities, units = (request.form.getlist(name) for name in ("code", "quantity", "unit"))
    units += [""] * (len(codes) - len(units))
    grid = [[code, quantity, unit] for code, quantity, unit in zip(codes, quantities, units, strict=False) if code.strip()]
    return paste.parse_cells([["SKU", "Quantity", "Unit"], *grid]) if grid else paste.Pasted(())


def _tell(outcomes: Sequence[Added]) -> None:
    """Say in one sentence what was added, and one for each article that was changed or left out."""
    taken = [outcome for outcome in outcomes if outcome.taken]
    if taken:
        flash(
            ngettext("%(num)s article is in your cart.", "%(num)s articles are in your cart.", len(taken), num=len(taken)),
            "success",
        )
    for outcome in outcomes[:50]:
        if outcome.message:
            flash(outcome.message, "warning" if outcome.taken else "error")


def _answer(refused: TukkuError) -> Any:
    if request.headers.get("HX-Request"):
        raise refused
    flash(str(refused.message), "error")
    fallback = url_for("orders.quick_order") if may_open("orders.quick_order") else url_for("orders.cart")
    return redirect(safe_next(request.form.get("next"), fallback), 303)
