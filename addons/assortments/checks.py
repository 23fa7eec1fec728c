"""What may be wrong with assortments, how many hold, and what everybody sees while the addon is off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice

from sqlalchemy import and_, exists, func, select

from core.api.catalog import Product
from core.api.companies import GUESTS, Company, CompanySegment, Segment
from core.api.data import clock, db
from core.api.hooks import ConfigCheck, ConfigFinding, HealthCheck, Impact
from core.api.i18n import translations

from .models import Assortment, AssortmentRow
from .seeing import Head, active, condition_of

_, _l, ngettext, _p = translations(__name__)
PAGE, LIST = "assortments_admin.assortment", "assortments_admin.assortments"
SHOWN = 5
#: Sets of assortments that are tried at most: companies with the same ones see the same.
SETS = 50
_ACTIVE = Assortment.status == "active"


def without_rows() -> Iterator[ConfigFinding]:
    """Find active assortments without any row: an ``only`` shows nothing, others change nothing."""
    rows = exists().where(AssortmentRow.assortment_id == Assortment.id)
    query = select(Assortment.code, Assortment.mode).where(_ACTIVE, ~rows).order_by(Assortment.code).limit(SHOWN)
    for code, mode in db.session.execute(query):
        if mode == "only":
            text = _("The assortment %(code)s names no goods: whom it concerns sees nothing by it.", code=code)
        else:
            text = _("The assortment %(code)s names no goods: it changes nothing.", code=code)
        level = "error" if mode == "only" else "info"
        yield ConfigFinding("ASSORTMENT-EMPTY", level, text, _("Add goods"), PAGE, {"code": code})  # type: ignore[arg-type]


def over() -> Iterator[ConfigFinding]:
    """Find assortments that are marked active though their days are over."""
    query = (
        select(Assortment.code).where(_ACTIVE, Assortment.valid_until <= clock.now()).order_by(Assortment.code).limit(SHOWN)
    )
    for code in db.session.scalars(query):
        text = _("The assortment %(code)s has ended by its date and is still marked active.", code=code)
        yield ConfigFinding("ASSORTMENT-ENDED", "info", text, _("Open the assortment"), PAGE, {"code": code})


def concerning_nobody() -> Iterator[ConfigFinding]:
    """Find active assortments of a closed company, or of a segment without companies."""
    closed = exists().where(Company.id == Assortment.company_id, Company.status == "closed")
    members = exists().where(
        CompanySegment.segment_id == Assortment.segment_id,
        Company.id == CompanySegment.company_id,
        Company.status != "closed",
    )
    guests = exists().where(Segment.id == Assortment.segment_id, Segment.code == GUESTS)
    deserted = and_(Assortment.segment_id.is_not(None), ~members, ~guests)
    query = select(Assortment.code).where(_ACTIVE, closed | deserted).order_by(Assortment.code).limit(SHOWN)
    for code in db.session.scalars(query):
        text = _("The assortment %(code)s concerns nobody: its company is closed, or its segment has none.", code=code)
        yield ConfigFinding("ASSORTMENT-NOBODY", "warning", text, _("Open the assortment"), PAGE, {"code": code})


def nothing_left() -> Iterator[ConfigFinding]:
    """Find companies that see no product that is sold: each set of assortments that concerns some is tried once.

    Four statements, however many companies and assortments there are.
    """
    found: dict[tuple[Head, ...], list[str]] = defaultdict(list)
    for code, heads in _concerned().items():
        found[heads].append(code)
    tried = {heads: condition for heads in islice(found, SETS) if (condition := condition_of(heads)) is not None}
    if not tried:
        return
    sold = Product.status == "active"
    asked = select(*(exists().where(sold, condition) for condition in tried.values()))
    for heads, any_left in zip(tried, db.session.execute(asked).one(), strict=True):
        if any_left:
            continue
        companies = found[heads]
        text = ngettext(
            "%(count)s company (%(names)s) sees no product at all by the assortments %(codes)s.",
            "%(count)s companies (%(names)s) see no product at all by the assortments %(codes)s.",
            len(companies),
            names=", ".join(companies[:SHOWN]),
            codes=", ".join(head.code for head in heads),
        )
        restricting = next(head for head in heads if head.mode != "also")
        yield ConfigFinding("ASSORTMENT-NOTHING", "error", text, _("Open the assortment"), PAGE, {"code": restricting.code})


def _concerned() -> Mapping[str, tuple[Head, ...]]:
    """Return the assortments that concern each company that any concerns, by its code."""
    known, now = active(), clock.now()
    rows = db.session.execute(select(Company.id, Company.code, Company.parent_id, Company.status, Company.country)).all()
    companies = {row.id: row for row in rows}
    segments: dict[int, list[int]] = defaultdict(list)
    named = [segment_id for audience, segment_id in known if audience == "segment"]
    members = select(CompanySegment.company_id, CompanySegment.segment_id).where(CompanySegment.segment_id.in_(named))
    for company_id, segment_id in db.session.execute(members):
        segments[company_id].append(segment_id)
    found = {}
    for row in rows:
        heads = {*known.get(("public", 0), ()), *known.get(("location", row.country), ())}
        at, seen = row.id, set()
        while at is not None and at not in seen:
            seen.add(at)
            heads |= {*known.get(("company", at), ())}
            heads |= {head for segment_id in segments[at] for head in known[("segment", segment_id)]}
            at = companies[at].parent_id
        holding = tuple(sorted((head for head in heads if head.holds(now)), key=lambda head: head.code))
        if holding and row.status != "closed":
            found[row.code] = holding
    return found


def health() -> Iterator[HealthCheck]:
    """Say how many assortments hold."""
    now = clock.now()
    count = sum(head.holds(now) for heads in active().values() for head in heads)
    text = ngettext("%(count)s assortment in force", "%(count)s assortments in force", count)
    yield HealthCheck("assortments", _l("Assortments"), "ok", text)


def losses() -> Iterator[Impact]:
    """Say what is seen again while the addon is off, and what is no longer given."""
    now = clock.now()
    holding = [head for heads in active().values() for head in heads if head.holds(now) and head.mode != "also"]
    public = [head for head in holding if head.audience == "public"]
    if holding:
        text = ngettext(
            "%(count)s assortment no longer holds: whom it concerns sees and orders the whole catalogue.",
            "%(count)s assortments no longer hold: whom they concern sees and orders the whole catalogue.",
            len(holding),
        )
        yield Impact(text, len(holding), "severe")
    if public:
        yield Impact(_("Visitors too see goods that an assortment hides from everybody."), len(public), "severe")
    rows = db.session.scalar(select(func.count()).select_from(AssortmentRow)) or 0
    if rows:
        text = ngettext(
            "%(count)s row is kept, but not used until the addon is switched on again.",
            "%(count)s rows are kept, but not used until the addon is switched on again.",
            rows,
        )
        yield Impact(text, rows)


CHECKS = (
    ConfigCheck("empty", _l("Assortments without goods"), without_rows),
    ConfigCheck("over", _l("Assortments that have ended"), over),
    ConfigCheck("nobody", _l("Assortments that concern nobody"), concerning_nobody),
    ConfigCheck("nothing", _l("Companies that see nothing"), nothing_left),
)
