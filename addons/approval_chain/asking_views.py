"""Buttons of those who order and decide: ask one person, say that one looks at an order."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for

from core.api.hooks import NotFound, TukkuError
from core.api.i18n import translations
from core.api.ui import requires

from . import asking
from .decision_views import ORDERING, bp
from .permissions import DECIDE

_, _l, ngettext, _p = translations(__name__)


@bp.post("/my-orders/<number>/ask")
@requires(ORDERING)
def ask_one(number: str) -> Any:
    """Ask one of those who may decide, or all of them again."""
    try:
        asking.assign(number, request.form.get("person", ""))
        flash(_("Who is asked is kept."), "success")
    except NotFound:
        raise
    except TukkuError as error:
        flash(str(error.message), "error")
    return redirect(url_for(".mine", number=number), 303)


@bp.post("/my-orders/<number>/withdraw")
@requires(ORDERING)
def withdraw(number: str) -> Any:
    """Ask no more for an approval that no rule requires."""
    try:
        flow = asking.withdraw(number)
        waits = flow.state == "waiting"
        flash(_("You ask no more; others still have to approve the order.") if waits else _("The order goes on."), "success")
    except NotFound:
        raise
    except TukkuError as error:
        flash(str(error.message), "error")
        return redirect(url_for(".mine", number=number), 303)
    return redirect(url_for("orders.order", number=number), 303)


@bp.post("/approvals/<number>/review")
@requires(DECIDE)
def review(number: str) -> Any:
    """Say that the actor looks at the order."""
    try:
        asking.review(number)
        flash(_("Others see that you look at this order."), "success")
    except NotFound:
        raise
    except TukkuError as error:
        flash(str(error.message), "error")
    return redirect(url_for(".decision", number=number), 303)
