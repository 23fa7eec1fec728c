"""A company's place in segments by rule, on its back-office page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.api.companies import Segment
from core.api.data import db
from core.api.hooks import PageContext, Panel
from core.api.i18n import pick, translations

from . import wording
from .models import Move, Place, Rule
from .permissions import EDIT

_, _l, ngettext, _p = translations(__name__)
SHOWN = 10


def company_segments(context: PageContext) -> Mapping[str, Any] | None:
    """Return where the company is by rule, and its latest moves; None where there is nothing to say."""
    places = db.session.execute(
        select(Segment.code, Segment.name, Place.since, Place.grace_until)
        .join(Rule, Rule.segment_id == Segment.id)
        .join(Place, Place.rule_id == Rule.id)
        .where(Place.company_id == context.subject_id)
        .order_by(Segment.code)
    ).all()
    moves = db.session.scalars(
        select(Move).where(Move.company_id == context.subject_id).order_by(Move.at.desc(), Move.id.desc()).limit(SHOWN)
    ).all()
    if not places and not moves:
        return None
    return {"places": places, "moves": moves, "reason": wording.reason, "pick": pick}


PANELS = (
    Panel(
        key="segments",
        page="backoffice.company",
        slot="side",
        template="segment_rules/panel_company.html",
        load=company_segments,
        title=_l("Segments by rule"),
        permission=EDIT,
        order=60,
    ),
)
