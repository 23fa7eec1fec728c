"""The buyer's page: what the company agreed on, and how far it is."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from sqlalchemy import select

from core.api.catalog import Product, visible_products
from core.api.companies import ancestors
from core.api.data import clock, current_actor, db
from core.api.i18n import translations
from core.api.pricing import may_see
from core.api.ui import requires

from .models import Agreement
from .permissions import OWN
from .standing import named, standings

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("volume_agreements", __name__, template_folder="templates")
SHOWN = 200


@bp.get("/agreements")
@requires(OWN)
def own() -> Any:
    """Show the agreements of the buyer's company and its parents, what holds now first."""
    company_id = current_actor().company_id
    found = []
    if company_id is not None:
        query = select(Agreement).where(Agreement.company_id.in_(ancestors(company_id)), Agreement.status != "draft")
        found = list(db.session.scalars(query.order_by(Agreement.valid_until.desc(), Agreement.code).limit(SHOWN)))
    now = clock.now()
    rows = standings(found)
    return render_template(
        "volume_agreements/own.html",
        holding=[one for one in rows if one.agreement.status == "active" and one.agreement.valid_until > now],
        over=[one for one in rows if one.agreement.status != "active" or one.agreement.valid_until <= now],
        named=named(found), offered=_offered(found), may_see=may_see(),
    )  # fmt: skip


def _offered(agreements: list[Agreement]) -> set[int]:
    """Return the ids of those of the agreements' articles that the buyer finds in the shop; one statement."""
    ids = [one.product_id for one in agreements if one.product_id]
    return set(db.session.scalars(select(Product.id).where(Product.id.in_(ids), visible_products()))) if ids else set()
