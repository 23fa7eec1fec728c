"""Answers core.settings' question: which companies and segments may hold a value that applies to a company?"""

from __future__ import annotations

from sqlalchemy import select

from core.companies import services, tree
from core.companies.models import Company, CompanySegment, Segment
from core.data.db import db
from core.data.scope import unscoped

_REASON = "a setting of a parent company or segment holds for whoever asks about the company"


class CompanyTargets:
    """The ``Targets`` of core.settings."""

    def of(self, company_id: int) -> tuple[str, ...]:
        """Return ``company:<code>`` of the company and its parents, nearest first, then ``segment:<code>``."""
        buyer = services.standing_of(company_id)
        if buyer is not None:
            return buyer.targets
        path = tree.ancestors(company_id)
        codes = dict(
            db.session.execute(unscoped(select(Company.id, Company.code).where(Company.id.in_(path)), _REASON)).all()
        )
        segments = db.session.scalars(
            unscoped(
                select(Segment.code)
                .join(CompanySegment, CompanySegment.segment_id == Segment.id)
                .where(CompanySegment.company_id.in_(path))
                .distinct()
                .order_by(Segment.code),
                _REASON,
            )
        )
        return (*(f"company:{codes[i]}" for i in path if i in codes), *(f"segment:{code}" for code in segments))

    def exists(self, target: str) -> bool:
        """Tell whether the company or segment that ``target`` names exists."""
        kind, _colon, code = target.partition(":")
        model = {"company": Company, "segment": Segment}.get(kind)
        return model is not None and db.session.scalar(select(model.id).where(model.code == code)) is not None
