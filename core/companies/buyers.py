"""Answers core.accounts' question: where does a person stand among the companies? One statement, whatever their number."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CompoundSelect, Integer, Select, String, bindparam, case, func, literal, or_, select, union_all

from core.accounts.identity import Buyer, CompanyChoice
from core.companies import tree
from core.companies.models import Company, CompanySegment, Membership, Segment
from core.data.db import db
from core.data.prepared import prepared
from core.data.scope import unscoped

_REASON = "before there is an actor: the memberships say what its scope will be"
CHOICE, CHOSEN, ABOVE, BELOW, SEGMENT = range(5)


class CompanyBuyers:
    """The ``Buyers`` of core.accounts."""

    def standing(self, user_id: int, company_id: int | None, *, exactly: bool = False) -> Buyer | None:
        """Return the standing in ``company_id``, else (unless ``exactly``) in the first company; closed ones never."""
        statement = prepared(_standing, db.engine.dialect.name)
        kinds: tuple[list[Any], ...] = ([], [], [], [], [])
        for row in statement.rows(user=user_id, wanted=company_id or 0, exactly=int(exactly)):
            kinds[row[0]].append(row)
        if not kinds[CHOSEN]:
            return None
        _kind, chosen, _place, country, currency, _role = kinds[CHOSEN][0]
        rows = sorted(kinds[CHOICE], key=lambda row: int(row[2]))
        choices = {row[1]: CompanyChoice(row[1], row[3], row[4]) for row in rows}
        return Buyer(
            choices[chosen],
            frozenset(row[5] for row in rows if row[1] == chosen),
            tuple(choices.values()),
            _nearest_first(kinds[ABOVE]),
            _nearest_first(kinds[BELOW]),
            tuple(sorted(row[1] for row in kinds[SEGMENT])),
            currency,
            country,
            (
                *(f"company:{row[3]}" for row in _sorted(kinds[ABOVE])),
                *(f"segment:{code}" for code in sorted(row[3] for row in kinds[SEGMENT])),
            ),
        )

    def portfolio(self, user_id: int) -> tuple[int, ...]:
        """Return the companies that name the person as their sales representative, with their trees."""
        mine = select(Company.id).where(Company.sales_rep_id == user_id)
        return tree.descendants_of(tuple(db.session.scalars(unscoped(mine, _REASON))))


def _sorted(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: (row[2], row[1]))


def _nearest_first(rows: list[Any]) -> tuple[int, ...]:
    return tuple(row[1] for row in _sorted(rows))


def _standing(_dialect: str) -> CompoundSelect[Any]:
    """Build the statement: rows of (kind, id, place or depth, code or country, name or currency, role)."""
    company, member = Company.__table__, Membership.__table__
    mine = (
        select(
            company.c.id,
            company.c.code,
            company.c.name,
            company.c.country,
            company.c.currency,
            member.c.role,
            func.row_number().over(order_by=(company.c.name, company.c.id)).label("place"),
        )
        .join(member, member.c.company_id == company.c.id)
        .where(member.c.user_id == bindparam("user", type_=Integer), company.c.status != "closed")
        .cte("mine")
    )
    wanted = bindparam("wanted", type_=Integer)
    chosen = (
        select(mine.c.id, mine.c.country, mine.c.currency)
        .where(or_(mine.c.id == wanted, bindparam("exactly", type_=Integer) == 0))
        .order_by(case((mine.c.id == wanted, 0), else_=1), mine.c.place)
        .limit(1)
        .cte("chosen")
    )
    above, below = _steps(chosen, up=True), _steps(chosen, up=False)
    belongs = CompanySegment.__table__
    segment = Segment.__table__
    segments = (
        select(segment.c.id, segment.c.code)
        .where(segment.c.id.in_(select(belongs.c.segment_id).where(belongs.c.company_id.in_(select(above.c.id)))))
        .subquery()
    )
    return union_all(
        select(literal(CHOICE), mine.c.id, mine.c.place, mine.c.code, mine.c.name, mine.c.role),
        select(literal(CHOSEN), chosen.c.id, literal(0), chosen.c.country, chosen.c.currency, _nothing()),
        select(literal(ABOVE), above.c.id, above.c.depth, above.c.code, _nothing(), _nothing()),
        select(literal(BELOW), below.c.id, below.c.depth, _nothing(), _nothing(), _nothing()),
        select(literal(SEGMENT), segments.c.id, literal(0), segments.c.code, _nothing(), _nothing()),
    )


def _nothing() -> Any:
    return literal("", String)


def _steps(chosen: Any, *, up: bool) -> Any:
    """Return the companies above or below the chosen one, itself included, with their depth."""
    company = Company.__table__
    columns = (company.c.id, company.c.parent_id, company.c.code)
    start: Select[Any] = select(*columns, literal(0).label("depth")).where(
        company.c.id == select(chosen.c.id).scalar_subquery()
    )
    steps = start.cte("above" if up else "below", recursive=True)
    link = company.c.id == steps.c.parent_id if up else company.c.parent_id == steps.c.id
    return steps.union_all(select(*columns, steps.c.depth + 1).join(steps, link).where(steps.c.depth < tree.DEEPEST))
