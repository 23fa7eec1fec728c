"""Agreements on a quantity at a price, and the ledger of what orders drew, to which rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, and_, event
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Inherited, Price, Quantity, Scope, Subtree, db
from core.api.hooks import Conflict

KINDS = ("fixed", "percent")
STATUSES = ("draft", "active", "ended")
#: placed or made larger; confirmed; made smaller, rejected or cancelled before that; given back after it.
MOVES = ("reserve", "commit", "release", "restore")


@dataclass(frozen=True, slots=True)
class ForBuyers(Inherited):
    """Agreements of the company and its parents; buyers only read, and drafts are not shown to them."""

    def criterion(self, model: Any, scope: Scope) -> Any:
        """Return the condition."""
        return and_(model.company_id.in_(self.ids(scope)), model.status != "draft")


class Agreement(db.Model):
    """A company (and what lies beneath it) takes ``quantity`` of a product or category in [valid_from, valid_until).

    Quantity and price are in base units; of a category those products count whose base unit is ``unit``. ``value`` is a
    net price for ``per`` units, or a percent off the list price.
    """

    __tablename__ = "volume_agreements_agreement"
    __stamp__ = "volume_agreements"
    __scope__ = ForBuyers()
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS!r}", name="kind"),
        CheckConstraint(f"status in {STATUSES!r}", name="status"),
        CheckConstraint("(product_id is null) != (category_id is null)", name="target"),
        CheckConstraint("quantity > 0 and value >= 0 and per > 0", name="figures"),
        CheckConstraint("valid_until > valid_from", name="validity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(30), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="CASCADE"), index=True)
    unit: Mapped[str] = mapped_column(String(20))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[Decimal] = mapped_column(Price)
    per: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(1))
    currency: Mapped[str] = mapped_column(String(3))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(10), default="draft")
    note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version}


class Entry(db.Model):
    """What a line of an order changed in an agreement, in base units; ``step`` counts the entries of a line in it."""

    __tablename__ = "volume_agreements_entry"
    __scope__ = Subtree()
    __table_args__ = (
        CheckConstraint(f"kind in {MOVES!r}", name="kind"),
        UniqueConstraint("order_id", "position", "agreement_id", "step"),
        Index("ix_volume_agreements_entry_agreement", "agreement_id", "order_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("volume_agreements_agreement.id", ondelete="CASCADE"))
    #: The company that ordered: that of the agreement, or one beneath it.
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"))
    position: Mapped[int]
    step: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    reserved: Mapped[Decimal] = mapped_column(Quantity)
    committed: Mapped[Decimal] = mapped_column(Quantity)
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(String(200))


@event.listens_for(Entry, "before_update")
@event.listens_for(Entry, "before_delete")
def _append_only(_mapper: Any, _connection: Any, entry: Entry) -> None:
    raise Conflict("LEDGER", f"Entry {entry.id} is history: what changed is added to the ledger")
