"""The back-office's home and its command field."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from core.accounts import identity
from core.backoffice.find import find as found_for
from core.ui.access import requires
from core.ui.cards import cards
from core.ui.slots import panels

bp = Blueprint("backoffice", __name__)


@bp.get("/")
@requires("backoffice.home.view")
def home() -> str:
    """Show what waits, then the figures."""
    slots = {name: panels("backoffice.home", name) for name in ("main", "side")}
    return render_template("backoffice/home.html", person=identity.current().person, slots=slots, cards=cards())


@bp.get("/find")
@requires("backoffice.home.view")
def find() -> str:
    """Find by a few letters; a fragment for the command field, a page without script."""
    query = request.args.get("q", "")
    template = "backoffice/_found.html" if request.headers.get("HX-Request") else "backoffice/find.html"
    return render_template(template, query=query, groups=found_for(query))
