"""Back-office pages of prepared changes: whom they touch, publish, undo, withdraw."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.api.companies import seller
from core.api.data import clock, start_of_day
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.ui import DayField, TukkuForm, day_text, requires

from . import change_rows, changes, heads, preparing, publishing
from .change_models import Change
from .days import first_day
from .describe import KIND_LABELS
from .editing import contract_by_code
from .formula_text import said
from .formulas import read_terms
from .grid import names_of
from .history_views import in_words
from .models import Contract
from .permissions import EDIT, VIEW

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("pricing_contract_changes", __name__, template_folder="templates")
SHOWN = 50
#: States in which a job is at a change.
AT_WORK = ("preparing", "publishing", "undoing")


class PublishForm(TukkuForm):
    """From when a change holds."""

    starts = DayField(_l("From the day"), description=_l("Empty: at once. Prices of earlier days stay as they are."))


@bp.get("/contracts/<code>/changes/<int:number>")
@requires(VIEW)
def change(code: str, number: int) -> Any:
    """Show a change: its rows, whom they touch, and what may be done with it; to htmx only how far a job has come."""
    contract = contract_by_code(code)
    found = changes.change_by_number(contract, number)
    if request.headers.get("HX-Request"):
        if found.state not in AT_WORK:
            return "", {"HX-Refresh": "true"}
        context = {"contract": contract, "change": found, "done": min(found.checked, found.size)}
        return render_template("pricing_contract/_change_progress.html", **context)
    return _page(contract, found, PublishForm(formdata=None))


def _page(contract: Contract, found: Change, form: PublishForm, status: int = 200) -> Any:
    shown = change_rows.first_rows(found, SHOWN) if found.state != "preparing" else []
    now = changes.standing(contract, found, shown)
    moved = publishing.moved_since(contract, found)
    return render_template(
        "pricing_contract/change.html",
        contract=contract, change=found, form=form, names=names_of(row.target for row in shown),
        rows=[(changes.as_price(row), row.gone, now.get(row.place)) for row in shown],
        terms=list(in_words(_terms(contract, found))), effect=found.effect or {},
        decimal=Decimal, kinds=KIND_LABELS, left=max(0, found.size - SHOWN),
        problems=found.problems or {}, done=min(found.checked, found.size),
        moved=len(moved), told=publishing.moved_in_words(contract, moved), long=found.size > publishing.LONG,
        formula=lambda row: said(read_terms(row.terms, row.value)), jumps=_together(found.effect or {}),
        holds_from=first_day(found.starts, ZoneInfo(seller().zone)) if found.starts else None,
    ), status  # fmt: skip


def _together(effect: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Return the largest moves, each with the companies for which it is the same."""
    found: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for jump in effect.get("jumps", ()):
        key = repr([value for name, value in jump.items() if name not in ("company", "code")])
        found.setdefault(key, (jump, []))[1].append(jump["company"])
    return list(found.values())


def _terms(contract: Contract, found: Change) -> list[tuple[str, object, object]]:
    """Return each term that the change sets, as it was and as it will be."""
    head = found.head or {}
    before = found.head_before or heads.standing(contract, head)
    return [(name, before.get(name), value) for name, value in head.items()]


@bp.post("/contracts/<code>/changes/<int:number>/publish")
@requires(EDIT)
def publish(code: str, number: int) -> Any:
    """Let a change hold, at once or from a day on."""
    contract = contract_by_code(code)
    found = changes.change_by_number(contract, number)
    form = PublishForm()
    if not form.validate_on_submit():
        return _page(contract, found, form, 422)
    starts = start_of_day(form.starts.data, seller().zone) if form.starts.data else None
    try:
        count = publishing.publish(contract, found, _version(), starts)
    except Invalid as error:
        form.form_errors.append(str(error.message))
        return _page(contract, changes.change_by_number(contract, number), form, 422)
    if found.state in AT_WORK:
        flash(_("The change is being published; you may leave this page."), "info")
    elif found.state == "scheduled":
        flash(_("The change is published on its day."), "success")
    elif found.head:
        flash(_("The change is published."), "success")
    elif starts is not None and starts > clock.now():
        said = ngettext(
            "%(count)s row is published and holds from %(day)s.",
            "%(count)s rows are published and hold from %(day)s.",
            count,
            day=day_text(form.starts.data),
        )
        flash(said, "success")
    else:
        flash(ngettext("%(count)s row is published.", "%(count)s rows are published.", count), "success")
    return redirect(_url(code, number), 303)


@bp.post("/contracts/<code>/changes/<int:number>/undo")
@requires(EDIT)
def undo(code: str, number: int) -> Any:
    """Put the rows of a published change back."""
    contract = contract_by_code(code)
    found = changes.change_by_number(contract, number)
    count = publishing.undo(contract, found, _version())
    if found.state in AT_WORK:
        flash(_("The change is being undone; you may leave this page."), "info")
    elif count:
        flash(ngettext("%(count)s row is as it was.", "%(count)s rows are as they were.", count), "success")
    else:
        flash(_("The terms are as they were."), "success")
    return redirect(_url(code, number), 303)


@bp.post("/contracts/<code>/changes/<int:number>/withdraw")
@requires(EDIT)
def withdraw(code: str, number: int) -> Any:
    """Give up an open change."""
    contract = contract_by_code(code)
    publishing.withdraw(contract, changes.change_by_number(contract, number), _version())
    flash(_("The change is withdrawn; no price has moved."), "success")
    return redirect(url_for("pricing_contract_admin.contract", code=code), 303)


@bp.post("/contracts/<code>/changes/<int:number>/stop")
@requires(EDIT)
def stop(code: str, number: int) -> Any:
    """Stop a job at the change; one that was being prepared, or could not be, is forgotten."""
    contract = contract_by_code(code)
    found = changes.change_by_number(contract, number)
    if found.state in ("preparing", "failed"):
        preparing.throw_away(found)
        flash(_("The change is thrown away; no price has moved."), "success")
        return redirect(url_for("pricing_contract_admin.contract", code=code), 303)
    publishing.stop(contract, found)
    flash(_("Stopped; no price has moved."), "success")
    return redirect(_url(code, number), 303)


@bp.post("/contracts/<code>/changes/<int:number>/effect")
@requires(EDIT)
def look_again(code: str, number: int) -> Any:
    """Work out anew whom an open change touches."""
    contract = contract_by_code(code)
    changes.look_again(contract, changes.change_by_number(contract, number))
    return redirect(_url(code, number), 303)


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _url(code: str, number: int) -> str:
    return url_for(".change", code=code, number=number)
