"""The report of agreements: what was agreed, ordered and is missing, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from core.api.data import db
from core.api.hooks import ReportColumn, ReportParameter, ReportSource
from core.api.i18n import translations

from .models import Agreement
from .permissions import VIEW
from .standing import PROGRESS, first_day, named, standings

_, _l, ngettext, _p = translations(__name__)
PART = 500


def _rows(values: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    last = 0
    query = select(Agreement).where(Agreement.status != "draft").order_by(Agreement.id).limit(PART)
    while found := list(db.session.scalars(query.where(Agreement.id > last))):
        last = found[-1].id
        names = named(found)
        for one in standings(found):
            if values["progress"] and one.progress != values["progress"]:
                continue
            agreement = one.agreement
            company = names.companies[agreement.company_id]
            yield (
                agreement.code, agreement.name, company.code, company.name, names.of(agreement),
                first_day(agreement.valid_from), one.last_day, agreement.quantity, one.committed, one.reserved, one.left,
                one.behind, agreement.unit, one.shortfall, agreement.currency,
            )  # fmt: skip


REPORTS = (
    ReportSource(
        "progress",
        _l("Volume agreements and what is missing"),
        (
            ReportColumn("code", _l("Code"), "code"),
            ReportColumn("name", _l("Name")),
            ReportColumn("company", _l("Company code"), "code"),
            ReportColumn("company_name", _l("Company")),
            ReportColumn("target", _l("Article or category")),
            ReportColumn("from", _l("First day"), "day"),
            ReportColumn("until", _l("Last day"), "day"),
            ReportColumn("quantity", _l("Agreed"), "quantity", extra="unit"),
            ReportColumn("committed", _l("Confirmed"), "quantity", extra="unit"),
            ReportColumn("reserved", _l("Not confirmed yet"), "quantity", extra="unit"),
            ReportColumn("left", _l("Left"), "quantity", extra="unit"),
            ReportColumn("behind", _l("Behind schedule by"), "quantity", extra="unit"),
            ReportColumn("unit", _l("Unit")),
            ReportColumn("shortfall", _l("The rest at the agreed price"), "money", extra="currency"),
            ReportColumn("currency", _l("Currency")),
        ),
        _rows,
        VIEW,
        (ReportParameter("progress", _l("Progress"), "choice", choices=lambda: [("", _l("All")), *PROGRESS]),),
        _l("How much of each agreement is taken and left, and what is behind its schedule."),
    ),
)
