"""What is lost while the addon is off."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from core.api.data import clock, db
from core.api.hooks import Impact
from core.api.i18n import translations

from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)


def losses() -> Iterator[Impact]:
    """Yield the companies and rows whose prices go back to the list price."""
    now = clock.now()
    active = (
        Contract.status == "active",
        Contract.valid_from <= now,
        Contract.valid_until.is_(None) | (Contract.valid_until > now),
    )
    companies = db.session.scalar(
        select(func.count(func.distinct(Contract.company_id))).where(*active, Contract.audience == "company")
    )
    lists = db.session.scalar(select(func.count()).select_from(Contract).where(*active, Contract.audience != "company"))
    rows = db.session.scalar(
        select(func.count())
        .select_from(ContractPrice)
        .join(Contract, Contract.id == ContractPrice.contract_id)
        .where(*active)
    )
    if companies:
        yield Impact(
            ngettext(
                "%(count)s company pays list prices instead of its contract prices.",
                "%(count)s companies pay list prices instead of their contract prices.",
                companies,
            ),
            companies,
            "severe",
        )
    if lists:
        yield Impact(
            ngettext(
                "%(count)s price list for a segment, a country or everybody stops.",
                "%(count)s price lists for segments, countries or everybody stop.",
                lists,
            ),
            lists,
            "severe",
        )
    if rows:
        yield Impact(
            ngettext(
                "%(count)s price row is kept, but not used until the addon is switched on again.",
                "%(count)s price rows are kept, but not used until the addon is switched on again.",
                rows,
            ),
            rows,
        )
