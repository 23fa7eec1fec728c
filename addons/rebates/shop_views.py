"""The buyer's page: what the company gets back, and what is missing to the next step."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from sqlalchemy import select

from core.api.companies import ancestors
from core.api.data import current_actor, db
from core.api.i18n import translations
from core.api.ui import requires

from . import settling, standing, wording
from .models import Rebate
from .permissions import OWN

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("rebates", __name__, template_folder="templates")


@bp.get("/rebates")
@requires(OWN)
def own() -> Any:
    """Show the rebates of the buyer's company and its parents, with what was settled."""
    company_id = current_actor().company_id
    found: list[Rebate] = []
    if company_id is not None:
        query = select(Rebate).where(Rebate.company_id.in_(ancestors(company_id)), Rebate.status == "active")
        found = list(db.session.scalars(query.order_by(Rebate.code)))
    return render_template(
        "rebates/own.html",
        standings=standing.current(found), words=wording, targets=standing.targets_of(found),
        settled=settling.of_rebate([rebate.id for rebate in found], accepted=True),
    )  # fmt: skip
