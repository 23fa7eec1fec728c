"""Rebates that were agreed, the ledger of what accrued, to which rows are only ever added, and their settlements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, and_, event, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.api.data import Amount, Inherited, Price, Quantity, Scope, Subtree, db
from core.api.hooks import Conflict

PERIODS = ("quarter", "year")
BASES = ("net", "quantity")
KINDS = ("percent", "amount")
MODES = ("retroactive", "prospective")
STATUSES = ("draft", "active", "ended")
#: a line counted; a step was crossed or the terms changed; a line counts no more or less.
MOVES = ("accrue", "true_up", "reverse")
STATES = ("proposed", "accepted", "refused")


@dataclass(frozen=True, slots=True)
class ForBuyers(Inherited):
    """Rebates of the company and its parents; buyers only read, and drafts are not shown to them."""

    attribute: str = "company_id"
    drafts: bool = True

    def criterion(self, model: Any, scope: Scope) -> Any:
        """Return the condition; ``drafts``: the model has a status, and drafts are kept from buyers."""
        mine = model.company_id.in_(self.ids(scope))
        return and_(mine, model.status != "draft") if self.drafts else mine


class Rebate(db.Model):
    """What a company (and what lies beneath it) gets back for what it buys in each period from ``starts`` on.

    Periods begin with ``starts`` and every year or quarter after it; ``ends`` is the first day that does not count any more.
    ``basis`` is what thresholds compare: net turnover in ``currency``, or quantity in base units ``unit``. A step's value
    is a percent of the net, or an amount for each base unit: of everything (retroactive), or of what lies above the
    threshold (prospective).
    """

    __tablename__ = "rebates_rebate"
    __scope__ = ForBuyers()
    __table_args__ = (
        CheckConstraint(f"period in {PERIODS!r}", name="period"),
        CheckConstraint(f"basis in {BASES!r}", name="basis"),
        CheckConstraint(f"kind in {KINDS!r}", name="kind"),
        CheckConstraint(f"mode in {MODES!r}", name="mode"),
        CheckConstraint(f"status in {STATUSES!r}", name="status"),
        CheckConstraint("ends is null or ends > starts", name="ends"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(30), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    period: Mapped[str] = mapped_column(String(10))
    starts: Mapped[date]
    ends: Mapped[date | None]
    basis: Mapped[str] = mapped_column(String(10))
    unit: Mapped[str] = mapped_column(String(20), default="")
    kind: Mapped[str] = mapped_column(String(10))
    mode: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(10), default="draft")
    note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    steps: Mapped[list[Step]] = relationship(order_by="Step.threshold", cascade="all, delete-orphan", lazy="selectin")
    targets: Mapped[list[Target]] = relationship(order_by="Target.id", cascade="all, delete-orphan", lazy="selectin")

    __mapper_args__ = {"version_id_col": version}


@dataclass(frozen=True, slots=True)
class OfRebate(Inherited):
    """Rows that belong to a rebate which the reader sees."""

    attribute: str = "rebate_id"

    def criterion(self, model: Any, scope: Scope) -> Any:
        """Return the condition; its query stands for itself."""
        readable = select(Rebate.id).where(ForBuyers().criterion(Rebate, scope)).correlate(None)
        return model.rebate_id.in_(readable)

    def shows(self, _id: int | None, _scope: Scope) -> bool:
        """Tell whether a row that came through the condition stays visible."""
        return True


class Step(db.Model):
    """From ``threshold`` on, ``value`` comes back."""

    __tablename__ = "rebates_step"
    __scope__ = OfRebate()
    __table_args__ = (
        UniqueConstraint("rebate_id", "threshold"),
        CheckConstraint("threshold >= 0 and value > 0", name="figures"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rebate_id: Mapped[int] = mapped_column(ForeignKey("rebates_rebate.id", ondelete="CASCADE"))
    threshold: Mapped[Decimal] = mapped_column(Quantity)
    value: Mapped[Decimal] = mapped_column(Price)


class Target(db.Model):
    """A product or category (with what lies below it) that counts; a rebate without any counts everything."""

    __tablename__ = "rebates_target"
    __scope__ = OfRebate()
    __table_args__ = (CheckConstraint("(product_id is null) != (category_id is null)", name="target"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rebate_id: Mapped[int] = mapped_column(ForeignKey("rebates_rebate.id", ondelete="CASCADE"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="CASCADE"), index=True)


class Entry(db.Model):
    """What changed in a rebate's period: what counts more or less, and what accrued with it; ``order_id`` None: no line."""

    __tablename__ = "rebates_entry"
    __scope__ = Subtree()
    __table_args__ = (
        CheckConstraint(f"kind in {MOVES!r}", name="kind"),
        Index("ix_rebates_entry_period", "rebate_id", "period"),
        Index("ix_rebates_entry_order", "order_id", "rebate_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rebate_id: Mapped[int] = mapped_column(ForeignKey("rebates_rebate.id", ondelete="CASCADE"))
    #: The company that ordered: that of the rebate, or one beneath it.
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"))
    position: Mapped[int | None]
    #: First day of the period in which the order was confirmed.
    period: Mapped[date]
    kind: Mapped[str] = mapped_column(String(10))
    net: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    quantity: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(0))
    accrued: Mapped[Decimal] = mapped_column(Amount)
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(String(200))


class Settlement(db.Model):
    """What is to be credited for a period, or for what came back after it was settled; finance accepts or refuses it."""

    __tablename__ = "rebates_settlement"
    __scope__ = ForBuyers(drafts=False)
    __table_args__ = (
        CheckConstraint(f"state in {STATES!r}", name="state"),
        UniqueConstraint("rebate_id", "period", "number"),
        # one proposal is open for a period at a time
        Index(
            "uq_rebates_settlement_open", "rebate_id", "period", unique=True,
            sqlite_where=text("state = 'proposed'"), postgresql_where=text("state = 'proposed'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    rebate_id: Mapped[int] = mapped_column(ForeignKey("rebates_rebate.id", ondelete="CASCADE"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    period: Mapped[date]
    after: Mapped[date]
    #: The first settles the period, later ones correct it.
    number: Mapped[int]
    net: Mapped[Decimal] = mapped_column(Amount)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: The ledger's sum when it was proposed, and what of it is to be credited now.
    accrued: Mapped[Decimal] = mapped_column(Amount)
    amount: Mapped[Decimal] = mapped_column(Amount)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10), default="proposed", index=True)
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    #: Number of the credit note in the books, where finance wrote it down.
    document: Mapped[str] = mapped_column(String(80), default="")

    rebate: Mapped[Rebate] = relationship()


@event.listens_for(Entry, "before_update")
@event.listens_for(Entry, "before_delete")
def _append_only(_mapper: Any, _connection: Any, entry: Entry) -> None:
    raise Conflict("LEDGER", f"Entry {entry.id} is history: what changed is added to the ledger")
