"""Ordering without an account: the form, and the page of the order behind a link that cannot be guessed."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, session, url_for
from wtforms import EmailField, HiddenField, StringField
from wtforms.validators import Email, InputRequired, Length

from core.accounts import attempts
from core.companies.forms import countries
from core.companies.services import seller
from core.i18n import _, _l
from core.orders import charges, documents, guest_cart, guest_orders, queries
from core.orders.documents import address_lines
from core.orders.guest_orders import Contact, GuestOrder
from core.orders.models import Order
from core.orders.pages import CartPage, cart_page, order_page
from core.orders.placing import PriceChanged
from core.orders.rules import CheckoutRefused
from core.orders.steps import steps_of
from core.orders.views import bp
from core.orders.views_checkout import read_amount
from core.orders.views_history import posted_version, send_document
from core.settings.services import get
from core.spec.errors import Conflict, Invalid
from core.spec.orders import Finding
from core.ui.access import public, requires
from core.ui.fields import ChoiceField
from core.ui.forms import Sections, TukkuForm

LIMIT = "guest_order"


class GuestForm(TukkuForm):
    """Who orders, and where the goods go."""

    company = StringField(_l("Company"), [InputRequired(), Length(max=200)], render_kw={"autocomplete": "organization"})
    business_id = StringField(_l("Business ID"), [InputRequired(), Length(max=40)])
    vat_id = StringField(_l("VAT number"), [Length(max=40)])
    name = StringField(_l("Your name"), [InputRequired(), Length(max=200)], render_kw={"autocomplete": "name"})
    email = EmailField(
        _l("E-mail"),
        [
            InputRequired(),
            Length(max=255),
            Email(_l("This is not an e-mail address. Example: name@company.com"), allow_smtputf8=False),
        ],
        description=_l("The confirmation and the link to your order go there."),
        render_kw={"autocomplete": "email"},
    )
    phone = StringField(_l("Phone"), [Length(max=50)], render_kw={"autocomplete": "tel"})
    street = StringField(_l("Street"), [InputRequired(), Length(max=200)], render_kw={"autocomplete": "address-line1"})
    street2 = StringField(_l("Second line"), [Length(max=200)])
    postal_code = StringField(_l("Postal code"), [Length(max=20)], render_kw={"autocomplete": "postal-code"})
    city = StringField(_l("City"), [InputRequired(), Length(max=100)], render_kw={"autocomplete": "address-level2"})
    country = ChoiceField(_l("Country"), options=countries)
    expected_total = HiddenField()
    #: The secret of the order's page, made with the form: the same form twice is one order.
    key = HiddenField()

    def contact(self) -> Contact:
        """Return who orders, as typed."""
        return Contact(**{name: _printable(self[name].data or "") for name in Contact.__slots__})


@bp.get("/checkout/guest")
@requires("orders.guest.place")
def guest_checkout() -> Any:
    """Ask a visitor who orders and where the goods go."""
    page = _page()
    if page is None:
        return redirect(url_for("orders.cart"), 303)
    form = GuestForm(formdata=None, data={"country": seller().country, "key": guest_orders.new_key()})
    return _show(form, page, steps_of(None))


@bp.post("/checkout/guest")
@requires("orders.guest.place")
def place_as_guest() -> Any:
    """Place the visitor's order; a second click leads to the same order."""
    form = GuestForm()
    key = guest_orders.checked_key(form.key.data or "")
    if guest_orders.exists(key):
        return redirect(url_for("orders.guest_order", key=key), 303)
    page = _page()
    if page is None:
        flash(_("Your cart is empty; it may have been ordered in another window."), "error")
        return redirect(url_for("orders.cart"), 303)
    steps = steps_of(None)
    if not (form.validate() & steps.validate()):
        return _show(form, page, steps), 422
    _limit(form.email.data or "")
    try:
        _place(form, key, steps)
    except PriceChanged as changed:
        form.expected_total.data = str(changed.total)
        return _show(form, page, steps, changed=changed), 409
    except CheckoutRefused as refused:
        return _show(form, page, steps, refused.findings), 422
    except Conflict as conflict:
        return _show(form, page, steps, (Finding(conflict.code, "block", conflict.message),)), 409
    except Invalid as invalid:
        return _show(form, page, steps, _on_field(form, invalid)), 422
    session.pop(guest_cart.KEY, None)
    flash(_("Thank you, your order has arrived. Keep the address of this page; it is also in the mail to you."), "success")
    return redirect(url_for("orders.guest_order", key=key), 303)


