"""What the REST API says of companies beside what core knows: the segments that a rule put them into."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from core.api.companies import Segment
from core.api.data import db
from core.api.hooks import ApiExtension

from .models import Place, Rule


def places(company_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """Return the segments of companies by rule, with since when, and until when in grace; one statement.

    Places are the seller's: the keys of companies see none.
    """
    query = select(Place.company_id, Segment.code, Place.since, Place.grace_until).join(Rule, Rule.id == Place.rule_id)
    query = query.join(Segment, Segment.id == Rule.segment_id).where(Place.company_id.in_(company_ids))
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for company_id, code, since, until in db.session.execute(query.order_by(Segment.code)):
        found[company_id].append({"code": code, "since": since.isoformat(), "until": until.isoformat() if until else None})
    return {company_id: {"segments": segments} for company_id, segments in found.items()}


EXTENSIONS = (ApiExtension("company", places),)
