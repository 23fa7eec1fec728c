"""Back-office pages of rebates: the list, one with its periods and its ledger, its form."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from core.api.companies import Company
from core.api.data import db
from core.api.hooks import TukkuError
from core.api.i18n import read_plain, translations
from core.api.orders import Order
from core.api.ui import Empty, requires, show_form, show_list

from . import documents, editing, settling, standing, wording
from .forms import RebateForm
from .listing import REBATES, SETTLEMENTS, STATES
from .models import Entry, Rebate
from .permissions import EDIT, SETTLE, VIEW

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("rebates_admin", __name__, template_folder="templates")
SHOWN = 50
MOVES = {"accrue": _l("Accrued"), "true_up": _l("Step crossed or terms changed"), "reverse": _l("Cancelled or returned")}


@bp.get("/rebates")
@requires(VIEW)
def rebates() -> Any:
    """List the rebates."""
    empty = Empty(
        _("No rebate yet"),
        _("A company gets part of its turnover back at the end of a year or quarter, more the more it bought."),
        "percent",
        _("Add a rebate"),
        url_for(".new"),
    )
    return show_list(REBATES, "rebates/rebates.html", empty=empty)


@bp.route("/rebates/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> Any:
    """Make a rebate."""
    return _edit(RebateForm(company=request.args.get("company", "")), None)


@bp.get("/rebates/<code>")
@requires(VIEW)
def rebate(code: str) -> Any:
    """Show a rebate, how it stood in each period, and its ledger."""
    found = editing.by_code(code)
    query = (
        select(Entry, Order.number, Company.name)
        .outerjoin(Order, Order.id == Entry.order_id)
        .join(Company, Company.id == Entry.company_id)
        .where(Entry.rebate_id == found.id)
        .order_by(Entry.id.desc())
        .limit(SHOWN)
    )
    current = standing.current([found])
    return render_template(
        "rebates/rebate.html",
        rebate=found, now=current[0] if current else None, periods=standing.every(found), words=wording,
        company=db.session.get(Company, found.company_id), targets=standing.targets_of([found])[found.id],
        entries=db.session.execute(query).all(), moves=MOVES, shown=SHOWN, settlements=settling.of_rebate([found.id]),
        states=dict(STATES),
    )  # fmt: skip


@bp.route("/rebates/<code>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(code: str) -> Any:
    """Change a rebate."""
    found = editing.by_code(code)
    form = RebateForm()
    if request.method == "GET":
        form.fill(found)
    return _edit(form, found)


def _edit(form: RebateForm, found: Rebate | None) -> Any:
    def save() -> Any:
        values = form.values()
        if found is not None:
            values["code"] = found.code
        saved = editing.save(found, values, request.form.get("version", type=int))
        flash(_("The rebate is saved, and what accrued is computed anew."), "success")
        return redirect(url_for(".rebate", code=saved.code), 303)

    return show_form(form, "rebates/edit.html", save, rebate=found)


@bp.get("/settlements")
@requires(VIEW)
def settlements() -> Any:
    """List the settlements."""
    empty = Empty(
        _("Nothing to settle yet"),
        _("Some days after the end of a period, what accrued is proposed here for finance to accept."),
        "receipt",
    )
    return show_list(SETTLEMENTS, "rebates/settlements.html", empty=empty)


@bp.get("/settlements/<code>")
@requires(VIEW)
def settlement(code: str) -> Any:
    """Show a settlement; finance decides on it here."""
    one = settling.find(code)
    return render_template(
        "rebates/settlement.html", one=one, company=db.session.get(Company, one.company_id), words=wording,
        states=dict(STATES),
    )  # fmt: skip


@bp.get("/settlements/<code>/proposal.pdf")
@requires(VIEW)
def settlement_pdf(code: str) -> Any:
    """Download a settlement as a document."""
    document = documents.of(settling.find(code))
    headers = {"Content-Disposition": f'attachment; filename="{document.name}"'}
    return Response(document.content, mimetype=document.type, headers=headers)


@bp.post("/settlements/<code>/decide")
@requires(SETTLE)
def decide(code: str) -> Any:
    """Accept (button ``accept``) or refuse a proposal as it was shown."""
    accept = "accept" in request.form
    try:
        settling.decide(
            code, accept=accept, seen=read_plain(request.form.get("seen", "")), reason=request.form.get("reason", ""),
            document=request.form.get("document", ""),
        )  # fmt: skip
    except TukkuError as refused:
        flash(str(refused.message), "error")
    else:
        flash(_("The settlement is accepted.") if accept else _("The settlement is refused."), "success")
    return redirect(url_for(".settlement", code=code), 303)
