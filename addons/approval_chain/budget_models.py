"""Limits of what a person may order in a period."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Amount, Tree, db

from .periods import KINDS


def once_each(table: str, *more: str) -> tuple[Index, ...]:
    """Return the indexes that allow one row for a person and one for a role: NULL is unequal to itself in a plain key."""
    return tuple(
        Index(f"uq_{table}_{whose}", "company_id", column, *more, unique=True, sqlite_where=when, postgresql_where=when)
        for whose, column, when in (
            ("person", "user_id", text("user_id is not null")),
            ("role", "role", text("user_id is null")),
        )
    )


class SpendLimit(db.Model):
    """What a person, or everybody in a role by themselves, may order in a period. None is unlimited, 0 is nothing."""

    __tablename__ = "approval_chain_spend_limit"
    __scope__ = Tree()
    __table_args__ = (
        CheckConstraint(f"period in {KINDS!r}", name="period"),
        CheckConstraint("(user_id is null) <> (role = '')", name="whose"),
        CheckConstraint("amount is null or amount >= 0", name="amount"),
        *once_each("approval_chain_spend_limit", "period"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(30), default="")
    period: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Decimal | None] = mapped_column(Amount)
