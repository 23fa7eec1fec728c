"""What the addon adds to the list of companies: a filter by rule, and keeping companies whatever the rule says."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select

from core.api.companies import Segment
from core.api.data import db
from core.api.hooks import Action, ListFilter
from core.api.i18n import pick, translations

from .models import Place, Rule
from .permissions import EDIT

_, _l, ngettext, _p = translations(__name__)
LIST = "companies.companies"
#: No segment's code: codes have no star.
LEAVING = "*"


def placed(code: str) -> Select[tuple[int]]:
    """Return the companies that are in the segment with ``code`` by its rule; ``LEAVING``: those in their days of grace."""
    query = select(Place.company_id)
    if code == LEAVING:
        return query.where(Place.grace_until.is_not(None))
    return query.join(Rule, Rule.id == Place.rule_id).join(Segment).where(Segment.code == code)


def choices() -> Sequence[tuple[str, object]]:
    """Return the segments that have a rule, and whoever is about to leave one."""
    query = select(Segment.code, Segment.name).join(Rule, Rule.segment_id == Segment.id).order_by(Segment.code)
    return [*((code, pick(name)) for code, name in db.session.execute(query)), (LEAVING, _("In grace"))]


FILTERS = (ListFilter("placed", LIST, _l("Segment by rule"), placed, choices, EDIT),)
ACTIONS = (Action("keep", LIST, _l("Keep in their segments"), "segment_rules.keep", EDIT, "lock"),)
