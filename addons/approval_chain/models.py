"""Limits of companies; rules are in rule_models.py, approvals and what people decided in flow_models.py."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Amount, Tree, db

from .budget_models import SpendLimit, once_each
from .bulk_models import Bulk
from .centre_models import CentreDefault, CostCentre, LineCentre, OrderCentre
from .flow_models import Absence, Approval, Decision, Link, Manager, OrderRequest, Version
from .ledger_models import Budget, BudgetAmount, BudgetNotice, Entry
from .rule_models import Group, GroupMember, Policy, Rule
from .seller_models import SellerDecision, SellerRule

__all__ = [
    "Absence", "Approval", "Budget", "BudgetAmount", "BudgetNotice", "Bulk", "CentreDefault", "CostCentre", "Decision",
    "Entry", "Group",
    "GroupMember", "Limit", "LineCentre", "Link", "Manager", "OrderCentre", "OrderRequest", "Policy", "Rule",
    "SellerDecision", "SellerRule", "SpendLimit", "Version",
]  # fmt: skip


class Limit(db.Model):
    """What a person (or, without one, a role) may order alone and may approve. None is unlimited, 0 is nothing."""

    __tablename__ = "approval_chain_limit"
    __scope__ = Tree()
    __table_args__ = (
        CheckConstraint("(user_id is null) <> (role = '')", name="whose"),
        *once_each("approval_chain_limit"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(30), default="")
    currency: Mapped[str] = mapped_column(String(3))
    order_limit: Mapped[Decimal | None] = mapped_column(Amount)
    approve_limit: Mapped[Decimal | None] = mapped_column(Amount)
