"""The back-office page on which a contract says in which quantities and packages may be ordered."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional

from core.api.catalog import Product
from core.api.data import db
from core.api.hooks import NotFound
from core.api.i18n import translations
from core.api.ui import QuantityField, TukkuForm, requires

from . import limit_rows
from .editing import contract_by_code
from .permissions import EDIT, VIEW

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("pricing_contract_limits", __name__, template_folder="templates")


class LimitForm(TukkuForm):
    """How one product, a category or everything may be ordered."""

    target = StringField(
        _l("Product or category"),
        [InputRequired(), Length(max=80)],
        description=_l("A product by its code, a category by * and its code, everything by *."),
    )
    minimum = QuantityField(_l("Minimum"), [Optional()])
    step = QuantityField(_l("In steps of"), [Optional()], description=_l("Counted from the minimum."))
    unit = StringField(
        _l("Unit"),
        [Optional(), Length(max=20)],
        description=_l("In which both count. Empty: the base unit; the minimum is converted for packages."),
    )
    packages = StringField(
        _l("Only in these units"), [Optional(), Length(max=200)], description=_l("For example box, pallet. Empty: in all.")
    )


@bp.route("/contracts/<code>/quantities", methods=["GET"])
@requires(VIEW)
def quantities(code: str) -> Any:
    """Show the rows, and a form for one more."""
    return _page(code, LimitForm(formdata=None))


@bp.post("/contracts/<code>/quantities")
@requires(EDIT)
def save(code: str) -> Any:
    """Set one row."""
    contract, form = contract_by_code(code), LimitForm()
    if form.validate_on_submit():
        wrong = limit_rows.save(contract, {**_named(form.target.data.strip()), **_figures(form)})
        if not wrong:
            flash(_("Saved."), "success")
            return redirect(url_for(".quantities", code=code), 303)
        for name, message in wrong.items():
            field = "target" if name in ("sku", "category") else name
            form[field].errors = [message]
    return _page(code, form, 422)


@bp.post("/contracts/<code>/quantities/remove")
@requires(EDIT)
def remove(code: str) -> Any:
    """Take one row out."""
    target = request.form.get("target", type=int)
    if target is None or not limit_rows.remove(contract_by_code(code), target):
        raise NotFound("LIMIT-UNKNOWN", _("This row does not exist any more."))
    flash(_("Removed."), "success")
    return redirect(url_for(".quantities", code=code), 303)


def _named(target: str) -> dict[str, str]:
    """Return what the text names: a product, else a category, else everything."""
    if target == "*":
        return {}
    known = db.session.query(Product.id).filter_by(sku=target).first()
    return {"category": target.removeprefix("*")} if target.startswith("*") and known is None else {"sku": target}


def _figures(form: LimitForm) -> dict[str, Any]:
    packages = [part.strip() for part in (form.packages.data or "").split(",") if part.strip()]
    unit = (form.unit.data or "").strip()
    return {"minimum": form.minimum.data, "step": form.step.data, "unit": unit, "packages": packages}


def _page(code: str, form: LimitForm, status: int = 200) -> Any:
    contract = contract_by_code(code)
    rows = db.session.execute(limit_rows.limits_of(contract.id)).all()
    asked = request.args.get("change", "")
    if status == 200 and asked:
        _fill(form, rows, asked)
    html = render_template("pricing_contract/quantities.html", contract=contract, rows=rows, form=form)
    return html, status


def _fill(form: LimitForm, rows: Any, asked: str) -> None:
    """Show one row's values in the form."""
    for limit, _code, sku, category in rows:
        if str(limit.target) == asked:
            form.target.data = sku or (f"*{category}" if category else "*")
            form.minimum.data, form.step.data, form.unit.data = limit.minimum, limit.step, limit.unit
            form.packages.data = ", ".join(limit.packages)
