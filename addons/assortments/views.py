"""Back-office pages: the assortments, one with its goods, pasting goods, and what a company sees and why."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select

from core.api.catalog import Product
from core.api.companies import Company, Segment, country_name
from core.api.data import db
from core.api.hooks import Action, TukkuError
from core.api.i18n import pick, translations
from core.api.ui import Empty, requires, safe_next, show_form, show_list

from . import changes, editing, touched, why, wording
from .forms import AssortmentForm
from .listing import ASSORTMENTS, ROWS
from .models import Assortment, AssortmentChange, AssortmentRow
from .permissions import EDIT, VIEW
from .seeing import Head, named_by

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("assortments_admin", __name__, template_folder="templates")
_ACTIONS = (Action("remove", ROWS.key, _l("Take out"), "assortments_admin.remove_rows", EDIT, "trash", dangerous=True),)


@bp.get("/assortments")
@requires(VIEW)
def assortments() -> Any:
    """List the assortments."""
    empty = Empty(
        _("No assortment yet"),
        _("Everybody sees the whole catalogue. An assortment says which goods a company, a segment or everybody sees."),
        "boxes",
        _("Add an assortment"),
        url_for(".new"),
    )
    return show_list(ASSORTMENTS, "assortments/assortments.html", empty=empty)


@bp.route("/assortments/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> Any:
    """Make an assortment."""
    company, segment = request.args.get("company", ""), request.args.get("segment", "")
    audience = "segment" if segment else "company"
    return _edit(AssortmentForm(company=company, segment=segment, audience=audience), None)


@bp.get("/assortments/<code>")
@requires(VIEW)
def assortment(code: str) -> Any:
    """Show an assortment and its goods as a list."""
    found = editing.by_code(code)
    empty = Empty(
        _("No goods yet"),
        _("Name products by their code, and categories, with everything below them."),
        "boxes",
        _("Add goods"),
        url_for(".paste", code=found.code),
    )
    return show_list(
        ROWS, "assortments/assortment.html", where=(AssortmentRow.assortment_id == found.id,), actions=_ACTIONS, empty=empty,
        assortment=found, facts=_facts(found), state=wording.state(found), prepared=changes.changes_of(found),
    )  # fmt: skip


def _facts(one: Assortment) -> list[tuple[str, Any]]:
    company = db.session.scalar(select(Company).where(Company.id == one.company_id)) if one.company_id else None
    segment = db.session.scalar(select(Segment).where(Segment.id == one.segment_id)) if one.segment_id else None
    head = Head(
        one.id, one.code, one.name, one.audience, one.company_id, one.segment_id, one.country, one.mode, one.valid_from,
        one.valid_until, products=True, categories=True,
    )  # fmt: skip
    sold = select(func.count()).select_from(Product).where(Product.status != "discontinued", named_by([head]))
    count = db.session.scalar(sold) or 0
    return [
        (_("What is seen"), dict(wording.MODES)[one.mode]),
        (_("For whom"), dict(wording.AUDIENCES)[one.audience]),
        (_("Company"), company.name if company else None),
        (_("Segment"), pick(segment.name, fallback=segment.code) if segment else None),
        (_("Country"), country_name(one.country) if one.country else None),
        (_("First day"), wording.first_day(one.valid_from)),
        (_("Last day"), wording.last_day(one.valid_until)),
        (_("Its goods"), ngettext("%(count)s product", "%(count)s products", count)),
        *touched.facts(one, named_by([head])),
        (_("Note for the staff"), one.note),
    ]


@bp.route("/assortments/<code>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(code: str) -> Any:
    """Change an assortment."""
    found = editing.by_code(code)
    form = AssortmentForm()
    if request.method == "GET":
        form.fill(found)
    return _edit(form, found)


def _edit(form: AssortmentForm, found: Assortment | None) -> Any:
    def save() -> Any:
        values = form.values()
        if found is not None:
            values["code"] = found.code
        saved = editing.save(found, values, request.form.get("version", type=int))
        flash(_("The assortment is saved."), "success")
        return redirect(url_for(".assortment", code=saved.code), 303)

    return show_form(form, "assortments/edit.html", save, assortment=found)


@bp.post("/assortments/<code>/status")
@requires(EDIT)
def set_status(code: str) -> Any:
    """Make an assortment active, end it, or make it a draft again."""
    found, status = editing.by_code(code), request.form.get("status", "")
    if request.form.get("prepare") == "1":
        titles = {"active": _("Make it active"), "ended": _("End it"), "draft": _("Make it a draft again")}
        return redirect(_change_url(code, changes.prepare(found, status=status, title=titles.get(status, ""))), 303)
    editing.set_status(found, status)
    said = {
        "active": _("The assortment is active: it holds on the next page that anybody opens."),
        "ended": _("The assortment has ended: it no longer holds."),
        "draft": _("The assortment is a draft: it does not hold."),
    }
    flash(said[status], "success")
    return redirect(url_for(".assortment", code=code), 303)


@bp.route("/assortments/<code>/paste", methods=["GET", "POST"])
@requires(EDIT)
def paste(code: str) -> Any:
    """Take goods from a spreadsheet, to add them or to take them out; each line gets an outcome."""
    found, text, lines = editing.by_code(code), request.form.get("rows", ""), []
    remove = request.form.get("what") == "remove"
    if request.method == "POST":
        try:
            if request.form.get("prepare") == "1":
                wanted, lines = editing.read_pasted(found, text, remove=remove)
                lines = [line for line in lines if line.outcome == "error"]
                if not lines:
                    title = _("Goods to take out") if remove else _("Goods to put in")
                    return redirect(_change_url(code, changes.prepare(found, wanted, title=title)), 303)
                return _paste_page(found, text, lines, remove), 422
            lines = editing.paste(found, text, remove=remove)
        except TukkuError as refused:
            flash(str(refused.message), "error")
            return _paste_page(found, text, [], remove), 422
    failed = [line.name for line in lines if line.outcome == "error"]
    return _paste_page(found, "\n".join(failed), lines, remove), 422 if failed else 200


def _change_url(code: str, change: AssortmentChange) -> str:
    return url_for("assortments_changes.change", code=code, number=change.number)


def _paste_page(found: Assortment, text: str, lines: list[editing.Line], remove: bool) -> str:
    counts = {outcome: sum(1 for line in lines if line.outcome == outcome) for outcome in ("created", "removed", "error")}
    return render_template("assortments/paste.html", assortment=found, text=text, lines=lines, remove=remove, counts=counts)


@bp.post("/assortments/remove-rows")
@requires(EDIT)
def remove_rows() -> Any:
    """Take the rows that were chosen out of their assortment."""
    count = editing.remove_listed(request.form.getlist("code"))
    flash(ngettext("%(count)s row is taken out.", "%(count)s rows are taken out.", count), "success")
    return redirect(safe_next(request.form.get("next"), url_for(".assortments")), 303)


@bp.get("/seen")
@requires(VIEW)
def seen() -> Any:
    """Show what a company or a visitor sees: how much, by which assortments, and whether a product is among it."""
    asked = {name: request.args.get(name, "").strip() for name in ("company", "product")}
    answer, problem = None, ""
    if "company" in request.args or asked["product"]:
        try:
            answer = why.explain(asked["company"], asked["product"])
        except TukkuError as refused:
            problem = str(refused.message)
    return render_template(
        "assortments/seen.html", asked=asked, answer=answer, problem=problem, modes=wording.SHORT_MODES,
        visitors_see=why.visitors_see(),
    ), 404 if problem else 200  # fmt: skip
