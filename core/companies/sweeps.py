"""What always holds of stored companies."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from core.companies.models import Company
from core.companies.tree import DEEPEST
from core.data.db import db
from core.spec.app import DataCheck


def circles() -> Iterator[str]:
    """Find companies above which the tree does not end, or is too deep to be read."""
    rows = db.session.execute(select(Company.id, Company.parent_id, Company.code).order_by(Company.code)).all()
    above = {row.id: row.parent_id for row in rows}
    for row in rows:
        at, steps = row.parent_id, 0
        while at is not None and steps <= DEEPEST:
            at, steps = above.get(at), steps + 1
        if at is not None:
            yield row.code


CHECKS = (
    DataCheck(
        "COMPANY-CIRCLE", f"The tree of companies has an end, at most {DEEPEST} steps up.", circles,
        "Give one of them no parent, on its page.",
    ),
)  # fmt: skip
