"""Who changed which rows of contracts: deeds, and the rows as they were before."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Json, Price, Quantity, Staff, db

MEANS = ("grid", "paste", "percent", "change", "undo", "restore", "copy", "import", "api")


class Deed(db.Model):
    """One save of rows of a contract, however many: who, when, and by which means; a long file is one deed.

    ``note`` is the file's name, the prepared change's number, the percentage, or the contract that was copied.
    """

    __tablename__ = "pricing_contract_deed"
    __scope__ = Staff()
    __table_args__ = (
        CheckConstraint(f"means in {MEANS!r}", name="means"),
        Index("ix_pricing_contract_deed_contract", "contract_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("pricing_contract_contract.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    actor_id: Mapped[int | None]
    means: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(String(200), default="")
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)


class PastRow(db.Model):
    """A row as it was until a deed changed it or took it out. What stands now is in the contract's own rows.

    ``made_by`` is the deed that made it so, None where that was before there was a history.
    """

    __tablename__ = "pricing_contract_past"
    __scope__ = Staff()
    __table_args__ = (Index("ix_pricing_contract_past_row", "contract_id", "target"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("pricing_contract_contract.id", ondelete="CASCADE"))
    target: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(String(20))
    min_quantity: Mapped[Decimal] = mapped_column(Quantity)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[Decimal] = mapped_column(Price)
    per: Mapped[Decimal] = mapped_column(Quantity)
    terms: Mapped[dict[str, Any] | None] = mapped_column(Json)
    made_by: Mapped[int | None]
    ended_by: Mapped[int] = mapped_column(ForeignKey("pricing_contract_deed.id", ondelete="CASCADE"), index=True)
    removed: Mapped[bool] = mapped_column(default=False)
