"""Decisions and limits as files for people, written when the addon is uninstalled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from core.api.companies import Company
from core.api.data import db
from core.api.hooks import ExportFile
from core.api.orders import Order

from .flow_models import Approval, Decision

_DECISIONS = ("order", "company", "round", "tier", "decided_by", "on_behalf_of", "outcome", "comment", "at")


def files() -> Iterable[ExportFile]:
    """Return who decided what on which order: what a merchant must be able to show later."""
    yield ExportFile("decisions", _DECISIONS, _decisions)


def _decisions() -> Iterable[Sequence[Any]]:
    columns = (
        Order.number, Company.code, Decision.round, Decision.tier, Decision.user_name, Decision.for_name,
        Decision.outcome, Decision.comment, Decision.at,
    )  # fmt: skip
    joined = select(*columns).join(Approval, Approval.id == Decision.approval_id).join(Order, Order.id == Approval.order_id)
    return db.session.execute(joined.join(Company, Company.id == Decision.company_id).order_by(Decision.id))
