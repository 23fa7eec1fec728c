"""Budgets of cost centres and their ledger, to which rows are only ever added: what is left is its sum."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Amount, Price, Subtree, db
from core.api.hooks import Conflict

PERIODS = ("month", "quarter", "year")
MODES = ("block", "warn", "require")
CARRY = ("none", "left", "all")
#: placed or made larger; confirmed; made smaller, rejected or cancelled before that; given back after it.
KINDS = ("reserve", "commit", "release", "restore")


class Budget(db.Model):
    """How much a cost centre may spend in each period; one is in force at a time, those before it keep their ledger."""

    __tablename__ = "approval_chain_budget"
    __scope__ = Subtree()
    __table_args__ = (
        CheckConstraint(f"period in {PERIODS!r}", name="period"),
        CheckConstraint(f"mode in {MODES!r}", name="mode"),
        CheckConstraint(f"carry_over in {CARRY!r}", name="carry_over"),
        Index(
            "uq_approval_chain_budget_active", "cost_centre_id", unique=True,
            sqlite_where=text("active"), postgresql_where=text("active"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    cost_centre_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_cost_centre.id", ondelete="CASCADE"), index=True)
    period: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    #: What becomes of an order that exceeds it: refused, told, or asked of the owner of the cost centre.
    mode: Mapped[str] = mapped_column(String(10))
    #: What goes on to the next period: nothing, what is left, or that and what was overspent.
    carry_over: Mapped[str] = mapped_column(String(10), default="none")
    #: Orders placed since this day count; the first day of a period.
    starts: Mapped[date]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class BudgetAmount(db.Model):
    """The amount of every period since one of them; only ever added, the latest holds."""

    __tablename__ = "approval_chain_budget_amount"
    __scope__ = Subtree()
    __table_args__ = (CheckConstraint("amount >= 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    budget_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_budget.id", ondelete="CASCADE"), index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    since: Mapped[date]
    amount: Mapped[Decimal] = mapped_column(Amount)
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(String(200))


class Entry(db.Model):
    """What an order changed in a budget, in the budget's currency; ``step`` counts the entries of an order in a budget."""

    __tablename__ = "approval_chain_budget_entry"
    __scope__ = Subtree()
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS!r}", name="kind"),
        UniqueConstraint("order_id", "budget_id", "step"),
        Index("ix_approval_chain_budget_entry_period", "budget_id", "period"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    budget_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_budget.id", ondelete="RESTRICT"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="RESTRICT"))
    step: Mapped[int]
    #: First day of the period in which the order was placed.
    period: Mapped[date]
    kind: Mapped[str] = mapped_column(String(10))
    reserved: Mapped[Decimal] = mapped_column(Amount)
    committed: Mapped[Decimal] = mapped_column(Amount)
    #: How many of the budget's currency one of the order's was, when it was placed.
    rate: Mapped[Decimal] = mapped_column(Price, default=Decimal(1))
    #: What of the order counts, as the setting said when it was first entered.
    basis: Mapped[str] = mapped_column(String(12), default="net", server_default="net")
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(String(200))


class BudgetNotice(db.Model):
    """That people were told that so many percent of a budget are used in a period; once for each."""

    __tablename__ = "approval_chain_budget_notice"
    __scope__ = Subtree()
    __table_args__ = (UniqueConstraint("budget_id", "period", "threshold"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    budget_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_budget.id", ondelete="CASCADE"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    #: First day of the period.
    period: Mapped[date]
    threshold: Mapped[int]
    at: Mapped[datetime]


@event.listens_for(Entry, "before_update")
@event.listens_for(Entry, "before_delete")
@event.listens_for(BudgetAmount, "before_update")
@event.listens_for(BudgetAmount, "before_delete")
def _append_only(_mapper: Any, _connection: Any, row: Any) -> None:
    raise Conflict("LEDGER", f"{type(row).__name__} {row.id} is history: what changed is added to the ledger")
