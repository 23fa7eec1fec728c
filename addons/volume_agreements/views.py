"""Back-office pages of volume agreements: the list, one with its progress and what orders drew, and its form."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from core.api.companies import Company
from core.api.data import db
from core.api.i18n import translations
from core.api.orders import Order
from core.api.ui import Empty, requires, show_form, show_list

from . import editing
from .forms import AgreementForm
from .listing import AGREEMENTS
from .models import Agreement, Entry
from .permissions import EDIT, VIEW
from .standing import named, standings

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("volume_agreements_admin", __name__, template_folder="templates")
SHOWN = 100
MOVES = {
    "reserve": _l("Ordered"), "commit": _l("Confirmed"), "release": _l("Given back before the confirmation"),
    "restore": _l("Cancelled or returned"),
}  # fmt: skip


@bp.get("/agreements")
@requires(VIEW)
def agreements() -> Any:
    """List the agreements."""
    empty = Empty(
        _("No volume agreement yet"),
        _("A company commits itself to a quantity at a price; its orders draw it down until it is used up."),
        "box-seam",
        _("Add an agreement"),
        url_for(".new"),
    )
    return show_list(AGREEMENTS, "volume_agreements/agreements.html", empty=empty)


@bp.route("/agreements/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> Any:
    """Make an agreement."""
    return _edit(AgreementForm(company=request.args.get("company", "")), None)


@bp.get("/agreements/<code>")
@requires(VIEW)
def agreement(code: str) -> Any:
    """Show an agreement, how it stands, and the ledger of what orders drew."""
    found = editing.by_code(code)
    query = (
        select(Entry, Order.number, Company.name)
        .join(Order, Order.id == Entry.order_id)
        .join(Company, Company.id == Entry.company_id)
        .where(Entry.agreement_id == found.id)
        .order_by(Entry.id.desc())
        .limit(SHOWN)
    )
    return render_template(
        "volume_agreements/agreement.html",
        standing=standings([found])[0], named=named([found]), entries=db.session.execute(query).all(), moves=MOVES,
        shown=SHOWN,
    )  # fmt: skip


@bp.route("/agreements/<code>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(code: str) -> Any:
    """Change an agreement."""
    found = editing.by_code(code)
    form = AgreementForm()
    if request.method == "GET":
        form.fill(found)
    return _edit(form, found)


def _edit(form: AgreementForm, found: Agreement | None) -> Any:
    def save() -> Any:
        values = form.values()
        if found is not None:
            values["code"] = found.code
        saved = editing.save(found, values, request.form.get("version", type=int))
        flash(_("The agreement is saved."), "success")
        return redirect(url_for(".agreement", code=saved.code), 303)

    return show_form(form, "volume_agreements/edit.html", save, agreement=found)
