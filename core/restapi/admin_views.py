"""Back-office pages: keys of the merchant and of companies."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from core.restapi import key_pages
from core.ui.access import requires

bp = Blueprint("restapi_admin", __name__)
MANAGE = "restapi.key.manage"
PLACE = key_pages.Place("restapi_admin", "backoffice/layout.html", staff=True)


@bp.get("/")
@requires(MANAGE)
def keys() -> Any:
    """List the keys."""
    return key_pages.listing(PLACE)


@bp.route("/new", methods=["GET", "POST"])
@requires(MANAGE)
def new() -> Any:
    """Make a key."""
    return key_pages.new(PLACE)


@bp.post("/<code>/revoke")
@requires(MANAGE)
def revoke(code: str) -> Any:
    """End a key."""
    return key_pages.revoke(PLACE, code)
