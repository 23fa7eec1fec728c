"""Rules of companies, the policy by which they are chosen, and roles that companies name themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api.data import Json, Tree, db

EFFECTS = ("require", "bypass", "deny")
#: Which of the rules that fit count.
SELECTIONS = ("all", "first", "most_specific", "highest")
#: What applies where no rule fits.
OTHERWISE = ("nobody", "ask", "deny")


class RuleParts:
    """What every rule says: when, who orders, what follows.

    ``conditions``: [{fact, op, value}], all must hold; money in ``currency``, a value is a figure as text or a list of
    codes. ``steps``: [{above, roles, people, need, tier, limited}], those whose ``above`` (the total; "" is every)
    is exceeded ask ``need`` of them (0: all), ``limited`` only those whose limit for approving covers the total.
    ``for_roles`` and ``for_people`` empty: whoever orders.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    effect: Mapped[str] = mapped_column(String(10), default="require")
    active: Mapped[bool] = mapped_column(default=True)
    #: The larger is looked at first, where only one rule counts.
    priority: Mapped[int] = mapped_column(default=0)
    #: First and last day, in the seller's zone; None: always, until further notice.
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    currency: Mapped[str] = mapped_column(String(3))
    conditions: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    steps: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    for_roles: Mapped[list[str]] = mapped_column(Json, default=list)
    for_people: Mapped[list[int]] = mapped_column(Json, default=list)
    created_at: Mapped[datetime]


class Rule(RuleParts, db.Model):
    """A rule of a company; ``inherit``: its subsidiaries follow it too."""

    __tablename__ = "approval_chain_rule"
    __scope__ = Tree()
    __table_args__ = (CheckConstraint(f"effect in {EFFECTS!r}", name="effect"),)

    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    inherit: Mapped[bool] = mapped_column(default=True)


class Policy(db.Model):
    """How a company's rules are chosen, and what holds where none fits; subsidiaries without one follow their parent's.

    ``allow_self`` lets whoever may decide on everything that is asked go ahead with their own order; ``once`` counts one
    decision of a person for all turns.
    """

    __tablename__ = "approval_chain_policy"
    __scope__ = Tree()
    __table_args__ = (
        CheckConstraint(f"selection in {SELECTIONS!r}", name="selection"),
        CheckConstraint(f"otherwise in {OTHERWISE!r}", name="otherwise"),
        UniqueConstraint("company_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    selection: Mapped[str] = mapped_column(String(20), default="all")
    otherwise: Mapped[str] = mapped_column(String(10), default="nobody")
    #: Whom to ask where no rule fits: a role, or a person.
    fallback_role: Mapped[str] = mapped_column(String(30), default="")
    fallback_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    allow_self: Mapped[bool] = mapped_column(default=False)
    once: Mapped[bool] = mapped_column(default=False)
    #: Does everybody who decides see all orders that wait? Else administrators, and roles with the right.
    all_see: Mapped[bool] = mapped_column(default=True)
    #: May purchase order number and message change while an order waits, without asking anybody again?
    references_free: Mapped[bool] = mapped_column(default=False)
    #: May people ask for an approval that no rule requires?
    voluntary: Mapped[bool] = mapped_column(default=True)


class Group(db.Model):
    """A role that a company names itself, such as heads of department; rules and limits name it as ``group:<id>``."""

    __tablename__ = "approval_chain_group"
    __scope__ = Tree()
    __table_args__ = (UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    #: May its people decide on every order that waits, though they are not asked?
    decides: Mapped[bool] = mapped_column(default=False)
    #: May they see every order that waits, where not everybody who decides may?
    sees: Mapped[bool] = mapped_column(default=False)
    #: Are orders of its people refused that somebody would have to approve?
    barred: Mapped[bool] = mapped_column(default=False)

    @property
    def role(self) -> str:
        """What rules and limits call it."""
        return role_of(self.id)


class GroupMember(db.Model):
    """A person in a company's own role."""

    __tablename__ = "approval_chain_group_member"
    __scope__ = Tree()

    group_id: Mapped[int] = mapped_column(ForeignKey("approval_chain_group.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id", ondelete="CASCADE"), primary_key=True, index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)


def role_of(group_id: int) -> str:
    """Return what rules and limits call a company's own role."""
    return f"group:{group_id}"