@bp.get("/guest-orders/<key>")
@public("whoever holds the secret of an order's link may see it")
def guest_order(key: str) -> Any:
    """Show an order to who has its link: state, lines, sums."""
    found = guest_orders.find(key)
    with guest_orders.seeing(found):
        page = order_page(found, queries.lines_of(found.id))
        return render_template(
            "orders/guest_order.html",
            page=page,
            order=found,
            key=key,
            may_cancel=guest_orders.may_cancel(found),
            held=bool(queries.standing_holds(found)),
            ship_to=address_lines(found.ship_to),
            bill_to=[],
            charges=documents.charge_rows(found, charges.rows_of(found.id)),
            taxes=documents.tax_rows(found),
        )


@bp.route("/guest-orders/<key>/cancel", methods=["GET", "POST"])
@public("whoever holds the secret of an order's link may cancel it until goods leave")
def cancel_guest_order(key: str) -> Any:
    """Ask once more, then cancel the order of a link."""
    found = guest_orders.find(key)
    back = url_for("orders.guest_order", key=key)
    if request.method == "POST":
        try:
            guest_orders.cancel_guest(key, request.form.get("reason", "")[:500], version=posted_version())
            flash(_("The order %(number)s is cancelled.", number=guest_orders.find(key).number), "success")
        except Conflict as refused:
            flash(str(refused.message), "error")
        return redirect(back, 303)
    with guest_orders.seeing(found):
        if not guest_orders.may_cancel(found):
            return redirect(back, 303)
        return render_template("orders/guest_cancel.html", order=found, key=key)


@bp.after_request
def _keep_secret(response: Response) -> Response:
    """Let no search engine list, and no cache keep, what only its link opens."""
    if request.endpoint in _BEHIND_LINKS:
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Cache-Control"] = "private, no-store"
    return response


_BEHIND_LINKS = frozenset({"orders.guest_order", "orders.guest_confirmation", "orders.cancel_guest_order"})


@bp.get("/guest-orders/<key>/confirmation.pdf")
@public("whoever holds the secret of an order's link may see it")
def guest_confirmation(key: str) -> Any:
    """Download the confirmation."""
    found: Order = guest_orders.find(key)
    with guest_orders.seeing(found):
        return send_document(found)


def _page() -> CartPage | None:
    """Return the visitor's cart; None for who has signed in meanwhile, or has chosen nothing."""
    return cart_page() if guest_cart.is_guest() else None


def _show(form: GuestForm, page: CartPage, steps: Sections, found: Any = (), changed: PriceChanged | None = None) -> str:
    if changed is None:  # what is charged is what the page shows now
        form.expected_total.data = str(page.priced.totals.gross)
    return render_template(
        "orders/guest_checkout.html",
        form=form,
        steps=steps,
        page=page,
        findings=found,
        changed=changed,
        po_required=get("orders", "po_number_required"),
    )


def _place(form: GuestForm, key: str, steps: Sections) -> None:
    guest_orders.place_guest(
        GuestOrder(
            key=key,
            contact=form.contact(),
            items=guest_cart.items(),
            expected_total=read_amount(form.expected_total.data or ""),
            enter=steps.save,
        )
    )


def _printable(text: str) -> str:
    """Leave out what nobody sees and a database refuses, such as a character of number zero."""
    return "".join(c for c in text if c.isprintable()).strip()


def _on_field(form: GuestForm, invalid: Invalid) -> tuple[Finding, ...]:
    """Put a refusal beside its field; what belongs to none stands above the form."""
    field = (invalid.details or {}).get("field", "")
    if field in form and field != "csrf_token":
        form[field].errors = [*form[field].errors, str(invalid.message)]
        return ()
    return (Finding(invalid.code, "block", invalid.message),)


def _limit(email: str) -> None:
    """Let one address, of the network or of mail, order a few times in a while."""
    keys = (f"address:{request.remote_addr or ''}", f"email:{email.strip().lower()}")
    attempts.check(LIMIT, *keys)
    attempts.count(LIMIT, *keys)
