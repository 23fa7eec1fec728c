"""What the addon shows on other pages: a company's contracts on its back-office page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select

from core.api.companies import Company, ancestors, segment_ids
from core.api.data import db
from core.api.hooks import PageContext, Panel
from core.api.i18n import translations

from .models import Contract, ContractPrice
from .permissions import VIEW

_, _l, ngettext, _p = translations(__name__)


def company_contracts(context: PageContext) -> Mapping[str, Any]:
    """Return what concerns the company: contracts of its own, inherited ones, lists of its segments in its currency."""
    ids = ancestors(context.subject_id) if context.subject_id else ()
    segments = segment_ids(ids)
    currency = db.session.scalar(select(Company.currency).where(Company.id == context.subject_id))
    rows = (
        (select(func.count()).select_from(ContractPrice).where(ContractPrice.contract_id == Contract.id))
        .correlate(Contract)
        .scalar_subquery()
    )
    query = (
        select(Contract, rows)
        .where(or_(Contract.company_id.in_(ids), Contract.segment_id.in_(segments) & Contract.currency.in_(("", currency))))
        .order_by(Contract.status, Contract.audience, Contract.priority.desc(), Contract.code)
    )
    found = [
        (contract, count, contract.company_id not in (None, context.subject_id))
        for contract, count in db.session.execute(query)
    ]
    return {"contracts": found, "code": context.subject_code}


def segment_lists(context: PageContext) -> Mapping[str, Any]:
    """Return the price lists that a segment gives its companies."""
    rows = select(func.count()).select_from(ContractPrice).where(ContractPrice.contract_id == Contract.id)
    query = select(Contract, rows.correlate(Contract).scalar_subquery()).where(Contract.segment_id == context.subject_id)
    found = db.session.execute(query.order_by(Contract.status, Contract.priority.desc(), Contract.code))
    return {"contracts": [(contract, count, False) for contract, count in found], "segment": context.subject_code}


PANELS = (
    Panel(
        key="contracts",
        page="backoffice.company",
        slot="main",
        template="pricing_contract/panel_company.html",
        load=company_contracts,
        title=_l("Contracts and price lists"),
        permission=VIEW,
        order=40,
    ),
    Panel(
        key="lists",
        page="backoffice.segment",
        slot="main",
        template="pricing_contract/panel_company.html",
        load=segment_lists,
        title=_l("Price lists"),
        permission=VIEW,
        order=40,
    ),
)
