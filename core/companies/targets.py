"""Answers core.settings' question: which companies and segments may hold a value that applies to a company?"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from flask import g
from sqlalchemy import select

from core.companies import services, tree
from core.companies.models import Company, CompanySegment, Segment
from core.data import stamps
from core.data.db import db
from core.data.scope import unscoped
from core.i18n import pick

_REASON = "a setting of a parent company or segment holds for whoever asks about the company"
#: What a company's targets are read from.
_TABLES = tuple(model.__tablename__ for model in (Company, CompanySegment, Segment))


class CompanyTargets:
    """The ``Targets`` of core.settings."""

    def of(self, company_id: int) -> tuple[str, ...]:
        """Return ``company:<code>`` of the company and its parents, nearest first, then ``segment:<code>``.

        They are read once in a request or job, as settings are, and anew after it has changed one of their tables.
        """
        buyer = services.standing_of(company_id)
        if buyer is not None:
            return buyer.targets
        known = g.setdefault("tukku_setting_targets", {})
        key = company_id, stamps.changes(*_TABLES)
        if key not in known:
            known[key] = self._read(company_id)
        return cast("tuple[str, ...]", known[key])

    def _read(self, company_id: int) -> tuple[str, ...]:
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

    def of_each(self, company_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
        """Return the same for several companies; three statements."""
        paths = tree.ancestors_of(company_ids)
        every = {i for path in paths.values() for i in path}
        named = unscoped(select(Company.id, Company.code).where(Company.id.in_(every)), _REASON)
        codes = {row.id: row.code for row in db.session.execute(named)}
        belongs = select(CompanySegment.company_id, Segment.code).join(Segment, Segment.id == CompanySegment.segment_id)
        rows = db.session.execute(unscoped(belongs.where(CompanySegment.company_id.in_(every)), _REASON)).all()
        return {
            company_id: (
                *(f"company:{codes[i]}" for i in path if i in codes),
                *(f"segment:{code}" for code in sorted({row.code for row in rows if row.company_id in path})),
            )
            for company_id, path in paths.items()
        }

    def exists(self, target: str) -> bool:
        """Tell whether the company or segment that ``target`` names exists."""
        kind, _colon, code = target.partition(":")
        model = {"company": Company, "segment": Segment}.get(kind)
        return model is not None and db.session.scalar(select(model.id).where(model.code == code)) is not None


def names_of(targets: Collection[str]) -> dict[str, str]:
    """Return the names of the companies and segments that targets name, in the reader's language; two statements."""
    codes = {kind: [t.partition(":")[2] for t in targets if t.startswith(f"{kind}:")] for kind in ("company", "segment")}
    companies = db.session.execute(select(Company.code, Company.name).where(Company.code.in_(codes["company"]))).all()
    segments = db.session.execute(select(Segment.code, Segment.name).where(Segment.code.in_(codes["segment"]))).all()
    return {
        **{f"company:{row.code}": row.name for row in companies},
        **{f"segment:{row.code}": pick(row.name) for row in segments},
    }
