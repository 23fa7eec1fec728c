"""Set the price of a line by hand: in the cart of a buyer for whom one acts, and on an order that is not confirmed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import InputRequired, Length

from core.i18n import _, _l
from core.i18n.numbers import read_number
from core.orders import admin, cart, manual, queries, views
from core.orders.manual import SET, AgreedTerms
from core.orders.models import OrderLine
from core.orders.views_history import posted_version
from core.pricing.manual import read
from core.spec.errors import Conflict, Forbidden, Invalid, NotFound
from core.spec.pricing import ManualTerms
from core.ui.access import requires
from core.ui.fields import NumberField
from core.ui.formats import per_unit, price, qty, typed
from core.ui.forms import TukkuForm

_BETWEEN = re.compile(r"\s*[+;]\s*|\s+")


class PriceForm(TukkuForm):
    """A price, a discount on it or on the price that was found, and why."""

    price = NumberField(_l("Price"), places=6, minimum=0, description=_l("Empty: the price that was found."))
    amount = NumberField(_l("Discount as an amount"), places=6, minimum=0)
    percents = StringField(
        _l("Discount in percent"),
        [Length(max=80)],
        description=_l("Several one after the other: 10 + 5 makes 14.5 percent."),
    )
    added = BooleanField(_l("Add the percents up: 10 + 5 makes 15 percent"))
    reason = StringField(
        _l("Reason"), [InputRequired(), Length(min=3, max=500)], description=_l("Staff read it, the buyer does not.")
    )
    version = HiddenField()

    def terms(self) -> ManualTerms:
        """Return what was entered; Invalid names the field that cannot be read."""
        return ManualTerms(
            self.price.data, self.amount.data, _percents(self.percents.data or ""), self.added.data,
            reason=self.reason.data.strip(),
        )  # fmt: skip


def _percents(text: str) -> tuple[Decimal, ...]:
    try:
        return tuple(read_number(part) for part in _BETWEEN.split(text.replace("%", " ").strip()) if part)
    except Invalid as refused:
        raise Invalid(refused.code, str(refused.message), details={"field": "percents"}) from refused


@views.bp.route("/cart/lines/<int:position>/price", methods=["GET", "POST"])
@requires(SET)
def line_price(position: int) -> Any:
    """Set the price of a line in the cart of the buyer for whom one acts."""
    order = cart.current_cart()
    lines = queries.lines_of(order.id) if order else []
    line = next((x for x in lines if x.position == position), None)
    if order is None or line is None:
        raise NotFound("LINE-UNKNOWN", _("There is no such line in the cart."))
    crumbs = [(_("Cart"), url_for("orders.cart")), (line.sku, "")]
    return _page(
        line,
        order.currency,
        "storefront/layout.html",
        crumbs,
        url_for("orders.cart"),
        lambda terms: manual.set_in_cart(position, terms),
    )


@admin.bp.route("/<number>/lines/<int:position>/price", methods=["GET", "POST"])
@requires(SET)
def order_line_price(number: str, position: int) -> Any:
    """Set the price of a line of an order that is not confirmed."""
    order = queries.find(number)
    line = next((x for x in queries.lines_of(order.id) if x.position == position), None)
    if line is None:
        raise NotFound("LINE-UNKNOWN", _("The order %(number)s has no line %(line)s.", number=number, line=position))
    back = url_for("orders_admin.order", number=number)
    crumbs = [(_("Orders"), url_for("orders_admin.orders")), (number, back), (line.sku, "")]
    return _page(
        line,
        order.currency,
        "backoffice/layout.html",
        crumbs,
        back,
        lambda terms: manual.set_on_order(number, position, terms, version=posted_version()),
        order.version,
    )


def _page(
    line: OrderLine,
    currency: str,
    layout: str,
    crumbs: Sequence[tuple[str, str]],
    back: str,
    change: Callable[[ManualTerms | None], Any],
    version: int | None = None,
) -> Any:
    """Show the form, or do what was sent and go back; what is refused is said at its field."""
    agreed = manual.agreed(line, currency)
    kept = read(line.manual)
    form = PriceForm(data=_entered(kept) if kept else {})
    status = 200
    if request.method == "POST":
        status = 422
        try:
            if request.form.get("remove"):
                change(None)
                flash(_("What was set by hand on %(sku)s is taken back.", sku=line.sku), "success")
                return redirect(back, 303)
            if form.validate():
                change(form.terms())
                flash(_("The price of %(sku)s is set.", sku=line.sku), "success")
                return redirect(back, 303)
        except Conflict as refused:
            flash(str(refused.message), "error")
            return redirect(back, 303)
        except (Invalid, Forbidden) as refused:
            field = form[str((refused.details or {}).get("field", "price"))]
            field.errors = [*field.errors, str(refused.message)]
    form.version.data = "" if version is None else str(version)
    return (
        render_template(
            "orders/line_price.html",
            layout=layout,
            line=line,
            form=form,
            agreed=agreed,
            crumbs=crumbs,
            back=back,
            facts=_facts(line, currency, agreed),
            unit_text=f"{currency} / {per_unit(line.per, line.unit)}",
        ),
        status,
    )


def _entered(terms: ManualTerms) -> dict[str, Any]:
    return {
        "price": terms.price,
        "amount": terms.amount,
        "percents": " + ".join(typed(percent) for percent in terms.percents),
        "added": terms.added,
        "reason": terms.reason,
    }


def _facts(line: OrderLine, currency: str, agreed: AgreedTerms | None) -> list[tuple[str, str]]:
    def shown(amount: Decimal | None) -> str:
        """Return the price with what it is for, as the fields beside it are read."""
        return "–" if amount is None else f"{price(amount, currency)} / {per_unit(line.per, line.unit)}"

    return [
        (_("Quantity"), qty(line.quantity, line.unit)),
        (_("List price"), shown(line.list_price)),
        (_("Price before"), shown(agreed.before if agreed else line.unit_price)),
        (_("Price now"), shown(line.unit_price)),
    ]
