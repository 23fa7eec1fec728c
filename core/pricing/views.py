"""Back-office: a product's list prices, and the tax rates."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from wtforms import BooleanField
from wtforms.validators import InputRequired, Length

from core.companies.identifiers import country_name
from core.companies.services import seller
from core.data import clock
from core.data.scope import current_actor
from core.i18n import _, _l
from core.pricing import editing
from core.spec.errors import TukkuError
from core.spec.ui import PageContext, Panel
from core.ui.access import requires
from core.ui.fields import ChoiceField, CodeField, DayField, NumberField
from core.ui.forms import TukkuForm, form_errors

MANAGE, TAX = "pricing.price.manage", "pricing.tax.manage"
CATEGORIES = (("standard", _l("Standard")), ("reduced", _l("Reduced")), ("zero", _l("Zero")))
bp = Blueprint("pricing_admin", __name__)


class ListPriceForm(TukkuForm):
    """A list price of a product."""

    unit = ChoiceField(_l("Unit"))
    currency = CodeField(_l("Currency"), [InputRequired(), Length(min=3, max=3)])
    price = NumberField(_l("Price"), [InputRequired()], places=6, minimum=Decimal(0))
    with_tax = BooleanField(_l("The price includes VAT"), description=_l("It is kept without, at our own country's rate."))
    per = NumberField(_l("Per"), places=6, minimum=Decimal("0.000001"))
    first = DayField(_l("First day"))
    last = DayField(_l("Last day"))


class TaxRateForm(TukkuForm):
    """A tax rate of a country from a day on."""

    country = CodeField(
        _l("Country"), [InputRequired(), Length(min=2, max=2)], description=_l("Two letters, for example FI.")
    )
    category = ChoiceField(_l("Category"), options=CATEGORIES, default="standard")
    rate = NumberField(_l("Rate"), [InputRequired()], places=4, minimum=Decimal(0), maximum=Decimal(100), unit_label="%")
    first = DayField(_l("First day"), [InputRequired()])


def list_prices(context: PageContext) -> Mapping[str, Any] | None:
    """Return what the panel of a product's page shows: its list prices, and the form for those who may change them."""
    if context.subject_id is None:
        return None
    product, zone = editing.product_of(context.subject_code), ZoneInfo(seller().zone)
    prices = editing.list_prices_of(product.id)
    rows = [(row, editing.first_day(row.valid_from, zone), editing.last_day(row.valid_until, zone)) for row in prices]
    may = current_actor().may(MANAGE)
    return {"sku": product.sku, "rows": rows, "form": _form(product.sku) if may else None}


def _form(sku: str) -> ListPriceForm:
    form = ListPriceForm(formdata=request.form if request.endpoint == "pricing_admin.set_price" else None)
    form.unit.choices = [(unit, unit) for unit in editing.units_of(editing.product_of(sku))]
    if not form.currency.data:
        form.currency.data = seller().currency
    return form


@bp.post("/products/<path:sku>/prices")
@requires(MANAGE)
def set_price(sku: str) -> Any:
    """Add or change a list price."""
    form = _form(sku)
    if not form.validate_on_submit():
        flash(" ".join(f"{error.label}: {error.message}" for error in form_errors(form)), "error")
        return redirect(_product_page(sku), 303)
    values = {name: form[name].data for name in ("unit", "currency", "price", "first", "last")}
    try:
        editing.set_list_price(sku, {**values, "per": form.per.data or Decimal(1)})
    except TukkuError as error:
        flash(str(error.message), "error")
    else:
        flash(_("The list price is saved. It holds at once."), "success")
    return redirect(_product_page(sku), 303)


@bp.post("/products/<path:sku>/prices/<int:number>/remove")
@requires(MANAGE)
def remove_price(sku: str, number: int) -> Any:
    """Remove a list price."""
    editing.remove_list_price(sku, number)
    flash(_("The list price is removed."), "success")
    return redirect(_product_page(sku), 303)


def _product_page(sku: str) -> str:
    return url_for("catalog_admin.product", sku=sku) + "#list-prices"


@bp.route("/tax-rates", methods=["GET", "POST"])
@requires(TAX)
def tax_rates() -> Any:
    """Show the tax rates; a new one holds from its first day on, the old one stays for what was before."""
    form = TaxRateForm()
    if form.validate_on_submit() and form.rate.data is not None and form.first.data is not None:
        try:
            editing.set_tax_rate(form.country.data.upper(), form.category.data, form.rate.data, form.first.data)
        except TukkuError as error:
            form.form_errors.append(str(error.message))
        else:
            flash(_("The tax rate is saved."), "success")
            return redirect(url_for("pricing_admin.tax_rates"), 303)
    status = 422 if request.method == "POST" else 200
    today = clock.today(seller().zone)
    page = render_template(
        "pricing/tax_rates.html",
        form=form,
        rates=editing.tax_rates(),
        labels=dict(CATEGORIES),
        country_name=country_name,
        today=today,
    )
    return page, status


PANELS = (
    Panel(
        key="list-prices",
        page="backoffice.product",
        slot="main",
        template="pricing/panel_product.html",
        load=list_prices,
        title=_l("List prices"),
        permission=MANAGE,
        order=20,
    ),
)
