"""The shop's pages of absences with their substitutes, and of who leads whom."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from core.api.companies import Membership, User
from core.api.data import current_actor, db
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.ui import ChoiceField, DayField, TukkuForm, requires

from . import absences as people
from . import managers
from .asking_views import bp
from .forms import APPROVERS
from .forms import people as choices
from .permissions import DECIDE, RULES

_, _l, ngettext, _p = translations(__name__)


def deciders() -> list[tuple[str, object]]:
    """Return the company's people who may approve, by their code."""
    return [(code.removeprefix("@"), name) for code, name in choices(APPROVERS)]


class AbsenceForm(TukkuForm):
    """Who is away, from and until when, why, and who decides instead."""

    person = ChoiceField(_l("Who is away"), options=deciders)
    since = DayField(_l("First day"), [InputRequired()])
    until = DayField(_l("Last day"), [InputRequired()])
    substitute = ChoiceField(
        _l("Who decides instead"), options=deciders, empty=_l("Nobody by name"), default="",
        description=_l("Up to the lower of the two limits. Without a substitute the administrators decide."),
    )  # fmt: skip
    reason = StringField(_l("Reason"), [Length(max=200)])


@bp.route("/absences", methods=["GET", "POST"])
@requires(DECIDE, RULES)
def absences() -> Any:
    """Show who is away; enter an absence: one's own, or with the right to set rules anybody's."""
    form, actor = AbsenceForm(), current_actor()
    mine = db.session.scalar(db.select(User.code).where(User.id == actor.user_id))
    if not actor.may(RULES):
        form.person.data = mine
    if form.validate_on_submit():
        try:
            people.add(form.person.data, form.substitute.data, form.since.data, form.until.data, form.reason.data or "")
        except Invalid as error:
            name = {"user": "person"}.get(str((error.details or {}).get("field", "")), (error.details or {}).get("field"))
            field = next((f for f in form if f.name == name), form.person)
            field.errors = [*field.errors, str(error.message)]
        else:
            flash(_("The absence is saved."), "success")
            return redirect(url_for(".absences"), 303)
    return render_template(
        "approval_chain/absences.html",
        form=form,
        rows=people.of_company(),
        all=actor.may(RULES),
        me=actor.user_id,
        leads=_leads() if actor.may(RULES) else [],
        deciders=deciders(),
    ), 422 if request.method == "POST" else 200


def _leads() -> list[tuple[str, str, str]]:
    """Return code and name of everybody in the company, and the code of their manager."""
    leads = managers.managers()
    rows = db.session.execute(
        db.select(User.id, User.code, User.name).join(Membership, Membership.user_id == User.id)
        .where(Membership.company_id == current_actor().company_id, User.active).distinct().order_by(User.name, User.id)
    ).all()  # fmt: skip
    codes = {row.id: row.code for row in rows}
    return [(row.code, row.name, codes.get(leads.get(row.id, 0), "")) for row in rows]


@bp.post("/absences/<int:absence_id>/remove")
@requires(DECIDE, RULES)
def remove_absence(absence_id: int) -> Any:
    """Take an absence away."""
    people.remove(absence_id, own=not current_actor().may(RULES))
    flash(_("The absence is removed."), "success")
    return redirect(url_for(".absences"), 303)


@bp.post("/managers/<code>")
@requires(RULES)
def set_manager(code: str) -> Any:
    """Say who leads a person."""
    try:
        managers.set_manager(code, request.form.get("manager", ""))
        flash(_("The manager is saved."), "success")
    except NotFound:
        raise
    except Invalid as error:
        flash(str(error.message), "error")
    return redirect(url_for(".absences"), 303)
