"""Where every company stands: as a report, in numbers on the home page, and what holds of it at all times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from core.api.companies import Company, seller
from core.api.data import db
from core.api.hooks import Card, DataCheck, PageContext, ReportColumn, ReportSource
from core.api.i18n import translations

from .models import Level, Standing
from .views import EDIT

_, _l, ngettext, _p = translations(__name__)


def rows(_values: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    """Yield each company that was counted, the best first."""
    columns = (
        Company.code,
        Company.name,
        Level.name,
        Standing.spend,
        Standing.orders,
        Standing.returns,
        Standing.counted_at,
    )
    query = select(*columns).join(Company, Company.id == Standing.company_id).outerjoin(Level, Level.id == Standing.level_id)
    query = query.order_by(func.coalesce(Level.rank, 0).desc(), Standing.spend.desc(), Company.code)
    currency = seller().currency
    for code, name, level, spend, *rest in db.session.execute(query.execution_options(yield_per=500)):
        yield (code, name, level or "", spend, currency, *rest)


REPORTS = (
    ReportSource(
        "standings",
        _l("Loyalty levels of companies"),
        (
            ReportColumn("company", _l("Company"), "code"),
            ReportColumn("name", _l("Name")),
            ReportColumn("level", _l("Level")),
            ReportColumn("spend", _l("Bought"), "money", extra="currency"),
            ReportColumn("currency", _l("Currency"), "code"),
            ReportColumn("orders", _l("Orders"), "number"),
            ReportColumn("returns", _l("Returned"), "percent"),
            ReportColumn("counted", _l("Counted"), "instant"),
        ),
        rows,
        EDIT,
    ),
)


def counts(_context: PageContext) -> dict[str, Any] | None:
    """Return how many companies have each level; None, so no card, while there are no levels."""
    query = select(Level.name, func.count(Standing.company_id)).outerjoin(Standing, Standing.level_id == Level.id)
    found = db.session.execute(query.group_by(Level.id, Level.name, Level.rank).order_by(Level.rank.desc())).all()
    return {"counts": [tuple(row) for row in found]} if found else None


CARDS = (Card("levels", "loyalty_levels/card.html", counts, "half", _l("Loyalty levels"), EDIT),)


def kept_for_nothing() -> Iterable[str]:
    """Find companies for which a level is kept that they do not have."""
    query = select(Company.code).join(Standing, Standing.company_id == Company.id)
    return db.session.scalars(query.where(Standing.level_id.is_(None), Standing.grace_until.is_not(None)))


CHECKS = (
    DataCheck(
        "LOYALTY-GRACE",
        "Only a level that a company has is kept for it.",
        kept_for_nothing,
        "`tukku loyalty_levels count` counts all companies anew.",
    ),
)
