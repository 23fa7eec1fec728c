"""Checkout: the head of the order, everything that stops it in one list, and placing it once."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Length

from core.accounts.access import safe_next
from core.companies.models import Address
from core.i18n import _, _l
from core.orders import addresses, guest, placing, queries
from core.orders.documents import address_lines
from core.orders.pages import CartPage, cart_page, read_seen
from core.orders.placing import Placement, PriceChanged
from core.orders.rules import CheckoutRefused
from core.orders.views import bp
from core.settings.services import get
from core.spec.errors import Conflict, Invalid
from core.spec.orders import Finding, Stage
from core.ui.access import requires
from core.ui.fields import DayField, choices
from core.ui.forms import TukkuForm
from core.ui.slots import panels

#: Findings that the buyer mends in the form itself: they are not news before it was sent.
_OF_THE_FORM = frozenset({"PO-NUMBER-MISSING"})


class CheckoutForm(TukkuForm):
    """What the buyer adds to the cart to make it an order."""

    ship_to = RadioField(_l("Deliver to"), validate_choice=False)
    bill_to = RadioField(_l("Bill to"), validate_choice=False)
    po_number = StringField(_l("Your purchase order number"), [Length(max=60)])
    wished_date = DayField(
        _l("Wished delivery date"),
        description=_l("A date, or words such as “in 2 weeks”; leave empty for as soon as possible."),
    )
    note = TextAreaField(_l("Message with the order"), [Length(max=5000)])
    cart_key = HiddenField()
    expected_total = HiddenField()
    seen = HiddenField()

    def offer(self, page: CartPage) -> None:
        """Offer the company's addresses, the default chosen."""
        order = page.order
        assert order is not None
        for field, use in ((self.ship_to, "ship_to"), (self.bill_to, "bill_to")):
            found = addresses.choices(use)  # type: ignore[arg-type]
            field.choices = choices([(a.code, _address_text(a)) for a in found])
            chosen = addresses.chosen(use, getattr(order, f"{use}_id"))  # type: ignore[arg-type]
            if not field.data and chosen:
                field.data = chosen.code

    def placement(self) -> Placement:
        """Return what was sent; Invalid where the page's own fields were tampered with."""
        return Placement(
            expected_total=_amount(self.expected_total.data or ""),
            cart_key=self.cart_key.data or "",
            seen=read_seen(self.seen.data or ""),
            ship_to=self.ship_to.data or "",
            bill_to=self.bill_to.data or "",
            po_number=self.po_number.data or "",
            note=self.note.data or "",
            wished_date=self.wished_date.data,
        )


@bp.get("/checkout")
@requires("orders.order.place", "orders.cart.use")
def checkout() -> Any:
    """Ask for addresses, order number and date; a visitor is asked to sign in."""
    if guest.is_guest():
        flash(_("Sign in to order; what you have chosen is kept."), "info")
        return redirect(url_for("accounts.login", next=url_for("orders.cart")), 303)
    page = cart_page(Stage.SUBMIT)
    if page is None or page.order is None:
        return redirect(url_for("orders.cart"), 303)
    order = page.order
    form = CheckoutForm(
        formdata=None, data={"po_number": order.po_number, "note": order.note, "wished_date": order.wished_date}
    )
    return _show(form, page, [f for f in page.findings if f.code not in _OF_THE_FORM])


@bp.post("/checkout")
@requires("orders.order.place")
def place() -> Any:
    """Place the order; the same cart again, from another tab or by a second click, shows the same order."""
    form = CheckoutForm()
    if not form.validate():
        return _again(form, (), 422)
    try:
        placed = placing.place(form.placement())
    except PriceChanged as changed:
        return _again(form, (), 409, changed)
    except CheckoutRefused as refused:
        return _again(form, refused.findings, 422)
    except Conflict as conflict:
        return _again(form, (Finding(conflict.code, "block", conflict.message),), 409)
    except Invalid as invalid:
        return _again(form, (Finding(invalid.code, "block", invalid.message),), 422)
    return redirect(url_for("orders.thanks", number=placed.order.number), 303)


@bp.get("/orders/<number>/thanks")
@requires("orders.order.view")
def thanks(number: str) -> str:
    """Say that the order was placed, whether it is confirmed, and what comes next."""
    order = queries.find(number)
    return render_template("orders/thanks.html", order=order, ship_to=address_lines(order.ship_to))


def _show(form: CheckoutForm, page: CartPage, found: Any, changed: PriceChanged | None = None) -> str:
    order = page.order
    assert order is not None
    form.offer(page)
    form.cart_key.data, form.seen.data = order.client_reference, page.seen
    form.expected_total.data = str(page.priced.totals.gross)
    return render_template(
        "orders/checkout.html",
        form=form,
        page=page,
        findings=found,
        changed=changed,
        po_required=get("orders", "po_number_required", company=order.company_id),
        stopped=any(f.level == "block" for f in found if f.code not in _OF_THE_FORM),
        main=panels("storefront.checkout", "main", order.id),
        side=panels("storefront.checkout", "side", order.id),
    )


def _again(form: CheckoutForm, found: Any, status: int, changed: PriceChanged | None = None) -> Any:
    """Show the page again as it was filled, at the prices of now; without a cart, say what became of it."""
    page = cart_page(Stage.SUBMIT)
    if page is None or page.order is None:
        for finding in found:
            flash(str(finding.message), "error")
        return redirect(safe_next(request.form.get("next"), url_for("orders.cart")), 303)
    known = {(f.code, str(f.message)) for f in found}
    more = [f for f in page.findings if f.code not in _OF_THE_FORM and (f.code, str(f.message)) not in known]
    return _show(form, page, [*found, *more], changed), status


def _address_text(address: Address) -> str:
    return ", ".join(
        address_lines(
            {name: getattr(address, name) for name in ("name", "street", "postal_code", "city", "country")}, address.country
        )
    )


def _amount(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise Invalid("BAD-REQUEST", _("The page that was sent is not complete; load it again."))
    return value
