"""Prepared changes of contracts, and their rows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.api.changes import PreparedChange
from core.api.data import Json, Price, Quantity, Staff, db

from .models import KINDS, Contract

#: ``preparing``, ``publishing`` and ``undoing`` are those of long changes, while a job is at them; ``failed``: a job found
#: rows that cannot be. A short one is ``begun``, which nobody sees, until it is whole.
CHANGE_STATES = (
    "begun", "preparing", "failed", "open", "publishing", "scheduled", "published", "undoing", "undone", "withdrawn",
)  # fmt: skip


class Change(PreparedChange, db.Model):
    """Rows and terms prepared for a contract, looked at before they hold; known by its number within the contract.

    ``size`` counts its rows. ``head``: terms of the contract to be set, and once published also ``head_before``.
    ``effect``: whom that touches, as worked out last. ``deed_id``: once published, the deed whose rows can be put back.
    ``starts`` is the instant from which the change holds, None for the moment of publishing; terms that do not say so by
    their own dates are ``scheduled`` until then. ``checked`` counts the rows that a job at work has looked at, ``refused``
    says why it could not publish or undo. ``origin`` is what a job prepares the change from (see preparing.py), ``problems``
    the rows that it had to refuse.
    """

    __tablename__ = "pricing_contract_change"
    __scope__ = Staff()
    __table_args__ = (
        CheckConstraint(f"state in {CHANGE_STATES!r}", name="state"),
        UniqueConstraint("contract_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("pricing_contract_contract.id", ondelete="CASCADE"))
    size: Mapped[int] = mapped_column(default=0)
    head: Mapped[dict[str, Any] | None] = mapped_column(Json)
    head_before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    deed_id: Mapped[int | None]
    checked: Mapped[int] = mapped_column(default=0)
    origin: Mapped[dict[str, Any] | None] = mapped_column(Json)
    problems: Mapped[dict[str, Any] | None] = mapped_column(Json)
    version: Mapped[int] = mapped_column(default=1)

    contract: Mapped[Contract] = relationship()

    __mapper_args__ = {"version_id_col": version}


class ChangeRow(db.Model):
    """A row that a change sets, or with ``gone`` takes out; ``place`` is where it stood in the file or the grid.

    ``begins`` is where it begins once published: ``valid_from``, or later where the change starts later; None where it ends
    before that.

    The table lies in the order of contract rows, so that a change of any length is put in by a few statements.
    """

    __tablename__ = "pricing_contract_change_row"
    __scope__ = Staff("change_id")
    __table_args__ = (CheckConstraint(f"kind in {KINDS!r}", name="kind"), {"sqlite_with_rowid": False})

    change_id: Mapped[int] = mapped_column(ForeignKey("pricing_contract_change.id", ondelete="CASCADE"), primary_key=True)
    target: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[str] = mapped_column(String(20), primary_key=True)
    min_quantity: Mapped[Decimal] = mapped_column(Quantity, primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(primary_key=True)
    gone: Mapped[bool] = mapped_column(primary_key=True, default=False)
    place: Mapped[int]
    begins: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[Decimal] = mapped_column(Price)
    per: Mapped[Decimal] = mapped_column(Quantity)
    terms: Mapped[dict[str, Any] | None] = mapped_column(Json)


class ChangePart(db.Model):
    """Some rows of a file, as they were written there, until a job has read them; all rows for a product are in one part."""

    __tablename__ = "pricing_contract_change_part"
    __scope__ = Staff("change_id")
    __table_args__ = ({"sqlite_with_rowid": False},)

    change_id: Mapped[int] = mapped_column(ForeignKey("pricing_contract_change.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[list[Any]] = mapped_column(Json)
