"""What may be wrong with rules."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from core.api.companies import Company, CompanySegment, Segment
from core.api.data import db
from core.api.hooks import ConfigCheck, ConfigFinding, DataCheck, HealthCheck, Impact
from core.api.i18n import translations

from .models import Place, Rule

_, _l, ngettext, _p = translations(__name__)


def incomplete() -> Iterator[ConfigFinding]:
    """Find active rules whose category is gone: nobody fulfils them."""
    codes = select(Segment.code).join(Rule, Rule.segment_id == Segment.id).where(
        Rule.active, Rule.min_share.is_not(None), Rule.category_id.is_(None)
    )  # fmt: skip
    for code in db.session.scalars(codes.order_by(Segment.code)):
        text = _("The category in the rule of the segment %(code)s is gone: nobody fulfils the rule.", code=code)
        yield ConfigFinding("SEGMENT-RULE-CATEGORY", "error", text, _("Open the rule"), "segment_rules.rule", {"code": code})


CHECKS = (ConfigCheck("category", _l("Categories in rules of segments"), incomplete),)


def health() -> Iterator[HealthCheck]:
    """Say how many companies are in segments by rule."""
    count = db.session.scalar(select(func.count()).select_from(Place)) or 0
    text = ngettext("%(count)s company in a segment by rule", "%(count)s companies in segments by rule", count)
    yield HealthCheck("places", _l("Segments by rule"), "ok", text)


def losses() -> Iterator[Impact]:
    """Say what stops when the addon is switched off."""
    count = db.session.scalar(select(func.count()).select_from(Rule).where(Rule.active)) or 0
    if count:
        text = ngettext(
            "%(count)s segment is no longer brought up to date; its companies stay in it.",
            "%(count)s segments are no longer brought up to date; their companies stay in them.",
            count,
        )
        yield Impact(text, count, "info")


def outside() -> Iterator[str]:
    """Find companies that are in a segment by its rule, and are not in it."""
    inside = select(CompanySegment.company_id).where(
        CompanySegment.company_id == Place.company_id, CompanySegment.segment_id == Rule.segment_id
    )  # fmt: skip
    query = (
        select(Company.code, Segment.code).join(Place, Place.company_id == Company.id).join(Rule, Rule.id == Place.rule_id)
    )
    query = query.join(Segment, Segment.id == Rule.segment_id).where(~inside.exists()).order_by(Segment.code, Company.code)
    return (f"{company} in {segment}" for company, segment in db.session.execute(query))


SWEEPS = (
    DataCheck(
        "SEGMENT-PLACE", "A company that has a place in a segment by its rule is in the segment.", outside,
        "Put the company into the segment on its page, or let `tukku segment_rules evaluate` decide anew.", "warning",
    ),
)  # fmt: skip
