"""The shop's home, and the merchant's accent colour."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, url_for

from core.accounts import identity
from core.catalog import product_pages
from core.ui import accent
from core.ui.access import public
from core.ui.links import may_open
from core.ui.slots import panels

bp = Blueprint("storefront", __name__)
YEAR = 31_536_000


@bp.get("/")
@public("the home page shows a visitor nothing but the way in; its panels ask for permissions of their own")
def home() -> Any:
    """Show the work place of a buyer, or the way in."""
    who = identity.current()
    if who.must_enrol:
        return redirect(url_for("accounts.second_factor"), 303)
    company = who.company
    main, side = (panels("storefront.home", slot, company.id if company else None) for slot in ("main", "side"))
    branches = product_pages.branches() if company is None and may_open("catalog.home") else ()
    return render_template("storefront/home.html", who=who, main=main, side=side, branches=branches)


@bp.get("/static/accent/<colour>.css")
@public("a style sheet is the same for everybody")
def accent_css(colour: str) -> Response:
    """Serve the rules of an accent colour; the address names the colour, so it may be kept for ever."""
    rules = accent.stylesheet(colour)
    if not rules:
        abort(404)
    response = Response(rules, mimetype="text/css")
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
