"""What the back-office lists about contracts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from core.api.companies import Company, Segment
from core.api.i18n import translations
from core.api.ui import Field, Resource, View

from .change_models import Change
from .forms import AUDIENCES, POLICIES, STATUSES
from .models import Contract, ContractPrice

_, _l, ngettext, _p = translations(__name__)

SHORT_AUDIENCES = {
    "company": _l("Company"),
    "segment": _l("Segment"),
    "location": _l("Country"),
    "public": _l("Everybody"),
}
SHORT_POLICIES = {"override": _l("Final"), "best_of": _l("Best of"), "fallback": _l("Fallback")}
_ROWS = (
    select(func.count())
    .select_from(ContractPrice)
    .where(ContractPrice.contract_id == Contract.id)
    .correlate(Contract)
    .scalar_subquery()
)
#: Changes that wait for somebody, or for a job.
_WAITING = (
    select(func.count())
    .select_from(Change)
    .where(Change.contract_id == Contract.id, Change.state.in_(("open", "preparing", "failed", "publishing", "scheduled")))
    .correlate(Contract)
    .scalar_subquery()
)


def _source(statement: Select[Any]) -> Select[Any]:
    return statement.outerjoin(Company, Company.id == Contract.company_id).outerjoin(
        Segment, Segment.id == Contract.segment_id
    )


CONTRACTS = Resource(
    key="pricing_contract.contracts",
    title=_l("Contracts"),
    id=Contract.id,
    code="code",
    source=_source,
    fields=(
        Field("code", _l("Code"), Contract.code, "code", search=True),
        Field("name", _l("Name"), Contract.name, search=True),
        Field(
            "audience",
            _l("For whom"),
            Contract.audience,
            choices=lambda: AUDIENCES,
            show=lambda v: SHORT_AUDIENCES.get(v, v),
        ),
        Field("company", _l("Company"), Company.name, search=True),
        Field("segment", _l("Segment"), Segment.code, shown=False, on_card=False),
        Field(
            "policy",
            _l("Beside other prices"),
            Contract.merge_policy,
            choices=lambda: POLICIES,
            show=lambda v: SHORT_POLICIES.get(v, v),
            on_card=False,
        ),
        Field("priority", _l("Priority"), Contract.priority, "number", shown=False, on_card=False),
        Field("rows", _l("Rows"), _ROWS, "number", on_card=False),
        Field("changes", _l("Prepared changes"), _WAITING, "number", shown=False, on_card=False),
        Field("currency", _l("Currency"), Contract.currency, shown=False),
        Field("status", _l("Status"), Contract.status, "state", choices=lambda: STATUSES),
        Field("until", _l("Ends"), Contract.valid_until, "day", on_card=False),
        Field("changed", _l("Changed"), Contract.updated_at, "instant", shown=False),
    ),
    order="code",
    endpoint="pricing_contract_admin.contract",
    search_label=_l("Find by code, name or company"),
    count=lambda number: ngettext("%(count)s contract", "%(count)s contracts", number),
    views=(
        View("all", _l("All")),
        View("active", _l("Active"), {"status": "active"}),
        View("draft", _l("Drafts"), {"status": "draft"}),
        View("changes", _l("With prepared changes"), {"changes": "1.."}),
        View("ended", _l("Ended"), {"status": "ended"}),
    ),
)
