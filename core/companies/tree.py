"""The tree of companies: who stands above and below, moves without cycles, and locks from the root down."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from sqlalchemy import literal, select

from core.companies.models import Company
from core.data.db import db
from core.data.scope import actor_or_none, unscoped
from core.data.write import locked
from core.i18n import _
from core.spec.errors import Invalid, NotFound

DEEPEST = 20
_REASON = "the tree itself says how far the scope of a company reaches"


def ancestors(company_id: int) -> tuple[int, ...]:
    """Return the ids of the company and its parents, nearest first; no statement for the actor's own company."""
    actor = actor_or_none()
    if actor is not None and actor.company_id == company_id and actor.scope.inherited:
        return actor.scope.inherited
    return _walk(company_id, up=True)


def descendants(company_id: int) -> tuple[int, ...]:
    """Return the ids of the company and everything below it, nearest first."""
    return _walk(company_id, up=False)


def around(company_id: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return ancestors and descendants (each with the company first) in one statement."""
    above, below = _steps(company_id, up=True), _steps(company_id, up=False)
    both = select(above.c.id, above.c.depth, literal(1).label("up")).union_all(select(below.c.id, below.c.depth, literal(0)))
    rows = sorted(db.session.execute(unscoped(both, _REASON)).all(), key=lambda row: (row.depth, row.id))
    return tuple(r.id for r in rows if r.up), tuple(r.id for r in rows if not r.up)


def descendants_of(company_ids: tuple[int, ...]) -> tuple[int, ...]:
    """Return the ids of several companies and of everything below them, in one statement."""
    if not company_ids:
        return ()
    start = select(Company.id.label("id")).where(Company.id.in_(company_ids)).cte("below", recursive=True)
    below = start.union(select(Company.id).join(start, Company.parent_id == start.c.id))
    return tuple(db.session.scalars(unscoped(select(below.c.id).order_by(below.c.id), _REASON)))


def ancestors_of(company_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return the ids of each company and its parents, nearest first, in one statement."""
    if not company_ids:
        return {}
    first = (Company.id.label("origin"), Company.id.label("id"), Company.parent_id.label("parent_id"))
    start = select(*first, literal(0).label("depth")).where(Company.id.in_(company_ids)).cte("above", recursive=True)
    further = select(start.c.origin, Company.id, Company.parent_id, start.c.depth + 1)
    steps = start.union_all(further.join(start, Company.id == start.c.parent_id).where(start.c.depth < DEEPEST))
    rows = db.session.execute(unscoped(select(steps.c.origin, steps.c.id).order_by(steps.c.origin, steps.c.depth), _REASON))
    found: dict[int, tuple[int, ...]] = {}
    for origin, company_id in rows:
        found[origin] = (*found.get(origin, ()), company_id)
    return found


def _walk(company_id: int, *, up: bool) -> tuple[int, ...]:
    steps = _steps(company_id, up=up)
    return tuple(db.session.scalars(unscoped(select(steps.c.id).order_by(steps.c.depth, steps.c.id), _REASON)))


def _steps(company_id: int, *, up: bool):  # type: ignore[no-untyped-def]  # a recursive CTE
    columns = (Company.id.label("id"), Company.parent_id.label("parent_id"))
    start = select(*columns, literal(0).label("depth")).where(Company.id == company_id)
    steps = start.cte("above" if up else "below", recursive=True)
    link = Company.id == steps.c.parent_id if up else Company.parent_id == steps.c.id
    return steps.union_all(select(*columns, steps.c.depth + 1).join(steps, link).where(steps.c.depth < DEEPEST))


def lock_company(company_id: int) -> Company:
    """Lock the path from the root of the tree down to the company and return it as the database has it now.

    Call inside ``write()``, before reading what depends on the company: two callers never lock in opposite order.
    On SQLite the write transaction itself is the lock.
    """
    path = [_locked(step) for step in reversed(_walk(company_id, up=True))]
    if _moved(path):  # while it was waited for: its new parents are to be locked as well
        path = [_locked(step) for step in reversed(_walk(company_id, up=True))]
    found = path[-1] if path else None
    if found is None:
        raise NotFound("COMPANY-UNKNOWN", _("There is no such company."))
    return found


def _locked(company_id: int) -> Company | None:
    """Return one company under its lock."""
    return db.session.scalar(locked(select(Company).where(Company.id == company_id), of=Company))


def _moved(path: Sequence[Company | None]) -> bool:
    """Tell whether companies, from the root down, no longer stand below each other."""
    parts = any(one and upper and one.parent_id != upper.id for upper, one in pairwise(path))
    top = path[0] if path else None
    return parts or (top is not None and top.parent_id is not None and len(path) < DEEPEST)


def move(company: Company, parent: Company | None) -> bool:
    """Hang ``company`` beneath ``parent`` (None: on top); returns whether it moved. Call inside ``write()``.

    Refuses a cycle, and a tree deeper than ``DEEPEST``.
    """
    if company.parent_id == (parent.id if parent else None):
        return False
    if parent is not None:
        for step in sorted({company.id, parent.id}):  # in one order, so that two opposite moves cannot both pass
            lock_company(step)
        above = _walk(parent.id, up=True)
        if company.id in above:
            raise Invalid(
                "COMPANY-CYCLE",
                _(
                    "%(parent)s stands below %(company)s, so it cannot be its parent. Choose a company outside its tree.",
                    parent=parent.name,
                    company=company.name,
                ),
                details={"field": "parent"},
            )
        if len(above) >= DEEPEST - 1:
            raise Invalid(
                "COMPANY-DEEP",
                _("The tree would be deeper than %(count)s levels.", count=DEEPEST),
                details={"field": "parent"},
            )
    company.parent_id = parent.id if parent else None
    db.session.flush()
    return True
