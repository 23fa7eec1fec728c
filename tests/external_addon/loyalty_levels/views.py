"""The levels in the back-office: a list, and a form that adds one or changes the one of its rank."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import select
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from core.api.companies import seller
from core.api.data import audit, db, write
from core.api.hooks import Permission
from core.api.i18n import translations
from core.api.ui import NumberField, TukkuForm, requires

from .models import Level

_, _l, ngettext, _p = translations(__name__)
EDIT = "loyalty_levels.level.edit"
PERMISSIONS = (Permission(EDIT, _l("Set loyalty levels"), ("admin", "sales")),)
bp = Blueprint("loyalty_levels", __name__, template_folder="templates")


class LevelForm(TukkuForm):
    """A level."""

    rank = IntegerField(_l("Rank"), [InputRequired(), NumberRange(1, 99)], description=_l("1 is the lowest."))
    name = StringField(_l("Name"), [InputRequired(), Length(max=60)])
    percent = NumberField(_l("Percent off"), [InputRequired(), NumberRange(0, 90)])
    min_spend = NumberField(_l("Spend at least"), [InputRequired(), NumberRange(0)])
    min_orders = IntegerField(_l("Orders at least"), [InputRequired(), NumberRange(0)])
    max_returns = NumberField(_l("Percent of returns at most"), [InputRequired(), NumberRange(0, 100)])


@bp.get("/")
@requires(EDIT)
def levels() -> Any:
    """List the levels."""
    return _page(LevelForm())


@bp.post("/")
@requires(EDIT)
def save() -> Any:
    """Add a level, or change the one of the same rank."""
    form = LevelForm()
    if not form.validate_on_submit():
        return _page(form), 422
    with write() as session:
        level = session.scalar(select(Level).where(Level.rank == form.rank.data)) or Level(rank=form.rank.data)
        for field in ("name", "percent", "min_spend", "min_orders", "max_returns"):
            setattr(level, field, form[field].data)
        session.add(level)
        audit.record("loyalty_level", level.rank, "saved", addon="loyalty_levels", after={"percent": str(level.percent)})
    flash(_("The level is saved. Companies get it when they are counted tonight."), "success")
    return redirect(url_for("loyalty_levels.levels"))


@bp.post("/<int:rank>/delete")
@requires(EDIT)
def delete(rank: int) -> Any:
    """Take a level away; companies that had it have none until they are counted."""
    with write() as session:
        for level in session.scalars(select(Level).where(Level.rank == rank)):
            session.delete(level)
            audit.record("loyalty_level", rank, "deleted", addon="loyalty_levels")
    flash(_("The level is gone."), "success")
    return redirect(url_for("loyalty_levels.levels"))


def _page(form: LevelForm) -> str:
    rows = db.session.scalars(select(Level).order_by(Level.rank)).all()
    return render_template("loyalty_levels/levels.html", levels=rows, form=form, currency=seller().currency)
