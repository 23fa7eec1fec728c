"""The cart, quick order and saved lists in the shop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, session, url_for

from core.catalog.folding import fold_code
from core.catalog.services import code_hits
from core.data.scope import current_actor
from core.i18n import _, ngettext
from core.orders import articles, guest_cart, paste, quickorder, reviewing, uploads
from core.orders import cart as carts
from core.orders.manual import SET
from core.orders.merging import Added, NewItem
from core.orders.pages import cart_page
from core.orders.quantities import parse_quantity
from core.spec.errors import Invalid, TukkuError
from core.ui.access import requires
from core.ui.links import may_open, safe_next
from core.ui.slots import panels

bp = Blueprint("orders", __name__)
GRID_ROWS = 10


class Refused(NamedTuple):
    """A quantity that was not taken: as it was typed, and why."""

    typed: str
    why: str


@bp.get("/cart")
@requires("orders.cart.use", "orders.order.view")
def cart() -> str:
    """Show the open cart, priced now."""
    return _cart_page({})


def _cart_page(refused: Mapping[int, Refused]) -> str:
    """Return the cart's page; ``refused`` are quantities that were not taken, by position, shown as they were typed."""
    page = cart_page()
    subject = page.order.id if page and page.order else None
    return render_template(
        "orders/cart.html",
        page=page,
        refused={str(position): found for position, found in refused.items()},
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
        outcomes = put(reviewing.items())
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
    moved = _moved()
    if request.form.get("remove"):
        position = _position(request.form["remove"])
        if position in moved:
            return _changed_meanwhile()
        (guest_cart.remove if guest_cart.is_guest() else carts.remove)([position])
        flash(_("The line was taken out of the cart."), "success")
        return redirect(url_for("orders.cart"), 303)
    if moved:
        return _changed_meanwhile()
    quantities, refused = _posted_quantities()
    if guest_cart.is_guest():
        guest_cart.change(quantities)
        messages: tuple[str, ...] = ()
    else:
        messages = carts.change(quantities, _posted_notes())
    for message in messages:
        flash(message, "warning")
    if refused:
        flash(_("Some quantities were not changed; see the lines."), "error")
        return _cart_page(refused), 422
    return redirect(url_for("orders.checkout" if request.form.get("checkout") else "orders.cart"), 303)


def _moved() -> set[int]:
    """Return the positions at which the cart has another article than the page that was sent, or none."""
    held = guest_cart.held() if guest_cart.is_guest() else carts.held()
    shown = {name.partition("-")[2]: sku for name, sku in request.form.items() if name.startswith("article-")}
    return {at for position, sku in shown.items() if held.get(at := _position(position)) != sku}


def _changed_meanwhile() -> Any:
    flash(_("The cart was changed in another window, so nothing was changed here. This is the cart as it is now."), "error")
    return redirect(url_for("orders.cart"), 303)


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
    return reviewing.review_page(rows, _("Check your rows"), url_for("orders.quick_order"))


def put(items: Sequence[NewItem]) -> tuple[Added, ...]:
    """Put items into the cart at hand: the company's, or a visitor's."""
    if not items:
        raise Invalid("NOTHING-TO-ADD", _("Choose at least one article."))
    return guest_cart.add(items) if guest_cart.is_guest() else carts.add(items)


def _posted_quantities() -> tuple[dict[int, Decimal], dict[int, Refused]]:
    quantities, refused = {}, {}
    for name, value in request.form.items():
        kind, _dash, position = name.partition("-")
        if kind != "quantity":
            continue
        try:
            quantities[_position(position)] = parse_quantity(value)
        except Invalid as error:
            refused[_position(position)] = Refused(value[:40], str(error.message))
    return quantities, refused


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
    return reviewing.grid()


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
    if request.form.get("choosing") and request.form.get("take"):
        return reviewing.again(url_for("orders.quick_order")), refused.status
    fallback = url_for("orders.quick_order") if may_open("orders.quick_order") else url_for("orders.cart")
    return redirect(safe_next(request.form.get("next"), fallback), 303)
