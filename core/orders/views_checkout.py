"""Checkout: the head of the order, everything that stops it in one list, and placing it once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from wtforms import HiddenField

from core.data.write import write
from core.i18n import _
from core.i18n.numbers import read_plain
from core.orders import cart, guest_cart, placing, queries
from core.orders.documents import address_lines
from core.orders.pages import CartPage, cart_page, prices_open, read_seen
from core.orders.placing import Placement, PriceChanged
from core.orders.rules import CheckoutRefused
from core.orders.steps import steps_of
from core.orders.views import bp
from core.settings.services import get
from core.spec.errors import Conflict, Invalid
from core.spec.orders import Finding, Stage
from core.ui.access import requires
from core.ui.forms import Sections, TukkuForm
from core.ui.links import safe_next
from core.ui.slots import panels

#: Findings that the buyer mends in the form itself: they are not news before it was sent.
_OF_THE_FORM = frozenset({"PO-NUMBER-MISSING"})


class CheckoutForm(TukkuForm):
    """What the page itself sends: which cart, and what was shown; all else is in the steps."""

    cart_key = HiddenField()
    expected_total = HiddenField()
    seen = HiddenField()

    def placement(self, steps: Sections) -> Placement:
        """Return what was sent; Invalid where the page's own fields were tampered with."""
        return Placement(
            expected_total=read_amount(self.expected_total.data or ""),
            cart_key=self.cart_key.data or "",
            seen=read_seen(self.seen.data or ""),
            enter=steps.save,
        )


@bp.get("/checkout")
@requires("orders.order.place", "orders.cart.use")
def checkout() -> Any:
    """Ask for addresses, order number and date; a visitor is asked to sign in."""
    if guest_cart.is_guest():
        flash(_("Sign in to order; what you have chosen is kept."), "info")
        return redirect(url_for("accounts.login", next=url_for("orders.cart")), 303)
    page = cart_page(Stage.SUBMIT)
    if page is None or page.order is None:
        return redirect(url_for("orders.cart"), 303)
    return _show(CheckoutForm(formdata=None), page, [f for f in page.findings if f.code not in _OF_THE_FORM])


@bp.post("/checkout")
@requires("orders.order.place")
def place() -> Any:
    """Place the order; the same cart again, from another tab or by a second click, shows the same order."""
    form, order = CheckoutForm(), cart.current_cart()
    steps = steps_of(order) if order else Sections(())
    if not (form.validate() & steps.validate()):
        return _again(form, (), 422, steps=steps)
    try:
        placed = placing.place(form.placement(steps))
    except PriceChanged as changed:
        if order is not None:  # the day and the address that were entered decide about prices and tax: show those
            with write():
                if cart.hold(order):
                    steps.save(order.id)
        return _again(form, (), 409, changed, steps=steps)
    except CheckoutRefused as refused:
        return _again(form, refused.findings, 422, steps=steps)
    except Conflict as conflict:
        return _again(form, (Finding(conflict.code, "block", conflict.message),), 409, steps=steps)
    except Invalid as invalid:
        return _again(form, (Finding(invalid.code, "block", invalid.message),), 422, steps=steps)
    return redirect(url_for("orders.thanks", number=placed.order.number), 303)


@bp.get("/orders/<number>/thanks")
@requires("orders.order.view")
def thanks(number: str) -> str:
    """Say that the order was placed, whether it is confirmed, and what comes next."""
    order = queries.find(number)
    return render_template(
        "orders/thanks.html",
        order=order,
        ship_to=address_lines(order.ship_to),
        priced=prices_open(order),
        main=panels("storefront.thanks", "main", order.id, number),
    )


def _show(
    form: CheckoutForm, page: CartPage, found: Any, changed: PriceChanged | None = None, steps: Sections | None = None
) -> str:
    order = page.order
    assert order is not None
    form.cart_key.data, form.seen.data = order.client_reference, page.seen
    form.expected_total.data = str(page.priced.totals.gross)
    return render_template(
        "orders/checkout.html",
        form=form,
        steps=steps or steps_of(order),
        page=page,
        findings=found,
        changed=changed,
        po_required=get("orders", "po_number_required", company=order.company_id),
        stopped=any(f.level == "block" for f in found if f.code not in _OF_THE_FORM),
        main=panels("storefront.checkout", "main", order.id),
        side=panels("storefront.checkout", "side", order.id),
    )


def _again(form: CheckoutForm, found: Any, status: int, changed: PriceChanged | None = None, *, steps: Sections) -> Any:
    """Show the page again as it was filled, at the prices of now; without a cart, say what became of it."""
    page = cart_page(Stage.SUBMIT)
    if page is None or page.order is None:
        for finding in found:
            flash(str(finding.message), "error")
        return redirect(safe_next(request.form.get("next"), url_for("orders.cart")), 303)
    known = {(f.code, str(f.message)) for f in found}
    more = [f for f in page.findings if f.code not in _OF_THE_FORM and (f.code, str(f.message)) not in known]
    return _show(form, page, [*found, *more], changed, steps), status


def read_amount(text: str) -> Decimal:
    """Return the total that a page said it showed; Invalid for anything that our pages do not send."""
    try:
        return read_plain(text)
    except Invalid as refused:
        raise Invalid("BAD-REQUEST", _("The page that was sent is not complete; load it again.")) from refused
