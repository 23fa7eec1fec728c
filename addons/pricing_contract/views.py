"""Back-office pages of contracts and price lists."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from core.api.companies import Company, Segment, seller
from core.api.data import clock, db, end_of_day
from core.api.hooks import Conflict, TukkuError
from core.api.i18n import bounded_day, read_number, translations
from core.api.pricing import explain as explain_price
from core.api.ui import Empty, requires, show_list

from . import changes, copying, editing, grid, meanwhile, percents, preparing, publishing
from .change_models import Change
from .days import first_day, last_day
from .describe import SHORT_KINDS
from .export import rows_as_csv
from .forms import BELOW_FIRST, BREAKS, COUNTS, DATE_BASES, PERIODS, ContractForm, CopyForm, PercentForm
from .formula_text import EXAMPLES, written
from .lint import LINTS
from .listing import CONTRACTS, SHORT_AUDIENCES, SHORT_POLICIES
from .models import KINDS, Contract
from .permissions import EDIT, EXPLAIN, VIEW

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("pricing_contract_admin", __name__, template_folder="templates")
ROW_KINDS = [(kind, SHORT_KINDS[kind]) for kind in KINDS]
BLANK_ROWS = 3
SHOWN = 50
#: Prices of a very long contract that are worked out for the page that shows what a percentage would do.
LOOKED_AT = 1000


@bp.get("/contracts")
@requires(VIEW)
def contracts() -> Any:
    """List the contracts and price lists."""
    empty = Empty(
        _("No contract yet"),
        _("A contract gives a company its own prices. A price list does so for a segment, a country or everybody."),
        "file-text",
        _("Add a contract"),
        url_for(".new"),
    )
    return show_list(CONTRACTS, "pricing_contract/contracts.html", empty=empty)


@bp.route("/contracts/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> Any:
    """Make a contract."""
    segment = request.args.get("segment", "")
    audience = "segment" if segment else "company"
    form = ContractForm(
        company=request.args.get("company", ""), segment=segment, audience=audience, currency=seller().currency
    )
    return _edit(form, None)


@bp.route("/contracts/<code>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(code: str) -> Any:
    """Change the head of a contract."""
    contract = editing.contract_by_code(code)
    form = ContractForm()
    if request.method == "GET":
        form.fill(contract)
    return _edit(form, contract)


def _edit(form: ContractForm, contract: Contract | None) -> Any:
    if form.validate_on_submit():
        try:
            values = form.head()
            if contract is not None:
                values.pop("code")
            if contract is not None and request.form.get("prepare") == "1":
                return redirect(_change_url(contract.code, changes.prepare_terms(contract, values, _("Terms"))), 303)
            saved = editing.save_head(contract, values, request.form.get("version", type=int))
        except TukkuError as error:
            form.form_errors.append(str(error.message))
            if contract is not None and error.code == "CONTRACT-CHANGED":
                form.form_errors += form.differences(editing.contract_by_code(contract.code))
        else:
            flash(_("The contract is saved."), "success")
            return redirect(url_for(".contract", code=saved.code), 303)
    status = 422 if request.method == "POST" else 200
    return render_template("pricing_contract/edit.html", form=form, contract=contract), status


@bp.get("/contracts/<code>")
@requires(VIEW)
def contract(code: str) -> Any:
    """Show a contract and a page of its rows as a grid."""
    return _contract_page(editing.contract_by_code(code))


def _contract_page(found: Contract, *, failed: list[grid.GridRow] | None = None, status: int = 200, **context: Any) -> Any:
    zone = ZoneInfo(seller().zone)
    wanted = request.args.get("q", "")
    only = request.args.get("only", "")
    page = grid.page_of(found, wanted, request.args.get("page", 1, type=int), only)
    here = {row.key for row in page.rows}
    new_rows = [row for row in failed or () if row.key not in here]
    wrong = {row.key: row for row in failed or () if row.key}
    for row in page.rows:
        if row.key in wrong and wrong[row.key].target == row.target:
            wrong[row.key].name = row.name
    rows = [wrong.get(row.key, row) for row in page.rows]
    company = db.session.scalar(select(Company).where(Company.id == found.company_id)) if found.company_id else None
    segment = db.session.scalar(select(Segment).where(Segment.id == found.segment_id)) if found.segment_id else None
    html = render_template(
        "pricing_contract/contract.html",
        contract=found, company=company, segment=segment, page=page, rows=rows, wanted=wanted,
        only=only if only in LINTS else "", lints=[(key, lint.label) for key, lint in LINTS.items()],
        new_rows=[*new_rows, *(grid.GridRow() for _n in range(BLANK_ROWS))],
        kinds=ROW_KINDS, first=first_day(found.valid_from, zone), last=last_day(found.valid_until, zone),
        audience=SHORT_AUDIENCES[found.audience], policy=SHORT_POLICIES[found.merge_policy],
        below_first=None if found.below_first == "none" else dict(BELOW_FIRST)[found.below_first],
        breaks=None if found.breaks == "whole" else dict(BREAKS)[found.breaks],
        counts=None if found.counts == "line" else dict(COUNTS)[found.counts],
        period=dict(PERIODS)[found.period] if found.period else None,
        date_basis=None if found.date_basis == "order" else dict(DATE_BASES)[found.date_basis],
        undo=editing.last_deletion(found), prepared=changes.changes_of(found), percent_form=PercentForm(formdata=None),
        copy_form=CopyForm(formdata=None, name=found.name),
        formulas=[written(one) for one in EXAMPLES], failed=failed or [], blank=grid.GridRow(), **context,
    )  # fmt: skip
    return html, status


@bp.post("/contracts/<code>/rows")
@requires(EDIT)
def save_rows(code: str) -> Any:
    """Save the rows of the grid: those changed, those added, those ticked for deletion."""
    found = editing.contract_by_code(code)
    sent = grid.posted_rows(request.form)
    removed = {**dict.fromkeys(request.form.getlist("delete"), ""), **_shown(sent, request.form.getlist("delete"))}
    changed = [row for row in sent if row.key not in removed and row.was != row.texts]
    if request.form.get("prepare") == "1":
        change = changes.prepare(found, changed, removed, _("Rows changed in the table"))
        if change is not None:
            return redirect(_change_url(code, change), 303)
        failed = [row for row in changed if row.errors]
        outcome = editing.GridOutcome(0, 0, failed, [])
    else:
        outcome = editing.save_grid(found, changed, removed)
    _say(outcome)
    if outcome.failed or outcome.stayed:
        status = 409 if outcome.stayed or any(row.clash for row in outcome.failed) else 422
        return _contract_page(editing.contract_by_code(code), failed=outcome.failed, status=status)
    return redirect(_back(code), 303)


def _shown(rows: list[grid.GridRow], keys: list[str]) -> dict[str, str]:
    """Return the rows ticked for deletion as the form showed them."""
    return {row.key: row.was for row in rows if row.key in keys}


def _say(outcome: editing.GridOutcome) -> None:
    if outcome.removed:
        flash(ngettext("%(count)s row is deleted.", "%(count)s rows are deleted.", outcome.removed), "success")
    if outcome.stayed:
        text = ngettext(
            "%(count)s row was changed by somebody else meanwhile and is not deleted. Look at it, then delete again.",
            "%(count)s rows were changed by somebody else meanwhile and are not deleted. Look at them, then delete again.",
            len(outcome.stayed),
        )
        flash(text, "error")
    if outcome.written:
        flash(ngettext("%(count)s row is saved.", "%(count)s rows are saved.", outcome.written), "success")
    if outcome.failed:
        failed = len(outcome.failed)
        flash(ngettext("%(count)s row needs your attention.", "%(count)s rows need your attention.", failed), "error")
    elif not (outcome.written or outcome.removed or outcome.stayed):
        flash(_("Nothing was changed."), "info")


def _back(code: str) -> str:
    kept = {name: request.args.get(name) or None for name in ("q", "only", "page")}
    return url_for(".contract", code=code, **kept)


@bp.route("/contracts/<code>/paste", methods=["GET", "POST"])
@requires(EDIT)
def paste(code: str) -> Any:
    """Take rows from a spreadsheet; each gets an outcome, none is dropped."""
    found = editing.contract_by_code(code)
    text, upload, outcome = request.form.get("rows", ""), request.files.get("file"), None
    seen, over = meanwhile.mark_of(found), ""
    if request.method == "POST":
        try:
            prepare = request.form.get("prepare") == "1"
            most = grid.PREPARED if prepare else grid.UPLOADED
            rows = grid.uploaded_rows(found, upload, most) if upload and upload.filename else grid.pasted_rows(text)
            if prepare:
                name = upload.filename if upload and upload.filename else _("Pasted rows")
                prepared = preparing.by_rows if len(rows) > publishing.LONG else changes.prepare
                change = prepared(found, rows, title=name)
                if change is not None:
                    return redirect(_change_url(code, change), 303)
                failed = [row for row in rows if row.errors]
                outcome = editing.GridOutcome(0, 0, failed, [])
            else:
                opened = request.form.get("over") or request.form.get("seen")
                shown = meanwhile.read_mark(opened) if opened else None
                outcome = editing.save_grid(found, rows, means="paste", seen=shown)
            _say(outcome)
            text = _left(text, rows, outcome.failed, whole=prepare, pasted=not upload)
            if outcome.failed and request.form.get("seen"):  # what was not confirmed is asked again
                seen, over = meanwhile.read_mark(request.form["seen"]), seen.text
        except TukkuError as error:
            flash(str(error.message), "error")
            return render_template("pricing_contract/paste.html", contract=found, text=text, outcome=None, seen=seen), 422
    clashes = sum(row.clash is not None for row in outcome.failed) if outcome else 0
    status = 409 if clashes else 422 if outcome and outcome.failed else 200
    context = {"contract": found, "text": text, "outcome": outcome, "seen": seen, "over": over, "clashes": clashes}
    context["most"] = grid.SHOWN
    return render_template("pricing_contract/paste.html", **context), status


def _left(text: str, rows: list[grid.GridRow], failed: list[grid.GridRow], *, whole: bool, pasted: bool) -> str:
    """Return the rows that are to be sent again: those refused, or all where nothing is prepared before all can be."""
    if whole and pasted:
        return text
    left = rows if whole and failed else failed
    lines = grid.pasted_lines(text) if pasted else []
    return "\n".join(lines[row.place or 0] for row in left) if pasted else grid.as_text(left[: grid.UPLOADED])


@bp.route("/contracts/<code>/percent", methods=["GET", "POST"])
@requires(EDIT)
def percent(code: str) -> Any:
    """Change all fixed prices by a percentage: first what would change, then the change."""
    found = editing.contract_by_code(code)
    form, seen, status = PercentForm(wanted=request.args.get("q", "")), meanwhile.mark_of(found), 200
    moved: list[percents.Raised] = []
    count = 0
    if form.validate_on_submit():
        apply, prepare = request.form.get("apply") == "1", request.form.get("prepare") == "1"
        try:
            rise = percents.Rise(form.percent.data, form.step.data, form.rounding.data, form.wanted.data or "")
            count = percents.count_raised(found, rise)
            shown = meanwhile.read_mark(request.form["seen"]) if apply and request.form.get("seen") else None
            long = percents.count_fixed(found, rise) > publishing.LONG
            if long and shown and meanwhile.later([found.id], shown):
                percents.change_by_percent(found, rise, seen=shown)
            if count and long and (apply or prepare):  # so many are left to a job
                change = preparing.by_percent(found, rise, seen=shown, publish=apply)
                return redirect(_change_url(code, change), 303)
            moved = percents.change_by_percent(
                found, rise, apply=apply and not long, seen=shown, first=LOOKED_AT if long else None
            )
        except TukkuError as error:
            form.form_errors.append(str(error.message))
            status = 409 if error.code == "CONTRACT-CHANGED" else 200
            moved = percents.change_by_percent(found, rise) if status == 409 else []
        else:
            if moved and prepare:
                return redirect(_change_url(code, changes.by_percent(found, moved, percents.title_of(rise))), 303)
            if apply and moved:
                flash(ngettext("%(count)s price is changed.", "%(count)s prices are changed.", len(moved)), "success")
                return redirect(url_for(".contract", code=code), 303)
    names = grid.names_of(row.target for row, _value in moved[:SHOWN])
    return render_template(
        "pricing_contract/percent.html",
        contract=found,
        form=form,
        changes=moved[:SHOWN],
        count=count,
        names=names,
        seen=seen,
        tried=form.is_submitted() and not form.errors and not form.form_errors,
    ), status


def _change_url(code: str, change: Change) -> str:
    return url_for("pricing_contract_changes.change", code=code, number=change.number)


@bp.route("/contracts/<code>/copy", methods=["GET", "POST"])
@requires(EDIT)
def copy(code: str) -> Any:
    """Copy a contract with its rows."""
    found = editing.contract_by_code(code)
    form = CopyForm(name=found.name)
    if form.validate_on_submit():
        values = {
            name: getattr(found, name)
            for name in (
                "audience", "company_id", "segment_id", "country", "currency", "merge_policy", "priority", "valid_from",
                "valid_until", "show_list", "allow_inverted", "below_first", "closes", "date_basis", "breaks", "counts",
                "period", "note",
            )
        }  # fmt: skip
        values.update(code=form.code.data, name=form.name.data, status="draft")
        company = (
            db.session.scalar(select(Company.id).where(Company.code == form.company.data)) if form.company.data else None
        )
        if form.company.data and company is None:
            form.company.errors = [_("There is no company with this code.")]
        else:
            if company is not None:
                values.update(audience="company", company_id=company, segment_id=None, country="")
            try:
                made = copying.copy_contract(found, values, form.percent.data or Decimal(0))
            except TukkuError as error:
                form.form_errors.append(str(error.message))
            else:
                flash(_("The copy is a draft. Look at it, then make it active."), "success")
                under_way = changes.changes_of(made)  # so many prices that a job changes them
                return redirect(
                    _change_url(made.code, under_way[0]) if under_way else url_for(".contract", code=made.code), 303
                )
    return render_template("pricing_contract/copy.html", contract=found, form=form)


@bp.post("/contracts/<code>/status")
@requires(EDIT)
def set_status(code: str) -> Any:
    """Make a contract active, end it, or make it a draft again."""
    found = editing.contract_by_code(code)
    wanted = request.form.get("status", "")
    if wanted not in ("draft", "active", "ended"):
        raise Conflict("CONTRACT-STATUS", _("A contract is a draft, active, or ended."))
    if request.form.get("prepare") == "1":
        titles = {"active": _("Make it active"), "ended": _("End the contract"), "draft": _("Make it a draft again")}
        return redirect(_change_url(code, changes.prepare_terms(found, {"status": wanted}, titles[wanted])), 303)
    editing.save_head(found, {"status": wanted})
    said = {
        "active": _("The contract is active: its prices hold from now on."),
        "ended": _("The contract has ended: its prices no longer hold."),
        "draft": _("The contract is a draft: its prices do not hold."),
    }
    flash(said[wanted], "success")
    return redirect(url_for(".contract", code=code), 303)


@bp.post("/contracts/<code>/undo")
@requires(EDIT)
def undo(code: str) -> Any:
    """Take back the last deletion of rows."""
    count = editing.undo_deletion(editing.contract_by_code(code))
    flash(ngettext("%(count)s row is back.", "%(count)s rows are back.", count), "success")
    return redirect(url_for(".contract", code=code), 303)


@bp.get("/contracts/<code>/export")
@requires(VIEW)
def export(code: str) -> Any:
    """Send the rows as a file that the import takes back."""
    found = editing.contract_by_code(code)
    return Response(
        rows_as_csv(found.id),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{found.code}.csv"'},
    )


@bp.get("/explain")
@requires(EXPLAIN)
def explain() -> Any:
    """Show why a company pays what it pays, now or at another date."""
    asked = {name: request.args.get(name, "").strip() for name in ("company", "product", "quantity", "unit", "at", "wished")}
    answer, problem = None, ""
    if asked["product"]:
        try:
            quantity = read_number(asked["quantity"] or "1")
            at = asked_instant(asked["at"])
            wished = bounded_day(date.fromisoformat(asked["wished"])) if asked["wished"] else None
            answer = explain_price(asked["company"], asked["product"], quantity, unit=asked["unit"], at=at, wished=wished)
        except TukkuError as error:
            problem = str(error.message)
        except ValueError:
            problem = _("Write the date as 2026-12-31.")
    return render_template("pricing_contract/explain.html", asked=asked, answer=answer, problem=problem)


def asked_instant(text: str) -> Any:
    """Return the last moment of a day, now for today and for no day at all; ValueError or Invalid for what is no day."""
    if not text:
        return None
    day = bounded_day(date.fromisoformat(text))
    zone = seller().zone
    return None if day == clock.today(zone) else end_of_day(day, zone) - timedelta(seconds=1)
