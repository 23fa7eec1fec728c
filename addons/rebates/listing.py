"""What the back-office lists: rebates, and their settlements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select

from core.api.companies import Company
from core.api.i18n import translations
from core.api.ui import Field, Resource, View

from .forms import BASES, PERIODS, STATUSES
from .models import Rebate, Settlement

_, _l, ngettext, _p = translations(__name__)
STATES = (("proposed", _l("Waits for finance")), ("accepted", _l("Accepted")), ("refused", _l("Refused")))

REBATES = Resource(
    key="rebates.rebates",
    title=_l("Rebates"),
    id=Rebate.id,
    code="code",
    source=lambda statement: statement.join(Company, Company.id == Rebate.company_id),
    fields=(
        Field("code", _l("Code"), Rebate.code, "code", search=True),
        Field("name", _l("Name"), Rebate.name, search=True),
        Field("company", _l("Company"), Company.name, search=True),
        Field("period", _l("Period"), Rebate.period, choices=lambda: PERIODS, show=lambda v: dict(PERIODS).get(v, v)),
        Field(
            "basis", _l("Thresholds are of"), Rebate.basis, choices=lambda: BASES, show=lambda v: dict(BASES).get(v, v),
            on_card=False,
        ),
        Field("currency", _l("Currency"), Rebate.currency, on_card=False),
        Field("starts", _l("First day"), Rebate.starts, "day", on_card=False),
        Field("status", _l("Status"), Rebate.status, "state", choices=lambda: STATUSES),
        Field("changed", _l("Changed"), Rebate.updated_at, "instant", shown=False),
    ),
    order="code",
    endpoint="rebates_admin.rebate",
    search_label=_l("Find by code, name or company"),
    count=lambda number: ngettext("%(count)s rebate", "%(count)s rebates", number),
    views=(
        View("all", _l("All")),
        View("active", _l("Active"), {"status": "active"}),
        View("draft", _l("Drafts"), {"status": "draft"}),
        View("ended", _l("Ended"), {"status": "ended"}),
    ),
)  # fmt: skip


def _settled(statement: Select[Any]) -> Select[Any]:
    return statement.join(Rebate, Rebate.id == Settlement.rebate_id).join(Company, Company.id == Settlement.company_id)


SETTLEMENTS = Resource(
    key="rebates.settlements",
    title=_l("Settlements of rebates"),
    id=Settlement.id,
    code="code",
    source=_settled,
    fields=(
        Field("code", _l("Code"), Settlement.code, "code", search=True),
        Field("company", _l("Company"), Company.name, search=True),
        Field("company_code", _l("Company code"), Company.code, "code", search=True, shown=False, on_card=False),
        Field("rebate", _l("Rebate"), Rebate.name, search=True, on_card=False),
        Field("period", _l("Period begins"), Settlement.period, "day", on_card=False),
        Field("amount", _l("To be credited"), Settlement.amount, "money", extra="currency", total=True),
        Field("currency", _l("Currency"), Settlement.currency, shown=False),
        Field(
            "state", _l("State"), Settlement.state, choices=lambda: STATES, show=lambda v: dict(STATES).get(v, v),
        ),
        Field("document", _l("Credit note"), Settlement.document, "code", search=True, shown=False, on_card=False),
        Field("proposed", _l("Proposed"), Settlement.proposed_at, "instant", shown=False),
        Field("decided", _l("Decided"), Settlement.decided_at, "instant", shown=False),
    ),
    order="-period",
    endpoint="rebates_admin.settlement",
    search_label=_l("Find by code, company or rebate"),
    count=lambda number: ngettext("%(count)s settlement", "%(count)s settlements", number),
    views=(
        View("all", _l("All")),
        View("proposed", _l("Waits for finance"), {"state": "proposed"}),
        View("accepted", _l("Accepted"), {"state": "accepted"}),
        View("refused", _l("Refused"), {"state": "refused"}),
    ),
)  # fmt: skip
