"""Cost centres of companies, whose they are by default, and on which of them orders and their lines are put."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Subtree, db


class CostCentre(db.Model):
    """A cost centre of a company; one that was used is switched off instead of deleted."""

    __tablename__ = "approval_chain_cost_centre"
    __scope__ = Subtree()
    __table_args__ = (UniqueConstraint("company_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    #: Who answers for it and is asked where a rule or an overrun budget asks for its owner.
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    #: What another system calls it.
    source: Mapped[str] = mapped_column(String(40), default="")
    external_id: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime]


class CentreDefault(db.Model):
    """On which cost centre a person's orders for a company are put unless they choose another."""

    __tablename__ = "approval_chain_centre_default"
    __scope__ = Subtree()
    __table_args__ = (UniqueConstraint("company_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), index=True)
    cost_centre_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_cost_centre.id", ondelete="CASCADE"), index=True)


class OrderCentre(db.Model):
    """What was chosen for a whole cart; without a cost centre it was chosen to have none."""

    __tablename__ = "approval_chain_order_centre"
    __scope__ = Subtree()

    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"), primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    cost_centre_id: Mapped[int | None] = mapped_column(
        ForeignKey("approval_chain_cost_centre.id", ondelete="CASCADE"), index=True
    )


class LineCentre(db.Model):
    """The cost centre of a line: in a cart where it differs from that of the cart, of every line once it is placed.

    The row of a line that is dropped later stays, so that what was decided on the rest stays comparable.
    """

    __tablename__ = "approval_chain_line_centre"
    __scope__ = Subtree()
    __table_args__ = (UniqueConstraint("order_id", "position"), UniqueConstraint("line_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("orders_line.id", ondelete="SET NULL"))
    position: Mapped[int]
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    cost_centre_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_cost_centre.id", ondelete="RESTRICT"), index=True)
    #: As they were when the order was placed.
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
