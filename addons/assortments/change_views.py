"""Back-office pages of prepared changes of assortments: who loses and gains what, publish, undo, withdraw."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.api.companies import seller
from core.api.data import start_of_day
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.ui import DayField, TukkuForm, requires

from . import changes, editing, wording
from .models import Assortment, AssortmentChange
from .permissions import EDIT, VIEW

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("assortments_changes", __name__, template_folder="templates")
SHOWN = 50


class PublishForm(TukkuForm):
    """From when a change holds."""

    starts = DayField(_l("From the day"), description=_l("Empty: at once."))


@bp.get("/assortments/<code>/changes/<int:number>")
@requires(VIEW)
def change(code: str, number: int) -> Any:
    """Show a change: who loses and gains what, and what may be done with it."""
    assortment = editing.by_code(code)
    return _page(assortment, changes.by_number(assortment, number), PublishForm(formdata=None))


def _page(assortment: Assortment, found: AssortmentChange, form: PublishForm, status: int = 200) -> Any:
    return render_template(
        "assortments/change.html", assortment=assortment, change=found, form=form, effect=found.effect or {},
        rows=found.rows[:SHOWN], left=max(0, len(found.rows) - SHOWN), stale=changes.stale(assortment, found),
        statuses=dict(wording.STATUSES), holds_from=wording.first_day(found.starts) if found.starts else None,
    ), status  # fmt: skip


@bp.post("/assortments/<code>/changes/<int:number>/publish")
@requires(EDIT)
def publish(code: str, number: int) -> Any:
    """Let a change hold, at once or from a day on."""
    assortment = editing.by_code(code)
    found, form = changes.by_number(assortment, number), PublishForm()
    if not form.validate_on_submit():
        return _page(assortment, found, form, 422)
    starts = start_of_day(form.starts.data, seller().zone) if form.starts.data else None
    try:
        changes.publish(assortment, found, _version(), starts)
    except Invalid as error:
        form.form_errors.append(str(error.message))
        return _page(assortment, changes.by_number(assortment, number), form, 422)
    scheduled = found.state == "scheduled"
    flash(_("The change is published on its day.") if scheduled else _("The change is published."), "success")
    return redirect(_url(code, number), 303)


@bp.post("/assortments/<code>/changes/<int:number>/undo")
@requires(EDIT)
def undo(code: str, number: int) -> Any:
    """Put things back as they were before a published change."""
    assortment = editing.by_code(code)
    changes.undo(assortment, changes.by_number(assortment, number), _version())
    flash(_("The change is undone: everybody sees what was seen before it."), "success")
    return redirect(_url(code, number), 303)


@bp.post("/assortments/<code>/changes/<int:number>/withdraw")
@requires(EDIT)
def withdraw(code: str, number: int) -> Any:
    """Give up an open or scheduled change."""
    assortment = editing.by_code(code)
    changes.withdraw(assortment, changes.by_number(assortment, number), _version())
    flash(_("The change is withdrawn; nobody sees anything else than before."), "success")
    return redirect(url_for("assortments_admin.assortment", code=code), 303)


@bp.post("/assortments/<code>/changes/<int:number>/effect")
@requires(EDIT)
def look_again(code: str, number: int) -> Any:
    """Work out anew whom an open change touches."""
    assortment = editing.by_code(code)
    changes.look_again(assortment, changes.by_number(assortment, number))
    return redirect(_url(code, number), 303)


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _url(code: str, number: int) -> str:
    return url_for(".change", code=code, number=number)
