"""Segments: groups of companies that price lists and assortments name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sqlalchemy import func, select

from core.companies.models import Company, CompanySegment, Segment
from core.data import audit
from core.data.db import db
from core.i18n import _
from core.spec.errors import Conflict, Invalid, NotFound

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)


def all_segments() -> list[Segment]:
    """Return every segment, by code."""
    return list(db.session.scalars(select(Segment).order_by(Segment.code)))


def segment_by_code(code: str) -> Segment:
    """Return the segment with ``code``; NotFound otherwise."""
    found = db.session.scalar(select(Segment).where(Segment.code == code))
    if found is None:
        raise NotFound("SEGMENT-UNKNOWN", _("There is no segment with the code “%(code)s”.", code=code))
    return found


def counts() -> dict[int, int]:
    """Return how many companies each segment has."""
    rows = db.session.execute(select(CompanySegment.segment_id, func.count()).group_by(CompanySegment.segment_id))
    return dict(rows.all())


def save_segment(segment: Segment | None, code: str, name: Mapping[str, str]) -> Segment:
    """Add a segment (None) or rename one. Call inside ``write()``."""
    texts = {locale: text.strip() for locale, text in name.items() if text and text.strip()}
    if not texts:
        raise Invalid("SEGMENT-NAME", _("Give the segment a name."), details={"field": "name"})
    if segment is None:
        segment = Segment(code=_free(code))
        db.session.add(segment)
    segment.name = texts
    db.session.flush()
    audit.record("segment", segment.code, "saved", after={"name": texts})
    return segment


def _free(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise Invalid("SEGMENT-CODE", _("Use letters, digits and . _ - in the code."), details={"field": "code"})
    if db.session.scalar(select(Segment.id).where(Segment.code == code)) is not None:
        raise Conflict("SEGMENT-EXISTS", _("There is already a segment with the code “%(code)s”.", code=code))
    return code


def delete_segment(segment: Segment) -> None:
    """Remove a segment and its place with companies. Call inside ``write()``."""
    audit.record("segment", segment.code, "deleted", before={"name": segment.name})
    db.session.delete(segment)
    db.session.flush()


def segments_of(company_id: int) -> list[Segment]:
    """Return the segments of a company, by code."""
    return list(
        db.session.scalars(
            select(Segment)
            .join(CompanySegment, CompanySegment.segment_id == Segment.id)
            .where(CompanySegment.company_id == company_id)
            .order_by(Segment.code)
        )
    )


def set_segments(company: Company, codes: Iterable[str]) -> bool:
    """Put the company into exactly these segments; returns whether anything differed. Call inside ``write()``."""
    wanted = set(codes)
    known = {segment.code: segment.id for segment in all_segments()}
    missing = wanted - known.keys()
    if missing:
        raise NotFound("SEGMENT-UNKNOWN", _("There is no segment with the code “%(code)s”.", code=sorted(missing)[0]))
    rows = {
        row.segment_id: row
        for row in db.session.scalars(select(CompanySegment).where(CompanySegment.company_id == company.id))
    }
    ids = {known[code] for code in wanted}
    if ids == rows.keys():
        return False
    for segment_id in rows.keys() - ids:
        db.session.delete(rows[segment_id])
    db.session.add_all(CompanySegment(company_id=company.id, segment_id=i) for i in sorted(ids - rows.keys()))
    db.session.flush()
    before = sorted(code for code, i in known.items() if i in rows)
    audit.record(
        "company", company.code, "segments_changed", company_id=company.id,
        before={"segments": before}, after={"segments": sorted(wanted)},
    )  # fmt: skip
    return True
